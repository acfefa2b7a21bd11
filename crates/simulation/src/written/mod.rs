//! An animal written in the task language.
//!
//! ```python
//! def act(see):
//!     if "light.left" in see.lit:
//!         return poke("poke.left", after = "300 ms", hold = "200 ms")
//!     return wait("1 s")
//! ```
//!
//! `act` is asked when the session begins, when something that it can see or
//! hear begins or ends, when water comes, and when it has done all that it said.
//! What it answers takes the place of what it had still to do, except that what
//! it holds it lets go as it had said.

#[allow(unsafe_code, reason = "the interpreter's derives implement its unsafe marker traits")]
mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bramble_rig::Dose;
use bramble_rig::driver::World;
use bramble_rig::{Reading, Side, Signal, Sound, Wiring};
use bramble_task::definition::{DeviceKind, PortId};
use bramble_task::sandbox::{self, Limits};
use bramble_value::{Random, Seed, Sources, Span, Time};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use starlark::values::OwnedFrozenValue;
use starlark::values::structs::AllocStruct;

use crate::animal::{Animal, AnimalError};
use words::{Dice, words};

/// How long an animal that says nothing, or makes a mistake, does nothing.
const PAUSE: Span = Span::from_s(1);

/// The animal.
#[derive(Debug)]
pub struct Written {
    act: OwnedFrozenValue,
    dice: Dice,
    memory: Json,
    begun: Time,
    inputs: BTreeMap<String, (PortId, DeviceKind)>,
    outputs: BTreeMap<PortId, (String, Option<Dose>)>,
    lit: BTreeSet<String>,
    sound: Option<String>,
    picture: Option<(&'static str, f64)>,
    open: BTreeMap<PortId, Time>,
    drunk: f64,
    positions: BTreeMap<PortId, f64>,
    /// What is still to be done, in order of time.
    doing: VecDeque<(Time, PortId, Reading)>,
    /// When it is asked next.
    asks: Option<Time>,
    /// Its last mistake: it goes on, doing nothing.
    mistake: Option<String>,
}

/// One thing that an animal wants to do.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Deed {
    Poke { port: String, after: String, hold: String },
    Turn { port: String, by: f64, after: String, over: String },
    Press { port: String, to: f64, after: String, hold: String },
    Wait { time: String },
    Remember { what: Json },
}

impl Written {
    /// The animal of these sources, which remembers ([`Animal::memory`]; empty
    /// for one that never saw a rig).
    ///
    /// # Errors
    /// [`AnimalError::Written`] where the sources have a mistake or no function
    /// `act` of one argument.
    pub fn new(sources: &Sources, seed: Seed, memory: &str) -> Result<Written, AnimalError> {
        let dice = Dice::new(Random::new(seed, "written", 0));
        let globals = sandbox::globals().with(words).build();
        let evaluated = sandbox::evaluate(sources, &globals, Limits::LOAD, &dice)
            .map_err(|mistakes| AnimalError::Written(mistakes.to_string()))?;
        let act = evaluated.module.get("act").map_err(|_| {
            let root = &sources.root;
            AnimalError::Written(format!("{root} has no function `act`: write `def act(see):`"))
        })?;
        let memory = if memory.is_empty() {
            Json::Null
        } else {
            serde_json::from_str(memory).map_err(|error| AnimalError::Memory(error.to_string()))?
        };
        Ok(Written {
            act,
            dice,
            memory,
            begun: Time::ZERO,
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            lit: BTreeSet::new(),
            sound: None,
            picture: None,
            open: BTreeMap::new(),
            drunk: 0.0,
            positions: BTreeMap::new(),
            doing: VecDeque::new(),
            asks: None,
            mistake: None,
        })
    }

    fn view(&self, now: Time) -> Json {
        let tone = self.sound.as_deref().and_then(|sound| sound.parse::<f64>().ok());
        json!({
            "time": now.since(self.begun).seconds(),
            "inputs": self.inputs.keys().collect::<Vec<_>>(),
            "lit": self.lit,
            "tone": tone,
            "noise": self.sound.is_some() && tone.is_none(),
            "grating": self.picture.map(|(side, _)| side),
            "contrast": self.picture.map_or(0.0, |(_, contrast)| contrast),
            "water": self.drunk,
            "memory": self.memory,
        })
    }

    fn ask(&mut self, now: Time) {
        self.asks = None;
        let Json::Object(view) = self.view(now) else { return };
        let answered = sandbox::call(
            &self.act,
            Limits::CALL,
            &self.dice,
            |heap| vec![heap.alloc(AllocStruct(view))],
            |returned, _| returned.to_json_value().map_err(|error| error.to_string()),
        );
        let answered = answered.map_err(|error| error.to_string()).and_then(|inner| inner);
        if let Err(mistake) = answered.and_then(|answer| self.obey(answer, now)) {
            self.mistake.get_or_insert(mistake);
        }
        if self.doing.is_empty() && self.asks.is_none() {
            self.asks = Some(now + PAUSE);
        }
    }

    /// Does what `act` answered.
    fn obey(&mut self, answer: Json, now: Time) -> Result<(), String> {
        // What is held is let go as was said; the rest was thought better of.
        let lets_go = |reading| matches!(reading, Reading::Digital(false) | Reading::Analog(0.0));
        self.doing.retain(|(_, _, reading)| lets_go(*reading));
        let deeds = match answer {
            Json::Null => Vec::new(),
            Json::Array(deeds) => deeds,
            one => vec![one],
        };
        for deed in deeds {
            let deed = serde_json::from_value(deed).map_err(|_| {
                "`act` returned something other than poke, turn, press, wait and remember".to_owned()
            })?;
            self.plan(deed, now)?;
        }
        self.doing.make_contiguous().sort_by_key(|(time, _, _)| *time);
        Ok(())
    }

