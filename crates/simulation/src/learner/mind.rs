//! What a learner makes of what it perceives: what to do, and what comes of it.
//!
//! An actor and a critic (Sutton and Barto, 2018, chapter 13), both linear in
//! what is perceived, with traces, so that a drop of water is credited to the
//! pokes that led to it.

use std::collections::BTreeMap;

use bramble_value::{Random, Time};

/// How much the critic learns from one surprise.
const CRITIC_RATE: f64 = 0.02;
/// How much less it makes of a disappointment than of a success: an animal that
/// gave up as readily as it took up would stop exploring.
const DISMAY: f64 = 0.4;
/// How much a light speaks for its own port before anything is learned.
const CURIOSITY: f64 = 0.5;
/// How fast what is to come loses worth, in seconds.
const PATIENCE: f64 = 6.0;
/// How long what was done is held responsible, in seconds.
const TRACE: f64 = 1.5;

/// Nothing is ever so sure that it could not be unlearned.
const STRONGEST: f64 = 3.0;

/// A place in the list of things that can be perceived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Feature(pub(super) usize);

/// What is perceived: each feature with its strength.
pub(super) type Percept = Vec<(Feature, f64)>;

#[derive(Debug, Clone)]
pub(super) struct Mind {
    rate: f64,
    features: Vec<String>,
    /// What can be done; the first is to do nothing.
    actions: Vec<String>,
    /// For each feature, what it is worth.
    worth: Vec<f64>,
    /// For each feature, how much it speaks for each action.
    speaks: Vec<Vec<f64>>,
    /// How much a light speaks for the action at its own port.
    approach: f64,
    trace: Trace,
    before: Option<Moment>,
    /// What was learned of things that are not on this rig.
    elsewhere: BTreeMap<String, f64>,
}

/// What is held responsible for what happens next.
#[derive(Debug, Clone, Default)]
struct Trace {
    worth: Vec<f64>,
    speaks: Vec<Vec<f64>>,
    approach: f64,
}

#[derive(Debug, Clone)]
struct Moment {
    at: Time,
    percept: Percept,
    worth: f64,
}

/// Something to choose from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    /// Its place among the actions.
    pub(super) action: usize,
    /// How brightly its own port is lit, from 0 to 1.
    pub(super) lit: f64,
    /// How much it is liked for no reason.
    pub(super) bias: f64,
}

impl Mind {
    /// A mind that can do these things, and remembers.
    pub(super) fn new(actions: Vec<String>, rate: f64, memory: &BTreeMap<String, f64>) -> Mind {
        Mind {
            rate,
            features: Vec::new(),
            actions,
            worth: Vec::new(),
            speaks: Vec::new(),
            approach: memory.get("approach").copied().unwrap_or(CURIOSITY),
            trace: Trace::default(),
            before: None,
            elsewhere: memory.clone(),
        }
    }

    /// The feature of this name, new or known.
    pub(super) fn feature(&mut self, name: &str) -> Feature {
        if let Some(place) = self.features.iter().position(|known| known == name) {
            return Feature(place);
        }
        let known = |key: &str| self.elsewhere.get(key).copied().unwrap_or(0.0);
        self.worth.push(known(&worth_key(name)));
        self.speaks.push(self.actions.iter().map(|action| known(&speaks_key(name, action))).collect());
        self.trace.worth.push(0.0);
        self.trace.speaks.push(vec![0.0; self.actions.len()]);
        self.features.push(name.to_owned());
        Feature(self.features.len() - 1)
    }

    /// Everything it learned, on this rig and on others.
    pub(super) fn memory(&self) -> BTreeMap<String, f64> {
        let mut memory = self.elsewhere.clone();
        memory.insert("approach".to_owned(), self.approach);
        for (place, feature) in self.features.iter().enumerate() {
            memory.insert(worth_key(feature), self.worth[place]);
            for (action, speaks) in self.actions.iter().zip(&self.speaks[place]) {
                memory.insert(speaks_key(feature, action), *speaks);
            }
        }
        memory.retain(|_, weight| *weight != 0.0);
        memory
    }

    /// The world is like this now, and this much water came with it.
    pub(super) fn perceive(&mut self, now: Time, percept: Percept, reward: f64) {
        let worth = percept.iter().map(|(feature, strength)| self.worth[feature.0] * strength).sum::<f64>();
        // Changes that come together are one.
        if let Some(before) = self.before.take().filter(|before| before.at != now || reward != 0.0) {
            let gone = now.since(before.at).seconds();
            let surprise = reward + libm::exp(-gone / PATIENCE) * worth - before.worth;
            for (feature, strength) in &before.percept {
                // Seen twice, it is not twice as responsible.
                let trace = &mut self.trace.worth[feature.0];
                *trace = trace.max(*strength);
            }
            self.learn(surprise, libm::exp(-gone / TRACE));
        }
        self.before = Some(Moment { at: now, percept, worth });
    }

    fn learn(&mut self, surprise: f64, kept: f64) {
        let critic = CRITIC_RATE * surprise;
        let actor = self.rate * if surprise < 0.0 { DISMAY * surprise } else { surprise };
        for (worth, trace) in self.worth.iter_mut().zip(&mut self.trace.worth) {
            *worth += critic * *trace;
            *trace *= kept;
        }
        let pairs = self.speaks.iter_mut().flatten().zip(self.trace.speaks.iter_mut().flatten());
        for (speaks, trace) in pairs {
            *speaks = (*speaks + actor * *trace).clamp(-STRONGEST, STRONGEST);
            *trace *= kept;
        }
        self.approach = (self.approach + actor * self.trace.approach).clamp(-STRONGEST, STRONGEST);
        self.trace.approach *= kept;
    }

    /// Chooses, by what it perceives and knows.
    pub(super) fn choose(&mut self, choices: &[Choice], lapse: f64, random: &mut Random) -> usize {
        let percept = match &self.before {
            Some(before) => before.percept.as_slice(),
            None => &[],
        };
        let drive = |choice: &Choice| {
            let spoken: f64 = percept
                .iter()
                .map(|(feature, strength)| self.speaks[feature.0][choice.action] * strength)
                .sum();
            spoken + self.approach * choice.lit + choice.bias
        };
        let drives: Vec<f64> = choices.iter().map(drive).collect();
        let strongest = drives.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = drives.iter().map(|drive| libm::exp(drive - strongest)).collect();
        let all: f64 = weights.iter().sum();
        let chosen = if random.chance(lapse) {
            random.below(choices.len() as u64) as usize
        } else {
            let mut left = random.unit() * all;
            let chosen = weights.iter().position(|weight| {
                left -= weight;
                left < 0.0
            });
            chosen.unwrap_or(0)
        };
        for (place, (choice, weight)) in choices.iter().zip(&weights).enumerate() {
            let responsible = f64::from(u8::from(place == chosen)) - weight / all;
            for (feature, strength) in percept {
                let trace = &mut self.trace.speaks[feature.0][choice.action];
                *trace = (*trace + responsible * strength).clamp(-1.0, 1.0);
            }
            self.trace.approach = (self.trace.approach + responsible * choice.lit).clamp(-1.0, 1.0);
        }
        choices.get(chosen).map_or(0, |choice| choice.action)
    }
}

fn worth_key(feature: &str) -> String {
    format!("worth of {feature}")
}

fn speaks_key(feature: &str, action: &str) -> String {
    format!("{feature} -> {action}")
}
