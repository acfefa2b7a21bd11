//! What a learner finds on a rig: what it can work, what it can see and hear,
//! what pays.

use std::collections::BTreeMap;

use bramble_rig::Dose;
use bramble_rig::{Reading, Side, Signal, Sound, Wire, Wiring};
use bramble_task::definition::{DeviceKind, PortId};
use bramble_value::{Span, Time};

/// Outputs that pay without being a valve.
const FEEDERS: &[&str] = &["motor", "pellet", "feeder", "dispenser", "pump"];
/// Outputs that an animal doesn't see.
const HIDDEN: &[&str] = &["camera", "trigger", "sync", "laser", "strobe"];
/// Inputs that watch the screen, not the animal.
const PHOTODIODES: &[&str] = &["frame", "photodiode", "sync"];

/// How much more an animal likes to run forwards than backwards.
const FORWARDS: f64 = 1.0;

/// How long a sound is remembered.
const ECHO: Span = Span::from_s(3);

/// Something that can be done.
#[derive(Debug, Clone)]
pub(super) struct Way {
    /// Its name: `poke.left`, `wheel +`.
    pub(super) name: String,
    /// What it is done to.
    pub(super) port: PortId,
    pub(super) how: How,
    /// -1 for what is on the left, 1 for what is on the right.
    pub(super) side: f64,
    /// How much it is liked before anything is learned.
    pub(super) liked: f64,
    /// The light at the same place, if there is one.
    light: Option<PortId>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum How {
    /// Nose, paw or tongue on a digital input.
    Poke,
    /// The tongue on a spout.
    Lick,
    /// Weight on an analog input.
    Press,
    /// A turn of an encoder, one way or the other.
    Turn(f64),
}

/// What came of a signal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Noticed {
    Nothing,
    /// Something appeared.
    Onset,
    /// Something went away.
    Offset,
    /// Water, or a pellet.
    Reward,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Body {
    pub(super) ways: Vec<Way>,
    /// Photodiodes, and whether each is lit.
    pub(super) photodiodes: Vec<(PortId, bool)>,
    /// What each output is to the animal.
    outputs: BTreeMap<PortId, Seen>,
    lit: BTreeMap<PortId, (String, f64)>,
    heard: Option<(Sound, Time)>,
    seen: Option<(Side, f64)>,
    /// Since when each valve is open.
    open: BTreeMap<PortId, (Time, Option<Dose>)>,
    /// Water drunk, in microliters.
    pub(super) drunk: f64,
    /// How strongly the latest tone was perceived to be of each pitch.
    pub(super) pitch: Vec<(String, f64)>,
}

#[derive(Debug, Clone)]
enum Seen {
    Light(String),
    Valve(Option<Dose>),
    Feeder,
    Speaker,
    Screen,
    Hidden,
}

fn is_one_of(wire: &Wire, words: &[&str]) -> bool {
    let name = wire.device.as_str().to_lowercase();
    words.iter().any(|word| name.contains(word))
}

impl Body {
    pub(super) fn new(rig: &Wiring) -> Body {
        let mut body = Body::default();
        let has_screen = rig.ports().any(|(_, wire)| wire.kind == DeviceKind::Display);
        for (port, wire) in rig.ports() {
            let seen = match wire.kind {
                DeviceKind::DigitalInput if has_screen && is_one_of(wire, PHOTODIODES) => {
                    body.photodiodes.push((port, false));
                    continue;
                }
                DeviceKind::DigitalInput | DeviceKind::AnalogInput | DeviceKind::Encoder => {
                    body.ways.extend(ways(rig, port, wire));
                    continue;
                }
                DeviceKind::DigitalOutput | DeviceKind::LevelOutput if is_one_of(wire, FEEDERS) => {
                    Seen::Feeder
                }
                DeviceKind::DigitalOutput | DeviceKind::LevelOutput if is_one_of(wire, HIDDEN) => {
                    Seen::Hidden
                }
                DeviceKind::DigitalOutput | DeviceKind::LevelOutput => Seen::Light(wire.to_string()),
                DeviceKind::Solenoid => Seen::Valve(wire.dose.clone()),
                DeviceKind::Sound => Seen::Speaker,
                DeviceKind::Display => Seen::Screen,
                DeviceKind::Camera => Seen::Hidden,
            };
            body.outputs.insert(port, seen);
        }
        body
    }

