//! Recorded sessions, run again: from what the subject file holds alone, with the loop
//! that ran them, and held against what was recorded, event by event.
//!
//! A session is a function of its sources, parameters, seed, kept columns, hardware as
//! configured and calibrated, and of what happened to it. What happened is in its
//! events: inputs; what was asked of it; and for a session in real time, as of which
//! moment outputs were decided and when functions returned. The
//! [`Driver`](bramble_rig::Driver) of a replay is that record. It hands in each thing
//! when everything before it in the record has come out again, so that what was first
//! then is first now.
//!
//! Everything that comes out must be what was recorded, bit for bit: each transition
//! with its time, each column, each trial's row, and each output with its level and
//! order. When an output of a session in real time was decided and written is the hardware's
//! say, and is taken from the record; that it was due then, and not before, is computed.

mod difference;
mod driver;
mod judge;
mod recording;
mod run;
mod tape;

pub use difference::Difference;
pub use recording::{Recording, UnreadableRecording};
pub use run::{Replayed, replay};
