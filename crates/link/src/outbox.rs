//! Where messages wait until the other end has them safely.

use std::collections::VecDeque;

use bramble_journal::{Journal, JournalError};
use bytes::Bytes;
use thiserror::Error;
use uuid::Uuid;

/// A queue of numbered messages for one other end.
pub trait Outbox: Send {
    /// What the numbers belong to. It changes when the queue was lost.
    fn epoch(&self) -> Uuid;
    /// Puts a message at the end and returns its number.
    ///
    /// # Errors
    /// When there is no room.
    fn push(&mut self, payload: Bytes) -> Result<u64, OutboxError>;
    /// The messages after number `after`, in their order, at most `most` of them.
    ///
    /// # Errors
    /// When they can't be read.
    fn read(&mut self, after: u64, most: usize) -> Result<Vec<(u64, Bytes)>, OutboxError>;
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
}

/// An outbox that can't do what it should.
#[derive(Debug, Error)]
pub enum OutboxError {
    /// Too much waits already.
    #[error("{0} messages wait for an agent that doesn't take them: the newest was not queued")]
    Full(usize),
    /// The journal behind it failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Remembered under a key that an epoch is kept under.
    #[error("the journal's epoch of lane `{0}` can't be read: the journal is damaged")]
    Epoch(String),
}

/// An outbox in memory, for what needn't outlive the process: commands.
#[derive(Debug)]
pub struct MemoryOutbox {
    epoch: Uuid,
    released: u64,
    waiting: VecDeque<Bytes>,
}

impl MemoryOutbox {
    /// The most messages that wait.
    pub const ROOM: usize = 65_536;

    /// An empty one, with a new epoch.
    pub fn new() -> MemoryOutbox {
        MemoryOutbox { epoch: Uuid::new_v4(), released: 0, waiting: VecDeque::new() }
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
        if self.waiting.len() >= MemoryOutbox::ROOM {
            return Err(OutboxError::Full(self.waiting.len()));
        }
        self.waiting.push_back(payload);
        self.last()
    }

    fn read(&mut self, after: u64, most: usize) -> Result<Vec<(u64, Bytes)>, OutboxError> {
        let skip = usize::try_from(after.saturating_sub(self.released)).unwrap_or(usize::MAX);
        let waiting = self.waiting.iter().skip(skip).cloned();
        Ok((self.released.max(after) + 1..).zip(waiting).take(most).collect())
    }

    fn release(&mut self, up_to: u64) -> Result<(), OutboxError> {
        while self.released < up_to && self.waiting.pop_front().is_some() {
            self.released += 1;
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
        let key = format!("epoch of {lane}");
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
}

impl Outbox for JournalOutbox {
    fn epoch(&self) -> Uuid {
        self.epoch
    }

    fn push(&mut self, payload: Bytes) -> Result<u64, OutboxError> {
        Ok(*self.journal.append(&self.lane, &[payload])?.end())
    }

    fn read(&mut self, after: u64, most: usize) -> Result<Vec<(u64, Bytes)>, OutboxError> {
        Ok(self.journal.read(&self.lane, after, most)?)
    }

    fn release(&mut self, up_to: u64) -> Result<(), OutboxError> {
        Ok(self.journal.release(&self.lane, up_to)?)
    }

    fn last(&self) -> Result<u64, OutboxError> {
        Ok(self.journal.last(&self.lane)?)
    }

    fn released(&self) -> Result<u64, OutboxError> {
        Ok(self.journal.released(&self.lane)?)
    }
}
