//! What happened in a session, in words: the lines of its log.

use bramble_subject::{Change, Note, life};
use bramble_value::{Event, Kind, Span, Time};
use jiff::Timestamp;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// When, on the pilot's clock.
    pub(crate) time: Time,
    pub(crate) text: String,
    /// The person whose doing or saying it is.
    pub(crate) who: Option<String>,
}

impl Line {
    /// What the pilot noted.
    pub(crate) fn note(time: Time, text: String) -> Line {
        Line { time, text, who: None }
    }
}

/// What the subject's file says of a session beside its events, in order: what its pilot noted, and
/// what people did to the subject meanwhile. It began at `started`, which is `start` by its own
/// clock. Where it is over, `ended` is when, and how long it
/// was by its own clock: that of a simulated one may be fast.
pub(crate) fn lines(
    (started, start): (Timestamp, Time),
    ended: Option<(Timestamp, Span)>,
    notes: Vec<Note>,
    history: &[Change],
) -> Vec<Line> {
    let mut all: Vec<Line> = notes.into_iter().map(|note| Line::note(note.time, note.text)).collect();
    let until = ended.map_or(Timestamp::MAX, |(when, _)| when);
    let fast = ended.map_or(1.0, |(when, own)| {
        let wall = when.duration_since(started).as_secs_f64();
        if wall > 0.0 { (own.seconds() / wall).max(1.0) } else { 1.0 }
    });
    let meanwhile = history.iter().filter(|change| (started..=until).contains(&change.when));
    all.extend(meanwhile.map(|change| {
        let passed = change.when.duration_since(started).as_secs_f64() * fast;
        let time = start.ns().saturating_add((passed * 1e9) as i64);
        Line { time: Time::from_ns(time), text: done(change), who: Some(change.who.clone()) }
    }));
    all.sort_by_key(|line| line.time);
    all
}

/// A change of a subject, in a sentence.
fn done(Change { what, from, to, .. }: &Change) -> String {
    match (what.as_str(), what.strip_prefix("parameter.")) {
        (life::NOTE, _) => to.clone(),
        (_, Some(name)) => parameter(name, to),
        _ if from.is_empty() => format!("{what}: {to}"),
        _ => format!("{what}: {to}; it was {from}"),
    }
}

/// A value as a person wrote it.
pub(crate) fn value(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// That a person changed a live parameter.
pub(crate) fn parameter(name: &str, to: &str) -> String {
    format!("{name} is {to} from the next trial on")
}

/// What an event is in words, where a person should read of it.
pub(super) fn words(event: &Event, source: impl FnOnce() -> String) -> Option<String> {
    let value = event.value;
    match event.kind {
        Kind::Manual => Some(format!("{value} uL of water by hand from {}", source())),
        Kind::Lost => Some(format!("{value} changes of {} came too fast, and are missing", source())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bramble_value::Source;

    use super::*;

    #[test]
    fn what_a_person_should_read_of_an_event_is_said_with_its_unit() {
        let event = |kind, value| Event { time: Time::ZERO, trial: 1, kind, source: Source(1), value };
        let said = |kind, value| words(&event(kind, value), || "valve.left".to_owned());
        assert_eq!(said(Kind::Manual, 3.5).as_deref(), Some("3.5 uL of water by hand from valve.left"));
        assert!(said(Kind::Lost, 12.0).is_some_and(|text| text.starts_with("12 changes of valve.left")));
        assert_eq!(said(Kind::Input, 1.0), None);
    }

    #[test]
    fn a_change_of_a_subject_is_a_sentence() {
        let change = |what: &str, from: &str, to: &str| {
            let (when, who) = (Timestamp::UNIX_EPOCH, "anna@desk".to_owned());
            done(&Change { when, who, what: what.into(), from: from.into(), to: to.into() })
        };
        assert_eq!(change("note", "", "calm"), "calm");
        assert_eq!(change("parameter.reward", "4 uL", "5 uL"), "reward is 5 uL from the next trial on");
        assert_eq!(change("step", "1 a", "2 b"), "step: 2 b; it was 1 a");
    }
}
