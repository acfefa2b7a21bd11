//! How much may be on its way, or received but not yet safe.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Position;

/// What a receiver takes in before it has made any of it safe. A sender sends no
/// more, so that a receiver that stops costs either of them no more memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// At most so many messages.
    pub messages: u32,
    /// At most so many bytes of payload. One message that is longer is let
    /// through when it is alone.
    pub bytes: u64,
}

impl Window {
    /// What an agent takes in where nothing else is said: 8192 messages, 4 MiB.
    pub const DEFAULT: Window = Window { messages: 8192, bytes: 4 << 20 };

    /// No more than either; at least one message, since nothing moves otherwise.
    pub(super) fn within(self, other: Window) -> Window {
        Window { messages: self.messages.min(other.messages).max(1), bytes: self.bytes.min(other.bytes) }
    }
}

/// What is in a window, in its order.
#[derive(Debug, Default)]
pub(super) struct Load {
    messages: VecDeque<(Position, usize)>,
    bytes: u64,
}

impl Load {
    /// Whether a message of so many bytes may come to what is there.
    pub(super) fn admits(&self, size: usize, window: Window) -> bool {
        self.messages.is_empty() || (self.has_room(window) && self.bytes + size as u64 <= window.bytes)
    }

    /// Whether any message may come to what is there.
    pub(super) fn has_room(&self, window: Window) -> bool {
        self.messages.len() < window.messages as usize && self.bytes <= window.bytes
    }

    pub(super) fn push(&mut self, at: Position, size: usize) {
        self.messages.push_back((at, size));
        self.bytes += size as u64;
    }

    /// Lets go of a message and of all before it, if it is there.
    pub(super) fn release(&mut self, at: Position) {
        // What is of an earlier epoch came earlier.
        while let Some((first, size)) = self.messages.front().copied()
            && (if first.epoch == at.epoch { first.number <= at.number } else { self.has(at.epoch) })
        {
            self.messages.pop_front();
            self.bytes -= size as u64;
        }
    }

    fn has(&self, epoch: Uuid) -> bool {
        self.messages.iter().any(|(at, _)| at.epoch == epoch)
    }

    /// Forgets the messages after the first `keep`.
    pub(super) fn truncate(&mut self, keep: usize) {
        self.bytes -=
            self.messages.drain(keep.min(self.messages.len())..).map(|(_, size)| size as u64).sum::<u64>();
    }
}
