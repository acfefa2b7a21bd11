//! The thread of a dialer: it makes the connection again whenever it breaks.

use std::future::pending;
use std::time::{Duration, Instant};

use bramble_value::Name;
use tokio::task::JoinHandle;
use zeromq::ZmqMessage;

use super::core::{GOODBYE, Nonsense, may_answer, may_be_answered, read, say, until};
use super::out::{Out, Told};
use super::socket::{Connection, Dial, NoConnection};
use super::vigil::{Vigil, rest};
use super::{Order, Say, now};
use crate::protocol::{End, Frame, Me, Terms};

/// Between the end of a connection and the next try.
const PAUSE: Duration = Duration::from_millis(50);
/// Between a try to which nobody answered and the next.
const PAUSE_UNREACHED: Duration = Duration::from_millis(200);
/// Between a refusal and the next try.
const PAUSE_REFUSED: Duration = Duration::from_secs(1);

pub(super) async fn run(to: Dial, me: Me, terms: Terms, orders: flume::Receiver<Order>, out: Out) {
    let mut dialing = Dialing {
        to,
        end: End::dialing(me, terms),
        link: Link::None { until: Instant::now() },
        out,
        told: Told::default(),
        nonsense: Nonsense::default(),
        vigil: Vigil::default(),
        said: false,
    };
    let mut close_by = None;
    loop {
        dialing.redial();
        let wait = until(dialing.end.deadline()).min(dialing.link.pause());
        let wait =
            close_by.map_or(wait, |by: Instant| wait.min(by.saturating_duration_since(Instant::now())));
        let awake = dialing.vigil.is_kept(now());
        tokio::select! {
            order = orders.recv_async() => {
                // Without its user, a link ends.
                let first = order.unwrap_or(Order::Close(Instant::now()));
                for order in std::iter::once(first).chain(orders.try_iter().take(256)) {
                    match order {
                        Order::Line(_, what) => dialing.say(what),
                        Order::Describe(detail) => dialing.end.describe(detail),
                        Order::Close(by) => close_by = Some(by),
                    }
                }
            }
            change = dialing.link.change() => dialing.changed(change),
            () = rest(awake, wait) => {}
        }
        dialing.end.advance(now());
        dialing.flush().await;
        if close_by.is_some_and(|by| dialing.end.is_drained() || Instant::now() >= by) {
            return dialing.leave().await;
        }
    }
}

struct Dialing {
    to: Dial,
    end: End,
    link: Link,
    out: Out,
    told: Told,
    nonsense: Nonsense,
    vigil: Vigil,
    /// Something was said that may be answered, and is to be sent.
    said: bool,
}

/// How far the connection is.
enum Link {
    None { until: Instant },
    Connecting(JoinHandle<Result<Connection, NoConnection>>),
    Connected(Box<Connection>),
}

/// What happened to the connection.
enum Change {
    Connected(Connection),
    Message(ZmqMessage),
    /// With what is known of why.
    Ended(Option<NoConnection>),
}

impl Link {
    fn pause(&self) -> Duration {
        match self {
            Link::None { until } => until.saturating_duration_since(Instant::now()),
            _ => Duration::MAX,
        }
    }

    async fn change(&mut self) -> Change {
        match self {
            Link::None { .. } => pending().await,
            Link::Connecting(task) => match task.await {
                Ok(Ok(connection)) => Change::Connected(connection),
                Ok(Err(why)) => Change::Ended(Some(why)),
                Err(_) => Change::Ended(None),
            },
            Link::Connected(connection) => match connection.recv().await {
                Ok(message) => Change::Message(message),
                Err(why) => Change::Ended(why),
            },
        }
    }
}

impl Dialing {
    fn redial(&mut self) {
        let Link::None { until } = &mut self.link else { return };
        if Instant::now() < *until {
            return;
        }
        if self.out.is_full() {
            // Later there may be room for what the other end brings.
            *until = Instant::now() + PAUSE;
        } else {
            self.link = Link::Connecting(tokio::spawn(Connection::make(self.to.clone())));
        }
    }

    fn changed(&mut self, change: Change) {
        match change {
            Change::Connected(connection) => {
                self.link = Link::Connected(Box::new(connection));
                self.end.connected(now());
            }
            Change::Message(message) => self.receive(message),
            Change::Ended(None) => self.hang_up(PAUSE),
            Change::Ended(Some(why)) => {
                self.hang_up(if why.may_pass { PAUSE_UNREACHED } else { PAUSE_REFUSED });
                self.out.unreached(why.why, &mut self.told);
            }
        }
    }

    fn say(&mut self, what: Say) {
        self.said |= may_be_answered(&what);
        say(&mut self.end, what);
    }

    fn receive(&mut self, message: ZmqMessage) {
        let Some(bytes) = message.get(0) else { return };
        match read(bytes, b"the dialed agent", &mut self.nonsense) {
            Ok(Frame::Welcome(peer)) if self.is_posing(&peer.name) => {
                let why = format!(
                    "what listens at {} calls itself `{}`, and its certificate doesn't",
                    self.to.endpoint, peer.name
                );
                self.hang_up(PAUSE_REFUSED);
                self.out.unreached(why, &mut self.told);
            }
            Ok(frame) => {
                let now = now();
                if may_answer(&frame) {
                    self.vigil.heard(now);
                }
                self.end.handle(frame, now);
            }
            Err(Some(version)) => self.end.handle_other_version(version),
            Err(None) => {}
        }
    }

    /// Whether the certificate of the other agent has another name.
    fn is_posing(&self, name: &Name) -> bool {
        let Link::Connected(connection) = &self.link else { return false };
        connection.peer.as_ref().is_some_and(|peer| &peer.name != name)
    }

    fn hang_up(&mut self, pause: Duration) {
        self.end.disconnected();
        self.link = Link::None { until: Instant::now() + pause };
    }

    /// Sends what is to be sent and tells what is to be told.
    async fn flush(&mut self) {
        loop {
            if let Link::Connected(connection) = &mut self.link {
                let mut alive = true;
                while let Some(frame) = self.end.poll_frame(now()) {
                    alive = alive && connection.send(&frame).await;
                }
                if !alive || self.end.is_down() {
                    let refused = self.end.was_refused();
                    self.hang_up(if refused { PAUSE_REFUSED } else { PAUSE });
                }
            }
            if !self.out.drain(&mut self.end, &mut self.told) {
                break;
            }
            // It is a talk, which may go on.
            self.said = true;
        }
        // Now that it is on its way, an answer may come.
        if std::mem::take(&mut self.said) {
            self.vigil.said(now());
        }
    }

    /// Says goodbye, and waits a moment for the answer: what was sent before has
    /// then arrived.
    async fn leave(mut self) {
        self.end.leave();
        let Link::Connected(connection) = &mut self.link else { return };
        while let Some(frame) = self.end.poll_frame(now()) {
            connection.send(&frame).await;
        }
        let goodbye = async {
            while let Ok(message) = connection.recv().await {
                if message.get(0).is_some_and(|bytes| matches!(Frame::decode(bytes), Ok(Frame::Bye {}))) {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(GOODBYE, goodbye).await;
        self.out.drain(&mut self.end, &mut self.told);
    }
}
