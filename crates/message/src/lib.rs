//! What agents say to each other: one file for each direction of a link, and
//! nothing else.
//!
//! Every message is a MessagePack map with field names, so that a client in any
//! language is a page of code. How messages are numbered, acknowledged and
//! repeated is the link's business, not theirs.

mod child_to_pilot;
mod health;
mod pilot_to_child;
mod pilot_to_terminal;
mod terminal_to_pilot;

use std::collections::BTreeMap;

use bramble_value::Name;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use bytes::Bytes;
pub use child_to_pilot::{ChildHello, ChildToPilot, Offer};
pub use health::{Bar, Delays, Disk, Health, Power, Quality, Reaction};
pub use pilot_to_child::{PilotToChild, Reading};
pub use pilot_to_terminal::{
    Activity, Answer, Calibrated, Child, ColumnInfo, Ended, HandTold, Hold, InHand, ParameterSet, PilotHello,
    PilotInPassing, PilotToTerminal, Progress, RigDevice, Started, Status,
};
pub use terminal_to_pilot::{
    Command, Graduation, HandSays, LARGEST_PROBE, StartSession, TerminalHello, TerminalInPassing,
    TerminalToPilot, When,
};

/// The version of everything that goes over the wire: of these messages and of
/// the link's frames around them. Agents whose versions differ tell each other so
/// at hello and do not talk.
pub const VERSION: u32 = 3;

/// Tells a question from others, so that its answer can be told to whom asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ask(pub u64);

/// A port of a device by name, as agents that have not loaded the task know it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PortName {
    /// The device.
    pub device: Name,
    /// Its port; none for a device without ports.
    pub port: Option<Name>,
}

impl std::fmt::Display for PortName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.port {
            Some(port) => write!(f, "{}.{port}", self.device),
            None => self.device.fmt(f),
        }
    }
}

/// What software an agent runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Software {
    /// The agent's program: `bramble-pilot`.
    pub program: String,
    /// Its version.
    pub version: String,
    /// The machine's name.
    pub host: String,
    /// The operating system and processor: `linux aarch64`.
    pub system: String,
}

/// What an agent tells of itself and of what it was given, for the record of a session:
/// nothing that runs depends on it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Origin {
    /// Its build, its computer, its settings: as JSON, for the file's provenance.
    pub provenance: serde_json::Value,
    /// Texts that belong to it, by the paths that they have in a folder of their session:
    /// `config/box1.toml`.
    pub texts: BTreeMap<String, String>,
}

/// Bytes that are not the message they should be.
#[derive(Debug, Error)]
#[error("a {wanted} could not be read from what the other agent sent: {source}")]
pub struct Unreadable {
    wanted: &'static str,
    source: rmp_serde::decode::Error,
}

/// A message as bytes.
pub fn encode<M: Serialize>(message: &M) -> Bytes {
    // Writing to memory can't fail, and every message of this crate has a
    // MessagePack form: no maps with odd keys, no values of unknown length.
    rmp_serde::to_vec_named(message).expect("every message has a MessagePack form").into()
}

/// Nothing in a message is nested deeper than this. JSON, which parameters and
/// provenance come from, is read to 128.
const MOST_NESTED: usize = 160;

/// The message in these bytes.
///
/// # Errors
/// [`Unreadable`] where they are something else.
pub fn decode<M: DeserializeOwned>(bytes: &[u8]) -> Result<M, Unreadable> {
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    reader.set_max_depth(MOST_NESTED);
    M::deserialize(&mut reader).map_err(|source| Unreadable { wanted: short_name::<M>(), source })
}

fn short_name<M>() -> &'static str {
    let name = std::any::type_name::<M>();
    name.rsplit("::").next().unwrap_or(name)
}
