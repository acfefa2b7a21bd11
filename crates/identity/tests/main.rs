//! Keys and certificates, in files and in handshakes.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod files;
mod handshakes;
