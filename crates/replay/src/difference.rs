//! Where a replay first differs from what was recorded.

use std::fmt;

use bramble_value::{Asked, Ending, Event, Kind, Names, Source, Span, Time, Value};
use thiserror::Error;

/// The first thing that is not as it was recorded.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Difference {
    /// Something else happened.
    #[error("event {} of {of}, {} after the start: {}", place + 1, seconds(*after), versus(recorded, came))]
    Event {
        /// Its place among the session's events, from 0.
        place: usize,
        /// How many there are.
        of: usize,
        /// When, since the session started.
        after: Span,
        /// What was recorded; nothing where the record ends.
        recorded: Option<String>,
        /// What came out; nothing where nothing more did.
        came: Option<String>,
    },
    /// A trial's row holds something else.
    #[error("trial {trial}, {what}: {}", versus(recorded, came))]
    Row {
        /// Which trial, from 1.
        trial: u32,
        /// The column, or what else of the row.
        what: String,
        /// What was recorded; nothing where there is no such trial.
        recorded: Option<String>,
        /// What came out.
        came: Option<String>,
    },
    /// It ended otherwise.
    #[error("the end: recorded was `{recorded}`, and came out `{came}`")]
    End {
        /// How and why, as recorded.
        recorded: String,
        /// How and why it came out.
        came: String,
    },
}

/// A time since the session's start, to the nanosecond: two that differ are never said alike.
pub(crate) fn seconds(after: Span) -> String {
    format!("{:.9} s", after.seconds())
}

fn versus(recorded: &Option<String>, came: &Option<String>) -> String {
    let shown = |one: &Option<String>| one.as_ref().map_or("nothing".to_owned(), |one| format!("`{one}`"));
    format!("recorded was {}, and came out {}", shown(recorded), shown(came))
}

/// An event as a person reads it, its time counted from the session's start.
pub(crate) fn shown(names: &Names, event: &Event, start: Time) -> String {
    let mut text = format!("{} of {}", event.kind.name(), names.name(event.source));
    let detail = match event.kind {
        Kind::StageEnd | Kind::SessionEnd => ending(event.value),
        Kind::Goto => format!("to {}", names.name(Source(event.value as u16))),
        Kind::Asked if event.source == Source(0) => {
            Asked::from_f64(event.value).map_or_else(|| number(event.value), |asked| format!("{asked:?}"))
        }
        _ => number(event.value),
    };
    text.push_str(&format!(" ({detail}) at {}", seconds(event.time.since(start))));
    if event.trial > 0 {
        text.push_str(&format!(" in trial {}", event.trial));
    }
    text
}

fn ending(value: f64) -> String {
    let ending = Ending::ALL.iter().find(|one| f64::from(**one as u8) == value);
    ending.map_or_else(|| number(value), |ending| ending.name().to_owned())
}

fn number(value: f64) -> String {
    if value.is_nan() { "missing".to_owned() } else { value.to_string() }
}

/// A value of a row.
pub(crate) fn value(value: Option<Value>) -> String {
    value.map_or("missing".to_owned(), |value| Shown(value).to_string())
}

struct Shown(Value);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Boolean(flag) => flag.fmt(f),
            Value::Integer(number) => number.fmt(f),
            other => other.to_f64().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_events_that_differ_by_a_nanosecond_are_told_apart() {
        let event = |ns| Event {
            time: Time::from_ns(ns),
            trial: 1,
            kind: Kind::StageStart,
            source: Source(0),
            value: 0.0,
        };
        let names = Names { sources: vec![(bramble_value::SourceKind::Session, "session".to_owned())] };
        let text = |ns| shown(&names, &event(ns), Time::ZERO);
        assert_ne!(text(3_600_000_000_000), text(3_600_000_000_001));
    }
}
