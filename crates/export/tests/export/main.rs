//! Exports, read by the programs that they are for.

#![allow(clippy::unwrap_used, reason = "a test ends where it is not as it should be")]

mod book;
mod documents;
mod outside;
mod refusals;
mod sessions;
mod tables;
