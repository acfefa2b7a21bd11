//! One end of a link.

use std::collections::VecDeque;

use bramble_value::Time;
use bytes::Bytes;
use uuid::Uuid;

use super::window::Load;
use super::{
    Event, FIRST_HEARTBEAT, FIRST_HEARTBEATS, Frame, Gone, HEARTBEAT, LARGEST, LARGEST_PASSING,
    LARGEST_PAYLOAD, Me, Position, Refusal, SILENCE, Terms, Window,
};
use crate::clock::{Estimator, RoundTrip};
use crate::outbox::{Outbox, OutboxError};

/// One end of a link.
pub struct End {
    pub(super) me: Me,
    pub(super) dials: bool,
    pub(super) outbox: Box<dyn Outbox>,
    pub(super) inbound: Option<Inbound>,
    /// How much is taken in,
    pub(super) window: Window,
    /// and what of it isn't safe yet.
    untaken: Load,
    pub(super) state: State,
    pub(super) refused: bool,
    /// What is said before any message.
    pub(super) frames: VecDeque<Frame>,
    pub(super) events: VecDeque<Event>,
}

/// What came in, over all connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inbound {
    pub(super) epoch: Uuid,
    /// Passed on up to here.
    pub(super) seen: u64,
    /// Safe up to here.
    pub(super) taken: u64,
}

pub(super) enum State {
    Down,
    /// Hello was said, and will be said `again`; only where we dial.
    Meeting {
        since: Time,
        again: Time,
    },
    Up(Box<Up>),
}

pub(super) struct Up {
    pub(super) instance: Uuid,
    heard: Time,
    next_ping: Time,
    /// Heartbeats sent.
    pings: u32,
    /// The heartbeat's answer is to be followed by another ping.
    again: bool,
    /// How much may be sent that isn't acknowledged.
    window: Window,
    /// The other end has everything safe up to here.
    acked: u64,
    /// Sent up to here.
    sent: u64,
    /// What was sent and isn't acknowledged.
    unacknowledged: Load,
    /// Read from the outbox, to be sent next.
    ready: VecDeque<(u64, Bytes)>,
    /// The outbox may have more than was read.
    more: bool,
    /// What was asked to be sent again, so that one gap is one question.
    asked: Option<u64>,
    /// The other end has to be told what is safe.
    owes: bool,
    /// Passing messages since anything was heard.
    passing: u32,
    estimator: Estimator,
}

impl Up {
    /// A link that has just come up, to an end that has everything up to `acked`.
    pub(super) fn new(instance: Uuid, window: Window, acked: u64, now: Time) -> Up {
        Up {
            instance,
            heard: now,
            next_ping: now,
            pings: 0,
            again: false,
            // What the other end takes in needn't be what we want to keep for it.
            window: window.within(Window::DEFAULT),
            acked,
            sent: acked,
            unacknowledged: Load::default(),
            ready: VecDeque::new(),
            more: true,
            asked: None,
            owes: false,
            passing: 0,
            estimator: Estimator::default(),
        }
    }

    /// Goes on sending after a number.
    fn go_on_after(&mut self, number: u64) {
        self.sent = number;
        self.unacknowledged.truncate(number.saturating_sub(self.acked) as usize);
        self.ready.clear();
        self.more = true;
    }
}

/// More passing messages than this are not sent to an end that says nothing.
const MOST_PASSING: u32 = 1000;

/// How much is read from the outbox at once.
const BATCH: Window = Window { messages: 64, bytes: 256 << 10 };

impl End {
    /// The end that says hello first.
    pub fn dialing(me: Me, terms: Terms) -> End {
        End::new(me, terms, true)
    }

    /// The end that is said hello to.
    pub fn listening(me: Me, terms: Terms) -> End {
        End::new(me, terms, false)
    }

