//! A simulated agent: its end, its disk, and what it is held to.

use bramble_value::{Name, Random, Time};
use bytes::Bytes;
use std::collections::VecDeque;
use uuid::Uuid;

use super::super::{End, Event, Me, Position, Terms, Window};
use super::disk::Journal;
use crate::outbox::{MemoryOutbox, OutboxError};

/// An agent that dials (0), or that listens (1).
pub(in super::super) struct Agent {
    me: Me,
    dials: bool,
    pub(in super::super) end: End,
    pub(in super::super) journal: Journal,
    /// It sends from memory instead of its journal.
    memory: bool,
    window: Window,
    /// Everything it ever sent, by the epochs it was sent in.
    pub(super) sent: Vec<(Uuid, Vec<Bytes>)>,
    /// Passed on by the end, and not yet safe.
    pub(in super::super) held: VecDeque<(Position, usize)>,
    pub(in super::super) events: Vec<(Time, Event)>,
    /// It does nothing until then, and then goes on.
    pub(super) stopped: Option<Time>,
    /// It is dead until then, and then starts anew.
    pub(in super::super) dead: Option<Time>,
    /// How far its clock is before the world's, in nanoseconds.
    pub(super) clock: i64,
}

/// For ever.
pub(in super::super) const NEVER: Time = Time::from_ns(i64::MAX);

pub(in super::super) fn me(dials: bool) -> Me {
    let (name, role, talks_to) =
        if dials { ("box1", "pilot", "terminal") } else { ("desk", "terminal", "pilot") };
    let me = Me::new(name.parse::<Name>().unwrap(), role, talks_to);
    Me { instance: Uuid::from_u128(u128::from(dials)), ..me }
}

impl Agent {
    /// An agent that sends what is in its journal.
    pub(super) fn new(dials: bool, me: Me) -> Agent {
        let epoch = Uuid::from_u128(100 + u128::from(dials));
        let journal = Journal::new(epoch);
        let window = Window::DEFAULT;
        let end = Agent::end(dials, &me, Terms::new(journal.clone()), window);
        Agent {
            me,
            dials,
            end,
            journal,
            memory: false,
            window,
            sent: vec![(epoch, Vec::new())],
            held: VecDeque::new(),
            events: Vec::new(),
            stopped: None,
            dead: None,
            clock: 0,
        }
    }

    fn end(dials: bool, me: &Me, terms: Terms, window: Window) -> End {
        let terms = Terms { window, ..terms };
        if dials { End::dialing(me.clone(), terms) } else { End::listening(me.clone(), terms) }
    }

    /// Takes in so much, and from now on sends from its memory if it should.
    pub(in super::super) fn configure(&mut self, window: Window, memory: bool, random: &mut Random) {
        (self.window, self.memory) = (window, memory);
        self.sent.clear();
        self.start(random);
    }

    /// Starts anew, with what is on its disk.
    pub(super) fn start(&mut self, random: &mut Random) {
        self.me.instance = uuid(random);
        self.held.clear();
        let have = self.journal.synced(|contents| contents.have);
        let terms = if self.memory {
            let epoch = uuid(random);
            self.sent.push((epoch, Vec::new()));
            Terms::new(MemoryOutbox::in_epoch(epoch))
        } else {
            if self.sent.is_empty() {
                self.sent.push((self.end.outbox.epoch(), Vec::new()));
            }
            self.sent[0].1 = self.journal.synced(|contents| contents.appended.clone());
            Terms::new(self.journal.clone())
        };
        self.end = Agent::end(self.dials, &self.me, terms.having(have), self.window);
    }

    pub(in super::super) fn is_running(&self) -> bool {
        self.dead.is_none() && self.stopped.is_none()
    }

    /// Has something to say, which is not yet on its disk.
    pub(super) fn observe(&mut self, payload: Bytes) {
        if self.memory {
            return self.say(payload).expect("few messages have room in memory");
        }
        let (_, sent) = self.sent.last_mut().expect("an agent sends in some epoch");
        sent.push(payload.clone());
        self.journal.append(payload);
    }