    fn plan(&mut self, deed: Deed, now: Time) -> Result<(), String> {
        match deed {
            Deed::Remember { what } => self.memory = what,
            Deed::Wait { time } => {
                // At least a little: an animal can't think without time passing.
                self.asks = Some(now + span(&time)?.max(Span::from_ms(1)));
            }
            Deed::Poke { port, after, hold } => {
                let (port, on) = self.input(&port, DeviceKind::DigitalInput, now, &after)?;
                let off = on + span(&hold)?;
                self.doing.extend([(on, port, Reading::Digital(true)), (off, port, Reading::Digital(false))]);
            }
            Deed::Press { port, to, after, hold } => {
                let (port, on) = self.input(&port, DeviceKind::AnalogInput, now, &after)?;
                let off = on + span(&hold)?;
                self.doing.extend([(on, port, Reading::Analog(to)), (off, port, Reading::Analog(0.0))]);
            }
            Deed::Turn { port, by, after, over } => {
                let (port, on) = self.input(&port, DeviceKind::Encoder, now, &after)?;
                let start = self.positions.get(&port).copied().unwrap_or(0.0);
                let steps = (span(&over)?.ns() / Span::from_ms(20).ns()).clamp(1, 1000);
                for step in 1..=steps {
                    let at = on + Span::from_ns(span(&over)?.ns() / steps * step);
                    let position = start + by * step as f64 / steps as f64;
                    self.doing.push_back((at, port, Reading::Position(position)));
                }
            }
        }
        Ok(())
    }

    fn input(
        &self,
        port: &str,
        wanted: DeviceKind,
        now: Time,
        after: &str,
    ) -> Result<(PortId, Time), String> {
        match self.inputs.get(port) {
            Some((port, kind)) if *kind == wanted => Ok((*port, now + span(after)?.max(Span::from_ms(1)))),
            Some(_) => Err(format!("`{port}` is not something that can be done that to")),
            None => {
                let known: Vec<&str> = self.inputs.keys().map(String::as_str).collect();
                Err(format!("the rig has no input `{port}`; it has {}", known.join(", ")))
            }
        }
    }
}

fn span(text: &str) -> Result<Span, String> {
    text.parse().map_err(|error| format!("{error}"))
}

impl World for Written {
    fn begin(&mut self, rig: &Wiring, now: Time) {
        self.begun = now;
        self.inputs.clear();
        self.outputs.clear();
        self.lit.clear();
        self.open.clear();
        self.positions.clear();
        self.doing.clear();
        (self.sound, self.picture, self.drunk) = (None, None, 0.0);
        for (port, wire) in rig.ports() {
            if wire.is_output() {
                self.outputs.insert(port, (wire.to_string(), wire.dose.clone()));
            } else {
                self.inputs.insert(wire.to_string(), (port, wire.kind));
            }
        }
        self.asks = Some(now);
    }

    fn see(&mut self, port: PortId, signal: &Signal, now: Time) {
        let Some((name, dose)) = self.outputs.get(&port) else { return };
        let changes = match signal {
            Signal::Level(level) if dose.is_some() => match (*level > 0.0, self.open.remove(&port)) {
                (true, since) => {
                    self.open.insert(port, since.unwrap_or(now));
                    since.is_none()
                }
                (false, Some(since)) => {
                    let dose = dose.as_ref().unwrap_or(&Dose::TYPICAL);
                    self.drunk += dose.volume_of(now.since(since));
                    false
                }
                (false, None) => false,
            },
            Signal::Level(level) if *level > 0.0 => self.lit.insert(name.clone()),
            Signal::Level(_) => self.lit.remove(name),
            Signal::Play(Sound::Tone { frequency, .. }) => {
                self.sound = Some(frequency.hertz().to_string());
                true
            }
            Signal::Play(Sound::Noise { .. }) => {
                self.sound = Some("noise".to_owned());
                true
            }
            Signal::Silence => self.sound.take().is_some(),
            Signal::Show(grating) => {
                let side = if grating.side == Side::Left { "left" } else { "right" };
                self.picture = Some((side, grating.contrast));
                true
            }
            Signal::Clear => self.picture.take().is_some(),
            Signal::Follow(..) | Signal::Center | Signal::Freeze | Signal::Film(_) => false,
        };
        if changes {
            self.asks = Some(now);
        }
    }

    fn next(&self) -> Option<Time> {
        let doing = self.doing.front().map(|(time, _, _)| *time);
        [doing, self.asks].into_iter().flatten().min()
    }

    fn act(&mut self, now: Time) -> Option<(PortId, Reading)> {
        if self.asks.is_some_and(|asks| asks <= now) {
            self.ask(now);
        }
        let (time, ..) = self.doing.front()?;
        if *time > now {
            return None;
        }
        let (_, port, reading) = self.doing.pop_front()?;
        if let Reading::Position(position) = reading {
            self.positions.insert(port, position);
        }
        if self.doing.is_empty() && self.asks.is_none() {
            self.asks = Some(now + Span::from_ms(1));
        }
        Some((port, reading))
    }
}

impl Animal for Written {
    fn memory(&self) -> String {
        self.memory.to_string()
    }

    fn mistake(&self) -> Option<&str> {
        self.mistake.as_deref()
    }
}

#[cfg(test)]
mod tests;
