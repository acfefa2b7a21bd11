//! How a link's thread is told what to say, from any other.

use std::time::{Duration, Instant};

use bramble_value::Name;
use bytes::Bytes;
use thiserror::Error;

use super::out::MOST_WAITING;
use crate::protocol::Position;

/// What was said on a line and went nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LineError {
    /// The link has ended.
    #[error("the link has ended")]
    Closed,
    /// The message could not be put where it waits for the agent, and won't arrive.
    #[error("{0}")]
    NotQueued(String),
}

/// What a link is told to do.
#[derive(Debug)]
pub(super) enum Order {
    /// For one line; a dialer has one, without a name.
    Line(Option<Name>, Say),
    /// What is told first, from now on.
    Describe(Bytes),
    /// End, but not later than this.
    Close(Instant),
}

/// What a line is told to do.
#[derive(Debug)]
pub(super) enum Say {
    /// The answer tells whether it is in the outbox.
    Send(Bytes, flume::Sender<Result<(), String>>),
    More,
    Passing(Bytes),
    Taken(Position),
}

/// How to speak to one other agent, from any thread. It may be gone for a while,
/// or not have been there yet.
#[derive(Debug, Clone)]
pub struct Line {
    pub(super) orders: flume::Sender<Order>,
    /// A dialer's line has none.
    pub(super) peer: Option<Name>,
}

/// How long a sender waits before it looks whether the link is still there.
const LOOK: Duration = Duration::from_millis(100);

impl Line {
    /// Sends a message that arrives once and in order: now, or when the agent is
    /// back. When this returns, the message is in the outbox; it waits for the
    /// link's thread, which takes some 10 us.
    ///
    /// # Errors
    /// When the link has ended, or the outbox has no room or can't be written:
    /// then the message won't arrive.
    pub fn send(&self, payload: impl Into<Bytes>) -> Result<(), LineError> {
        let (say, handed_over) = self.handing_over(payload.into());
        self.say(say)?;
        handed_over.wait()
    }

    /// As [`Line::send`], and never waits for the link's thread. Dropping what it returns
    /// takes nothing back; a message that was not queued is then an
    /// [`Event::Failed`](super::Event::Failed), and one that the link ended before is lost.
    ///
    /// # Errors
    /// When the link has ended, or its thread is so far behind that no more is handed over.
    pub fn hand_over(&self, payload: impl Into<Bytes>) -> Result<HandedOver, LineError> {
        let (say, handed_over) = self.handing_over(payload.into());
        match self.orders.try_send(Order::Line(self.peer.clone(), say)) {
            Ok(()) => Ok(handed_over),
            Err(flume::TrySendError::Full(_)) => {
                let why = format!("{MOST_WAITING} orders wait for the link's thread already");
                Err(LineError::NotQueued(why))
            }
            Err(flume::TrySendError::Disconnected(_)) => Err(LineError::Closed),
        }
    }

    fn handing_over(&self, payload: Bytes) -> (Say, HandedOver) {
        let (answer, answered) = flume::bounded(1);
        (Say::Send(payload, answer), HandedOver { answered, orders: self.orders.clone() })
    }

    /// The outbox's journal has got more: send it.
    ///
    /// # Errors
    /// When the link has ended.
    pub fn more(&self) -> Result<(), LineError> {
        self.say(Say::More)
    }

    /// Sends a message that may be lost, and is when the agent is gone, or the link's
    /// thread is far behind. It never waits.
    ///
    /// # Errors
    /// When the link has ended.
    pub fn passing(&self, payload: impl Into<Bytes>) -> Result<(), LineError> {
        let order = Order::Line(self.peer.clone(), Say::Passing(payload.into()));
        match self.orders.try_send(order) {
            Ok(()) | Err(flume::TrySendError::Full(_)) => Ok(()),
            Err(flume::TrySendError::Disconnected(_)) => Err(LineError::Closed),
        }
    }

    /// The message at `at`, and all before it, are safe here: the agent may let
    /// go of them.
    ///
    /// # Errors
    /// When the link has ended.
    pub fn taken(&self, at: Position) -> Result<(), LineError> {
        self.say(Say::Taken(at))
    }

    fn say(&self, say: Say) -> Result<(), LineError> {
        self.orders.send(Order::Line(self.peer.clone(), say)).map_err(|_| LineError::Closed)
    }
}

/// A message that the link's thread was given, to be put into the outbox.
#[derive(Debug)]
pub struct HandedOver {
    answered: flume::Receiver<Result<(), String>>,
    orders: flume::Sender<Order>,
}

impl HandedOver {
    /// Waits until it is in the outbox.
    ///
    /// # Errors
    /// As those of [`Line::send`].
    pub fn wait(self) -> Result<(), LineError> {
        loop {
            match self.answered.recv_timeout(LOOK) {
                Ok(queued) => return queued.map_err(LineError::NotQueued),
                // An order that the thread left behind when it ended stays in the queue.
                Err(flume::RecvTimeoutError::Timeout) if !self.orders.is_disconnected() => {}
                Err(_) => return Err(LineError::Closed),
            }
        }
    }

    /// As [`HandedOver::wait`], in asynchronous code.
    ///
    /// # Errors
    /// As those of [`Line::send`].
    pub async fn queued(self) -> Result<(), LineError> {
        loop {
            if let Ok(answered) = tokio::time::timeout(LOOK, self.answered.recv_async()).await {
                return answered.map_err(|_| LineError::Closed)?.map_err(LineError::NotQueued);
            }
            // As in `wait`.
            if self.orders.is_disconnected() {
                return Err(LineError::Closed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line to a link whose thread takes no orders.
    fn standing_still(orders: &flume::Sender<Order>) -> Line {
        Line { orders: orders.clone(), peer: None }
    }

    #[test]
    fn nobody_who_hands_over_waits_for_a_link_that_stands_still() {
        let (orders, waiting) = flume::bounded(MOST_WAITING);
        let line = standing_still(&orders);
        for _ in 0..MOST_WAITING {
            line.hand_over("one").unwrap();
        }
        let full = line.hand_over("one too many").unwrap_err();
        assert!(matches!(&full, LineError::NotQueued(why) if why.contains("4096 orders wait")), "{full}");
        assert_eq!(line.passing("lost"), Ok(()));
        assert_eq!(waiting.len(), MOST_WAITING);
        drop(waiting);
        assert_eq!(line.hand_over("to nobody").unwrap_err(), LineError::Closed);
    }

    #[test]
    fn what_was_handed_over_to_a_link_that_ended_is_known_to_be_lost() {
        let (orders, waiting) = flume::bounded(MOST_WAITING);
        let handed_over = standing_still(&orders).hand_over("the last").unwrap();
        drop(waiting);
        assert_eq!(handed_over.wait(), Err(LineError::Closed));
    }
}
