//! What a pilot says to a terminal.

use std::collections::BTreeMap;

use bramble_identity::Serial;
use bramble_value::{Ending, Name, Names, Person, Record, Span, SubjectId, Time, Value, ValueType};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Ask, Health, PortName, Quality, Reaction, Software, StartSession};

/// What a pilot says of itself when a link comes up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PilotHello {
    /// What it runs.
    pub software: Software,
    /// What its rig has, its children's devices among it.
    pub rig: Vec<RigDevice>,
    /// What it is doing.
    pub activity: Activity,
}

/// A device of a rig.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RigDevice {
    /// Its name.
    pub name: Name,
    /// Its kind, as a task file says it: `digital_input`.
    pub kind: String,
    /// Its ports; empty for a single device.
    pub ports: Vec<Name>,
    /// What drives it: `simulated`, or `child wheel-box1`.
    pub driver: String,
}

/// Everything a pilot says to a terminal that must arrive, in its order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PilotToTerminal {
    /// To a command.
    Answer(Answer),
    /// A session started.
    Started(Box<Started>),
    /// What was observed since.
    Records {
        /// In which session.
        session: Uuid,
        /// In the order of observation.
        records: Vec<Record>,
    },
    /// A session was taken over.
    Owner {
        /// Which.
        session: Uuid,
        /// Whose it is now.
        owner: Person,
    },
    /// A person changed a parameter of a session.
    Parameter(ParameterSet),
    /// A session ended.
    Ended(Ended),
}

/// A parameter that a person changed in a session that runs. A pilot tells it, so that the subject's
/// history has what was done, whatever became of the terminal meanwhile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParameterSet {
    /// In which session.
    pub session: Uuid,
    /// The parameter.
    pub name: String,
    /// Its new value, as the person wrote it.
    pub value: serde_json::Value,
    /// Who did it.
    pub who: Person,
    /// When it was asked, by the terminal's wall clock: nanoseconds since 1970, UTC.
    pub unix_ns: i64,
}

/// An answer to a command: done, or why not, in a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The question.
    pub ask: Ask,
    /// What came of it.
    pub outcome: Result<(), String>,
}

/// A session that started: all that the subject file says of it, so that the
/// file can be made from what the pilot sent alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// What was asked for.
    pub request: StartSession,
    /// The task's name.
    pub task_name: String,
    /// The task's doc string.
    pub task_doc: String,
    /// The parameters as resolved: name, type, value.
    pub parameters: Vec<(String, ValueType, Value)>,
    /// The columns, in the order of each row's values.
    pub columns: Vec<ColumnInfo>,
    /// What the sources of its events stand for.
    pub names: Names,
    /// When it started, on the pilot's clock.
    pub time: Time,
    /// When it started, by the terminal's wall clock, as its request told it: nanoseconds since
    /// 1970, UTC.
    pub unix_ns: i64,
    /// The pilot's software.
    pub software: Software,
    /// The rig, its drivers and calibrations, the host: as JSON, for the file's
    /// provenance.
    pub provenance: serde_json::Value,
    /// Texts that belong to it, but for those of the request: the pilot's configuration, its
    /// children's, the calibrations. By the paths that they have in a folder of the session.
    #[serde(default)]
    pub texts: BTreeMap<String, String>,
}

/// A column of the trial table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnInfo {
    /// Its name.
    pub name: Name,
    /// What it holds.
    pub kind: ValueType,
    /// What it means.
    pub doc: String,
}

/// A session that ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// Which.
    pub session: Uuid,
    /// How.
    pub ending: Ending,
    /// Why, in words.
    pub why: String,
    /// Whether the subject graduated from its step.
    pub graduated: bool,
    /// Whether it was paused then.
    pub paused: bool,
    /// When, on the pilot's clock.
    pub time: Time,
    /// When, by the same wall clock as its start; after a crash, when the pilot was back by its own:
    /// nanoseconds since 1970, UTC.
    pub unix_ns: i64,
}

