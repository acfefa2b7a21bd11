//! One end of a link.

use std::collections::VecDeque;

use bramble_value::Time;
use bytes::Bytes;
use uuid::Uuid;

use super::{
    Event, Frame, Gone, HEARTBEAT, HIGHEST, Introduction, Me, Position, Reason, Refusal, SILENCE, Terms,
    WINDOW,
};
use crate::clock::{Estimator, RoundTrip};
use crate::outbox::{Outbox, OutboxError};

/// One end of a link.
pub struct End {
    me: Me,
    dials: bool,
    outbox: Box<dyn Outbox>,
    inbound: Option<Inbound>,
    state: State,
    refused: bool,
    frames: VecDeque<Frame>,
    events: VecDeque<Event>,
}

/// What came in, over all connections.
#[derive(Debug, Clone, Copy)]
struct Inbound {
    epoch: Uuid,
    /// Passed on up to here.
    seen: u64,
    /// Safe up to here.
    taken: u64,
}

enum State {
    Down,
    /// Hello was said, and will be said `again`; only where we dial.
    Meeting {
        since: Time,
        again: Time,
    },
    Up(Up),
}

struct Up {
    instance: Uuid,
    heard: Time,
    next_ping: Time,
    /// The other end has everything safe up to here.
    acked: u64,
    /// Sent up to here.
    sent: u64,
    /// What was asked to be sent again, so that one gap is one question.
    asked: Option<u64>,
    /// Passing messages since anything was heard.
    passing: u32,
    estimator: Estimator,
}

/// More passing messages than this are not sent to an end that says nothing.
const MOST_PASSING: u32 = 1000;

/// How many messages are taken out of the outbox at once.
const BATCH: u64 = 64;

impl End {
    /// The end that says hello first.
    pub fn dialing(me: Me, terms: Terms) -> End {
        End::new(me, terms, true)
    }

    /// The end that is said hello to.
    pub fn listening(me: Me, terms: Terms) -> End {
        End::new(me, terms, false)
    }

