//! What a terminal says to a pilot.

use std::collections::BTreeMap;

use bramble_identity::Serial;
use bramble_value::{Person, Seed, Sources, SubjectId, Time, Trials, Value, Volume};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Ask, Origin, PortName, Software};

/// What a terminal says of itself when a link comes up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TerminalHello {
    /// What it runs.
    pub software: Software,
    /// The certificates of this swarm that hold no more, by their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<Serial>,
}

/// Everything a terminal says to a pilot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TerminalToPilot {
    /// Do this, and answer.
    Command {
        /// Repeated in the answer.
        ask: Ask,
        /// Who wants it. What is said to a session is done for its owner alone.
        by: Person,
        /// Whoever wants it takes the session over, where it is another's.
        take_over: bool,
        /// It is not done where it comes later than that, by the terminal's monotonic clock; without it,
        /// whenever it comes.
        #[serde(default)]
        not_after: Option<Time>,
        /// What to do.
        command: Command,
    },
    /// These certificates hold no more. There may be some among them that were told before.
    Revoked {
        /// By their numbers.
        certificates: Vec<Serial>,
    },
}

/// What a terminal says to a pilot in passing: it may be lost. A pilot that doesn't know what
/// it says takes no notice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TerminalInPassing {
    /// A probe of the link, which is answered at once by `Probed`.
    Probe {
        /// Repeated in the answer.
        probe: u64,
        /// So many bytes are in the answer, if that is no more than [`LARGEST_PROBE`].
        answer: u32,
        /// Means nothing.
        filler: Bytes,
    },
    /// Of somebody who works the rig by hand, at a page.
    Hand {
        /// Which hand it is: everything of one has the same number, which no other has.
        lease: Uuid,
        /// What is said.
        says: HandSays,
    },
}

/// The most bytes that a probe of the link or its answer has beside what it says.
pub const LARGEST_PROBE: usize = 48 << 10;

/// What is said of a hand. Nothing of it is done late: whatever is asked says which beat of the
/// pilot was heard last, and the pilot knows when that was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandSays {
    /// Somebody is there, and waits for the first [`HandTold::Beat`](crate::HandTold::Beat).
    Begin {
        /// Who.
        by: Person,
    },
    /// A beat was heard: they are still there, and may ask something.
    Heard {
        /// Which.
        beat: u64,
        /// What is asked, in JSON, as at the pilot's `hand.sock`.
        #[serde(default)]
        ask: Option<String>,
    },
    /// Nobody is there any more.
    End,
}

/// What a pilot can be asked to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Start a session.
    Start(Box<StartSession>),
    /// Stop a session.
    Stop {
        /// Which; another one is left alone.
        session: Uuid,
        /// At once or between trials.
        when: When,
        /// Why, for the record.
        why: String,
    },
    /// Hold a session: no trial begins until it is resumed.
    Pause {
        /// Which.
        session: Uuid,
        /// Who did it and why, for the record.
        why: String,
    },
    /// Let trials begin again.
    Resume {
        /// Which session.
        session: Uuid,
        /// Who did it and why, for the record.
        why: String,
    },
    /// Change a live parameter.
    SetParameter {
        /// Of which session.
        session: Uuid,
        /// The parameter.
        name: String,
        /// When this was asked, by the terminal's wall clock: nanoseconds since 1970, UTC.
        unix_ns: i64,
        /// Its new value, as a protocol would write it.
        value: serde_json::Value,
    },
    /// Give the task a message, as its button would.
    Message {
        /// Of which session.
        session: Uuid,
        /// The message.
        name: String,
    },
    /// Be called otherwise, from the next start on, which is at once. Only an idle pilot
    /// does so, of which everything is acknowledged.
    Rename {
        /// The certificate for the new name and the pilot's present key, in DER.
        certificate: Bytes,
    },
    /// Give water by hand.
    Reward {
        /// In which session.
        session: Uuid,
        /// A valve.
        port: PortName,
        /// How much.
        volume: Volume,
    },
}

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// At once; the present trial is cut.
    Now,
    /// When the present trial is over.
    AfterTrial,
}

/// A session to start. It holds all that the pilot needs to run it to its end
/// by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartSession {
    /// The session's identity, everywhere and for ever.
    pub session: Uuid,
    /// The animal.
    pub subject: SubjectId,
    /// Whose session it is, until another takes it over.
    pub owner: Person,
    /// The task.
    pub task: Sources,
    /// Parameters that differ from the task's own defaults, by name.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// What all randomness comes from.
    pub seed: Seed,
    /// What the columns with `keep` held at the end of the last session, by name.
    pub kept: BTreeMap<String, Value>,
    /// When the subject moves on to the next step of its protocol.
    pub graduation: Option<Graduation>,
    /// The session ends after this many trials.
    pub trials: Option<u32>,
    /// It starts paused: its first trial begins when it is resumed.
    pub paused: bool,
    /// It starts on real hardware even where the rig failed its last check.
    pub despite_check: bool,
    /// What was unusual about it and confirmed by its owner: a sentence for each, by its name.
    #[serde(default)]
    pub confirmed: BTreeMap<String, String>,
    /// When this was asked, by the terminal's wall clock: nanoseconds since 1970, UTC. What the
    /// session dates goes by it; a terminal that doesn't say it has the pilot's wall clock count.
    #[serde(default)]
    pub unix_ns: Option<i64>,
    /// What the terminal is, and where the task lies, for the session's record.
    #[serde(default)]
    pub origin: Origin,
}

/// What a pilot needs to decide, between trials, that a subject graduates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Graduation {
    /// The protocol, and its tasks.
    pub protocol: Sources,
    /// Which of its steps, from 0.
    pub step: u32,
    /// The trials that the subject has done in this step, as far back as the
    /// rule looks.
    pub earlier: Trials,
}
