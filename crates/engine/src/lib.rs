//! The stage machine: inputs and times in, actions and records out. It does no
//! I/O and knows no clock, so a session can be tried, tested and run again from
//! what was handed in.
//!
//! What a task means is said where it is defined, in `bramble_task::definition`.
//! What is decided here:
//!
//! - One input is run to completion before the next. An emitted message, a
//!   counter's new count and a timer's start are events of the same time, which
//!   follow what caused them and come before any later deadline or input.
//! - In each active branch the innermost stage with a trigger that fires answers.
//!   If several of its triggers fire, they do so in the order of the file, until
//!   one leads away.
//! - An input that was never heard of is low; an encoder starts at 0; an analog
//!   input is above and below nothing until it was read.
//! - An encoder's speed is that between its last two positions, and 0 once it has
//!   not moved for 100 ms.
//! - 1,000 transitions without time passing, or 10,000,000 turns of repetitions
//!   that are counted, are an error of the task. A `goto`, a turn that is a trial
//!   or of a repetition without end, a stage that is skipped, an emitted message
//!   and a timer that ran out are transitions.
//! - A value that is missing where one is needed is an error of the task.

mod deadline;
mod engine;
mod exchange;
mod mistake;
mod ports;
mod session;
mod settings;
mod trigger;

pub use engine::Engine;
pub use exchange::{Input, Output};
pub use settings::{Settings, SettingsError};
