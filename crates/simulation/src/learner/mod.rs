//! An animal that learns any task from what it sees, hears and drinks.
//!
//! It knows nothing of the task. It looks at the rig: digital inputs can be
//! poked (licked, pressed, broken), encoders turned; lights, sounds and gratings
//! are perceived, the finer ones with noise; valves and feeders pay. It explores,
//! and does again what paid when the world looked like now.

mod body;
mod mind;
mod temper;

use std::collections::{BTreeMap, VecDeque};

use bramble_rig::driver::World;
use bramble_rig::{Reading, Signal, Sound, Wiring};
use bramble_task::definition::PortId;
use bramble_value::{Random, Seed, Span, Time};

use crate::animal::{Animal, AnimalError};
use body::{Body, How, Noticed, Way};
use mind::{Choice, Mind, Percept};

pub use temper::Temper;

/// How much the actor learns from one surprise, at the usual speed.
const ACTOR_RATE: f64 = 0.03;
/// What doing nothing has over doing any one thing before anything is learned.
const REST_UNCUED: f64 = 0.5;
const REST_CUED: f64 = -0.5;
/// How fast a wheel is turned, in its unit a second, and how often it is read.
const TURN_SPEED: f64 = 200.0;
const TURN_STEP: Span = Span::from_ms(40);
/// The longest turn, in steps.
const TURN_STEPS: u64 = 30;
/// When a photodiode sees what a screen was told to show.
const FRAME: Span = Span::from_ms(16);
/// How many pitches an octave is heard as, and the error of hearing, in octaves.
const PITCHES: f64 = 2.0;
const HEARING: f64 = 0.12;

/// The animal.
#[derive(Debug)]
pub struct Learner {
    temper: Temper,
    random: Random,
    remembered: BTreeMap<String, f64>,
    mind: Option<Mind>,
    body: Body,
    /// What it is doing, in order of time.
    doing: VecDeque<(Time, PortId, Reading)>,
    /// What photodiodes are going to see of the screen, in order of time.
    flashes: VecDeque<(Time, PortId, Reading)>,
    /// The input that it is at.
    at: Option<usize>,
    /// When it went there.
    acted: Time,
    decides: Option<Time>,
    /// Where each encoder is.
    positions: BTreeMap<PortId, f64>,
}

impl Learner {
    /// A learner that is like this and remembers ([`Animal::memory`]; empty for
    /// one that never saw a rig).
    ///
    /// # Errors
    /// [`AnimalError::Memory`] where the memory isn't a learner's.
    pub fn new(temper: Temper, seed: Seed, memory: &str) -> Result<Learner, AnimalError> {
        let remembered = if memory.is_empty() {
            BTreeMap::new()
        } else {
            serde_json::from_str(memory).map_err(|error| AnimalError::Memory(error.to_string()))?
        };
        Ok(Learner {
            temper,
            random: Random::new(seed, "learner", 0),
            remembered,
            mind: None,
            body: Body::default(),
            doing: VecDeque::new(),
            flashes: VecDeque::new(),
            at: None,
            acted: Time::ZERO,
            decides: None,
            positions: BTreeMap::new(),
        })
    }

    /// How much it still wants to drink, from 1 down to 0.
    fn want(&self) -> f64 {
        match self.temper.thirst {
            Some(thirst) => {
                let share = self.body.drunk / thirst.microliters().max(1e-9);
                (1.0 - share * share * share).max(0.0)
            }
            None => 1.0,
        }
    }

    /// A time to react in: lognormal with a slow tail, longer for less thirst.
    fn reaction(&mut self, median: f64) -> Span {
        let seconds =
            median * libm::exp(0.25 * self.random.normal()) - 0.05 * libm::log(1.0 - self.random.unit());
        Span::from_seconds(seconds * self.temper.reaction / self.want().max(0.05)).unwrap_or(Span::MAX)
    }

    fn spread(&mut self, median: f64, deviation: f64) -> Span {
        Span::from_seconds(median * libm::exp(deviation * self.random.normal())).unwrap_or_default()
    }

    fn decide_by(&mut self, time: Time) {
        self.decides = Some(self.decides.map_or(time, |decides| decides.min(time)));
    }

