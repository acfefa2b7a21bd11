//! The way of events to the link's user.

use bramble_value::Name;
use bytes::Bytes;

use super::Event;
use crate::protocol::{self, End, Refusal};

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

/// The most orders that wait, and the most events before those that may be lost are.
pub(super) const MOST_WAITING: usize = 4096;

/// Hears events on the link's thread. What it returns is said at once, to whom the event
/// is of.
pub(super) type Ear = Box<dyn FnMut(Event) -> Option<Reply> + Send>;

/// What is said to something that was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// As by [`Line::passing`](super::Line::passing).
    Passing(Bytes),
    /// As by [`Line::send`](super::Line::send); where it can't be queued, that is an
    /// [`Event::Failed`].
    Message(Bytes),
}

/// The way out for events.
pub(super) enum Out {
    /// They wait until somebody takes them.
    Queue(flume::Sender<Event>),
    Ear(Ear),
}

impl Out {
    /// Passes on everything that happened at an end, and says whether there may be more to
    /// send now.
    pub(super) fn drain(&mut self, end: &mut End, told: &mut Told) -> bool {
        let mut answered = false;
        while let Some(event) = end.poll_event() {
            if let Some(answer) = self.pass_on(event, told) {
                match answer {
                    Reply::Passing(payload) => end.pass(payload),
                    Reply::Message(payload) => {
                        if let Err(error) = end.send(payload) {
                            end.fail(&error);
                        }
                    }
                }
                answered = true;
            }
        }
        answered
    }

    fn pass_on(&mut self, event: protocol::Event, told: &mut Told) -> Option<Reply> {
        let event = match (event, told.name.clone()) {
            (protocol::Event::Up { peer, from }, _) => {
                *told = Told { name: Some(peer.name.clone()), ..Told::default() };
                Event::Up { peer: peer.name, instance: peer.instance, from, detail: peer.detail }
            }
            (protocol::Event::Refused(refusal), _) => {
                self.refused(refusal, told);
                return None;
            }
            (protocol::Event::Failed(why), peer) => Event::Failed { peer, why },
            (protocol::Event::Down(why), Some(peer)) => Event::Down { peer, why },
            (protocol::Event::Message { at, payload }, Some(peer)) => Event::Message { peer, at, payload },
            (protocol::Event::Passing(payload), Some(peer)) => Event::Passing { peer, payload },
            (protocol::Event::Clock(clock), Some(peer)) => Event::Clock { peer, clock },
            // Before it came up for the first time, an end has nothing of these.
            (_, None) => return None,
        };
        self.send(event)
    }

    /// Tells a refusal, unless it is the one that was told last.
    pub(super) fn refused(&mut self, refusal: Refusal, told: &mut Told) {
        if told.refusal.as_ref() != Some(&refusal) {
            told.refusal = Some(refusal.clone());
            self.tell(Event::Refused(refusal));
        }
    }

    /// Tells why an agent can't be reached, unless that was told last.
    pub(super) fn unreached(&mut self, why: String, told: &mut Told) {
        if told.unreached.as_ref() != Some(&why) {
            told.unreached = Some(why.clone());
            self.tell(Event::Unreached { why });
        }
    }

    /// Tells what nobody could be answered.
    pub(super) fn tell(&mut self, event: Event) {
        self.send(event);
    }

    fn send(&mut self, event: Event) -> Option<Reply> {
        let may_be_lost = matches!(
            event,
            Event::Passing { .. }
                | Event::Clock { .. }
                | Event::Failed { .. }
                | Event::Refused(_)
                | Event::Unreached { .. }
        );
        if may_be_lost && self.is_full() {
            return None;
        }
        match self {
            Out::Queue(queue) => {
                // Nobody listens any more: the link is about to be closed.
                let _ = queue.send(event);
                None
            }
            Out::Ear(ear) => {
                let failed = matches!(event, Event::Failed { .. });
                // An answer to that might fail for the same reason, and so on.
                ear(event).filter(|_| !failed)
            }
        }
    }

    /// Whether so much waits to be taken out that nobody new is talked to.
    pub(super) fn is_full(&self) -> bool {
        match self {
            Out::Queue(queue) => queue.len() >= MOST_WAITING,
            Out::Ear(_) => false,
        }
    }
}
