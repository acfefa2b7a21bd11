//! Simulated animals: their language, and tasks that they do.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod language;
mod tasks;
