//! A simulated rig: lines in memory, time that goes from one event to the next,
//! and a world (an animal) that sees every output and works the inputs.

use std::time::{Duration, Instant};

use bramble_task::definition::PortId;
use bramble_value::{Span, Time};

use super::{Driver, DriverError, Happening, Inbox, Request};
use crate::signal::{Reading, Signal};
use crate::wiring::{Wire, Wiring};

/// What is around a simulated rig: usually an animal.
pub trait World: Send {
    /// A session begins on this rig. What is on already is seen afterwards.
    fn begin(&mut self, rig: &Wiring, now: Time);

    /// An output was written.
    fn see(&mut self, port: PortId, signal: &Signal, now: Time);

    /// When it acts next, if it does; it may change its mind whenever it sees
    /// something. A time in the past means at once.
    fn next(&self) -> Option<Time>;

    /// It acts: what it does to an input, if anything. Asked when its time has
    /// come, and again for as long as [`World::next`] is not in the future.
    fn act(&mut self, now: Time) -> Option<(PortId, Reading)>;
}

/// A world in which nothing happens.
impl World for () {
    fn begin(&mut self, _: &Wiring, _: Time) {}
    fn see(&mut self, _: PortId, _: &Signal, _: Time) {}
    fn next(&self) -> Option<Time> {
        None
    }
    fn act(&mut self, _: Time) -> Option<(PortId, Reading)> {
        None
    }
}

impl<W: World + ?Sized> World for Box<W> {
    fn begin(&mut self, rig: &Wiring, now: Time) {
        (**self).begin(rig, now);
    }
    fn see(&mut self, port: PortId, signal: &Signal, now: Time) {
        (**self).see(port, signal, now);
    }
    fn next(&self) -> Option<Time> {
        (**self).next()
    }
    fn act(&mut self, now: Time) -> Option<(PortId, Reading)> {
        (**self).act(now)
    }
}

/// How fast a simulated rig's time goes. It changes when things happen for the
/// person who looks, never what happens: stamps are the simulated time's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// As fast as it can be computed.
    Free,
    /// This many times as fast as real time; more than 0.
    Times(f64),
}

/// The driver.
#[derive(Debug)]
pub struct Simulated<W> {
    world: W,
    /// Whether each port of the task belongs to a child, by device and port.
    remote: Vec<Vec<bool>>,
    now: Time,
    pace: Pace,
    /// How fast time goes now: as `pace` says, or no faster than a person's.
    present: Pace,
    /// A moment of its time, and the real one that it is paced from.
    begun: (Time, Instant),
}

/// How often a world may act without time passing.
const ACTS_AT_ONCE: u32 = 10_000;

impl<W: World> Simulated<W> {
    /// A rig of this wiring around this world. Its time starts at zero, now.
    pub fn new(wiring: &Wiring, mut world: W, pace: Pace) -> Simulated<W> {
        // The animal knows nothing of what no task uses.
        let wiring = &wiring.of_task();
        world.begin(wiring, Time::ZERO);
        let mut remote: Vec<Vec<bool>> = Vec::new();
        for (port, wire) in wiring.ports() {
            remote.resize_with(remote.len().max(port.device.index() + 1), Vec::new);
            remote[port.device.index()].push(wire.child().is_some());
            if let Some(signal) = safe_signal(wire) {
                world.see(port, &signal, Time::ZERO);
            }
        }
        Simulated { world, remote, now: Time::ZERO, pace, present: pace, begun: (Time::ZERO, Instant::now()) }
    }

    /// The world, as the session left it.
    pub fn into_world(self) -> W {
        self.world
    }

    /// The real moment of a simulated one.
    fn moment(&self, time: Time, speed: f64) -> Instant {
        let (from, begun) = self.begun;
        let real = time.since(from).seconds().max(0.0) / speed;
        // Further off than a century is as good as never.
        let real = Duration::try_from_secs_f64(real.min(3e9)).unwrap_or_default();
        begun.checked_add(real).unwrap_or(begun)
    }