    fn new(me: Me, Terms { outbox, have }: Terms, dials: bool) -> End {
        let inbound = have.map(|Position { epoch, number }| Inbound { epoch, seen: number, taken: number });
        let (frames, events) = (VecDeque::new(), VecDeque::new());
        End { me, dials, outbox, inbound, state: State::Down, refused: false, frames, events }
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
    /// When the outbox doesn't take it: then it won't arrive.
    pub fn send(&mut self, payload: Bytes) -> Result<(), OutboxError> {
        self.outbox.push(payload)?;
        self.pump();
        Ok(())
    }

    /// The outbox has got more by itself.
    pub fn more(&mut self) {
        self.pump();
    }

    /// Sends a message that may be lost, and is where nobody listens.
    pub fn pass(&mut self, payload: Bytes) {
        if let State::Up(up) = &mut self.state
            && up.passing < MOST_PASSING
        {
            up.passing += 1;
            self.frames.push_back(Frame::Passing { payload });
        }
    }

    /// The message at `at` and all before it are safe here.
    pub fn taken(&mut self, at: Position) {
        let Some(inbound) = &mut self.inbound else { return };
        if inbound.epoch != at.epoch || at.number > inbound.seen || at.number <= inbound.taken {
            return;
        }
        inbound.taken = at.number;
        if self.is_up() {
            // One acknowledgement says as much as two.
            if let Some(Frame::Acknowledge { up_to }) = self.frames.back_mut() {
                *up_to = at.number;
            } else {
                self.frames.push_back(Frame::Acknowledge { up_to: at.number });
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
            (State::Up(up), frame) => {
                up.heard = now;
                up.passing = 0;
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
                    up.next_ping = now + HEARTBEAT;
                    let taken = self.inbound.map_or(0, |inbound| inbound.taken);
                    self.frames.push_back(Frame::Ping { sent: now, last: up.sent, taken });
                    // An outbox that failed may have recovered.
                    self.pump();
                }
            }
        }
    }

    /// When [`End::advance`] has something to do; `None` while there is no connection.
    pub fn deadline(&self) -> Option<Time> {
        match &self.state {
            State::Down => None,
            State::Meeting { since, again } => Some((*again).min(*since + SILENCE)),
            State::Up(up) => Some(up.next_ping.min(up.heard + SILENCE)),
        }
    }

    /// The next frame to be sent over the connection.
    pub fn poll_frame(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn introduction(&mut self) -> Option<Introduction> {
        let counts = (self.outbox.released(), self.outbox.last());
        let (released, last) = match counts {
            (Ok(released), Ok(last)) => (released, last),
            (Err(error), _) | (_, Err(error)) => {
                self.fail(&error);
                return None;
            }
        };
        Some(Introduction {
            version: self.me.version,
            name: self.me.name.clone(),
            role: self.me.role.clone(),
            instance: self.me.instance,
            epoch: self.outbox.epoch(),
            released,
            last,
            have: self.inbound.map(|inbound| Position { epoch: inbound.epoch, number: inbound.taken }),
            detail: self.me.detail.clone(),
        })
    }

    /// Agrees with the other end on where to go on from, or refuses it.
    fn meet(&mut self, peer: Introduction, now: Time) {
        // What we have of the other end's is said before its hello changes it;
        // the count starts anew with a new epoch.
        let inbound = match self.inbound {
            Some(inbound) if inbound.epoch == peer.epoch => Inbound {
                seen: inbound.seen.max(peer.released),
                taken: inbound.taken.max(peer.released),
                ..inbound
            },
            _ => Inbound { epoch: peer.epoch, seen: peer.released, taken: peer.released },
        };
        if let Err(refusal) = self.check(&peer, inbound) {
            return self.refuse(refusal);
        }
        let resumed = match peer.have {
            Some(have) if have.epoch == self.outbox.epoch() => self.outbox.release(have.number),
            _ => Ok(()),
        };
        let acked = match resumed.and_then(|()| self.outbox.released()) {
            Ok(released) => released,
            Err(error) => return self.fail(&error),
        };
        self.inbound = Some(inbound);
        if !self.dials {
            let Some(introduction) = self.introduction() else { return };
            self.frames.push_back(Frame::Welcome(introduction));
        }
        match &mut self.state {
            // The welcome was lost; the link is as it was.
            State::Up(up) if up.instance == peer.instance => {
                up.heard = now;
                self.acknowledged(acked);
            }
            _ => {
                self.go_down(Gone::Broken);
                self.state = State::Up(Up {
                    instance: peer.instance,
                    heard: now,
                    next_ping: now,
                    acked,
                    sent: acked,
                    asked: None,
                    passing: 0,
                    estimator: Estimator::default(),
                });
                let from = Position { epoch: inbound.epoch, number: inbound.seen };
                self.events.push_back(Event::Up { peer, from });
                self.advance(now);
            }
        }
    }

    /// Whether the two can talk at all.
    fn check(&self, peer: &Introduction, inbound: Inbound) -> Result<(), Refusal> {
        let (us, them) = (self.me.name.as_str(), peer.name.as_str());
        if peer.last > HIGHEST {
            return Err(Refusal::new(
                Reason::Other,
                format!("`{them}` counts its messages beyond {HIGHEST}"),
            ));
        }
        if peer.version != self.me.version {
            return Err(Refusal::version((us, self.me.version), (them, peer.version)));
        }
        if peer.role != self.me.talks_to {
            let (our, their) = (&self.me.role, &peer.role);
            let text = format!(
                "`{us}` is a {our} that talks to a {}, and `{them}` is a {their}: check the endpoints",
                self.me.talks_to
            );
            return Err(Refusal::new(Reason::Role, text));
        }
        let lost = |has: &str, has_number: u64, sent: &str, sent_number: u64| {
            let text = format!(
                "`{has}` has message {has_number} of `{sent}`, which now knows only of {sent_number}: \
                 the journal of `{sent}` was replaced by an older copy; put the newer one back, or begin a new one"
            );
            Err(Refusal::new(Reason::Lost, text))
        };
        if peer.last < inbound.seen {
            return lost(us, inbound.seen, them, peer.last);
        }
        match (peer.have, self.outbox.last()) {
            (Some(have), Ok(last)) if have.epoch == self.outbox.epoch() && have.number > last => {
                lost(them, have.number, us, last)
            }
            _ => Ok(()),
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.go_down(Gone::Left);
        self.frames.clear();
        self.frames.push_back(Frame::Refuse(refusal.clone()));
        self.refused = true;
        self.events.push_back(Event::Refused(refusal));
    }

    /// What is said while the link is up.
    fn handle_talk(&mut self, frame: Frame, now: Time) {
        match frame {
            Frame::Data { number, payload } => self.receive(number, payload),
            Frame::Acknowledge { up_to } => self.acknowledged(up_to),
            Frame::Missing { after } => {
                if let State::Up(up) = &mut self.state
                    && (up.acked..up.sent).contains(&after)
                {
                    up.sent = after;
                    self.pump();
                }
            }
            Frame::Passing { payload } => self.events.push_back(Event::Passing(payload)),
            Frame::Ping { sent, last, taken } => {
                self.frames.push_back(Frame::Pong { ping: sent, received: now, sent: now });
                self.acknowledged(taken);
                if self.inbound.is_some_and(|inbound| last > inbound.seen) {
                    self.ask_again(true);
                }
            }
            Frame::Pong { ping, received, sent } => {
                if let State::Up(up) = &mut self.state {
                    let trip = RoundTrip { sent: ping, received, answered: sent, returned: now };
                    self.events.extend(up.estimator.add(trip).map(Event::Clock));
                }
            }
            Frame::Bye {} => {
                self.leave();
            }
            Frame::Hello(_) | Frame::Welcome(_) | Frame::Refuse(_) => {}
        }
    }

    fn receive(&mut self, number: u64, payload: Bytes) {
        let State::Up(up) = &mut self.state else { return };
        let Some(inbound) = &mut self.inbound else { return };
        if number == inbound.seen + 1 && number <= inbound.taken + WINDOW {
            inbound.seen = number;
            up.asked = None;
            self.events.push_back(Event::Message { at: Position { epoch: inbound.epoch, number }, payload });
        } else if number > inbound.seen {
            self.ask_again(false);
        }
    }

    /// Asks for what is missing: once for each gap, and again at a heartbeat.
    fn ask_again(&mut self, repeat: bool) {
        let State::Up(up) = &mut self.state else { return };
        let Some(inbound) = self.inbound else { return };
        if repeat || up.asked != Some(inbound.seen) {
            up.asked = Some(inbound.seen);
            self.frames.push_back(Frame::Missing { after: inbound.seen });
        }
    }

    fn acknowledged(&mut self, up_to: u64) {
        let State::Up(up) = &mut self.state else { return };
        // No more can be safe there than was ever sent.
        if up_to <= up.acked || self.outbox.last().is_ok_and(|last| up_to > last) {
            return;
        }
        match self.outbox.release(up_to) {
            Ok(()) => {
                up.acked = up_to;
                up.sent = up.sent.max(up_to);
                self.pump();
            }
            Err(error) => self.fail(&error),
        }
    }

    /// Sends from the outbox as much as the window allows.
    fn pump(&mut self) {
        let State::Up(up) = &mut self.state else { return };
        while up.sent < up.acked + WINDOW {
            let room = BATCH.min(up.acked + WINDOW - up.sent);
            let batch = match self.outbox.read(up.sent, room as usize) {
                Ok(batch) => batch,
                Err(error) => return self.fail(&error),
            };
            let Some((last, _)) = batch.last() else { return };
            up.sent = *last;
            let more = batch.len() as u64 == room;
            self.frames.extend(batch.into_iter().map(|(number, payload)| Frame::Data { number, payload }));
            if !more {
                return;
            }
        }
    }

    fn go_down(&mut self, why: Gone) {
        if matches!(self.state, State::Up(_)) {
            self.events.push_back(Event::Down(why));
        }
        self.state = State::Down;
    }

    fn fail(&mut self, error: &OutboxError) {
        self.events.push_back(Event::Failed(error.to_string()));
    }
}
