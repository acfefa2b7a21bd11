//! What waits to be told, and when it is tried again.

use std::collections::VecDeque;

use bramble_value::{Span, Time};

/// How many messages wait; where there are more, the oldest are forgotten.
const MOST: usize = 100;
/// How long after the first failure it is tried again; twice as long after each that follows.
const FIRST: Span = Span::from_s(2);
/// The longest between two tries.
const LONGEST: Span = Span::from_s(300);
/// How often one message is tried.
const TRIES: u32 = 12;

/// Messages that wait to be told, one after the other. It knows no clock.
#[derive(Debug, Clone)]
pub struct Outbox<T> {
    waiting: VecDeque<T>,
    /// How often the first of them was tried.
    tried: u32,
    /// Failures since the last success.
    failed: u32,
    /// Not before then.
    not_before: Option<Time>,
    failing: Option<Failing>,
}

/// How telling fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// Since when.
    pub since: Time,
    /// Why, as of the last try.
    pub why: String,
    /// Messages that were given up since.
    pub lost: u64,
}

impl<T> Default for Outbox<T> {
    fn default() -> Outbox<T> {
        Outbox { waiting: VecDeque::new(), tried: 0, failed: 0, not_before: None, failing: None }
    }
}

impl<T> FromIterator<T> for Outbox<T> {
    /// These wait.
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Outbox<T> {
        let mut outbox = Outbox::default();
        all.into_iter().for_each(|message| outbox.push(message));
        outbox
    }
}

impl<T> Outbox<T> {
    /// Has a message wait.
    pub fn push(&mut self, message: T) {
        if self.waiting.len() >= MOST {
            // The first may be under way: the one behind it goes.
            self.waiting.remove(1);
            self.lose();
        }
        self.waiting.push_back(message);
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Those that wait, the first to be told first.
    pub fn waiting(&self) -> impl Iterator<Item = &T> {
        self.waiting.iter()
    }

    /// When the first is to be tried, and it; nothing where none waits. It may be past.
    pub fn next(&self) -> Option<(Time, &T)> {
        self.waiting.front().map(|first| (self.not_before.unwrap_or(Time::ZERO), first))
    }

    /// The first was told.
    pub fn went_well(&mut self) {
        self.waiting.pop_front();
        self.works();
    }

    /// Others can be told, as was found out with a message that didn't wait here.
    pub fn works(&mut self) {
        (self.tried, self.failed, self.not_before, self.failing) = (0, 0, None, None);
    }

    /// The first was not told, for this reason.
    pub fn went_wrong(&mut self, now: Time, why: String) {
        let wait = FIRST.ns().saturating_mul(1 << self.failed.min(16)).min(LONGEST.ns());
        self.not_before = Some(now + Span::from_ns(wait));
        (self.failed, self.tried) = (self.failed.saturating_add(1), self.tried + 1);
        let (since, lost) = self.failing.as_ref().map_or((now, 0), |failing| (failing.since, failing.lost));
        self.failing = Some(Failing { since, why, lost });
        if self.tried >= TRIES {
            self.waiting.pop_front();
            self.tried = 0;
            self.lose();
        }
    }

    /// How telling fails, since the last time that it went well.
    pub fn failing(&self) -> Option<&Failing> {
        self.failing.as_ref()
    }

    fn lose(&mut self) {
        if let Some(failing) = &mut self.failing {
            failing.lost += 1;
        }
    }
}
