//! What is asked and said of alerts.

use bramble_alerts::Alert;
use bramble_value::{Person, Span};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /alerts`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct AlertsView {
    /// Those that are on, the newest first.
    pub(crate) on: Vec<Alert>,
    /// Those that ended, the newest first, as far back as is remembered.
    pub(crate) past: Vec<Alert>,
    /// How others are told; none where nobody is.
    pub(crate) telling: Option<TellingView>,
}

/// How others are told of alerts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct TellingView {
    /// Messages that wait.
    pub(crate) waiting: usize,
    /// Why the last was not taken, where it wasn't.
    pub(crate) fails: Option<String>,
}

/// `POST /alerts/{number}/seen`, `POST /alerts/test`, `POST /subjects/{id}/out`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct SaidBy {
    pub(crate) who: Person,
}

/// `POST /alerts/{number}/silence`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Silence {
    /// For how long, in nanoseconds; for no time ends a silence.
    pub(crate) time: Span,
    pub(crate) who: Person,
}