/// What a pilot says to a terminal in passing: it may be lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PilotInPassing {
    /// How it is.
    Status(Box<Status>),
    /// An answer, which comes again among what must arrive.
    Answer(Answer),
    /// What has just been observed in a session in real time, before it waits for any
    /// disk. It comes again among [`PilotToTerminal::Records`], and only that counts.
    Live {
        /// In which session.
        session: Uuid,
        /// In the order of observation.
        records: Vec<Record>,
    },
    /// The calibrations of its valves that count, all that there are.
    Calibrated(Vec<Calibrated>),
    /// The answer to a probe of the link.
    Probed {
        /// Which.
        probe: u64,
        /// Means nothing; as much of it as was asked for.
        filler: Bytes,
    },
    /// How it reacts in the session that runs in real time, or ran last.
    Reaction(Reaction),
    /// To somebody who works the rig by hand, at a page.
    Hand {
        /// To which hand.
        lease: Uuid,
        /// What is told.
        told: HandTold,
    },
}

/// How old the calibration of a valve is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calibrated {
    /// The valve.
    pub valve: PortName,
    /// When it was made: seconds since 1970, UTC.
    pub made_unix_s: i64,
    /// How old it may be by the rig's configuration; older, it lets no session start.
    pub age: Span,
}

/// What somebody is told who works a rig by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandTold {
    /// Say at once that this was heard: who says nothing for a while has gone.
    Beat(u64),
    /// What happened, in JSON, as at the pilot's `hand.sock`.
    Told {
        /// From 1, one more each time: where one is missing, something was lost.
        number: u64,
        /// In its order.
        told: Vec<String>,
    },
    /// The hand has nothing any more, and the rig is safe, or is another's.
    Over {
        /// Why.
        why: String,
    },
}

/// Who works a rig by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct InHand {
    /// Who, where it is somebody at a page; none for a command on the pilot's computer.
    #[serde(default)]
    pub who: Option<Person>,
    /// What for, in a word: `calibrate`.
    pub what: String,
}

/// What a pilot tells of itself now and then; only the latest matters, and it
/// may be lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// When this was said, on the pilot's clock.
    pub time: Time,
    /// What it is doing.
    pub activity: Activity,
    /// Events, rows and notes that the terminal has not acknowledged.
    pub unacknowledged: u64,
    /// The children it knows.
    pub children: Vec<Child>,
    /// How its computer fares.
    pub health: Option<Health>,
    /// Something that a person should read, as long as it is so: its disk gets full.
    pub notice: Option<String>,
    /// Who works its rig by hand.
    #[serde(default)]
    pub hand: Option<InHand>,
}

/// A pilot's child, as the pilot knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Child {
    /// Its name.
    pub name: Name,
    /// Whether it is there.
    pub here: bool,
    /// There, or away, since then, on the pilot's clock; none for one that never came.
    pub since: Option<Time>,
    /// Why it is away, in words.
    pub why: Option<String>,
    /// How well the pilot hears it.
    pub quality: Option<Quality>,
    /// How its computer fares.
    pub health: Option<Health>,
    /// The number of the certificate that it came with last; none for one on a Unix socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Serial>,
}

/// What a pilot is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Nothing.
    Idle,
    /// A session.
    Running(Progress),
}

/// How a session that was paused stands.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Hold {
    /// Its present trial, or what comes before the first, is not over yet.
    Coming,
    /// No trial runs.
    Since {
        /// Since then, by the session's own clock, in seconds.
        seconds: f64,
    },
}

/// How far a session is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Which.
    pub session: Uuid,
    /// The animal.
    pub subject: SubjectId,
    /// Whose session it is.
    pub owner: Person,
    /// The task's name.
    pub task: String,
    /// Whether it is paused.
    pub hold: Option<Hold>,
    /// The present trial, from 1; 0 before the first.
    pub trial: u32,
    /// The stages that are active, outermost first.
    pub stages: Vec<String>,
    /// Water given so far, in microliters.
    pub water: f64,
    /// How long it has run, on its own clock, in seconds.
    pub seconds: f64,
    /// The valves that water can be given from by hand.
    pub valves: Vec<PortName>,
}

impl Progress {
    /// Of a session of which nothing else is known yet.
    pub fn beginning(session: Uuid, subject: SubjectId, owner: Person, task: String) -> Progress {
        Progress {
            session,
            subject,
            owner,
            task,
            hold: None,
            trial: 0,
            stages: Vec::new(),
            water: 0.0,
            seconds: 0.0,
            valves: Vec::new(),
        }
    }
}
