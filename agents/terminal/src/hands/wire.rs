//! What a hand's WebSocket says, in both directions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A message of `GET /api/v1/pilots/{name}/hand`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HandTells {
    /// Say at once that this was heard: who says nothing for 3 s has gone, and the rig is let go.
    Beat(u64),
    /// What happened, in its order: what the pilot tells at its `hand.sock`.
    Told(Vec<serde_json::Value>),
    /// It is over: why.
    Over(String),
}

/// What a page says on its hand's WebSocket.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct HandAsks {
    /// The beat that was heard last. What is asked with one that is older than 3 s is not done.
    pub(crate) beat: u64,
    /// What is asked, as at the pilot's `hand.sock`.
    #[serde(default)]
    pub(crate) ask: Option<serde_json::Value>,
}
