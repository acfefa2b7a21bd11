//! What an end is told, and what it tells.

use std::fmt;

use bramble_value::Name;
use bytes::Bytes;
use uuid::Uuid;

use super::{Introduction, Position, Refusal, VERSION, Window};
use crate::clock::Clock;
use crate::outbox::Outbox;

/// How an agent presents itself.
#[derive(Debug, Clone)]
pub struct Me {
    /// Its name, which no other live agent of its role has.
    pub name: Name,
    /// What it is: `terminal`, `pilot`, `child`.
    pub role: String,
    /// What the other end has to be.
    pub talks_to: String,
    /// The version of the link that it speaks.
    pub version: u32,
    /// This run of its process.
    pub instance: Uuid,
    /// What it keeps messages in for good, where it does.
    pub keeper: Option<Uuid>,
    /// What the other end is told first, whenever the link comes up.
    pub detail: Bytes,
}

impl Me {
    /// An agent of a role that talks to agents of another role, with nothing to
    /// tell first.
    pub fn new(name: Name, role: &str, talks_to: &str) -> Me {
        Me {
            name,
            role: role.to_owned(),
            talks_to: talks_to.to_owned(),
            version: VERSION,
            instance: Uuid::new_v4(),
            keeper: None,
            detail: Bytes::new(),
        }
    }

    /// The same agent, with something to tell first.
    pub fn with_detail(self, detail: impl Into<Bytes>) -> Me {
        Me { detail: detail.into(), ..self }
    }

    /// The same agent, which keeps what it is sent in something that has this number, wherever it is.
    pub fn keeping_in(self, keeper: Uuid) -> Me {
        Me { keeper: Some(keeper), ..self }
    }
}

/// What one other agent is talked to with.
pub struct Terms {
    /// What is sent to it.
    pub outbox: Box<dyn Outbox>,
    /// What is safe here of what it sent in an earlier run of this process.
    pub have: Option<Position>,
    /// How much is taken in of what it sends before any of it is safe.
    pub window: Window,
}

impl Terms {
    /// Nothing is remembered of the other agent, and the window is the usual one.
    pub fn new(outbox: impl Outbox + 'static) -> Terms {
        Terms { outbox: Box::new(outbox), have: None, window: Window::DEFAULT }
    }

    /// With what is safe here of the other agent's messages.
    pub fn having(self, have: Option<Position>) -> Terms {
        Terms { have, ..self }
    }
}

/// What happened at an end.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The two ends talk.
    Up {
        /// Who the other one is.
        peer: Introduction,
        /// Its messages go on after this one.
        from: Position,
    },
    /// They talk no more.
    Down(Gone),
    /// They don't talk at all.
    Refused(Refusal),
    /// A message arrived.
    Message {
        /// Which one: to be told to [`End::taken`](super::End::taken) once it is
        /// safe. It takes up room in the window until then.
        at: Position,
        /// What it says.
        payload: Bytes,
    },
    /// A message that might have been lost arrived.
    Passing(Bytes),
    /// What the other end's clock says.
    Clock(Clock),
    /// The outbox failed; what is in it isn't sent for now.
    Failed(String),
}

/// Why the other end is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// Nothing was heard of it.
    Silent,
    /// It said goodbye.
    Left,
    /// The connection broke.
    Broken,
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Gone::Silent => "nothing was heard of it for 2.5 s",
            Gone::Left => "it ended the link",
            Gone::Broken => "the connection broke",
        })
    }
}