    /// The simulated moment of now, by a real clock.
    fn paced_now(&self, speed: f64) -> Time {
        let (from, begun) = self.begun;
        let gone = begun.elapsed().as_secs_f64() * speed;
        from + Span::from_seconds(gone).unwrap_or_default()
    }

    /// What was posted, once it is `time` or something came before.
    fn posted(&mut self, time: Option<Time>, inbox: &Inbox) -> Option<Happening> {
        let waited = match (self.present, time) {
            (Pace::Free, Some(_)) => inbox.look(),
            (Pace::Times(speed), Some(time)) => inbox.wait(Some(self.moment(time, speed))),
            (_, None) => inbox.wait(None),
        };
        match (waited, time) {
            (Ok(Some(happening)), _) => {
                if let Pace::Times(speed) = self.present {
                    let now = self.paced_now(speed).max(self.now);
                    self.now = time.map_or(now, |time| now.min(time));
                }
                Some(happening)
            }
            (Ok(None), _) => None,
            (Err(_), Some(time)) => {
                if let Pace::Times(speed) = self.present {
                    let wait = self.moment(time, speed).saturating_duration_since(Instant::now());
                    std::thread::sleep(wait);
                }
                None
            }
            (Err(_), None) => Some(Happening::Request(Request::Stop {
                why:
                    "nothing more can happen: the task waits, and neither the animal nor anyone else will act"
                        .into(),
            })),
        }
    }
}

impl<W: World> Driver for Simulated<W> {
    fn now(&mut self) -> Time {
        self.now
    }

    fn wait(&mut self, until: Option<Time>, inbox: &Inbox) -> Result<Option<Happening>, DriverError> {
        let mut acts = 0;
        loop {
            let acting = self.world.next().map(|time| time.max(self.now));
            let time = [until, acting].into_iter().flatten().min();
            if let Some(happening) = self.posted(time, inbox) {
                return Ok(Some(happening));
            }
            let Some(time) = time else { continue };
            self.now = time.max(self.now);
            // What the animal does at a moment comes before what is due at it.
            if acting != Some(time) {
                return Ok(None);
            }
            if let Some((port, reading)) = self.world.act(time) {
                let remote = self.remote[port.device.index()][usize::from(port.port)];
                return Ok(Some(if remote {
                    Happening::Touch { port, reading, at: time }
                } else {
                    Happening::Input { port, reading, at: time }
                }));
            }
            acts += 1;
            if acts > ACTS_AT_ONCE {
                return Err(DriverError(
                    "the simulated animal acts without end, and without time passing".into(),
                ));
            }
        }
    }

    fn write(&mut self, port: PortId, signal: &Signal) -> Result<Time, DriverError> {
        if port.device.index() < self.remote.len() {
            self.world.see(port, signal, self.now);
        }
        Ok(self.now)
    }

    fn unhurried(&mut self, is: bool) {
        if self.pace != Pace::Free {
            return;
        }
        let present = if is { Pace::Times(1.0) } else { Pace::Free };
        if self.present != present {
            (self.present, self.begun) = (present, (self.now, Instant::now()));
        }
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

/// What an output does while it is safe, where it has more than one thing to do.
pub(crate) fn safe_signal(wire: &Wire) -> Option<Signal> {
    use bramble_task::definition::DeviceKind;
    match wire.kind {
        DeviceKind::DigitalInput | DeviceKind::AnalogInput | DeviceKind::Encoder => None,
        DeviceKind::DigitalOutput | DeviceKind::LevelOutput | DeviceKind::Solenoid => {
            Some(Signal::Level(wire.safe.share()))
        }
        DeviceKind::Display => Some(Signal::Clear),
        DeviceKind::Sound => Some(Signal::Silence),
        DeviceKind::Camera => Some(Signal::Film(false)),
    }
}
