//! What is asked of a running terminal, and what it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use bramble_identity::{Role as AgentRole, Serial};
use bramble_message::{Health, Hold, InHand, PortName, Quality, RigDevice, Software};
use bramble_report::Score;
use bramble_subject::{Biography, Life, Move, SessionSummary};
use bramble_value::{Ending, Name, Person, SubjectId, Volume};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::live::wire::SessionView;
use crate::unusual::Unusual;
use crate::users::Role;

pub(crate) use super::life::{
    Cares, Edit, GiveWater, MoveSession, NoteDown, On, WaterLine, Weigh, WeightLine,
};

/// `POST /subjects`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct NewSubject {
    pub(crate) id: SubjectId,
    #[serde(default)]
    pub(crate) biography: Biography,
    pub(crate) who: Person,
}

/// `POST /subjects/{id}/protocol`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Assign {
    /// The protocol's file, as an absolute path.
    #[schema(value_type = String)]
    pub(crate) protocol: PathBuf,
    /// From 1.
    pub(crate) step: u32,
    pub(crate) who: Person,
}

/// `POST /sessions`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Start {
    pub(crate) subject: SubjectId,
    pub(crate) pilot: Name,
    /// Whose session it will be.
    pub(crate) who: Person,
    /// Instead of the subject's protocol; an absolute path.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) task: Option<PathBuf>,
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, serde_json::Value>,
    /// What columns with `keep` begin with, instead of what the subject's file says.
    #[serde(default)]
    pub(crate) keep: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    pub(crate) trials: Option<u32>,
    #[serde(default)]
    pub(crate) seed: Option<u64>,
    /// Even where the rig failed its last check.
    #[serde(default)]
    pub(crate) despite_check: bool,
    /// Even where the subject is in a session on a pilot that is away.
    #[serde(default)]
    pub(crate) abandon: bool,
    /// What is unusual about it, and was seen by a person.
    #[serde(default)]
    pub(crate) confirm: BTreeSet<Unusual>,
}

/// `POST /stop`: one of `subject` and `pilot` says which session.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Stop {
    #[serde(default)]
    pub(crate) subject: Option<SubjectId>,
    #[serde(default)]
    pub(crate) pilot: Option<Name>,
    #[serde(default)]
    pub(crate) after_trial: bool,
    #[serde(default)]
    pub(crate) why: String,
    #[serde(flatten)]
    pub(crate) by: By,
}

/// Who says something to a session.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Asker)]
pub(crate) struct By {
    pub(crate) who: Person,
    /// They take it over, where it is another's.
    #[serde(default)]
    pub(crate) take_over: bool,
}

/// `POST /subjects/{id}/pause` and `.../resume`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Pause {
    #[serde(default)]
    pub(crate) why: String,
    #[serde(flatten)]
    pub(crate) by: By,
}

/// `POST /subjects/{id}/parameter`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct SetParameter {
    pub(crate) name: String,
    pub(crate) value: serde_json::Value,
    #[serde(flatten)]
    pub(crate) by: By,
}

/// `POST /subjects/{id}/message`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct SendMessage {
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) by: By,
}

/// `POST /subjects/{id}/reward`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Reward {
    pub(crate) port: PortName,
    pub(crate) volume: Volume,
    #[serde(flatten)]
    pub(crate) by: By,
}

/// `POST /agents/invite`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Invite {
    pub(crate) name: Name,
    pub(crate) role: AgentRole,
}

/// What an agent joins with.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Invited {
    pub(crate) name: Name,
    pub(crate) role: AgentRole,
    pub(crate) code: String,
    pub(crate) until: Timestamp,
    /// What is typed for this terminal: its host, and its port where it isn't the usual one.
    pub(crate) terminal: String,
    /// What a person should know, a sentence without its point each.
    pub(crate) notes: Vec<String>,
}

/// `POST /agents/{name}/rename`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Rename {
    pub(crate) to: Name,
    pub(crate) who: Person,
}

/// `GET /agents`: one each, revoked ones too.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct AgentLine {
    pub(crate) name: Name,
    pub(crate) role: AgentRole,
    pub(crate) enrolled: Timestamp,
    pub(crate) here: bool,
    /// None where it was never here.
    pub(crate) last_here: Option<Timestamp>,
    /// Its certificate's number.
    pub(crate) serial: Serial,
    pub(crate) revoked: Option<Timestamp>,
    /// The name that it is about to have.
    pub(crate) becomes: Option<Name>,
}

