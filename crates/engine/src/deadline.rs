//! What is to happen at a time, in the order in which it will.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use bramble_task::definition::{StageId, TimerId};
use bramble_value::Time;

use crate::ports::PortIndex;

/// Something that is to happen at a time. The order of the fields is the order
/// in which deadlines run: by time, then by when they were set, then as in the
/// file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline {
    pub(crate) time: Time,
    pub(crate) set_at: Time,
    /// The stage's place in the file.
    pub(crate) rank: u16,
    pub(crate) what: Due,
    /// What it was set for. If that has passed, the deadline is void.
    pub(crate) serial: u64,
}

/// What a deadline brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A condition has lasted (the place among the stage's armed triggers).
    Lasts(StageId, u16),
    /// A time of `after` is over (the place in the list).
    After(StageId, u16),
    /// A delay, pulse or sound is over.
    Leaf(StageId),
    /// The stage's turn has taken as long as it may.
    TurnTimeout(StageId),
    /// The stage has taken as long as it may.
    StageTimeout(StageId),
    /// A condition that a counter counts has lasted.
    Counted(u16),
    /// A timer ran out.
    Timer(TimerId),
    /// An encoder has stood still for long enough to have no speed.
    Standstill(PortIndex),
}

/// All that is to happen. Void deadlines stay until they come up, or until they
/// are the most of what is kept.
#[derive(Debug)]
pub(crate) struct Deadlines {
    heap: BinaryHeap<Reverse<Deadline>>,
    tidy_at: usize,
}

/// Below this many deadlines, tidying isn't worth it.
const FEW: usize = 256;

impl Deadlines {
    pub(crate) fn new() -> Deadlines {
        Deadlines { heap: BinaryHeap::with_capacity(FEW), tidy_at: FEW }
    }

    pub(crate) fn set(&mut self, deadline: Deadline) {
        self.heap.push(Reverse(deadline));
    }

    /// The next deadline, which may be void.
    pub(crate) fn peek(&self) -> Option<&Deadline> {
        self.heap.peek().map(|Reverse(deadline)| deadline)
    }

    pub(crate) fn pop(&mut self) -> Option<Deadline> {
        self.heap.pop().map(|Reverse(deadline)| deadline)
    }

    pub(crate) fn clear(&mut self) {
        self.heap.clear();
    }

    /// Drops void deadlines from the front, and all of them where they may have
    /// become many.
    pub(crate) fn tidy(&mut self, stands: impl Fn(&Deadline) -> bool) {
        if self.heap.len() >= self.tidy_at {
            self.heap.retain(|Reverse(deadline)| stands(deadline));
            self.tidy_at = (2 * self.heap.len()).max(FEW);
        }
        while self.heap.peek().is_some_and(|Reverse(deadline)| !stands(deadline)) {
            self.heap.pop();
        }
    }
}