    /// Takes in what an output does.
    pub(super) fn see(&mut self, port: PortId, signal: &Signal, now: Time) -> Noticed {
        match (self.outputs.get(&port), signal) {
            (Some(Seen::Light(name)), Signal::Level(level)) => {
                if *level > 0.0 {
                    self.lit.insert(port, (name.clone(), *level));
                    Noticed::Onset
                } else if self.lit.remove(&port).is_some() {
                    Noticed::Offset
                } else {
                    Noticed::Nothing
                }
            }
            (Some(Seen::Valve(dose)), Signal::Level(level)) if *level > 0.0 => {
                self.open.insert(port, (now, dose.clone()));
                Noticed::Reward
            }
            (Some(Seen::Valve(_)), Signal::Level(_)) => {
                if let Some((since, dose)) = self.open.remove(&port) {
                    self.drunk += dose.unwrap_or(Dose::TYPICAL).volume_of(now.since(since));
                }
                Noticed::Nothing
            }
            (Some(Seen::Feeder), Signal::Level(level)) if *level > 0.0 => Noticed::Reward,
            (Some(Seen::Speaker), Signal::Play(sound)) => {
                self.heard = Some((*sound, now));
                Noticed::Onset
            }
            (Some(Seen::Screen), Signal::Show(grating)) => {
                self.seen = Some((grating.side, grating.contrast));
                Noticed::Onset
            }
            (Some(Seen::Screen), Signal::Clear) if self.seen.take().is_some() => Noticed::Offset,
            _ => Noticed::Nothing,
        }
    }

    /// Forgets what was heard before this time.
    pub(super) fn forget_sound(&mut self, before: Time) {
        self.heard = self.heard.filter(|(_, since)| *since >= before);
    }

    /// The sound that is heard or remembered.
    pub(super) fn sound(&self, now: Time) -> Option<Sound> {
        self.heard.filter(|(_, since)| now.since(*since) < ECHO).map(|(sound, _)| sound)
    }

    /// Until when a sound is remembered.
    pub(super) fn echo_ends(&self) -> Option<Time> {
        self.heard.map(|(_, since)| since + ECHO)
    }

    /// Everything that is seen, each with its strength.
    pub(super) fn sights(&self) -> impl Iterator<Item = (&str, f64)> {
        let grating = self.seen.map(|(side, contrast)| {
            let name = if side == Side::Left { "grating left" } else { "grating right" };
            // The contrast that looks half as strong as full contrast is a tenth.
            (name, 1.1 * contrast / (contrast + 0.1))
        });
        self.lit.values().map(|(name, level)| (name.as_str(), *level)).chain(grating)
    }

    /// Whether there is anything to react to.
    pub(super) fn is_cued(&self, now: Time) -> bool {
        !self.lit.is_empty() || self.seen.is_some() || self.sound(now).is_some()
    }

    /// How brightly the light at the place of this way shines.
    pub(super) fn light_at(&self, way: &Way) -> f64 {
        way.light.and_then(|light| self.lit.get(&light)).map_or(0.0, |(_, level)| *level)
    }
}

fn ways(rig: &Wiring, port: PortId, wire: &Wire) -> Vec<Way> {
    let light = rig.ports().find(|(_, other)| {
        matches!(other.kind, DeviceKind::DigitalOutput | DeviceKind::LevelOutput)
            && wire.port.is_some()
            && other.port == wire.port
    });
    let side = match wire.port.as_ref().map(|port| port.as_str()) {
        Some("left") => -1.0,
        Some("right") => 1.0,
        _ => 0.0,
    };
    // A wheel that moves nothing on a screen is run on, forwards.
    let has_screen = rig.ports().any(|(_, wire)| wire.kind == DeviceKind::Display);
    let way = |name: String, how, side| {
        let liked = if how == How::Turn(1.0) && !has_screen { FORWARDS } else { 0.0 };
        Way { name, port, how, side, liked, light: light.map(|(light, _)| light) }
    };
    match wire.kind {
        DeviceKind::DigitalInput if is_one_of(wire, &["lick", "spout"]) => {
            vec![way(wire.to_string(), How::Lick, side)]
        }
        DeviceKind::DigitalInput => vec![way(wire.to_string(), How::Poke, side)],
        DeviceKind::AnalogInput => vec![way(wire.to_string(), How::Press, side)],
        // Turned one way, what is shown on the left comes to the middle.
        DeviceKind::Encoder => vec![
            way(format!("{wire} +"), How::Turn(1.0), -1.0),
            way(format!("{wire} -"), How::Turn(-1.0), 1.0),
        ],
        _ => Vec::new(),
    }
}

impl How {
    /// What the input reads while it is worked, and afterwards; for what is not
    /// a turn.
    pub(super) fn readings(self) -> (Reading, Reading) {
        match self {
            How::Press => (Reading::Analog(1.0), Reading::Analog(0.0)),
            How::Poke | How::Lick | How::Turn(_) => (Reading::Digital(true), Reading::Digital(false)),
        }
    }
}
