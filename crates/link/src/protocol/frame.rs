//! What goes over the wire: MessagePack maps with field names, one frame a message.

use std::mem::size_of;

use bramble_value::{Name, Time};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use super::Window;
use crate::addressed::Addressee;

/// The version of frames, and of the messages in them, that this Bramble speaks.
/// Two ends talk only when theirs are equal.
pub const VERSION: u32 = bramble_message::VERSION;

/// Nothing in a frame is nested deeper than this.
const MOST_NESTED: usize = 16;

/// What is around a payload in a frame is shorter than this, in bytes.
const AROUND: usize = 64;

/// A payload of fewer bytes is copied out of what was received: it would hold
/// much more in memory than itself.
const SHORT: usize = 1024;

/// The place of a message among all that an end ever sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Which counting the number belongs to: a new one begins when the sender's
    /// outbox was lost, as one in memory is when its process ends.
    pub epoch: Uuid,
    /// The message's number, from 1.
    pub number: u64,
}

/// One unit of what two ends say to each other. `P` is how a payload is held: as
/// bytes of its own, or as a part of what was received.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame<P = Bytes> {
    /// The dialing end says who it is.
    Hello(Introduction),
    /// The listening end says who it is: the link is up.
    Welcome(Introduction),
    /// The other end is not talked to.
    Refuse(Refusal),
    /// A message that arrives once, in order.
    Data {
        /// Its number in the sender's epoch.
        number: u64,
        /// What is said.
        payload: P,
    },
    /// Everything up to a number is safe with the receiver.
    Acknowledge {
        /// The number.
        up_to: u64,
    },
    /// A message was lost on the way: send again from the one after.
    Missing {
        /// The last number that arrived with all before it.
        after: u64,
    },
    /// A message that may be lost.
    Passing {
        /// What is said.
        payload: P,
    },
    /// A heartbeat.
    Ping {
        /// When it was sent, on the sender's clock.
        sent: Time,
        /// The highest number that was sent.
        last: u64,
        /// As in [`Frame::Acknowledge`].
        taken: u64,
    },
    /// The answer to a heartbeat.
    Pong {
        /// The ping's own time.
        ping: Time,
        /// When it arrived, on the answering end's clock.
        received: Time,
        /// When this answer was sent, on the same clock.
        sent: Time,
    },
    /// The sender ends the link on purpose.
    Bye {},
}

/// How an end presents itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Introduction {
    /// The version of the link that it speaks.
    pub version: u32,
    /// The agent's name.
    pub name: Name,
    /// What it is: `terminal`, `pilot`, `child`.
    pub role: String,
    /// This run of the agent's process.
    pub instance: Uuid,
    /// What the numbers of its messages belong to.
    pub epoch: Uuid,
    /// The number up to which its messages are let go of; the next can be had.
    pub released: u64,
    /// The highest number of its messages.
    pub last: u64,
    /// What it has safely of the other end's messages, as far as it remembers.
    pub have: Option<Position>,
    /// How much it takes in before it has made any of it safe.
    pub window: Window,
    /// What it keeps messages in for good; `None` for who keeps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeper: Option<Uuid>,
    /// Whose its messages are and nobody else's, where such wait or are to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addressee: Option<Box<Addressee>>,
    /// Whatever the agents want to know of each other first.
    pub detail: Bytes,
}

/// Why an end isn't talked to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error)]
#[error("{text}")]
pub struct Refusal {
    /// The kind of reason.
    pub reason: Reason,
    /// The reason in a sentence, for a person.
    pub text: String,
}

/// The kinds of reason for a [`Refusal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The two ends speak different versions.
    Version,
    /// It is not the kind of agent that is talked to here.
    Role,
    /// Another live agent has that name.
    NameTaken,
    /// Nobody of that name is known here.
    Unknown,
    /// One end has lost messages that the other one has.
    Lost,
    /// The messages of one end are for another than this.
    Addressee,
    /// Something else, which the text says.
    #[serde(other)]
    Other,
}

