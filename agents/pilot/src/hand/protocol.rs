//! What is asked of a rig that is worked by hand, and what is told of it: the
//! same on a command's socket and wherever else a hand may come from.
//!
//! On a socket each is one line of JSON. One [`Ask::Work`] is open at a time; what
//! is asked then is done at once, and what happens is told until [`Told::Closed`].

use bramble_task::definition::DeviceKind;
use bramble_value::{Kind, Level, Span, Time};
use serde::{Deserialize, Serialize};

/// What a hand wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ask {
    /// Have the rig, to work it: [`Told::Open`] or [`Told::Refused`].
    Work {
        /// What for, in a word, for whoever is refused meanwhile: `monitor`.
        what: String,
    },
    /// Switch an output: to 0 for off.
    Set {
        /// Which: `light.left`.
        device: String,
        /// How high.
        level: Level,
    },
    /// Switch outputs on and off again, all counted from one moment.
    Train {
        /// Which, and when in each turn.
        members: Vec<Member>,
        /// From one turn to the next.
        every: Span,
        /// How many turns; without it, until stopped.
        count: Option<u32>,
    },
    /// The rig is not needed any more: [`Told::Closed`], when it is safe.
    Done,
    /// Measure how late the loop is woken: [`Told::Measured`] or [`Told::Refused`].
    Measure {
        /// How often it is woken.
        wakes: u32,
        /// After how long each time.
        every: Span,
    },
}

/// One output of a train.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Which.
    pub(crate) device: String,
    /// How long it is on in each turn.
    pub(crate) on: Span,
    /// How long it waits first.
    pub(crate) offset: Span,
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Told {
    /// The rig is the hand's, and all outputs are safe.
    Open(Opened),
    /// What was asked for can't be, for this reason; nothing has changed.
    Refused {
        /// In a sentence.
        why: String,
        /// Whether only because the rig is in use now.
        busy: bool,
    },
    /// Something happened.
    Event {
        /// To which input or output.
        device: String,
        /// What.
        #[serde(with = "kind")]
        kind: Kind,
        /// What the kind says of it.
        value: f64,
        /// When, on the pilot's clock.
        time_ns: Time,
    },
    /// Something that a person should read.
    Note {
        /// In a sentence.
        text: String,
        /// When, on the pilot's clock.
        time_ns: Time,
    },
    /// The rig is no longer the hand's, and its outputs are safe.
    Closed {
        /// Why.
        why: String,
        /// Whether something failed.
        failed: bool,
    },
    /// How late the loop was woken.
    Measured(Timing),
}

/// A rig in the hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Opened {
    /// Whose.
    pub(crate) pilot: String,
    /// What tells its configuration from another: the one that a check is kept for.
    pub(crate) rig: String,
    /// Every port of every device that can be worked.
    pub(crate) parts: Vec<Part>,
    /// What can't be worked now, a sentence each.
    pub(crate) left_out: Vec<String>,
    /// Whether there are real pins, or lines in memory only.
    pub(crate) real: bool,
    /// Now, on the pilot's clock.
    pub(crate) time_ns: Time,
    /// Now, in nanoseconds since 1970.
    pub(crate) unix_ns: i64,
}

/// One port of a device, or a device without ports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// `light.left`, or `led`.
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: DeviceKind,
    /// The unit of what it measures; or empty.
    pub(crate) unit: String,
    /// The level that it has when nothing is done with it.
    pub(crate) safe: Level,
    /// The longest it may be on.
    pub(crate) longest_on: Option<Span>,
    /// Whether nothing real is worked with it.
    pub(crate) simulated: bool,
    /// What an input reads when the rig is opened: 0 or 1, or a value in its unit.
    pub(crate) reads: Option<f64>,
}

/// How late the loop is woken on this computer, and what it lacks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Timing {
    /// How often it was woken.
    pub(crate) wakes: u64,
    /// Half of the times it was later than this.
    #[serde(rename = "p50_ns")]
    pub(crate) p50: Span,
    /// One time in 100.
    #[serde(rename = "p99_ns")]
    pub(crate) p99: Span,
    /// One time in 1,000.
    #[serde(rename = "p99_9_ns")]
    pub(crate) p99_9: Span,
    /// At its latest.
    #[serde(rename = "worst_ns")]
    pub(crate) worst: Span,
    /// How often it was at most so late, and later than the bar before says.
    pub(crate) bars: Vec<Bar>,
    /// What the computer doesn't give the loop, and what to do about it.
    pub(crate) shortfalls: Vec<String>,
}

/// One bar of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bar {
    /// Its upper end.
    #[serde(rename = "up_to_ns")]
    pub(crate) up_to: Span,
    /// How many are in it.
    pub(crate) count: u64,
}

/// A kind of event, by its name.
mod kind {
    use bramble_value::Kind;
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(kind.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = Kind::ALL.iter().copied().find(|kind| kind.name() == name);
        known.ok_or_else(|| D::Error::custom(format!("there is no kind of event `{name}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ask_is_a_line_that_a_person_could_write() {
        let line = r#"{"set":{"device":"light.left","level":0.5}}"#;
        let ask: Ask = serde_json::from_str(line).unwrap();
        let level = Level::from_share(0.5).unwrap();
        assert_eq!(ask, Ask::Set { device: "light.left".into(), level });
        assert_eq!(serde_json::to_string(&ask).unwrap(), line);
        for wrong in [r#"{"set":{"device":"light.left","level":1.5}}"#, r#"{"explode":{}}"#, "set"] {
            assert!(serde_json::from_str::<Ask>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_event_is_told_with_the_name_of_its_kind() {
        let told = Told::Event {
            device: "poke.left".into(),
            kind: Kind::Input,
            value: 1.0,
            time_ns: Time::from_ns(7),
        };
        let line = serde_json::to_string(&told).unwrap();
        assert_eq!(line, r#"{"event":{"device":"poke.left","kind":"input","value":1.0,"time_ns":7}}"#);
        assert_eq!(serde_json::from_str::<Told>(&line).unwrap(), told);
    }
}
