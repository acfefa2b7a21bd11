//! The door between ZeroMQ and the network: only enrolled agents of the swarm come
//! through it, and of them only what ZeroMQ survives.
//!
//! ZeroMQ has no access control worth the name, and aborts the process when
//! anybody claims a frame of 2^62 bytes. So its sockets are Unix sockets, and a gate
//! carries bytes between them and TCP, in the same thread: [`Gate`] where an agent
//! listens, [`dial`] where it dials. Both do mutual TLS 1.3 with the agents'
//! [`Identity`](bramble_identity::Identity), and have a [`Guard`] read along.
//!
//! What anybody at all can cost: a connection that hasn't proven itself has
//! [`HANDSHAKE`] to do so, and no more than [`MOST_WAITING_OF_ONE`] of an address and
//! [`MOST_WAITING`] together try at a time; who comes then takes the place of the one that
//! has tried longest. What an enrolled agent can cost is [`MOST_OF_AN_AGENT`] connections,
//! each with 128 KiB of buffers here and a frame of [`LARGEST`] bytes at ZeroMQ.

mod carry;
mod client;
mod guard;
mod log;
mod refused;
mod server;

pub use carry::QUIET;
pub use client::{Dialed, Unreached, dial};
pub use guard::{Guard, LARGEST, LARGEST_COMMAND, Sender, Unwelcome};
pub use log::{Counts, is_worth_a_line};
pub use refused::Refused;
pub use server::{
    Door, Gate, HANDSHAKE, JOINING, JoinStream, Joins, MOST_CONNECTED, MOST_OF_AN_AGENT, MOST_WAITING,
    MOST_WAITING_OF_ONE, Told,
};
