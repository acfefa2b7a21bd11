//! What an output does by itself, as a function of time: it can't drift.

use bramble_value::{Span, Time};

use crate::dose::Opening;

/// A level that holds for a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Segment {
    /// From 0 to 1.
    pub(crate) level: f64,
    pub(crate) length: Span,
}

/// A pulse, an opening, a train or a series: levels one after the other, off for
/// what is left of a turn, and that again and again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Program {
    start: Time,
    /// None is of no length, and together they are no longer than a turn.
    segments: Vec<Segment>,
    /// From one start of a turn to the next.
    every: Span,
    /// How many turns; `None` is without end. At least 1.
    count: Option<u64>,
    /// For one that gives a drop, how much longer it makes another that is not
    /// over: two that overlap are both given.
    prolongs: Option<Span>,
}

impl Program {
    /// On at this level once.
    pub(crate) fn pulse(start: Time, length: Span, level: f64) -> Program {
        Program::series(start, [Segment { level, length }], Some(1))
    }

    /// A valve is open once.
    pub(crate) fn opening(start: Time, opening: Opening) -> Program {
        Program { prolongs: Some(opening.prolongs), ..Program::pulse(start, opening.length, 1.0) }
    }

    /// On at this level again and again. Turns that overlap are one long one.
    pub(crate) fn train(start: Time, on: Segment, every: Span, count: Option<u64>) -> Program {
        match count {
            Some(0) => Program::pulse(start, Span::ZERO, on.level),
            Some(count) if on.length >= every => {
                let turns = i64::try_from(count - 1).unwrap_or(i64::MAX);
                let length = Span::from_ns(every.ns().saturating_mul(turns)) + on.length;
                Program::pulse(start, length, on.level)
            }
            count => {
                let on = Segment { length: on.length.min(every), ..on };
                Program { every, ..Program::series(start, [on], count) }
            }
        }
    }

    /// These levels one after the other, and that so many times. It is over when
    /// the last of them is.
    pub(crate) fn series(
        start: Time,
        segments: impl IntoIterator<Item = Segment>,
        count: Option<u64>,
    ) -> Program {
        let segments = if count == Some(0) {
            Vec::new()
        } else {
            segments.into_iter().filter(|segment| segment.length > Span::ZERO).collect()
        };
        let mut program = Program { start, segments, every: Span::ZERO, count, prolongs: None };
        program.every = program.turn_length();
        program.count = count.map(|count| count.max(1));
        program
    }

    /// When it starts.
    pub(crate) fn start(&self) -> Time {
        self.start
    }

    /// Takes another opening on: both drops are given. False where one of the
    /// two is no opening.
    pub(crate) fn prolong(&mut self, other: &Program) -> bool {
        let (Some(_), Some(length)) = (self.prolongs, other.prolongs) else { return false };
        if !other.segments.is_empty() && length > Span::ZERO {
            self.segments.push(Segment { level: 1.0, length });
            self.every = self.turn_length();
        }
        true
    }

    /// Its level at this time; 0 before its start and after its end.
    pub(crate) fn level(&self, at: Time) -> f64 {
        if at < self.start {
            return 0.0;
        }
        let mut end = self.rise(self.turn(at));
        for segment in &self.segments {
            end += segment.length;
            if at < end {
                return segment.level;
            }
        }
        0.0
    }

    /// The next time after this one at which its level changes, or it starts or
    /// is over.
    pub(crate) fn next_change(&self, at: Time) -> Option<Time> {
        if at < self.start {
            return Some(self.start);
        }
        let (level, turn) = (self.level(at), self.turn(at));
        // What does not change in this turn and the next never does.
        let turns = [turn, turn.saturating_add(1)];
        let change = turns
            .into_iter()
            .filter(|turn| self.count.is_none_or(|count| *turn < count))
            .flat_map(|turn| self.boundaries(turn))
            .find(|(boundary, next)| *boundary > at && *next != level);
        change.map(|(boundary, _)| boundary).or_else(|| self.end().filter(|end| *end > at))
    }

    /// Where a turn takes on a level, and which.
    fn boundaries(&self, turn: u64) -> impl Iterator<Item = (Time, f64)> {
        let rests = self.turn_length() < self.every;
        let rest = rests.then_some(Segment { level: 0.0, length: Span::ZERO });
        let mut next = self.rise(turn);
        self.segments.iter().copied().chain(rest).map(move |segment| {
            let start = next;
            next += segment.length;
            (start, segment.level)
        })
    }

    /// When it is over.
    pub(crate) fn end(&self) -> Option<Time> {
        self.count.map(|count| self.rise(count.saturating_sub(1)) + self.turn_length())
    }

