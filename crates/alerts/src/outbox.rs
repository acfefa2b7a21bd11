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

/// Messages that wait to be told, one or some at a time. It knows no clock.
#[derive(Debug, Clone)]
pub struct Outbox<T> {
    waiting: VecDeque<T>,
    /// How many of the first are being told.
    under_way: usize,
    /// How often the first was tried.
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
        Outbox {
            waiting: VecDeque::new(),
            under_way: 0,
            tried: 0,
            failed: 0,
            not_before: None,
            failing: None,
        }
    }
}

impl<T> FromIterator<T> for Outbox<T> {
    /// These wait, and for nothing.
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Outbox<T> {
        let mut outbox = Outbox::default();
        all.into_iter().for_each(|message| outbox.push(message, Time::ZERO));
        outbox
    }
}

impl<T> Outbox<T> {
    /// Has a message wait. Where no other does, it isn't told before `gathered`, so that others can be told
    /// with it.
    pub fn push(&mut self, message: T, gathered: Time) {
        if self.waiting.is_empty() && self.failing.is_none() {
            self.not_before = Some(gathered);
        }
        if self.waiting.len() >= MOST {
            // What is under way stays, and the first stays the first.
            self.waiting.remove(self.under_way.max(1));
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

    /// When the first is to be told; nothing where none waits. It may be past.
    pub fn next(&self) -> Option<Time> {
        (!self.waiting.is_empty()).then(|| self.not_before.unwrap_or(Time::ZERO))
    }

    /// The first, and those right behind it that are told together with it: they are under way until that
    /// went well or wrong.
    pub fn take(&mut self, together: impl Fn(&T, &T) -> bool) -> Vec<T>
    where
        T: Clone,
    {
        let Some(first) = self.waiting.front() else { return Vec::new() };
        let more = self.waiting.iter().skip(1).take_while(|next| together(first, next));
        let taken: Vec<T> = [first].into_iter().chain(more).cloned().collect();
        self.under_way = taken.len();
        taken
    }

    /// What was under way was told.
    pub fn went_well(&mut self) {
        self.waiting.drain(..self.under_way);
        self.under_way = 0;
        self.works();
    }

    /// Others can be told, as was found out with a message that didn't wait here.
    pub fn works(&mut self) {
        (self.tried, self.failed, self.not_before, self.failing) = (0, 0, None, None);
    }

    /// What was under way was not told, for this reason.
    pub fn went_wrong(&mut self, now: Time, why: String) {
        let wait = FIRST.ns().saturating_mul(1 << self.failed.min(16)).min(LONGEST.ns());
        self.not_before = Some(now + Span::from_ns(wait));
        (self.failed, self.tried) = (self.failed.saturating_add(1), self.tried + 1);
        let (since, lost) = self.failing.as_ref().map_or((now, 0), |failing| (failing.since, failing.lost));
        self.failing = Some(Failing { since, why, lost });
        if self.tried >= TRIES {
            let lost = self.waiting.drain(..self.under_way).count();
            self.tried = 0;
            (0..lost).for_each(|_| self.lose());
        }
        self.under_way = 0;
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
