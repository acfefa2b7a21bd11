//! The way of events to the link's user.

use std::collections::HashMap;

use bramble_gate::Counts;
use bramble_value::{Name, Span, Time};
use bytes::Bytes;

use super::Event;
use crate::protocol::{self, End, Refusal};

/// What the user was told of one other agent.
#[derive(Default)]
pub(super) struct Told {
    /// The agent's name, once it is known.
    pub(super) name: Option<Name>,
    /// Why it didn't talk to us, until the link comes up.
    refusals: Reasons,
    /// Why it couldn't be reached, until the link comes up.
    unreached: Reasons,
}

impl Told {
    /// Nothing so far, of the agent of that name.
    pub(super) fn of(name: Name) -> Told {
        Told { name: Some(name), ..Told::default() }
    }
}

/// The reasons of what happens again and again. The last one again is no news; ones that take turns
/// are news the 1st, 10th, 100th, ... time.
#[derive(Default)]
struct Reasons {
    last: Option<String>,
    turns: Counts<String>,
}

impl Reasons {
    fn is_news(&mut self, why: &str) -> bool {
        if self.last.as_deref() == Some(why) {
            return false;
        }
        self.last = Some(why.to_owned());
        self.turns.one_more(why.to_owned()).is_some()
    }
}

/// Agents that came to be refused, and when that was told. They are told of while they keep coming,
/// so that it is known when they don't any more, and not more often than that.
#[derive(Default)]
pub(super) struct Strangers(HashMap<String, Time>);

/// How long a refusal isn't told again.
const TOLD: Span = Span::from_s(5);
/// The most refusals that are told in that time.
const MOST_REFUSALS: usize = 64;

impl Strangers {
    /// Whether a refusal is to be told.
    fn is_due(&mut self, why: &str, now: Time) -> bool {
        self.0.retain(|_, told| now.since(*told) < TOLD);
        let is_due = self.0.len() < MOST_REFUSALS && !self.0.contains_key(why);
        if is_due {
            self.0.insert(why.to_owned(), now);
        }
        is_due
    }
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
                *told = Told::of(peer.name.clone());
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

    /// Tells that the other end doesn't talk to us, where that is news.
    fn refused(&mut self, refusal: Refusal, told: &mut Told) {
        if told.refusals.is_news(&refusal.text) {
            self.tell(Event::Refused(refusal));
        }
    }

    /// Tells that somebody came that isn't talked to, unless that was told a moment ago.
    pub(super) fn turned_away(&mut self, refusal: Refusal, strangers: &mut Strangers, now: Time) {
        if strangers.is_due(&refusal.text, now) {
            self.tell(Event::Refused(refusal));
        }
    }

    /// Tells why an agent can't be reached, where that is news.
    pub(super) fn unreached(&mut self, why: String, told: &mut Told) {
        if told.unreached.is_news(&why) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Reason;

    /// What is told of what was tried.
    fn told(tries: impl FnOnce(&mut Out)) -> Vec<Event> {
        let (queue, told) = flume::unbounded();
        tries(&mut Out::Queue(queue));
        told.drain().collect()
    }

    #[test]
    fn reasons_that_take_turns_for_a_day_are_few_lines() {
        let reasons = ["nothing came in time", "No route to host"];
        let day = told(|out| {
            let mut told = Told::default();
            (0..52_000).for_each(|number| out.unreached(reasons[number % 2].to_owned(), &mut told));
        });
        assert_eq!(day.len(), 10, "{day:?}");
        let news = told(|out| {
            let mut told = Told::default();
            for why in ["one", "one", "two", "two", "three"] {
                out.unreached(why.to_owned(), &mut told);
            }
        });
        assert_eq!(news.len(), 3, "each is told when it begins: {news:?}");
    }

    #[test]
    fn who_is_turned_away_is_told_of_now_and_then_while_it_keeps_coming() {
        let refusal = |why: &str| Refusal::new(Reason::NameTaken, why);
        let minute = told(|out| {
            let mut strangers = Strangers::default();
            for ms in (0..60_000).step_by(10) {
                for why in ["there are two box1", "there are two box2"] {
                    out.turned_away(refusal(why), &mut strangers, Time::from_ns(ms * 1_000_000));
                }
            }
        });
        assert_eq!(minute.len(), 2 * 12);
        let many = told(|out| {
            let mut strangers = Strangers::default();
            (0..1000).for_each(|one| out.turned_away(refusal(&one.to_string()), &mut strangers, Time::ZERO));
        });
        assert_eq!(many.len(), MOST_REFUSALS);
    }
}
