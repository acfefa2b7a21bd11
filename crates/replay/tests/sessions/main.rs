//! Sessions are recorded and run again.

#![allow(clippy::unwrap_used, reason = "a test ends where it is not as it should be")]

mod common;
mod real;
mod simulated;
