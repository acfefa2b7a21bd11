//! The engine, held against what the task language says.
#![allow(clippy::unwrap_used, reason = "a test ends where it is not as it should be")]

mod bench;
mod conformance;
mod events;
mod mistakes;
mod order;
mod pause;
mod properties;
mod random_tree;
mod rig;
mod tree;
mod trials;
