//! Commands that come too late to be done: whoever asked has given up waiting, and may have decided
//! otherwise since. Pure.

use std::collections::VecDeque;

use bramble_link::{Clock, Position};
use bramble_message::TerminalToPilot;
use bramble_value::{Span, Time};

/// What the terminal said, in its order.
pub(crate) type Said = (Position, TerminalToPilot);

/// Until when commands may come is told by the terminal's clock, which is known a moment after its link
/// is up. What comes before that waits for it, and what comes behind that too.
#[derive(Debug, Default)]
pub(crate) struct Punctual {
    clock: Option<Clock>,
    waiting: VecDeque<Said>,
}

impl Punctual {
    /// The link to the terminal comes or goes: another may come, on another computer, whose clock says
    /// nothing of what waited, which is returned.
    pub(crate) fn forget(&mut self) -> VecDeque<Said> {
        self.clock = None;
        std::mem::take(&mut self.waiting)
    }

    /// How the terminal's clock stands. Returns what waited for that.
    pub(crate) fn hear(&mut self, clock: Clock) -> VecDeque<Said> {
        self.clock = Some(clock);
        std::mem::take(&mut self.waiting)
    }

    /// The terminal said something: it is returned where it is its turn.
    pub(crate) fn take(&mut self, said: Said) -> Option<Said> {
        let waits = self.clock.is_none() && not_after(&said.1).is_some();
        if waits || !self.waiting.is_empty() {
            self.waiting.push_back(said);
            return None;
        }
        Some(said)
    }

    /// By how much this is certainly too late, where it is.
    pub(crate) fn late(&self, said: &TerminalToPilot, now: Time) -> Option<Span> {
        let (clock, latest) = (self.clock.as_ref()?, not_after(said)?);
        let late = now.since(clock.ours(latest) + clock.error_at(now));
        (late > Span::ZERO).then_some(late)
    }
}

/// Until when it may come, by the terminal's clock.
fn not_after(said: &TerminalToPilot) -> Option<Time> {
    match said {
        TerminalToPilot::Command { not_after, .. } => *not_after,
        TerminalToPilot::Revoked { .. } => None,
    }
}
