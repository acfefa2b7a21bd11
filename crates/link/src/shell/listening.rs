//! The thread of a listener: one end for each agent that ever came.

use std::collections::HashMap;
use std::time::Instant;

use bramble_value::Name;
use bytes::Bytes;
use zeromq::{RouterRecvHalf, RouterSendHalf, RouterSocket, Socket, SocketRecv, ZmqMessage};

use super::core::{Nonsense, Out, Told, read, say, until};
use super::socket::{deliver, name_in, watch};
use super::{Event, Order, now};
use crate::protocol::{End, Frame, Introduction, Me, Reason, Refusal, Terms};

/// The most agents that are talked to by one.
const MOST_PEERS: usize = 1024;

type MakeTerms = Box<dyn FnMut(&Name) -> Result<Terms, String> + Send>;

pub(super) async fn run(
    bound: zeromq::Listener,
    me: Me,
    terms: MakeTerms,
    orders: flume::Receiver<Order>,
    events: flume::Sender<Event>,
) {
    let mut socket = RouterSocket::new();
    let ended = watch(&mut socket);
    let out = Out(events);
    let endpoint = match socket.bind_listener(bound).await {
        Ok(endpoint) => endpoint,
        Err(error) => {
            return out.send(Event::Failed { peer: None, why: format!("can't listen any more: {error}") });
        }
    };
    let _ = endpoint;
    let _ = (ended, orders, me, terms);
}
