//! The journal, held against a model and as a file.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod file;
mod model;