/// Bytes that are no frame.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// A hello of a version so different that nothing else in it can be read.
    #[error("a hello of version {0}")]
    OtherVersion(u32),
    /// Nothing that any version would say.
    #[error("not a frame: {0}")]
    Garbage(rmp_serde::decode::Error),
}

impl Frame {
    /// The frame as bytes.
    pub fn encode(&self) -> Bytes {
        let payload = match self {
            Frame::Data { payload, .. } | Frame::Passing { payload } => payload.len(),
            Frame::Hello(peer) | Frame::Welcome(peer) => size_of::<Introduction>() + peer.detail.len(),
            _ => 0,
        };
        let mut bytes = Vec::with_capacity(AROUND + payload);
        // Writing numbers, texts and bytes into memory has no way to fail.
        rmp_serde::encode::write_named(&mut bytes, self).expect("a frame can always be written");
        bytes.into()
    }

    /// The frame that the bytes are. A long payload stays where it is in them.
    ///
    /// # Errors
    /// When they are none.
    pub fn decode(bytes: &Bytes) -> Result<Frame, DecodeError> {
        let own = |part: &[u8]| {
            if part.len() < SHORT { Bytes::copy_from_slice(part) } else { bytes.slice_ref(part) }
        };
        match from_slice::<Frame<&[u8]>>(bytes) {
            Ok(frame) => Ok(frame.map(own)),
            Err(error) => Err(match from_slice(bytes) {
                Ok(AnyHello::Hello { version } | AnyHello::Welcome { version }) if version != VERSION => {
                    DecodeError::OtherVersion(version)
                }
                _ => DecodeError::Garbage(error),
            }),
        }
    }
}

impl<P> Frame<P> {
    /// The same frame with its payload held in another way.
    fn map<Q>(self, hold: impl FnOnce(P) -> Q) -> Frame<Q> {
        match self {
            Frame::Hello(peer) => Frame::Hello(peer),
            Frame::Welcome(peer) => Frame::Welcome(peer),
            Frame::Refuse(refusal) => Frame::Refuse(refusal),
            Frame::Data { number, payload } => Frame::Data { number, payload: hold(payload) },
            Frame::Acknowledge { up_to } => Frame::Acknowledge { up_to },
            Frame::Missing { after } => Frame::Missing { after },
            Frame::Passing { payload } => Frame::Passing { payload: hold(payload) },
            Frame::Ping { sent, last, taken } => Frame::Ping { sent, last, taken },
            Frame::Pong { ping, received, sent } => Frame::Pong { ping, received, sent },
            Frame::Bye {} => Frame::Bye {},
        }
    }
}

fn from_slice<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, rmp_serde::decode::Error> {
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    reader.set_max_depth(MOST_NESTED);
    T::deserialize(&mut reader)
}

/// What every version's hello has in it.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum AnyHello {
    Hello { version: u32 },
    Welcome { version: u32 },
}

impl Refusal {
    /// A refusal of one kind.
    pub fn new(reason: Reason, text: impl Into<String>) -> Refusal {
        Refusal { reason, text: text.into() }
    }

    /// What `sender` observed is for another than `other`, which keeps messages in `keeper`, if in anything.
    pub(crate) fn addressee(sender: &Name, to: &Addressee, other: &Name, keeper: Option<Uuid>) -> Refusal {
        let whose = match keeper {
            Some(_) => format!("another lab's `{other}` gets none of it"),
            None => format!("whether `{other}` is that one it doesn't say, as an older Bramble doesn't"),
        };
        let text = format!(
            "what `{sender}` observed belongs into the files of {to}, which doesn't have all of it yet; {whose}: link \
             `{sender}` to the former until nothing waits, or leave that behind with `bramble-pilot leave-behind`"
        );
        Refusal::new(Reason::Addressee, text)
    }

    pub(crate) fn version(ours: (&str, u32), theirs: (&str, u32)) -> Refusal {
        let ((our, our_version), (their, their_version)) = (ours, theirs);
        Refusal::new(
            Reason::Version,
            format!(
                "`{our}` speaks version {our_version} of the link and `{their}` version {their_version}: \
                 install the same Bramble on both"
            ),
        )
    }
}
