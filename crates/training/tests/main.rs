//! Protocols, and when a subject goes on to the next step.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;
mod graduation;
mod mistakes;
mod protocol;