    /// Has something to say, which is safe when this returns.
    pub(in super::super) fn say(&mut self, payload: Bytes) -> Result<(), OutboxError> {
        self.end.send(payload.clone())?;
        let (_, sent) = self.sent.last_mut().expect("an agent sends in some epoch");
        sent.push(payload);
        Ok(())
    }

    /// Makes everything that came or is to be sent safe, and says so.
    pub(in super::super) fn take(&mut self) {
        self.take_some(usize::MAX);
    }

    /// The same for so many writes to its disk.
    pub(super) fn take_some(&mut self, writes: usize) {
        self.journal.sync_some(writes);
        self.end.more();
        let safe = self.journal.synced(|contents| contents.safe.last().map(|(at, _)| *at));
        let Some(last) = self.held.iter().position(|(at, _)| Some(*at) == safe) else { return };
        self.held.drain(..=last);
        self.end.taken(safe.expect("it is among what was held"));
    }

    /// Takes out what happened at the end. The other agent's clock is `ahead` of
    /// its own by so many nanoseconds.
    pub(super) fn drain_events(&mut self, now: Time, ahead: i64) {
        while let Some(event) = self.end.poll_event() {
            match &event {
                Event::Up { from, .. } => self.journal.begin_after(*from),
                Event::Message { at, payload } => {
                    self.journal.store(*at, payload.clone());
                    self.held.push_back((*at, payload.len()));
                    let bytes: usize = self.held.iter().map(|(_, size)| size).sum();
                    let within =
                        self.held.len() <= self.window.messages as usize && bytes as u64 <= self.window.bytes;
                    assert!(within || self.held.len() == 1, "more came than the window allows");
                }
                Event::Clock(clock) => {
                    let wrong = (clock.offset_ns - ahead).abs();
                    assert!(wrong <= clock.error.ns(), "{clock:?} is wrong by {wrong} ns");
                }
                _ => {}
            }
            self.events.push((now, event));
        }
    }

    /// What is safe here, in its order.
    pub(in super::super) fn safe(&self) -> Vec<Bytes> {
        self.journal.synced(|contents| contents.safe.iter().map(|(_, payload)| payload.clone()).collect())
    }

    pub(in super::super) fn have(&self) -> Option<Position> {
        self.journal.synced(|contents| contents.have)
    }

    pub(super) fn local(&self, now: Time) -> Time {
        Time::from_ns(now.ns() + self.clock)
    }

    pub(in super::super) fn downs(&self) -> usize {
        self.events.iter().filter(|(_, event)| matches!(event, Event::Down(_))).count()
    }

    pub(in super::super) fn ups(&self) -> usize {
        self.events.iter().filter(|(_, event)| matches!(event, Event::Up { .. })).count()
    }

    /// Whether everything is safe here that the other agent sent, but for what
    /// was in its memory when it crashed; and nothing twice or out of its order.
    pub(super) fn check(&self, other: &Agent, to_the_end: bool) {
        let mut epochs = other.sent.iter();
        let mut current: Option<&(Uuid, Vec<Bytes>)> = None;
        self.journal.synced(|contents| {
            for (at, payload) in &contents.safe {
                if current.is_none_or(|(epoch, _)| *epoch != at.epoch) {
                    current = epochs.find(|(epoch, _)| *epoch == at.epoch);
                }
                let (_, sent) = current.expect("epochs come in their order, and each once");
                assert_eq!(sent.get(at.number as usize - 1), Some(payload), "something else was sent");
            }
            if !to_the_end {
                return;
            }
            let (epoch, sent) = other.sent.last().expect("an agent sends in some epoch");
            let arrived = contents.safe.iter().filter(|(at, _)| at.epoch == *epoch).count();
            assert_eq!(arrived, sent.len(), "not everything came of what was sent last");
        });
    }
}

pub(super) fn uuid(random: &mut Random) -> Uuid {
    Uuid::from_u128(u128::from(random.below(u64::MAX)) << 64 | u128::from(random.below(u64::MAX)))
}
