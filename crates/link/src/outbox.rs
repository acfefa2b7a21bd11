//! Where messages wait until the other end has them safely.

use std::collections::VecDeque;

use bramble_journal::{Journal, JournalError};
use bramble_value::Name;
use bytes::Bytes;
use thiserror::Error;
use uuid::Uuid;

use crate::addressed::Addressee;
use crate::protocol::Window;

/// A queue of numbered messages for one other end.
pub trait Outbox: Send {
    /// What the numbers belong to. It changes when the queue was lost.
    fn epoch(&self) -> Uuid;
    /// Puts a message at the end and returns its number.
    ///
    /// # Errors
    /// When there is no room.
    fn push(&mut self, payload: Bytes) -> Result<u64, OutboxError>;
    /// The messages after number `after`, in their order, no more than `most` of
    /// them; where there is any, one at least.
    ///
    /// # Errors
    /// When they can't be read.
    fn read(&mut self, after: u64, most: Window) -> Result<Vec<(u64, Bytes)>, OutboxError>;
    /// Lets go of everything up to and with a number.
    ///
    /// # Errors
    /// When that can't be written down.
    fn release(&mut self, up_to: u64) -> Result<(), OutboxError>;
    /// The highest number there ever was; 0 for none.
    ///
    /// # Errors
    /// When it can't be read.
    fn last(&self) -> Result<u64, OutboxError>;
    /// The highest number that was let go of; 0 for none.
    ///
    /// # Errors
    /// When it can't be read.
    fn released(&self) -> Result<u64, OutboxError>;
    /// Whose the messages are, where some wait, or are to come, that nobody else could make use of;
    /// `None` where whoever is linked has them. It is asked before each hello, and when that is
    /// answered; where nothing waits, a new epoch may begin then.
    ///
    /// # Errors
    /// When it can't be read.
    fn addressee(&mut self) -> Result<Option<Addressee>, OutboxError> {
        Ok(None)
    }
    /// A link comes up to an agent of this name, which has messages from now on. Where it keeps them for
    /// good, it says in what.
    ///
    /// # Errors
    /// When that can't be written down.
    fn turn_to(&mut self, _keeper: Option<Uuid>, _name: &Name) -> Result<(), OutboxError> {
        Ok(())
    }
}

/// An outbox that can't do what it should.
#[derive(Debug, Error)]
pub enum OutboxError {
    /// Too much waits already.
    #[error(
        "{messages} messages with {bytes} bytes wait for an agent that doesn't take them: the newest was not queued"
    )]
    Full {
        /// How many wait.
        messages: usize,
        /// How long they are together.
        bytes: usize,
    },
    /// A message is longer than the link takes.
    #[error("a message of {size} bytes is not sent, since the most is {most}: send it in parts")]
    TooLarge {
        /// Its length in bytes.
        size: usize,
        /// The longest that is sent.
        most: usize,
    },
    /// The journal behind it failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Remembered under a key that an epoch is kept under.
    #[error("the journal's epoch of lane `{0}` can't be read: the journal is damaged")]
    Epoch(String),
    /// What waits was sent by another name.
    #[error(
        "what waits here to be delivered was observed as `{before}`, and this is `{sender}`, by whose name no \
         terminal could write it to a file: let it be `{before}` until that is delivered, or leave it behind \
         with `bramble-pilot leave-behind`"
    )]
    OtherSender {
        /// What the agent is called.
        sender: Name,
        /// What it was called.
        before: Name,
    },
}

/// An outbox in memory, for what needn't outlive the process: commands.
#[derive(Debug)]
pub struct MemoryOutbox {
    epoch: Uuid,
    released: u64,
    waiting: VecDeque<Bytes>,
    /// Of all that wait.
    bytes: usize,
}

impl MemoryOutbox {
    /// The most messages that wait.
    pub const ROOM: usize = 65_536;
    /// The most bytes that wait: 64 MiB.
    pub const ROOM_BYTES: usize = 64 << 20;

    /// An empty one, with a new epoch.
    pub fn new() -> MemoryOutbox {
        MemoryOutbox::in_epoch(Uuid::new_v4())
    }

    pub(crate) fn in_epoch(epoch: Uuid) -> MemoryOutbox {
        MemoryOutbox { epoch, released: 0, waiting: VecDeque::new(), bytes: 0 }
    }
}