/// What was done, in a sentence.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Done {
    pub(crate) done: String,
}

/// `GET /subjects/{id}`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct SubjectInfo {
    pub(crate) id: SubjectId,
    pub(crate) uuid: Uuid,
    #[schema(value_type = String)]
    pub(crate) file: PathBuf,
    pub(crate) biography: Biography,
    pub(crate) training: Option<Training>,
    pub(crate) sessions: Vec<SessionSummary>,
    /// Sessions that were moved to another subject, or from one.
    #[serde(default)]
    pub(crate) moves: Vec<Move>,
    pub(crate) life: Life,
    /// Why the file lacks what happened last, and all of this with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) behind: Option<String>,
}

/// `GET /subjects/{id}/sessions/{number}`
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RecordedSession {
    /// How many trials and events it has in all, and how it ended.
    pub(crate) summary: SessionSummary,
    /// How many of the checks were fine that were made when it ended, where its file keeps that.
    pub(crate) score: Option<Score>,
    /// How long it lasted, by its own clock, in seconds: to the last that it recorded.
    pub(crate) seconds: f64,
    /// The first trial of those with their events; 1 where the session has no trials.
    pub(crate) first: u32,
    /// The last of those; 0 where the session has no trials.
    pub(crate) last: u32,
    /// Where no trial was asked for: all its trials and notes, and the events of the last 30
    /// trials with what was measured in them; where one was: the trials and events from that on,
    /// 30 trials at most. Before the events of the first are those that last changed an input or
    /// an output.
    pub(crate) session: SessionView,
}

/// Where in its training a subject is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Training {
    /// The protocol's file.
    #[schema(value_type = String)]
    pub(crate) protocol: PathBuf,
    /// The step, from 1, in the protocol as it is now; of a finished protocol, the last.
    pub(crate) step: u32,
    /// The step with its name, as in `2 cued_choice`.
    pub(crate) label: String,
    /// Whether the last step was graduated from.
    pub(crate) finished: bool,
    /// The step as the subject's history has it, where the protocol has been changed since and has
    /// it in another place: the next start says so there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) was: Option<String>,
    /// Why its step can't be started as the protocol is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
}

/// `GET /subjects`: one line each.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct SubjectLine {
    pub(crate) id: SubjectId,
    /// What is wrong with its file, where it can't be read.
    pub(crate) problem: Option<String>,
    pub(crate) training: Option<Training>,
    pub(crate) sessions: usize,
    pub(crate) trials: u64,
    pub(crate) last: Option<Timestamp>,
    /// The pilot of its last session.
    #[serde(default)]
    pub(crate) pilot: Option<String>,
    #[serde(default)]
    pub(crate) biography: Biography,
    /// Its weight and its water; none where its file can't be read.
    #[serde(default)]
    pub(crate) life: Option<Life>,
}

/// `GET /status`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Status {
    #[schema(value_type = String)]
    pub(crate) data: PathBuf,
    /// Where pilots are listened for.
    pub(crate) listen: String,
    /// How this computer fares.
    pub(crate) health: Health,
    pub(crate) pilots: Vec<PilotStatus>,
    /// Agents that wanted to talk and could not: why, newest last.
    pub(crate) refused: Vec<String>,
    /// Something about this terminal that a person should read.
    #[serde(default)]
    pub(crate) notice: Option<String>,
}

/// `GET /lab`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct LabInfo {
    /// The terminal's name.
    pub(crate) name: Name,
    pub(crate) software: Software,
    /// The time zone of the lab's clocks, as the IANA calls it; none where this computer has one
    /// without a name.
    pub(crate) zone: Option<String>,
    /// By how many seconds the lab's clocks are ahead of UTC now.
    pub(crate) utc_offset: i32,
    /// Where the lab is, as its exports have it.
    pub(crate) institution: String,
    /// The lab's name, as its exports have it.
    pub(crate) lab: String,
    /// The folder of tasks and protocols.
    #[schema(value_type = String)]
    pub(crate) tasks: PathBuf,
    /// Who asks, where that is known.
    pub(crate) who: Option<Person>,
    /// What they may do.
    pub(crate) role: Role,
}

