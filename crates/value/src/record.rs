//! What a session records, as the pilot notes it and the subject file keeps it.

use serde::{Deserialize, Serialize};

use crate::{Span, Time, Value, ValueType};

/// One thing that happened: a row of a session's `events/table`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, on the pilot's clock.
    pub time: Time,
    /// The trial it happened in, from 1; 0 outside any trial.
    pub trial: u32,
    /// What happened.
    pub kind: Kind,
    /// What it happened to: a place in the session's [`Names`].
    pub source: Source,
    /// What the kind says of it; 0 where it says nothing.
    pub value: f64,
}

/// A place in a session's [`Names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Source(pub u16);

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident = $number:literal, $name:literal;)*) => {
        /// What kind of thing an [`Event`] is. The numbers and names are those in
        /// the subject file and never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(into = "u8", try_from = "u8")]
        #[repr(u8)]
        pub enum Kind {
            $($(#[doc = $doc])* $kind = $number,)*
        }

        impl Kind {
            /// Every kind there is.
            pub const ALL: &[Kind] = &[$(Kind::$kind),*];

            /// The kind's name in the subject file.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name,)* }
            }
        }
    };
}

kinds! {
    /// The session started. Source: the session; value: where a sync line told the
    /// time, what the pilot's wall clock said then, in microseconds since 1970, UTC.
    SessionStart = 0, "session start";
    /// The session ended. Source: the session; value: the [`Ending`].
    SessionEnd = 1, "session end";
    /// A stage started.
    StageStart = 2, "stage start";
    /// A stage ended. Value: the [`Ending`].
    StageEnd = 3, "stage end";
    /// A turn of a stage started. Value: which turn, from 0.
    TurnStart = 4, "turn start";
    /// A turn of a stage ended. Value: which turn, from 0.
    TurnEnd = 5, "turn end";
    /// A stage was left for another. Source: the stage left; value: the source
    /// that is the stage gone to.
    Goto = 6, "goto";
    /// A digital input became high or low. Value: 1 or 0.
    Input = 7, "input";
    /// An analog input was read. Value: in the input's unit.
    Analog = 8, "analog";
    /// An encoder moved. Value: its position, in its unit.
    Position = 9, "position";
    /// The input event just before had been stamped before something that was
    /// already done. Value: by how many seconds.
    Late = 10, "late";
    /// A pulse, train, open valve or sound of this port came to its end by itself.
    Ends = 11, "ends";
    /// A message came or was emitted. Value: what it carried.
    Message = 12, "message";
    /// A live parameter was changed. Value: the new value.
    Parameter = 13, "parameter";
    /// A column was written. Value: what was written.
    Column = 14, "column";
    /// An output was written. Value: its level, 1 or 0, or a share.
    Output = 15, "output";
    /// A device was told to do something that is more than a level. Value: how
    /// long, in seconds, or 0.
    Command = 16, "command";
    /// A device was told to stop what it was doing.
    Halt = 17, "halt";
    /// A timer ran out.
    Timer = 18, "timer";
    /// A counter counted. Value: its count.
    Count = 19, "count";
    /// Water was given by hand. Value: microliters.
    Manual = 20, "manual";
    /// Input events of this port were lost. Value: how many.
    Lost = 21, "lost";
    /// The session was asked to pause: no trial begins until it is resumed.
    /// Source: the session.
    Pause = 22, "pause";
    /// A trial would have begun, but for a pause. Source: the session.
    Held = 23, "held";
    /// Trials may begin again. Source: the session.
    Resume = 24, "resume";
    /// In real time: what follows of outputs was decided as of this moment, and each
    /// output is stamped when it was written, a little later. Source: the session;
    /// value: 1 where the rig woke for it, 0 where the task wanted it.
    Moment = 25, "moment";
    /// Something was asked of the running session. Source and value: a message and
    /// what it carries; a parameter and its new value (a range's two ends are two);
    /// the session and an [`Asked`].
    Asked = 26, "asked";
    /// In real time: a function of the task that was waited for returned. Source:
    /// the session; value: which call, from 0.
    Answered = 27, "answered";
    /// In real time: an input came while a function of the task was waited for, and
    /// is taken, and recorded as an input, when that has returned. Value: what it reads.
    Waits = 28, "waits";
}

impl From<Kind> for u8 {
    fn from(kind: Kind) -> u8 {
        kind as u8
    }
}

impl TryFrom<u8> for Kind {
    type Error = String;
    fn try_from(number: u8) -> Result<Kind, String> {
        Kind::ALL
            .iter()
            .copied()
            .find(|kind| *kind as u8 == number)
            .ok_or_else(|| format!("there is no kind of event {number}"))
    }
}

