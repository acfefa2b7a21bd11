//! The messages of the exchange, as bytes.

use bramble_identity::Role;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::refusal::Refusal;

/// The version of the exchange.
pub(crate) const VERSION: u32 = 1;

/// The longest message, in bytes; certificates have some hundreds.
pub(crate) const LONGEST: usize = 8192;

/// Everything that is said. Each side expects one of them at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Message {
    Hello {
        version: u32,
        invitation: u8,
        x: Bytes,
    },
    Answer {
        y: Bytes,
    },
    Proof {
        proof: Bytes,
    },
    Ask {
        role: Role,
        csr: Bytes,
    },
    Welcome {
        certificate: Bytes,
        authority: Bytes,
        terminal: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lab: Option<Uuid>,
    },
    Refused(Refusal),
}

/// What is no message where one is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Garbage;

impl Message {
    /// The message, after its length.
    pub(crate) fn encode(&self) -> Vec<u8> {
        // Writing to memory can't fail, and every message has a MessagePack form.
        let message = rmp_serde::to_vec_named(self).expect("every message has a MessagePack form");
        // The longest holds two certificates that this swarm's authority made.
        let length = u16::try_from(message.len()).expect("a message is far shorter than 64 KiB");
        [&length.to_be_bytes()[..], &message].concat()
    }
}

/// Puts together what comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Inbox(Vec<u8>);

impl Inbox {
    /// The message that is whole with these bytes, if one is. Nobody says two without
    /// an answer, so that more than one is garbage.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Option<Message>, Garbage> {
        if self.0.len() + bytes.len() > 2 + LONGEST {
            return Err(Garbage);
        }
        self.0.extend_from_slice(bytes);
        let Some((length, message)) = self.0.split_first_chunk::<2>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes(*length));
        if length > LONGEST || message.len() > length {
            return Err(Garbage);
        }
        if message.len() < length {
            return Ok(None);
        }
        let mut reader = rmp_serde::Deserializer::from_read_ref(message);
        // None of them is nested.
        reader.set_max_depth(8);
        let read = Message::deserialize(&mut reader).map_err(|_| Garbage)?;
        self.0.clear();
        Ok(Some(read))
    }
}
