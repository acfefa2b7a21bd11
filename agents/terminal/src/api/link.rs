//! What is asked and said of how fast links are.

use bramble_message::Delays;
use bramble_value::{Name, Person, Span};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /link-test`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct TestLink {
    /// Which; none: all that are here.
    #[serde(default)]
    pub(crate) pilots: Vec<Name>,
    /// How long each part takes for each pilot, in nanoseconds; 10 s at most. There are three parts.
    pub(crate) time: Span,
    /// Even where a session runs.
    #[serde(default)]
    pub(crate) during_session: bool,
    pub(crate) who: Person,
}

/// How fast links are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct LinkReport {
    /// One pilot after the other.
    pub(crate) apart: Vec<LinkResult>,
    /// All at once; none of one pilot.
    pub(crate) together: Vec<LinkResult>,
}

/// How fast the link to one pilot is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct LinkResult {
    pub(crate) pilot: Name,
    /// Of short messages, one after the other.
    pub(crate) round_trip: Delays,
    /// What comes from the pilot, in bytes a second.
    pub(crate) to_terminal: f64,
    /// What goes to the pilot, in bytes a second.
    pub(crate) to_pilot: f64,
    /// Probes that were not answered within a second.
    pub(crate) lost: u64,
}
