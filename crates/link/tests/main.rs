//! Two ends of a link, over a network that is made up and over sockets.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;
mod hearing;
mod hostile;
mod network;
mod sockets;
