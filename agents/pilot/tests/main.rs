//! Real agents together: a terminal, pilots and children.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod bad_input;
mod changes;
mod common;
mod faults;
mod guard;
mod hand;
mod hardware;
mod moved;
mod page;
mod provenance;
mod report;
mod restarts;
mod sessions;
mod swarm;