    fn new(me: Me, Terms { outbox, have, window }: Terms, dials: bool) -> End {
        End {
            me,
            dials,
            outbox,
            inbound: have.map(|Position { epoch, number }| Inbound { epoch, seen: number, taken: number }),
            window,
            untaken: Load::default(),
            state: State::Down,
            refused: false,
            frames: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// A new connection is there. What an earlier one still had to say is void.
    pub fn connected(&mut self, now: Time) {
        self.disconnected();
        self.refused = false;
        if self.dials {
            self.state = State::Meeting { since: now, again: now };
            self.advance(now);
        }
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.go_down(Gone::Broken);
        self.frames.clear();
    }

    /// Ends the link on purpose.
    pub fn leave(&mut self) {
        // The other end may be up though its welcome hasn't arrived yet.
        if !self.is_down() {
            self.go_down(Gone::Left);
            self.frames.push_back(Frame::Bye {});
        }
    }

    /// Whether the two ends talk.
    pub fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    /// Whether there is no connection, or none that anything came of.
    pub fn is_down(&self) -> bool {
        matches!(self.state, State::Down)
    }

    /// Whether the last connection ended with a refusal by either end.
    pub fn was_refused(&self) -> bool {
        self.refused
    }

    /// Which run of the other agent it talks to now.
    pub fn instance(&self) -> Option<Uuid> {
        match &self.state {
            State::Up(up) => Some(up.instance),
            _ => None,
        }
    }

    /// Whether the other end has everything safely.
    pub fn is_drained(&self) -> bool {
        matches!((self.outbox.last(), self.outbox.released()), (Ok(last), Ok(released)) if last == released)
    }

    /// What the other end is told first, from the next time on.
    pub fn describe(&mut self, detail: Bytes) {
        self.me.detail = detail;
    }

    /// Queues a message, which arrives once and in order.
    ///
    /// # Errors
    /// When it is longer than [`LARGEST`], or the outbox doesn't take it: then it
    /// won't arrive.
    pub fn send(&mut self, payload: Bytes) -> Result<(), OutboxError> {
        if payload.len() > LARGEST {
            return Err(OutboxError::TooLarge { size: payload.len(), most: LARGEST });
        }
        self.outbox.push(payload)?;
        self.more();
        Ok(())
    }

    /// The outbox has got more.
    pub fn more(&mut self) {
        if let State::Up(up) = &mut self.state {
            up.more = true;
        }
    }

    /// Sends a message that may be lost, and is where nobody listens or it is
    /// longer than [`LARGEST_PASSING`].
    pub fn pass(&mut self, payload: Bytes) {
        if let State::Up(up) = &mut self.state
            && up.passing < MOST_PASSING
            && payload.len() <= LARGEST_PASSING
        {
            up.passing += 1;
            self.frames.push_back(Frame::Passing { payload });
        }
    }

    /// The message at `at` and all before it are safe here.
    pub fn taken(&mut self, at: Position) {
        self.untaken.release(at);
        let Some(inbound) = &mut self.inbound else { return };
        if inbound.epoch == at.epoch && (inbound.taken + 1..=inbound.seen).contains(&at.number) {
            inbound.taken = at.number;
            if let State::Up(up) = &mut self.state {
                up.owes = true;
            }
        }
    }

    /// Takes in a frame of the connection.
    pub fn handle(&mut self, frame: Frame, now: Time) {
        match (&mut self.state, frame) {
            (_, Frame::Hello(peer)) if !self.dials => self.meet(peer, now),
            (State::Meeting { .. }, Frame::Welcome(peer)) => self.meet(peer, now),
            (State::Meeting { .. } | State::Up(_), Frame::Refuse(why)) => {
                self.go_down(Gone::Left);
                self.frames.clear();
                self.refused = true;
                self.events.push_back(Event::Refused(why));
            }
            (State::Up(_), frame) => {
                self.heard(now);
                self.handle_talk(frame, now);
            }
            // Late, early or repeated: what it says is said again.
            (State::Down | State::Meeting { .. }, _) => {}
        }
    }

    /// Refuses a welcome of a version that can't even be read.
    pub fn handle_other_version(&mut self, version: u32) {
        if matches!(self.state, State::Meeting { .. }) {
            let refusal =
                Refusal::version((self.me.name.as_str(), self.me.version), ("the other end", version));
            self.refuse(refusal);
        }
    }

    /// Does what is due.
    pub fn advance(&mut self, now: Time) {
        match &mut self.state {
            State::Down => {}
            State::Meeting { since, .. } if now >= *since + SILENCE => self.disconnected(),
            State::Meeting { again, .. } => {
                if now >= *again {
                    *again = now + HEARTBEAT;
                    if let Some(introduction) = self.introduction() {
                        self.frames.push_back(Frame::Hello(introduction));
                    }
                }
            }
            State::Up(up) if now >= up.heard + SILENCE => {
                self.go_down(Gone::Silent);
                self.frames.clear();
            }
            State::Up(up) => {
                if now >= up.next_ping {
                    up.pings = up.pings.saturating_add(1);
                    up.again = true;
                    let soon = up.pings < FIRST_HEARTBEATS;
                    up.next_ping = now + if soon { FIRST_HEARTBEAT } else { HEARTBEAT };
                    // An outbox that failed may have recovered.
                    up.more = true;
                    let last = up.sent;
                    self.ping(now, last);
                }
            }
        }
    }

    /// Asks for a sign of life, for the other's clock, and for what is missing up to `last`.
    fn ping(&mut self, now: Time, last: u64) {
        let taken = self.inbound.map_or(0, |inbound| inbound.taken);
        self.frames.push_back(Frame::Ping { sent: now, last, taken });
    }

    /// When [`End::advance`] has something to do; `None` while there is no connection.
    pub fn deadline(&self) -> Option<Time> {
        match &self.state {
            State::Down => None,
            State::Meeting { since, again } => Some((*again).min(*since + SILENCE)),
            State::Up(up) => Some(up.next_ping.min(up.heard + SILENCE)),
        }
    }

    /// The next frame to be sent over the connection, at once: heartbeats say
    /// that they were sent `now`.
    pub fn poll_frame(&mut self, now: Time) -> Option<Frame> {
        let mut frame = self.frames.pop_front();
        if let Some(Frame::Ping { sent, .. } | Frame::Pong { sent, .. }) = &mut frame {
            *sent = now;
        }
        frame.or_else(|| self.acknowledgement()).or_else(|| self.next_message())
    }

    /// One acknowledgement says as much as many.
    fn acknowledgement(&mut self) -> Option<Frame> {
        let (State::Up(up), Some(inbound)) = (&mut self.state, self.inbound) else { return None };
        std::mem::take(&mut up.owes).then_some(Frame::Acknowledge { up_to: inbound.taken })
    }

    /// The next message that the window allows.
    fn next_message(&mut self) -> Option<Frame> {
        let State::Up(up) = &mut self.state else { return None };
        if up.ready.is_empty() && up.more && up.unacknowledged.has_room(up.window) {
            match self.outbox.read(up.sent, BATCH) {
                Ok(batch) => up.ready = batch.into(),
                Err(error) => {
                    up.more = false;
                    self.fail(&error);
                    return None;
                }
            }
            up.more = !up.ready.is_empty();
        }
        let (number, payload) = up.ready.front()?;
        if payload.len() > LARGEST_PAYLOAD {
            let error = OutboxError::TooLarge { size: payload.len(), most: LARGEST_PAYLOAD };
            (up.ready, up.more) = (VecDeque::new(), false);
            self.fail(&error);
            return None;
        }
        if !up.unacknowledged.admits(payload.len(), up.window) {
            return None;
        }
        let at = Position { epoch: self.outbox.epoch(), number: *number };
        up.unacknowledged.push(at, payload.len());
        up.sent = at.number;
        up.ready.pop_front().map(|(number, payload)| Frame::Data { number, payload })
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Anything was heard of the other end.
    pub(super) fn heard(&mut self, now: Time) {
        if let State::Up(up) = &mut self.state {
            up.heard = now;
            up.passing = 0;
        }
    }

    /// What is said while the link is up.
    fn handle_talk(&mut self, frame: Frame, now: Time) {
        let State::Up(up) = &mut self.state else { return };
        match frame {
            Frame::Data { number, payload } => self.receive(number, payload),
            Frame::Acknowledge { up_to } => self.acknowledged(up_to),
            Frame::Missing { after } if (up.acked..up.sent).contains(&after) => up.go_on_after(after),
            Frame::Missing { .. } => {}
            Frame::Passing { payload } if payload.len() <= LARGEST_PASSING => {
                self.events.push_back(Event::Passing(payload));
            }
            Frame::Passing { .. } => {}
            Frame::Ping { sent, last, taken } => {
                self.frames.push_back(Frame::Pong { ping: sent, received: now, sent: now });
                self.acknowledged(taken);
                if self.inbound.is_some_and(|inbound| last > inbound.seen) {
                    self.ask_again(true);
                }
            }
            Frame::Pong { ping, received, sent } => {
                let trip = RoundTrip { sent: ping, received, answered: sent, returned: now };
                let clock = up.estimator.add(trip);
                if std::mem::take(&mut up.again) {
                    // Both ends are awake now, so that this one tells more of their clocks. What
                    // is missing was asked for already.
                    let last = up.acked;
                    self.ping(now, last);
                } else {
                    self.events.extend(clock.map(Event::Clock));
                }
            }
            Frame::Bye {} => self.leave(),
            Frame::Hello(_) | Frame::Welcome(_) | Frame::Refuse(_) => {}
        }
    }

    fn receive(&mut self, number: u64, payload: Bytes) {
        let (State::Up(up), Some(inbound)) = (&mut self.state, &mut self.inbound) else { return };
        if number <= inbound.seen {
            return;
        }
        if number == inbound.seen + 1 && self.untaken.admits(payload.len(), self.window) {
            let at = Position { epoch: inbound.epoch, number };
            self.untaken.push(at, payload.len());
            inbound.seen = number;
            up.asked = None;
            self.events.push_back(Event::Message { at, payload });
        } else {
            self.ask_again(false);
        }
    }

    /// Asks for what is missing: once for each gap, and again at a heartbeat.
    fn ask_again(&mut self, repeat: bool) {
        let (State::Up(up), Some(inbound)) = (&mut self.state, self.inbound) else { return };
        if repeat || up.asked != Some(inbound.seen) {
            up.asked = Some(inbound.seen);
            self.frames.push_back(Frame::Missing { after: inbound.seen });
        }
    }

    fn acknowledged(&mut self, up_to: u64) {
        let State::Up(up) = &mut self.state else { return };
        // More than was sent is safe there only where it arrived before a break.
        let known = up_to <= up.sent || self.outbox.last().is_ok_and(|last| up_to <= last);
        if up_to <= up.acked || !known {
            return;
        }
        match self.outbox.release(up_to) {
            Ok(()) => {
                up.unacknowledged.release(Position { epoch: self.outbox.epoch(), number: up_to });
                up.acked = up_to;
                if up.sent < up_to {
                    up.go_on_after(up_to);
                }
            }
            Err(error) => self.fail(&error),
        }
    }

    pub(super) fn go_down(&mut self, why: Gone) {
        if matches!(self.state, State::Up(_)) {
            self.events.push_back(Event::Down(why));
        }
        self.state = State::Down;
    }

    /// Tells of something that failed.
    pub(crate) fn fail(&mut self, why: impl ToString) {
        self.events.push_back(Event::Failed(why.to_string()));
    }
}