    /// Perceives how the world is now.
    fn perceive(&mut self, now: Time, reward: f64) {
        let Some(mind) = &mut self.mind else { return };
        let mut percept: Percept = vec![(mind.feature("the box"), 1.0)];
        for (name, strength) in self.body.sights() {
            percept.push((mind.feature(name), strength));
        }
        match self.body.sound(now) {
            Some(Sound::Tone { .. }) => {
                for (pitch, strength) in &self.body.pitch {
                    percept.push((mind.feature(pitch), *strength));
                }
            }
            Some(Sound::Noise { .. }) => percept.push((mind.feature("noise"), 1.0)),
            None => {}
        }
        if let Some(at) = self.at {
            percept.push((mind.feature(&format!("at {}", self.body.ways[at].name)), 1.0));
        }
        mind.perceive(now, percept, reward);
    }

    /// Hears how high a tone is, not quite exactly: between two known pitches.
    fn hear(&mut self, sound: Sound) {
        if let Sound::Tone { frequency, .. } = sound {
            let octaves = libm::log2(frequency.hertz().max(1.0)) + HEARING * self.random.normal();
            let place = octaves * PITCHES;
            let (low, share) = (libm::floor(place), place - libm::floor(place));
            let name = |pitch: f64| format!("tone {:.1}", pitch / PITCHES);
            self.body.pitch = vec![(name(low), 1.0 - share), (name(low + 1.0), share)];
        }
    }

    fn decide(&mut self, now: Time) {
        self.decides = None;
        let want = self.want();
        if want < 0.02 || self.body.ways.is_empty() {
            return;
        }
        self.perceive(now, 0.0);
        let cued = self.body.is_cued(now);
        let rest = if cued { REST_CUED } else { REST_UNCUED };
        let bias = self.temper.bias / 2.0;
        let mut choices = vec![Choice { action: 0, lit: 0.0, bias: rest }];
        choices.extend(self.body.ways.iter().enumerate().map(|(place, way)| Choice {
            action: place + 1,
            lit: self.body.light_at(way),
            bias: bias * way.side + way.liked,
        }));
        let lapse = self.temper.lapse;
        let Some(mind) = &mut self.mind else { return };
        match mind.choose(&choices, lapse, &mut self.random) {
            0 => self.rest(now, cued),
            action => self.start(action - 1, now),
        }
    }

    fn rest(&mut self, now: Time, cued: bool) {
        let pause = now + self.reaction(if cued { 1.2 } else { 0.9 });
        // What was heard and not acted on was decided against.
        self.decides = Some(self.body.echo_ends().map_or(pause, |end| end.max(pause)));
    }

    fn start(&mut self, place: usize, now: Time) {
        let Way { port, how, .. } = self.body.ways[place].clone();
        self.at = Some(place);
        self.acted = now;
        match how {
            How::Turn(direction) => self.turn(port, direction, now),
            how => {
                let hold = match how {
                    How::Lick => self.spread(0.07, 0.2),
                    _ => self.spread(0.6, 0.35),
                };
                let (on, off) = how.readings();
                self.doing.push_back((now, port, on));
                self.doing.push_back((now + hold, port, off));
            }
        }
    }

    fn turn(&mut self, port: PortId, direction: f64, now: Time) {
        let mut position = self.positions.get(&port).copied().unwrap_or(0.0);
        let speed = direction * TURN_SPEED * libm::exp(0.3 * self.random.normal());
        let mut at = now;
        for _ in 0..=self.random.below(TURN_STEPS) + TURN_STEPS / 4 {
            position += speed * TURN_STEP.seconds();
            at += TURN_STEP;
            self.doing.push_back((at, port, Reading::Position(position)));
        }
    }

    /// Stops what it is doing within a reaction time: a snout comes out, a wheel
    /// comes to rest.
    fn let_go(&mut self, by: Time) {
        if self.at.is_none() {
            return;
        }
        if self.turns() {
            self.doing.retain(|(time, _, _)| *time <= by);
            if self.doing.is_empty() {
                self.done(by);
            }
        } else if let Some(last) = self.doing.back_mut() {
            last.0 = last.0.min(by);
        }
    }

    /// It has let go of what it did.
    fn done(&mut self, now: Time) {
        self.at = None;
        // What was heard before it acted was acted on; what came of acting wasn't.
        self.body.forget_sound(self.acted);
        self.perceive(now, 0.0);
        let next = now + self.reaction(0.35);
        self.decide_by(next);
    }