    fn turn_length(&self) -> Span {
        self.segments.iter().fold(Span::ZERO, |sum, segment| sum + segment.length)
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
    use proptest::prelude::*;

    use super::*;

    fn ns(ns: i64) -> Span {
        Span::from_ns(ns)
    }

    fn on(length: i64) -> Segment {
        Segment { level: 1.0, length: ns(length) }
    }

    /// Every change of level from the start on, as its time and the new level.
    fn changes(program: &Program) -> Vec<(i64, f64)> {
        let mut at = Time::ZERO;
        let mut changes = Vec::new();
        while let Some(next) = program.next_change(at) {
            assert!(next > at, "time goes on");
            changes.push((next.ns(), program.level(next)));
            at = next;
        }
        changes
    }

    #[test]
    fn every_turn_of_a_train_starts_where_arithmetic_says() {
        let train = Program::train(Time::from_ns(7), on(3), ns(10), Some(4));
        let turns = [7, 17, 27, 37].into_iter().flat_map(|rise| [(rise, 1.0), (rise + 3, 0.0)]);
        assert_eq!(changes(&train), turns.collect::<Vec<_>>());
        assert_eq!(train.end(), Some(Time::from_ns(40)));
    }

    #[test]
    fn turns_that_overlap_are_one_long_one() {
        let train = Program::train(Time::ZERO, on(15), ns(10), Some(3));
        assert_eq!(train.next_change(Time::ZERO), Some(Time::from_ns(35)));
        assert!((0..35).all(|ns| train.level(Time::from_ns(ns)) == 1.0));
        assert_eq!(train.level(Time::from_ns(35)), 0.0);
        let endless = Program::train(Time::ZERO, on(15), ns(10), None);
        assert_eq!((endless.next_change(Time::ZERO), endless.end()), (None, None));
    }

    #[test]
    fn a_series_is_over_when_its_last_level_is_and_not_before() {
        let off = Segment { level: 0.0, length: ns(5) };
        let series = Program::series(Time::from_ns(1), [on(3), off], Some(2));
        assert_eq!(changes(&series), [(1, 1.0), (4, 0.0), (9, 1.0), (12, 0.0), (17, 0.0)]);
        assert_eq!(series.end(), Some(Time::from_ns(17)));
    }

    proptest! {
        #[test]
        fn a_series_is_its_written_out_levels_at_all_times(
            start in 1..20i64,
            segments in proptest::collection::vec((0..3u8, 0..6i64), 1..6),
            count in 0..5u64,
        ) {
            let segments: Vec<Segment> = segments
                .into_iter()
                .map(|(level, length)| Segment { level: f64::from(level) / 2.0, length: ns(length) })
                .collect();
            let written: Vec<f64> = (0..count)
                .flat_map(|_| segments.iter().flat_map(|one| vec![one.level; one.length.ns() as usize]))
                .collect();
            let series = Program::series(Time::from_ns(start), segments, Some(count));
            prop_assert_eq!(series.end(), Some(Time::from_ns(start + written.len() as i64)));
            let level = |ns: i64| {
                usize::try_from(ns - start).ok().and_then(|place| written.get(place)).copied().unwrap_or(0.0)
            };
            for at in 0..start + written.len() as i64 + 3 {
                prop_assert_eq!(series.level(Time::from_ns(at)), level(at), "at {}", at);
            }
            // It says each change beforehand, so that a loop that sleeps until
            // then misses none.
            let mut at = -1;
            let mut now = 0.0;
            for (next, to) in changes(&series) {
                prop_assert!((at + 1..next).all(|ns| level(ns) == now));
                prop_assert_eq!(level(next), to);
                (at, now) = (next, to);
            }
        }

        #[test]
        fn an_endless_series_never_drifts(
            lengths in proptest::collection::vec(1..50i64, 2..5),
            turn in 0..1_000_000_000i64,
        ) {
            let levels = [1.0, 0.5].into_iter().cycle();
            let segments: Vec<Segment> =
                lengths.iter().zip(levels).map(|(length, level)| Segment { level, length: ns(*length) }).collect();
            let period: i64 = lengths.iter().sum();
            let series = Program::series(Time::ZERO, segments.clone(), None);
            let mut boundary = turn * period;
            for segment in segments {
                prop_assert_eq!(series.level(Time::from_ns(boundary)), segment.level);
                boundary += segment.length.ns();
                prop_assert_eq!(series.level(Time::from_ns(boundary - 1)), segment.level);
            }
        }
    }
}
