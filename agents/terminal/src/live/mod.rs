//! What pages see of the lab as it happens: state without I/O, and the WebSocket at its edge.

mod board;
mod feed;
pub(crate) mod line;
mod log;
mod part;
mod ring;
pub(crate) mod socket;
mod stream;
#[cfg(test)]
mod tests;
pub(crate) mod wire;

pub(crate) use board::Board;
pub(crate) use log::{About, Log};
pub(crate) use part::part;