    /// Water came: it stays to drink.
    fn drink(&mut self, now: Time) {
        let until = now + self.spread(0.7, 0.2);
        let licks = self.body.ways.iter().position(|way| way.how == How::Lick);
        match (self.at, licks) {
            (Some(_), _) if self.turns() => self.let_go(now + TURN_STEP),
            (Some(at), Some(spout)) if at == spout => self.lick_on(spout, now),
            (Some(_), _) => {
                if let Some(last) = self.doing.back_mut() {
                    last.0 = until;
                }
            }
            (None, _) => {}
        }
        self.decides = Some(until.max(self.doing.back().map_or(until, |last| last.0)));
    }

    fn turns(&self) -> bool {
        self.at.is_some_and(|at| matches!(self.body.ways[at].how, How::Turn(_)))
    }

    fn lick_on(&mut self, spout: usize, now: Time) {
        let port = self.body.ways[spout].port;
        let mut at = self.doing.back().map_or(now, |last| last.0);
        for _ in 0..3 + self.random.below(4) {
            at += self.spread(0.08, 0.1);
            self.doing.push_back((at, port, Reading::Digital(true)));
            at += self.spread(0.05, 0.1);
            self.doing.push_back((at, port, Reading::Digital(false)));
        }
    }
}

impl World for Learner {
    fn begin(&mut self, rig: &Wiring, now: Time) {
        self.body = Body::new(rig);
        let names = self.body.ways.iter().map(|way| way.name.clone());
        let actions = std::iter::once("rest".to_owned()).chain(names).collect();
        if let Some(mind) = self.mind.take() {
            self.remembered = mind.memory();
        }
        self.mind = Some(Mind::new(actions, ACTOR_RATE * self.temper.learning, &self.remembered));
        self.doing.clear();
        self.flashes.clear();
        self.positions.clear();
        self.at = None;
        let first = now + self.reaction(1.0);
        self.decides = (!self.body.ways.is_empty()).then_some(first);
    }

    fn see(&mut self, port: PortId, signal: &Signal, now: Time) {
        if let Signal::Show(_) | Signal::Clear = signal {
            for (diode, lit) in &mut self.body.photodiodes {
                *lit = !*lit;
                self.flashes.push_back((now + FRAME, *diode, Reading::Digital(*lit)));
            }
        }
        let noticed = self.body.see(port, signal, now);
        if let Signal::Play(sound) = signal {
            self.hear(*sound);
        }
        match noticed {
            Noticed::Nothing => {}
            Noticed::Reward => {
                self.perceive(now, 1.0);
                self.drink(now);
            }
            Noticed::Onset | Noticed::Offset => {
                self.perceive(now, 0.0);
                let reacted = now + self.reaction(0.3);
                if noticed == Noticed::Onset || self.turns() {
                    self.let_go(reacted);
                }
                if noticed == Noticed::Onset && self.at.is_none() {
                    self.decides = Some(reacted);
                }
            }
        }
    }

    fn next(&self) -> Option<Time> {
        let doing = self.doing.front().map(|(time, _, _)| *time);
        let decides = self.decides.filter(|_| self.at.is_none());
        let flash = self.flashes.front().map(|(time, _, _)| *time);
        [flash, doing, decides].into_iter().flatten().min()
    }

    fn act(&mut self, now: Time) -> Option<(PortId, Reading)> {
        if self.flashes.front().is_some_and(|(time, _, _)| *time <= now) {
            return self.flashes.pop_front().map(|(_, port, reading)| (port, reading));
        }
        if self.doing.front().is_some_and(|(time, _, _)| *time <= now) {
            let (_, port, reading) = self.doing.pop_front()?;
            if let Reading::Position(position) = reading {
                self.positions.insert(port, position);
            }
            if self.doing.is_empty() && self.at.is_some() {
                self.done(now);
            }
            return Some((port, reading));
        }
        if self.decides.is_some_and(|decides| decides <= now) && self.at.is_none() {
            self.decide(now);
        }
        None
    }
}

impl Animal for Learner {
    fn memory(&self) -> String {
        let memory = match &self.mind {
            Some(mind) => mind.memory(),
            None => self.remembered.clone(),
        };
        // A map of names to finite numbers always has a text.
        serde_json::to_string(&memory).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
