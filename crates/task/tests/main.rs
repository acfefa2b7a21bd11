//! Tasks as their authors write them.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod functions;
mod outputs;
mod parameters;
mod right_tasks;
mod shipped_tasks;
mod tasks;
mod wrong_tasks;
