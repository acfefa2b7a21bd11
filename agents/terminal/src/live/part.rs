//! A part of a session that is over: some trials, with all that happened in them.

use std::collections::BTreeMap;
use std::ops::Range;

use bramble_value::{Event, Kind, Row, Source, Time};

/// How many trials.
const TRIALS: usize = 30;

/// Some of a session's trials, with their events.
#[derive(Debug, PartialEq)]
pub(crate) struct Part {
    /// Their places among the session's rows.
    pub(crate) rows: Range<usize>,
    /// Before the first of them is what each input and output was when they began.
    pub(crate) events: Vec<Event>,
    /// When the first of their own events was, and the last.
    pub(super) time: Option<(Time, Time)>,
}

/// The trials from this one on, or the last: as many as there are, where they are fewer. What was
/// before the session's first trial belongs to that, and what was after its last to the last; all
/// there is belongs to a session without trials.
pub(crate) fn part(rows: &[Row], events: &[Event], from: Option<u32>) -> Part {
    let asked = from.map_or(rows.len(), |from| rows.partition_point(|row| row.trial < from));
    let begin = asked.min(rows.len().saturating_sub(TRIALS));
    let end = rows.len().min(begin + TRIALS);
    let comes_before = |event: &Event, row: &Row| match event.trial {
        0 => event.time < row.start,
        trial => trial < row.trial,
    };
    let first = rows.get(begin).filter(|_| begin > 0);
    let next = rows.get(end);
    let mut levels: BTreeMap<Source, Event> = BTreeMap::new();
    let mut own = Vec::new();
    for event in events {
        if first.is_some_and(|first| comes_before(event, first)) {
            if matches!(event.kind, Kind::Input | Kind::Output) {
                levels.insert(event.source, *event);
            }
        } else if next.is_none_or(|next| comes_before(event, next)) {
            own.push(*event);
        }
    }
    let time = own.first().zip(own.last()).map(|(first, last)| (first.time, last.time));
    let mut all: Vec<Event> = levels.into_values().collect();
    all.sort_by_key(|event| event.time);
    all.append(&mut own);
    Part { rows: begin..end, events: all, time }
}

#[cfg(test)]
mod tests {
    use bramble_value::{Ending, Span};

    use super::*;

    fn at(ms: u32) -> Time {
        Time::ZERO + Span::from_ms(ms)
    }

    /// Trials of a tenth of a second each.
    fn rows(count: u32) -> Vec<Row> {
        let row = |trial: u32| {
            let (start, end) = (at(trial * 100), at(trial * 100 + 100));
            Row { trial, start, end, ending: Ending::Done, values: Vec::new() }
        };
        (1..=count).map(row).collect()
    }

    fn event(ms: u32, trial: u32, kind: Kind, source: u16) -> Event {
        Event { time: at(ms), trial, kind, source: Source(source), value: 1.0 }
    }

    /// One stage in each trial.
    fn stages(count: u32) -> Vec<Event> {
        (1..=count).map(|trial| event(trial * 100, trial, Kind::StageStart, 1)).collect()
    }

    #[test]
    fn the_parts_of_a_session_are_all_of_it_and_each_event_is_in_one() {
        let (rows, events) = (rows(70), stages(70));
        let parts: Vec<Part> = [1, 31, 61].map(|from| part(&rows, &events, Some(from))).into();
        assert_eq!((parts[0].rows.clone(), parts[1].rows.clone()), (0..30, 30..60));
        assert_eq!(parts[2].rows, 40..70, "the last part is as long as the others");
        assert_eq!(part(&rows, &events, None), parts[2]);
        assert_eq!(parts[0].events, events[..30]);
        assert_eq!(parts[1].events, events[30..60]);
        assert_eq!(parts[2].events, events[40..]);
    }

    #[test]
    fn what_is_in_no_trial_is_in_the_part_of_its_time() {
        let before = event(10, 0, Kind::Input, 2);
        let between = event(3_150, 0, Kind::Input, 2);
        let after = event(9_000, 62, Kind::Input, 2);
        let events = [vec![before], stages(31), vec![between], vec![after]].concat();
        let parts = [1, 31].map(|from| part(&rows(60), &events, Some(from)).events);
        assert_eq!(parts[0].first(), Some(&before));
        assert_eq!(parts[0].last().map(|event| event.trial), Some(30));
        assert_eq!(parts[1][parts[1].len() - 2..], [between, after]);
    }

    #[test]
    fn what_inputs_and_outputs_were_when_a_part_began_comes_first() {
        let early = [event(110, 1, Kind::Output, 3), event(150, 1, Kind::Output, 2)];
        let later = event(250, 2, Kind::Output, 3);
        let events = [early.to_vec(), vec![later], stages(60)[30..].to_vec()].concat();
        let part = part(&rows(60), &events, Some(31));
        assert_eq!(part.events[..2], [early[1], later]);
        assert_eq!(part.events.len(), 32);
        assert_eq!(part.time.map(|(first, _)| first), Some(at(3_100)));
    }

    #[test]
    fn all_belongs_to_a_session_without_trials() {
        let events: Vec<Event> = (0..50).map(|ms| event(ms, 0, Kind::Output, 2)).collect();
        assert_eq!(part(&[], &events, None).events, events);
        assert_eq!(part(&[], &[], Some(7)).rows, 0..0);
    }
}
