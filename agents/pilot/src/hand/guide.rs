//! What leads a person through a piece of work on a rig, as pure code: a command in a shell
//! and a page are two fronts of it.

use std::time::Instant;

use bramble_rig::calibration::Calibration;
use jiff::Timestamp;

use super::protocol::{Answer, Ask, Item, Step, Timing, Told};

/// Leads through a piece of work. It is told what happens and what is answered, and then says
/// in [`Guide::next`] what is to be done, until that is nothing.
pub(super) trait Guide: std::fmt::Debug + Send {
    /// The rig tells something.
    fn hear(&mut self, told: &Told, now: Now);

    /// A person answers.
    fn answer(&mut self, answer: Answer, now: Now);

    /// When it does something by itself.
    fn due(&self) -> Option<Instant>;

    /// That moment has come.
    fn over(&mut self, now: Now);

    /// What is to be done next.
    fn next(&mut self) -> Option<Out>;
}

/// A moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// For what lasts.
    pub(super) instant: Instant,
    /// For what is dated.
    pub(super) wall: Timestamp,
}

impl Now {
    /// This one.
    pub(super) fn here() -> Now {
        Now { instant: Instant::now(), wall: Timestamp::now() }
    }
}

/// Something to be done.
#[derive(Debug, PartialEq)]
pub(super) enum Out {
    /// Ask this of the rig.
    Ask(Ask),
    /// Tell the person.
    Say(Step),
    /// Keep this calibration, and be done.
    Keep(Box<Calibration>),
    /// Keep what the check found, and be done.
    Found(Vec<Item>, Option<Timing>),
    /// It is over; nothing is kept.
    Leave(Why),
}

/// Why it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// The person wants no more of it.
    Person,
    /// The rig is in use.
    Busy(String),
    /// It can't go on.
    Failed(String),
}

impl Why {
    /// In words.
    pub(super) fn text(&self) -> &str {
        match self {
            Why::Person => "ended before it was done; nothing is kept",
            Why::Busy(why) | Why::Failed(why) => why,
        }
    }
}
