//! A simulated disk: what was synced survives a crash, and of the rest, as much
//! of its beginning as happened to be written.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use bramble_value::Random;
use bytes::Bytes;
use uuid::Uuid;

use super::super::{Position, Window};
use crate::outbox::{Outbox, OutboxError};

/// An agent's journal. Clones are the same.
#[derive(Clone)]
pub(in super::super) struct Journal(Arc<Mutex<Inner>>);

struct Inner {
    epoch: Uuid,
    synced: Contents,
    /// What the running process sees: with what isn't synced.
    now: Contents,
    unsynced: VecDeque<Write>,
}

/// What is written down.
#[derive(Clone, Default)]
pub(in super::super) struct Contents {
    /// What the agent observed, and sends.
    pub(in super::super) appended: Vec<Bytes>,
    pub(in super::super) released: u64,
    /// What it has of the other end's, in its order.
    pub(in super::super) safe: Vec<(Position, Bytes)>,
    pub(in super::super) have: Option<Position>,
}

#[derive(Clone)]
enum Write {
    Append(Bytes),
    Release(u64),
    /// The other end's messages go on after this one.
    Begin(Position),
    Store(Position, Bytes),
}

impl Contents {
    fn write(&mut self, write: Write) {
        match write {
            Write::Append(payload) => self.appended.push(payload),
            Write::Release(up_to) => self.released = self.released.max(up_to),
            Write::Begin(at) => match self.have {
                Some(have) if have.epoch == at.epoch => {
                    assert!(at.number <= have.number, "{} to {} were passed over", have.number, at.number);
                }
                _ => {
                    assert_eq!(at.number, 0, "a new count was let go of before it was safe here");
                    self.have = Some(at);
                }
            },
            Write::Store(at, payload) => {
                let before = self.have.expect("the link came up before a message came");
                assert_eq!((at.epoch, at.number), (before.epoch, before.number + 1), "out of order");
                self.have = Some(at);
                self.safe.push((at, payload));
            }
        }
    }
}

impl Journal {
    pub(in super::super) fn new(epoch: Uuid) -> Journal {
        let (synced, now, unsynced) = (Contents::default(), Contents::default(), VecDeque::new());
        Journal(Arc::new(Mutex::new(Inner { epoch, synced, now, unsynced })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    fn write(&self, write: Write) {
        let inner = &mut *self.inner();
        inner.now.write(write.clone());
        inner.unsynced.push_back(write);
    }

    pub(in super::super) fn append(&self, payload: Bytes) {
        self.write(Write::Append(payload));
    }

    pub(super) fn begin_after(&self, at: Position) {
        self.write(Write::Begin(at));
    }

    pub(super) fn store(&self, at: Position, payload: Bytes) {
        self.write(Write::Store(at, payload));
    }

    pub(in super::super) fn sync(&self) {
        self.sync_some(usize::MAX);
    }

    /// Syncs what was written first.
    pub(super) fn sync_some(&self, writes: usize) {
        let Inner { synced, unsynced, .. } = &mut *self.inner();
        unsynced.drain(..writes.min(unsynced.len())).for_each(|write| synced.write(write));
    }

    /// Keeps what was synced, and some more.
    pub(super) fn crash(&self, random: &mut Random) {
        let Inner { synced, now, unsynced, .. } = &mut *self.inner();
        let written = random.below(unsynced.len() as u64 + 1) as usize;
        unsynced.drain(..).take(written).for_each(|write| synced.write(write));
        *now = synced.clone();
    }

    /// Loses the last of what was sent, as a disk that was replaced by an older copy.
    pub(in super::super) fn go_back_to(&self, number: usize) {
        let Inner { synced, now, .. } = &mut *self.inner();
        synced.appended.truncate(number);
        now.appended.truncate(number);
    }

    /// Looks at what a crash would keep.
    pub(in super::super) fn synced<T>(&self, look: impl FnOnce(&Contents) -> T) -> T {
        look(&self.inner().synced)
    }
}

impl Outbox for Journal {
    fn epoch(&self) -> Uuid {
        self.inner().epoch
    }
    fn push(&mut self, payload: Bytes) -> Result<u64, OutboxError> {
        self.append(payload);
        self.sync();
        self.last()
    }
    /// Only what is synced can be sent: its number is never given to another.
    fn read(&mut self, after: u64, most: Window) -> Result<Vec<(u64, Bytes)>, OutboxError> {
        let inner = self.inner();
        assert!(after >= inner.now.released, "asked for what was let go of");
        let waiting = inner.synced.appended.iter().skip(after as usize).cloned();
        Ok((after + 1..).zip(waiting).take(most.messages as usize).collect())
    }
    fn release(&mut self, up_to: u64) -> Result<(), OutboxError> {
        self.write(Write::Release(up_to));
        Ok(())
    }
    fn last(&self) -> Result<u64, OutboxError> {
        Ok(self.inner().synced.appended.len() as u64)
    }
    fn released(&self) -> Result<u64, OutboxError> {
        Ok(self.inner().now.released)
    }
}
