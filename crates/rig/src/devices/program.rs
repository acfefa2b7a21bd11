//! What an output does by itself, as a function of time: it can't drift.

use bramble_value::{Span, Time};

/// A pulse, an opening or a train.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Program {
    pub(super) start: Time,
    /// How long it is on each time.
    pub(super) on: Span,
    /// From one start to the next.
    pub(super) every: Span,
    /// How many times; `None` is without end. At least 1.
    pub(super) count: Option<u64>,
    /// Whether it gives a drop: two that overlap are both given.
    pub(super) opening: bool,
}

impl Program {
    pub(super) fn once(start: Time, on: Span, opening: bool) -> Program {
        Program { start, on, every: Span::MAX, count: Some(1), opening }
    }

    /// Whether it is on at this time.
    pub(super) fn is_on(&self, at: Time) -> bool {
        at >= self.start && at < self.rise(self.turn(at)) + self.on
    }

    /// The next time after this one at which it goes on, goes off, or is over.
    pub(super) fn next_change(&self, at: Time) -> Option<Time> {
        if at < self.start {
            return Some(self.start);
        }
        if self.on >= self.every {
            // It never goes off between its turns.
            return self.end().filter(|end| *end > at);
        }
        let turn = self.turn(at);
        let fall = self.rise(turn) + self.on;
        if at < fall {
            return Some(fall);
        }
        self.count.is_none_or(|count| turn + 1 < count).then(|| self.rise(turn + 1))
    }

    /// When it is over.
    pub(super) fn end(&self) -> Option<Time> {
        self.count.map(|count| self.rise(count.saturating_sub(1)) + self.on)
    }

    /// Which turn is the latest that has started by this time.
    fn turn(&self, at: Time) -> u64 {
        let turn = (at.since(self.start).ns() / self.every.ns().max(1)).unsigned_abs();
        self.count.map_or(turn, |count| turn.min(count.saturating_sub(1)))
    }

    fn rise(&self, turn: u64) -> Time {
        let turn = i64::try_from(turn).unwrap_or(i64::MAX);
        self.start + Span::from_ns(self.every.ns().saturating_mul(turn))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_turn_of_a_train_starts_where_arithmetic_says() {
        let train = Program {
            start: Time::from_ns(7),
            on: Span::from_ns(3),
            every: Span::from_ns(10),
            count: Some(4),
            opening: false,
        };
        let mut at = Time::ZERO;
        let mut changes = Vec::new();
        while let Some(next) = train.next_change(at) {
            changes.push((next.ns(), train.is_on(next)));
            at = next;
        }
        let turns = [7, 17, 27, 37].into_iter().flat_map(|rise| [(rise, true), (rise + 3, false)]);
        assert_eq!(changes, turns.collect::<Vec<_>>());
        assert_eq!(train.end(), Some(Time::from_ns(40)));
    }

    #[test]
    fn turns_that_overlap_are_one_long_one() {
        let train = Program {
            start: Time::ZERO,
            on: Span::from_ns(15),
            every: Span::from_ns(10),
            count: Some(3),
            opening: false,
        };
        assert_eq!(train.next_change(Time::ZERO), Some(Time::from_ns(35)));
        assert!((0..35).all(|ns| train.is_on(Time::from_ns(ns))));
        assert!(!train.is_on(Time::from_ns(35)));
    }
}
