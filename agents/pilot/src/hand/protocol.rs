//! What is asked of a rig that is worked by hand, and what is told of it: the
//! same on a command's socket and wherever else a hand may come from.
//!
//! On a socket each is one line of JSON. One [`Ask::Work`] is open at a time; what
//! is asked then is done at once, and what happens is told until [`Told::Closed`].

use bramble_task::definition::DeviceKind;
use bramble_value::{Kind, Level, Span, Time, Volume};
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
    /// Open a valve for a volume, by its calibration.
    Give {
        /// Which.
        device: String,
        /// How much.
        volume: Volume,
    },
    /// Tell what is known of the rig without working it: [`Told::Known`].
    Known,
    /// Be guided through the calibration of a valve of the rig in the hand: [`Told::Step`].
    Calibrate {
        /// Which.
        valve: String,
        /// How often it opens for each duration.
        pulses: u32,
        /// How long it opens; at least two.
        durations: Vec<Span>,
        /// From one opening to the next.
        #[serde(default)]
        every: Option<Span>,
    },
    /// Be guided through the check of the rig, which is in nobody's hand: [`Told::Step`].
    Check {
        /// Leave the inputs out.
        #[serde(default)]
        skip_inputs: bool,
        /// Leave the outputs out.
        #[serde(default)]
        skip_outputs: bool,
        /// Leave the computer's timing out.
        #[serde(default)]
        skip_timing: bool,
    },
    /// Answer what a step asks.
    Answer(Answer),
}

/// What a person answers to a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// What was to be done is done.
    Ready,
    /// What the scale shows, as a person types it: `0.41`, `410 mg`. Instead of
    /// [`Answer::Ready`], what was weighed before.
    Weight(String),
    /// Weigh the openings of this duration again.
    Again(Span),
    /// Leave the openings of this duration out of the line.
    Without(Span),
    /// Yes: keep it, or it worked.
    Yes,
    /// No: don't keep it, or it didn't work.
    No,
    /// Show it once more.
    Repeat,
    /// Leave this one out.
    Skip,
    /// Nobody is there to answer.
    Nobody,
    /// End it here.
    End,
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
    /// What is known of the rig.
    Known(Known),
    /// How far what is guided is, and what a person is to do.
    Step(Step),
}

/// What is known of a rig that nobody has in the hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// The newest calibration of each valve, as `bramble-pilot calibrations --json` has them.
    pub(crate) calibrations: Vec<serde_json::Value>,
    /// Its last check, as `check.json` has it.
    pub(crate) check: Option<serde_json::Value>,
    /// What of this can't be read, a sentence each.
    pub(crate) problems: Vec<String>,
}

/// How far what is guided is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// A cup is to be put under the valve: [`Answer::Ready`], or [`Answer::Weight`].
    Place {
        /// Which duration it is, from 0.
        at: usize,
        /// The valve.
        valve: String,
        /// The duration.
        open: Span,
        /// Why the openings before don't count, where they were cut or missed.
        why: Option<String>,
    },
    /// The valve opens again and again.
    Opens {
        /// Which duration it is.
        at: usize,
        /// The valve.
        valve: String,
        /// The duration.
        open: Span,
        /// How often.
        pulses: u32,
        /// How long all of it takes.
        lasts: Span,
    },
    /// What came out is to be weighed: [`Answer::Weight`].
    Weigh {
        /// Which duration it is.
        at: usize,
        /// The duration.
        open: Span,
        /// Why the weight that was given can't be.
        why: Option<String>,
    },
    /// No line goes through what was weighed: [`Answer::Again`].
    NoLine {
        /// What was weighed.
        points: Vec<Weighed>,
        /// Why not.
        why: String,
    },
    /// The line through what was weighed: [`Answer::Yes`] keeps it, [`Answer::Again`] weighs one
    /// duration again.
    Line {
        /// As `bramble-pilot calibrations --json` has it, without a file.
        calibration: serde_json::Value,
        /// The one before.
        before: Option<serde_json::Value>,
        /// How much it differs from the one before, in a sentence.
        changed: Option<String>,
    },
    /// The calibration is kept.
    Kept {
        /// In this file.
        file: String,
    },
    /// It was measured how late the computer wakes the loop.
    Timed(Timing),
    /// How something was.
    Found(Item),
    /// This input is to be triggered; [`Answer::Skip`] leaves it out.
    Trigger {
        /// Which.
        device: String,
        /// What is to be done, in words.
        prompt: String,
        /// Within this time.
        within: Span,
    },
    /// Something happened to an input, in words.
    Heard {
        /// What.
        text: String,
    },
    /// Something is to be put under these valves' spouts: [`Answer::Ready`], or [`Answer::No`]
    /// to leave them out.
    Spouts {
        /// Which.
        valves: Vec<String>,
        /// For how long each will be open.
        open: Span,
    },
    /// An output was on or off for a moment: [`Answer::Yes`] where that was seen, [`Answer::No`],
    /// or [`Answer::Repeat`].
    Blinked {
        /// Which.
        device: String,
        /// `on`, or `off` where it is on otherwise.
        was: String,
        /// For how long.
        length: Span,
    },
    /// The check is done, and kept.
    Checked {
        /// As `check.json` has it.
        checked: serde_json::Value,
        /// Where.
        file: String,
    },
    /// It is over without having come to its end.
    Left {
        /// Why.
        why: String,
    },
}

/// Openings that were weighed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Weighed {
    /// How long each was.
    pub(crate) open: Span,
    /// How many there were.
    pub(crate) pulses: u32,
    /// What all of them weighed.
    pub(crate) grams: f64,
    /// What one gave, in microliters of water.
    pub(crate) microliters: f64,
}

/// One thing that a check looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    /// What: `poke.left`, `timing`.
    pub(crate) what: String,
    /// How it was.
    pub(crate) outcome: Outcome,
    /// What was found, in words.
    pub(crate) says: String,
}

/// How something was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// As it should be.
    Passed,
    /// Not as it should be.
    Failed,
    /// As it should be, but for something that a person should know.
    Warning,
    /// Nobody looked.
    Skipped,
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
    /// Whether it is a valve that volumes can be given from.
    #[serde(default)]
    pub(crate) doses: bool,
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