/// `POST /login`
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct LogIn {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// `GET /login`, and what `POST /login` answers
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct LoginInfo {
    /// Whether a login is asked for.
    pub(crate) required: bool,
    /// Who asks, as the record has them; none before they logged in.
    pub(crate) who: Option<Person>,
    /// What they may do.
    pub(crate) role: Option<Role>,
}

/// One pilot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct PilotStatus {
    pub(crate) name: Name,
    pub(crate) here: bool,
    /// Here, or away, since then.
    pub(crate) since: Timestamp,
    /// Why it is away.
    pub(crate) why: Option<String>,
    pub(crate) software: Software,
    pub(crate) rig: Vec<RigDevice>,
    pub(crate) children: Vec<ChildStatus>,
    /// Events, rows and notes on the pilot that this terminal does not have yet, as it said
    /// last.
    pub(crate) unacknowledged: u64,
    /// It came back, and what this terminal missed is still coming.
    pub(crate) catching_up: bool,
    /// How well it is heard, while it is here.
    pub(crate) quality: Option<Quality>,
    /// How its computer fares, as it said last.
    pub(crate) health: Option<Health>,
    /// A session is being started.
    pub(crate) starting: Option<Starting>,
    pub(crate) session: Option<SessionStatus>,
    /// How the last session before that ended, where this terminal heard of it.
    #[serde(default)]
    pub(crate) last: Option<EndedSession>,
    /// Who works its rig by hand.
    #[serde(default)]
    pub(crate) hand: Option<InHand>,
    /// Something that a person should read.
    pub(crate) notice: Option<String>,
}

/// A session that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct EndedSession {
    pub(crate) session: Uuid,
    pub(crate) subject: SubjectId,
    pub(crate) task: String,
    /// The protocol's step that it was, as in `2 cued_choice`; none for a task by itself.
    pub(crate) step: Option<String>,
    pub(crate) trials: u32,
    /// Of all its trials, the share that was correct; none where the task has no such column.
    pub(crate) correct: Option<f64>,
    pub(crate) ended: Timestamp,
    pub(crate) ending: Ending,
    /// Whether its subject graduated from its step.
    pub(crate) graduated: bool,
    /// Why it ended.
    pub(crate) why: String,
}

/// A session that is being started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Starting {
    pub(crate) subject: SubjectId,
    pub(crate) owner: Person,
}

/// A pilot's child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ChildStatus {
    pub(crate) name: Name,
    pub(crate) here: bool,
    /// Here, or away, since then; none for one that never came.
    pub(crate) since: Option<Timestamp>,
    /// Why it is away.
    pub(crate) why: Option<String>,
    /// How well its pilot hears it, while it is there.
    pub(crate) quality: Option<Quality>,
    /// How its computer fares, as it said last.
    pub(crate) health: Option<Health>,
}

/// A running session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct SessionStatus {
    pub(crate) session: Uuid,
    pub(crate) subject: SubjectId,
    pub(crate) owner: Person,
    pub(crate) task: String,
    /// Whether it is paused.
    pub(crate) hold: Option<Hold>,
    /// It was asked to end when its present trial is over.
    #[serde(default)]
    pub(crate) stopping: bool,
    /// Trials that are over.
    pub(crate) trials: u32,
    /// Of the last trials, the share that was correct; none where the task has
    /// no such column.
    pub(crate) correct: Option<f64>,
    /// In microliters.
    pub(crate) water: f64,
    /// How long it has run, by the session's own clock.
    pub(crate) seconds: f64,
    /// The active stages, outermost first.
    pub(crate) stages: Vec<String>,
    /// The protocol's step that it is, as in `2 cued_choice`; none for a task by itself.
    #[serde(default)]
    pub(crate) step: Option<String>,
    /// Of the last trials that count, whether each was correct, oldest first.
    #[serde(default)]
    pub(crate) recent: Vec<bool>,
    /// The valves that water can be given from by hand.
    #[serde(default)]
    pub(crate) valves: Vec<PortName>,
    /// What its live parameters are that were changed since its start, as a person writes them.
    #[serde(default)]
    pub(crate) changed: BTreeMap<String, String>,
}
