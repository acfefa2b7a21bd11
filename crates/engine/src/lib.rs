//! The stage machine: inputs and times in, actions and records out. It does no
//! I/O and knows no clock, so a session can be tried, tested and run again from
//! what was handed in.

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
