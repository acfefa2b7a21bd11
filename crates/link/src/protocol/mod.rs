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
//! each side says what it has, and the other goes on from there. Each side says
//! too how much it takes in before any of it is safe, its [`Window`], and no more
//! than that is ever sent; messages stay in the outbox until there is room.

mod end;
mod frame;
mod meeting;
#[cfg(test)]
mod moving;
#[cfg(test)]
mod simulation;
mod terms;
#[cfg(test)]
mod tests;
mod window;

pub use end::End;
pub use frame::{DecodeError, Frame, Introduction, Position, Reason, Refusal, VERSION};
pub use terms::{Event, Gone, Me, Terms};
pub use window::Window;

use bramble_value::Span;

/// The most bytes a message can have that is sent: 4 MiB.
pub const LARGEST: usize = 4 << 20;

/// The most bytes of payload that a frame ever has: 16 MiB. It is more than
/// [`LARGEST`] since what is in a journal was perhaps put there by someone else.
pub const LARGEST_PAYLOAD: usize = 16 << 20;

/// The most bytes of a passing message: 64 KiB. A longer one is lost.
pub const LARGEST_PASSING: usize = 64 << 10;

/// Between two heartbeats.
pub const HEARTBEAT: Span = Span::from_ms(500);

/// The first heartbeats of a link follow sooner, so that the other end's clock is
/// known early: so many,
pub const FIRST_HEARTBEATS: u32 = 8;
/// and so far apart.
pub const FIRST_HEARTBEAT: Span = Span::from_ms(25);

/// Who said nothing for so long is gone.
pub const SILENCE: Span = Span::from_ms(2500);

/// The highest number a message can have: what SQLite and JSON readers can hold.
const HIGHEST: u64 = i64::MAX as u64;
