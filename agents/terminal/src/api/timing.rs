//! What is said of how late pilots and their links are.

use bramble_message::{Delays, Reaction};
use bramble_value::Name;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /timing`: one each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct PilotTiming {
    pub(crate) pilot: Name,
    pub(crate) here: bool,
    /// How long heartbeats took there and back since it came; none before the first.
    pub(crate) round_trip: Option<Delays>,
    /// How late its outputs are in its session in real time, or were in the last; none where it had
    /// none since it was started.
    pub(crate) reaction: Option<Reaction>,
}
