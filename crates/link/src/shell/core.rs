//! What the dialing and the listening thread have in common.

use std::time::Duration;

use bramble_gate::is_worth_a_line;
use bramble_value::{Name, Time};
use bytes::Bytes;

use super::{Event, Say, now};
use crate::protocol::{self, DecodeError, End, Frame, Refusal};

/// The most orders that wait, and the most events before those that may be lost are.
pub(super) const MOST_WAITING: usize = 4096;

/// How long a socket may take over one send; then the connection is given up.
pub(super) const SEND_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the other end may take to say goodbye.
pub(super) const GOODBYE: Duration = Duration::from_millis(200);

/// What the user was told of one other agent.
#[derive(Default)]
pub(super) struct Told {
    /// The agent's name, once it is known.
    pub(super) name: Option<Name>,
    /// The last refusal, until the link comes up: the same one again is no news.
    pub(super) refusal: Option<Refusal>,
    /// Why it couldn't be reached the last time, until the link comes up.
    pub(super) unreached: Option<String>,
}

/// The way out for events.
pub(super) struct Out(pub(super) flume::Sender<Event>);

impl Out {
    /// Passes on everything that happened at an end.
    pub(super) fn drain(&self, end: &mut End, told: &mut Told) {
        while let Some(event) = end.poll_event() {
            self.pass_on(event, told);
        }
    }

    fn pass_on(&self, event: protocol::Event, told: &mut Told) {
        let event = match (event, told.name.clone()) {
            (protocol::Event::Up { peer, from }, _) => {
                *told = Told { name: Some(peer.name.clone()), ..Told::default() };
                Event::Up { peer: peer.name, instance: peer.instance, from, detail: peer.detail }
            }
            (protocol::Event::Refused(refusal), _) => return self.refused(refusal, told),
            (protocol::Event::Failed(why), peer) => Event::Failed { peer, why },
            (protocol::Event::Down(why), Some(peer)) => Event::Down { peer, why },
            (protocol::Event::Message { at, payload }, Some(peer)) => Event::Message { peer, at, payload },
            (protocol::Event::Passing(payload), Some(peer)) => Event::Passing { peer, payload },
            (protocol::Event::Clock(clock), Some(peer)) => Event::Clock { peer, clock },
            // Before it came up for the first time, an end has nothing of these.
            (_, None) => return,
        };
        self.send(event);
    }

    /// Tells a refusal, unless it is the one that was told last.
    pub(super) fn refused(&self, refusal: Refusal, told: &mut Told) {
        if told.refusal.as_ref() != Some(&refusal) {
            told.refusal = Some(refusal.clone());
            self.send(Event::Refused(refusal));
        }
    }

    /// Tells why an agent can't be reached, unless that was told last.
    pub(super) fn unreached(&self, why: String, told: &mut Told) {
        if told.unreached.as_ref() != Some(&why) {
            told.unreached = Some(why.clone());
            self.send(Event::Unreached { why });
        }
    }

    pub(super) fn send(&self, event: Event) {
        let may_be_lost = matches!(
            event,
            Event::Passing { .. }
                | Event::Clock { .. }
                | Event::Failed { .. }
                | Event::Refused(_)
                | Event::Unreached { .. }
        );
        if !(may_be_lost && self.is_full()) {
            // Nobody listens any more: the link is about to be closed.
            let _ = self.0.send(event);
        }
    }

    /// Whether so much waits to be taken out that nobody new is talked to.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MOST_WAITING
    }
}

/// Says what a line's user wants said.
pub(super) fn say(end: &mut End, say: Say) {
    match say {
        Say::Send(payload, answer) => {
            let queued = end.send(payload).map_err(|error| error.to_string());
            // Whoever asked may have gone.
            let _ = answer.send(queued);
        }
        Say::More => end.more(),
        Say::Passing(payload) => end.pass(payload),
        Say::Taken(at) => end.taken(at),
    }
}

/// How long until `deadline`; a long time where there is none.
pub(super) fn until(deadline: Option<Time>) -> Duration {
    match deadline {
        Some(deadline) => Duration::from_nanos(deadline.since(now()).ns().unsigned_abs()),
        None => Duration::from_secs(3600),
    }
}

/// Counts what others send that is no frame, and logs the 1st, 10th, 100th, ...
#[derive(Default)]
pub(super) struct Nonsense(u64);

impl Nonsense {
    pub(super) fn log(&mut self, from: &[u8], what: &dyn std::fmt::Display) {
        self.0 += 1;
        if is_worth_a_line(self.0) {
            let from = String::from_utf8_lossy(&from[..from.len().min(64)]);
            tracing::warn!(from = %from.escape_debug(), count = self.0, "ignored what is no message of a link: {what}");
        }
    }
}

/// Reads a frame; what isn't one is logged, or refused where it is a hello.
pub(super) fn read(bytes: &Bytes, from: &[u8], nonsense: &mut Nonsense) -> Result<Frame, Option<u32>> {
    Frame::decode(bytes).map_err(|error| {
        nonsense.log(from, &error);
        match error {
            DecodeError::OtherVersion(version) => Some(version),
            DecodeError::Garbage(_) => None,
        }
    })
}
