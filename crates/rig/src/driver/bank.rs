//! Lines, and the banks of them that a driver opens.

use std::os::fd::BorrowedFd;

use bramble_value::{Frequency, Level, Name, Span, Time};

use super::DriverError;
use crate::config::{Active, DriverConfig, Pin, Pull};
use crate::guard::Guarded;

/// One line of a rig, by its place in [`crate::RigConfig::lines`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(pub u16);

impl LineId {
    /// As an index.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// One line, as a driver has to set it up.
#[derive(Debug, Clone, PartialEq)]
pub struct LineSpec {
    /// Whose it is, for people: `poke.left`, `wheel a`, `sync`.
    pub owner: String,
    /// The device that it belongs to.
    pub device: Name,
    /// The port of the device, where it has any.
    pub port: Option<Name>,
    /// What drives it.
    pub driver: DriverConfig,
    /// Where it is connected; a line in memory needs no place.
    pub pin: Option<Pin>,
    /// Which level counts as on. Everything that leaves or enters a bank is
    /// after this: `true` and 1 are on.
    pub active: Active,
    /// What it is for.
    pub purpose: Purpose,
}

/// What a line is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Purpose {
    /// It is read.
    Input {
        /// What holds it while nothing drives it.
        pull: Pull,
        /// How long a level must last to count.
        debounce: Option<Span>,
    },
    /// It is written.
    Output {
        /// Its level when nothing runs.
        safe: Level,
        /// How often it switches while its level is neither 0 nor 1, for an
        /// output that may have such levels.
        frequency: Option<Frequency>,
    },
}

/// A change of an input line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Which.
    pub line: LineId,
    /// What it became.
    pub high: bool,
    /// When, on the monotonic clock.
    pub at: Time,
    /// How many changes just before it were missed.
    pub lost: u32,
}

/// Some lines of a rig, opened by one driver. Inputs are not listened to until
/// [`Bank::listen`] says so.
pub trait Bank: Send {
    /// What becomes readable when an input changes, while the loop sleeps.
    fn wakes(&self) -> Vec<BorrowedFd<'_>>;

    /// Appends the changes behind the one of [`Bank::wakes`] that became
    /// readable, in their order. It never waits, and takes a bounded number.
    ///
    /// # Errors
    /// [`DriverError`] where the hardware doesn't answer, as in all that follows.
    fn woken(&mut self, which: usize, into: &mut Vec<Edge>) -> Result<(), DriverError>;

    /// Appends the changes that can be seen without asking the kernel, in their
    /// order: at most a bounded number.
    fn look(&mut self, _into: &mut Vec<Edge>) {}

    /// The loop is about to sleep; `false` where something has to be looked at
    /// before.
    fn rest(&mut self) -> bool {
        true
    }

    /// Whether [`Bank::look`] sees less than [`Bank::wakes`] tells, so that a
    /// loop which stays awake has to ask the kernel.
    fn needs_waking(&self) -> bool {
        true
    }

    /// What an input reads.
    fn level(&mut self, line: LineId) -> Result<bool, DriverError>;

    /// Writes an output: 0, 1, or a share for one that has a frequency.
    fn write(&mut self, line: LineId, level: f64) -> Result<(), DriverError>;

    /// Starts or stops to look for changes of an input. What changed before is
    /// forgotten; how many such changes there were, as far as is known.
    fn listen(&mut self, line: LineId, on: bool) -> Result<u32, DriverError>;

    /// When [`Bank::advance`] is due, where the bank itself switches something.
    fn deadline(&self) -> Option<Time> {
        None
    }

    /// Switches what is due.
    fn advance(&mut self, _now: Time) -> Result<(), DriverError> {
        Ok(())
    }

    /// What somebody else needs to make the outputs safe; nothing where they
    /// can do no harm.
    fn guarded(&self) -> Result<Vec<Guarded>, DriverError> {
        Ok(Vec::new())
    }
}