impl Default for MemoryOutbox {
    fn default() -> MemoryOutbox {
        MemoryOutbox::new()
    }
}

impl Outbox for MemoryOutbox {
    fn epoch(&self) -> Uuid {
        self.epoch
    }

    fn push(&mut self, payload: Bytes) -> Result<u64, OutboxError> {
        let (messages, bytes) = (self.waiting.len(), self.bytes);
        if messages >= MemoryOutbox::ROOM || bytes + payload.len() > MemoryOutbox::ROOM_BYTES {
            return Err(OutboxError::Full { messages, bytes });
        }
        self.bytes += payload.len();
        self.waiting.push_back(payload);
        self.last()
    }

    fn read(&mut self, after: u64, most: Window) -> Result<Vec<(u64, Bytes)>, OutboxError> {
        let after = after.max(self.released);
        let skip = usize::try_from(after - self.released).unwrap_or(usize::MAX);
        let waiting = self.waiting.range(skip.min(self.waiting.len())..);
        let mut room = most.bytes;
        let mut batch = Vec::new();
        for (number, payload) in (after + 1..).zip(waiting).take(most.messages as usize) {
            let size = payload.len() as u64;
            if size > room && !batch.is_empty() {
                break;
            }
            room = room.saturating_sub(size);
            batch.push((number, payload.clone()));
        }
        Ok(batch)
    }

    fn release(&mut self, up_to: u64) -> Result<(), OutboxError> {
        while self.released < up_to
            && let Some(gone) = self.waiting.pop_front()
        {
            self.released += 1;
            self.bytes -= gone.len();
        }
        Ok(())
    }

    fn last(&self) -> Result<u64, OutboxError> {
        Ok(self.released + self.waiting.len() as u64)
    }

    fn released(&self) -> Result<u64, OutboxError> {
        Ok(self.released)
    }
}

/// An outbox that is a lane of a journal: its messages and numbers outlive the
/// process. Whoever appends to the lane elsewhere tells the link with
/// [`Line::more`](crate::Line::more).
#[derive(Debug)]
pub struct JournalOutbox {
    journal: Journal,
    lane: String,
    epoch: Uuid,
}

impl JournalOutbox {
    /// The outbox in a lane of `journal`.
    ///
    /// # Errors
    /// When the journal can't be read or written.
    pub fn open(journal: Journal, lane: &str) -> Result<JournalOutbox, OutboxError> {
        let key = epoch_key(lane);
        let epoch = match journal.recall(&key)? {
            Some(bytes) => Uuid::from_slice(&bytes).map_err(|_| OutboxError::Epoch(lane.to_owned()))?,
            None => {
                let epoch = Uuid::new_v4();
                journal.remember(&key, epoch.as_bytes())?;
                epoch
            }
        };
        Ok(JournalOutbox { journal, lane: lane.to_owned(), epoch })
    }

    /// Begins a new count, and lets go of all that waits.
    pub(crate) fn begin_anew(&mut self) -> Result<(), OutboxError> {
        let (epoch, last) = (Uuid::new_v4(), self.journal.last(&self.lane));
        self.journal.change(|change| {
            change.release(&self.lane, last)?;
            change.remember(&epoch_key(&self.lane), epoch.as_bytes())
        })?;
        self.epoch = epoch;
        Ok(())
    }

    /// Where its messages are.
    pub(crate) fn place(&self) -> (&Journal, &str) {
        (&self.journal, &self.lane)
    }
}

fn epoch_key(lane: &str) -> String {
    format!("epoch of {lane}")
}

impl Outbox for JournalOutbox {
    fn epoch(&self) -> Uuid {
        self.epoch
    }

    fn push(&mut self, payload: Bytes) -> Result<u64, OutboxError> {
        Ok(*self.journal.append(&self.lane, &[payload])?.end())
    }

    fn read(&mut self, after: u64, most: Window) -> Result<Vec<(u64, Bytes)>, OutboxError> {
        Ok(self.journal.read_up_to(&self.lane, after, most.messages as usize, most.bytes)?)
    }

    fn release(&mut self, up_to: u64) -> Result<(), OutboxError> {
        self.journal.release(&self.lane, up_to);
        Ok(())
    }

    fn last(&self) -> Result<u64, OutboxError> {
        Ok(self.journal.last(&self.lane))
    }

    fn released(&self) -> Result<u64, OutboxError> {
        Ok(self.journal.released(&self.lane))
    }
}