/// What was asked of a session: the value of a [`Kind::Asked`] of the session itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Asked {
    /// To stop at once.
    Stop = 0,
    /// To stop when the present trial is over.
    StopAfterTrial = 1,
    /// To end, because something failed.
    Fail = 2,
    /// To begin no more trials.
    Pause = 3,
    /// To let trials begin again.
    Resume = 4,
}

impl Asked {
    /// The one of this number, as the subject file has it.
    pub fn from_f64(value: f64) -> Option<Asked> {
        let all = [Asked::Stop, Asked::StopAfterTrial, Asked::Fail, Asked::Pause, Asked::Resume];
        all.into_iter().find(|one| f64::from(*one as u8) == value)
    }
}

/// Why a stage, a turn, a trial or a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Ending {
    /// It came to its own end.
    Done = 0,
    /// A transition led elsewhere.
    Goto = 1,
    /// It, or its turn, took longer than it may.
    Timeout = 2,
    /// What it was part of ended first.
    Cancelled = 3,
    /// The session was stopped.
    Stopped = 4,
    /// The task made a mistake.
    Error = 5,
}

impl Ending {
    /// Every ending there is.
    pub const ALL: &[Ending] =
        &[Ending::Done, Ending::Goto, Ending::Timeout, Ending::Cancelled, Ending::Stopped, Ending::Error];

    /// The ending's name in the subject file.
    pub fn name(self) -> &'static str {
        match self {
            Ending::Done => "done",
            Ending::Goto => "goto",
            Ending::Timeout => "timeout",
            Ending::Cancelled => "cancelled",
            Ending::Stopped => "stopped",
            Ending::Error => "error",
        }
    }
}

/// One trial: a row of a session's `trials/table`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Which trial, from 1.
    pub trial: u32,
    /// When it started, on the pilot's clock.
    pub start: Time,
    /// When it ended.
    pub end: Time,
    /// Why it ended.
    pub ending: Ending,
    /// The declared columns in their order; `None` is missing.
    pub values: Vec<Option<Value>>,
}

/// One entry of what a pilot observed, in the order it was observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Something happened.
    Event(Event),
    /// A trial ended.
    Row(Row),
    /// Something that a person should read: a warning, an error of the task.
    Note {
        /// When.
        time: Time,
        /// What, in a sentence.
        text: String,
    },
}

/// What the small integers in a session's events stand for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Names {
    /// One for each [`Source`], in their order. The first is the session.
    pub sources: Vec<(SourceKind, String)>,
}

/// What a [`Source`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// The session itself.
    Session,
    /// A stage of the task.
    Stage,
    /// A port of a device: `poke.left`, or `beam` for a device without ports.
    Port,
    /// A column.
    Column,
    /// A parameter.
    Parameter,
    /// A message.
    Message,
    /// A timer.
    Timer,
    /// A counter.
    Counter,
}

impl SourceKind {
    /// The kind's name in the subject file.
    pub fn name(self) -> &'static str {
        match self {
            SourceKind::Session => "session",
            SourceKind::Stage => "stage",
            SourceKind::Port => "port",
            SourceKind::Column => "column",
            SourceKind::Parameter => "parameter",
            SourceKind::Message => "message",
            SourceKind::Timer => "timer",
            SourceKind::Counter => "counter",
        }
    }
}

impl Names {
    /// The name of a source, or its number where it has none.
    pub fn name(&self, source: Source) -> String {
        match self.sources.get(usize::from(source.0)) {
            Some((_, name)) => name.clone(),
            None => format!("source {}", source.0),
        }
    }
}

/// The trials that came before, as graduation and simulated animals see them:
/// the columns' names and types, and the rows, oldest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Trials {
    /// The columns, in the order of each row's values.
    pub columns: Vec<(String, ValueType)>,
    /// The trials.
    pub rows: Vec<Row>,
}

impl Trials {
    /// The values of one column, oldest first; `None` where there is no such column.
    pub fn column(&self, name: &str) -> Option<(&ValueType, impl DoubleEndedIterator<Item = Option<Value>>)> {
        let place = self.columns.iter().position(|(column, _)| column == name)?;
        let values = self.rows.iter().map(move |row| row.values.get(place).copied().flatten());
        Some((&self.columns[place].1, values))
    }

    /// From the first trial's start to the last one's end.
    pub fn length(&self) -> Span {
        match (self.rows.first(), self.rows.last()) {
            (Some(first), Some(last)) => last.end.since(first.start),
            _ => Span::ZERO,
        }
    }
}
