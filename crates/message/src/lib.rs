//! What agents say to each other: one file for each direction of a link, and
//! nothing else.
//!
//! Every message is a MessagePack map with field names, so that a client in any
//! language is a page of code. How messages are numbered, acknowledged and
//! repeated is the link's business, not theirs.

mod child_to_pilot;
mod pilot_to_child;
mod pilot_to_terminal;
mod terminal_to_pilot;

use bramble_value::Name;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use bytes::Bytes;
pub use child_to_pilot::{ChildHello, ChildToPilot, Offer};
pub use pilot_to_child::{PilotToChild, Reading};
pub use pilot_to_terminal::{
    Activity, Answer, ColumnInfo, Ended, PilotHello, PilotToTerminal, Progress, RigDevice, Started, Status,
};
pub use terminal_to_pilot::{Command, Graduation, StartSession, TerminalHello, TerminalToPilot, When};

/// The version of everything in this crate. Agents whose versions differ tell
/// each other so at hello and do not talk.
pub const VERSION: u32 = 1;

/// Tells a question from others, so that its answer can be told to whom asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ask(pub u64);

/// A port of a device by name, as agents that have not loaded the task know it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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

/// The message in these bytes.
///
/// # Errors
/// [`Unreadable`] where they are something else.
pub fn decode<M: DeserializeOwned>(bytes: &[u8]) -> Result<M, Unreadable> {
    rmp_serde::from_slice(bytes).map_err(|source| Unreadable { wanted: short_name::<M>(), source })
}

fn short_name<M>() -> &'static str {
    let name = std::any::type_name::<M>();
    name.rsplit("::").next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_map_with_field_names() {
        let stop = TerminalToPilot::Command {
            ask: Ask(7),
            command: Command::Stop {
                session: uuid::Uuid::nil(),
                when: When::AfterTrial,
                why: "the day is over".into(),
            },
        };
        let bytes = encode(&stop);
        let text = String::from_utf8_lossy(&bytes);
        for field in ["command", "ask", "stop", "when", "after_trial", "why"] {
            assert!(text.contains(field), "{field} is in the message");
        }
        assert_eq!(decode::<TerminalToPilot>(&bytes).unwrap(), stop);
    }

    #[test]
    fn bytes_that_are_no_message_are_an_error_that_says_what_was_wanted() {
        for bytes in [&b""[..], b"\xc1", b"hello", &[0xdf, 0xff, 0xff, 0xff, 0xff]] {
            let error = decode::<PilotToTerminal>(bytes).unwrap_err().to_string();
            assert!(error.contains("PilotToTerminal"), "{error}");
        }
    }
}
