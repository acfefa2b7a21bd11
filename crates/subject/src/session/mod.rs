//! One run of a task by a subject: what it started from, what happened in it,
//! and how it ended.

pub(crate) mod health;
pub(crate) mod records;
pub(crate) mod start;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bramble_value::{Ending, Names, Seed, Time, Value, ValueType};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A session's place among those of its subject, from 1: `0001` in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = u32))]
pub struct SessionNumber(u32);

impl SessionNumber {
    /// The `number`th session, from 1.
    pub fn new(number: u32) -> SessionNumber {
        SessionNumber(number)
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for SessionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

impl FromStr for SessionNumber {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<SessionNumber, Self::Err> {
        text.parse().map(SessionNumber)
    }
}

/// Everything that a session starts from: with it the session can be run again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionStart {
    /// The session's own name, the same wherever it is met.
    pub uuid: Uuid,
    /// The task's name.
    pub task: String,
    /// What the task says of itself.
    pub task_doc: String,
    /// The path of the task's file, a key of `sources`.
    pub root: String,
    /// Every file the task was loaded from, with its text.
    pub sources: BTreeMap<String, String>,
    /// The parameters with the values of this session.
    pub parameters: Vec<Parameter>,
    /// The columns, in the order of each row's values.
    pub columns: Vec<Column>,
    /// What the small integers of events stand for.
    pub names: Names,
    /// What all randomness comes from.
    pub seed: Seed,
    /// The pilot it runs on.
    pub pilot: String,
    /// The protocol and step it is part of, if any.
    pub protocol: Option<ProtocolStep>,
    /// When it started, on the terminal's calendar.
    pub started: Timestamp,
    /// When it started, on the pilot's clock.
    pub start_time: Time,
    /// Every program and library, with its version.
    pub versions: BTreeMap<String, String>,
    /// Hardware, calibrations, host, builds, state of the repository.
    pub provenance: serde_json::Value,
    /// The other texts that belong to it, by the paths that they have in a folder of the
    /// session: configurations, calibrations, uncommitted changes, locks of dependencies.
    /// Empty in a session of before these were kept.
    pub texts: BTreeMap<String, String>,
}

impl SessionStart {
    /// Whether its rig was simulated, so that no animal was in it.
    pub fn is_simulated(&self) -> bool {
        self.provenance["pilot"]["simulation"].is_object()
    }
}

/// A parameter with its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its type.
    pub value_type: ValueType,
    /// Its value at the start.
    pub value: Value,
    /// What it is.
    pub doc: String,
}

/// A column of the trial table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub value_type: ValueType,
    /// What it is.
    pub doc: String,
}

/// Where in its training a subject is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ProtocolStep {
    /// The protocol's name.
    pub protocol: String,
    /// The step's name, with its number in the protocol at the time before it, as in `2 cued_choice`.
    pub step: String,
}

impl ProtocolStep {
    /// Whether this is that step, whatever its number was.
    pub fn is_same(&self, other: &ProtocolStep) -> bool {
        self.protocol == other.protocol && self.name() == other.name()
    }

    /// The step's name alone.
    fn name(&self) -> &str {
        let numbered = self.step.split_once(' ').filter(|(number, _)| number.parse::<u32>().is_ok());
        numbered.map_or(self.step.as_str(), |(_, name)| name)
    }
}

/// An estimate of how the pilot's clock stood to the terminal's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockEstimate {
    /// When it was made, on the pilot's clock.
    pub time: Time,
    /// The terminal's clock (nanoseconds since 1970, UTC) less the pilot's.
    pub offset_ns: i64,
    /// By how much the offset may be wrong.
    pub error_ns: i64,
    /// How much the offset grows, in nanoseconds a second; 0 in a session of
    /// before this was known.
    pub drift_ppb: i64,
}

/// Something that a person should read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Note {
    /// When, on the pilot's clock.
    pub time: Time,
    /// What.
    pub text: String,
}

/// A session in a few words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SessionSummary {
    /// Its place among the subject's sessions.
    pub number: SessionNumber,
    /// Its own name.
    pub uuid: Uuid,
    /// The task's name.
    pub task: String,
    /// The pilot it ran on.
    pub pilot: String,
    /// The protocol and step it was part of.
    pub protocol: Option<ProtocolStep>,
    /// When it started.
    pub started: Timestamp,
    /// When and how it ended; `None` while it runs, or where its end was never heard of.
    pub end: Option<SessionEnd>,
    /// How many trials it has.
    pub trials: u64,
    /// How many events it has.
    pub events: u64,
}

/// How a session ended, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SessionEnd {
    /// When, on the terminal's calendar.
    pub ended: Timestamp,
    /// How.
    pub ending: Ending,
    /// Why, in words; may be empty.
    pub why: String,
    /// The share of its trials that were correct, from 0 to 1; none where
    /// nothing says what is correct.
    pub correct: Option<f64>,
    /// How much water was given, in microliters; none where that isn't known, since a valve
    /// opened that gives nobody knows how much.
    pub water: Option<f64>,
}
