//! What a page is sent, and what it may say.

use std::collections::BTreeMap;
use std::sync::Arc;

use bramble_alerts::Alert;
use bramble_message::Health;
use bramble_task::Summary;
use bramble_value::{Ending, Name};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::types::{PilotStatus, Status};

/// A message of `GET /api/v1/live`: a snapshot first, and again where a page missed more than is
/// kept; then what changed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Live {
    /// Everything as it is.
    Snapshot(Snapshot),
    /// What is otherwise than it was said last.
    Changes(Changes),
}

/// Everything as it is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Snapshot {
    pub(crate) at: Timestamp,
    pub(crate) status: Status,
    /// The sessions of the pilots that are watched and run one.
    pub(crate) sessions: BTreeMap<Name, SessionView>,
    /// The alerts that are on, the newest first.
    pub(crate) alerts: Vec<Alert>,
}

/// What is otherwise than it was said last.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Changes {
    pub(crate) at: Timestamp,
    /// Each whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) pilots: Vec<Arc<PilotStatus>>,
    /// Pilots that there are no more, under these names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) gone: Vec<Name>,
    /// What is said of the terminal itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) terminal: Option<TerminalNow>,
    /// The alerts that are on, all of them, where there are others or one is otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alerts: Option<Vec<Alert>>,
    /// Sessions of watched pilots that a page has nothing of: each takes the place of what there was.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) sessions: BTreeMap<Name, SessionView>,
    /// Trials of watched pilots' sessions, to be added to those before.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) rows: BTreeMap<Name, Vec<RowView>>,
    /// Events, to be added to those before.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) events: BTreeMap<Name, Vec<EventView>>,
    /// Notes, to be added to those before.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) notes: BTreeMap<Name, Vec<NoteView>>,
    /// What was measured, by the port: to be added to what was before; a bucket of a time that
    /// is there already takes its place.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) streams: BTreeMap<Name, BTreeMap<String, Vec<Bucket>>>,
}

/// What changes of a [`Status`] beside its pilots.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct TerminalNow {
    pub(crate) health: Health,
    pub(crate) refused: Vec<String>,
    pub(crate) notice: Option<String>,
}

/// What a running session has recorded so far, as far back as is kept.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct SessionView {
    pub(crate) session: Uuid,
    /// What the task declares; none where that is not known here.
    #[schema(value_type = Option<Summary>)]
    pub(crate) task: Option<Arc<Summary>>,
    /// The values of its parameters at the start, as a person writes them.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Oldest first.
    pub(crate) rows: Vec<RowView>,
    pub(crate) events: Vec<EventView>,
    pub(crate) notes: Vec<NoteView>,
    /// What was measured, by the port: the least and the most of each 20 ms.
    pub(crate) streams: BTreeMap<String, Vec<Bucket>>,
}

/// A trial that is over.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct RowView {
    /// From 1.
    pub(crate) trial: u32,
    /// Nanoseconds since the session's start.
    pub(crate) start: i64,
    /// Nanoseconds since the session's start.
    pub(crate) end: i64,
    pub(crate) ending: Ending,
    /// By column: a truth, a number in the column's unit, or a choice's name; null is missing.
    pub(crate) values: BTreeMap<String, serde_json::Value>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct EventView {
    /// Nanoseconds since the session's start.
    pub(crate) t: i64,
    /// From 1; 0 outside of any.
    pub(crate) trial: u32,
    /// As the subject file has it: `input`, `output`, `stage start`.
    pub(crate) kind: &'static str,
    /// What it happened to: a stage, `poke.left`.
    pub(crate) source: String,
    pub(crate) value: f64,
}

/// Something that a person should read.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct NoteView {
    /// Nanoseconds since the session's start.
    pub(crate) t: i64,
    pub(crate) text: String,
    /// The person whose doing or saying it is, where it is one's.
    pub(crate) who: Option<String>,
}

/// What was measured in a short time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub(crate) struct Bucket {
    /// Where the time begins, in nanoseconds since the session's start.
    pub(crate) t: i64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) last: f64,
}

/// What a page may say on its WebSocket.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct Watch {
    /// The pilots whose sessions it shows, instead of those before.
    pub(crate) watch: std::collections::BTreeSet<Name>,
}
