//! The link as a state machine: no I/O, no clock.
//!
//! An [`End`] is changed by [`End::handle`] and [`End::advance`], which are told
//! what time it is; then whoever drives it takes out everything that
//! [`End::poll_frame`] and [`End::poll_event`] have, and comes back at
//! [`End::deadline`] at the latest.
//!
//! What is sent is numbered in an epoch. The receiver passes on what is next in
//! its count, drops what it has had, and asks for what is missing; heartbeats
//! carry both counts, so that any loss is found at the next one. After a break
//! each side says what it has, and the other goes on from there.

mod end;
mod frame;
#[cfg(test)]
mod simulation;
mod terms;
#[cfg(test)]
mod tests;

pub use end::End;
pub use frame::{DecodeError, Frame, Introduction, Position, Reason, Refusal, VERSION};
pub use terms::{Event, Gone, Me, Terms};

use bramble_value::Span;

/// The most messages that are on their way, or received but not yet taken.
pub const WINDOW: u64 = 1024;

/// Between two heartbeats.
pub const HEARTBEAT: Span = Span::from_ms(500);

/// Who said nothing for so long is gone.
pub const SILENCE: Span = Span::from_ms(2500);

/// The highest number a message can have: what SQLite and JSON readers can hold.
const HIGHEST: u64 = i64::MAX as u64;
