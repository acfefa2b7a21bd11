//! What a session runs with: the parts of it that differ between a real session, a
//! simulated one and one that is run again.

use std::sync::Arc;

use bramble_value::{Record, Row};
use thiserror::Error;

use super::FunctionHost;
use crate::driver::{Driver, Inbox};
use crate::remote::Remotes;

/// Takes what is recorded, in order.
pub trait Recorder {
    /// Takes one record. In real time this must not wait for a disk or a lock;
    /// in simulated time it may, and the session waits with it.
    ///
    /// # Errors
    /// [`RecorderError`] where records are no longer kept. The session ends.
    fn record(&mut self, record: Record) -> Result<(), RecorderError>;
}

/// Records that can't be kept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("what happens can no longer be recorded: {0}")]
pub struct RecorderError(pub String);

impl Recorder for Vec<Record> {
    fn record(&mut self, record: Record) -> Result<(), RecorderError> {
        self.push(record);
        Ok(())
    }
}

/// Decides after each trial whether there is another one.
pub trait Judge {
    /// A trial ended.
    fn row(&mut self, row: &Row) -> Verdict;
}

/// What a [`Judge`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The session goes on.
    Continue,
    /// That was the session's last trial, for this reason.
    EndAfterTrial(Arc<str>),
}

/// Lets every session go on.
impl Judge for () {
    fn row(&mut self, _: &Row) -> Verdict {
        Verdict::Continue
    }
}

impl<F: FnMut(&Row) -> Verdict> Judge for F {
    fn row(&mut self, row: &Row) -> Verdict {
        self(row)
    }
}

/// What a session runs with, which is there before and after it.
pub struct Around<'a> {
    /// The hardware and its clock.
    pub driver: &'a mut dyn Driver,
    /// The children that some of the devices are on.
    pub remotes: &'a mut Remotes,
    /// What other threads post.
    pub inbox: &'a Inbox,
    /// The task's functions.
    pub functions: &'a mut dyn FunctionHost,
    /// Where records go.
    pub recorder: &'a mut dyn Recorder,
    /// What ends the session between two trials.
    pub judge: &'a mut dyn Judge,
}
