//! The protocol over ZeroMQ, in a thread of its own.
//!
//! A thread owns the sockets and the ends, on a tokio runtime of one thread,
//! which is the fastest for ZeroMQ. Users hold the two ends of two queues:
//! orders go in, events come out. Of orders at most 4096 wait; then a sender
//! does, unless it only hands over, which is refused. Of events as many messages
//! wait as the window of each peer allows; of the others that may be lost no more
//! than 4096, and no link comes up while so many wait.
//!
//! Who hears on the link's own thread ([`dial_hearing`]) has no queue: each event is
//! told as it comes, and nothing waits here. Messages are still bounded by the window,
//! as long as [`Line::taken`] is told no sooner than they are done with. What else the
//! ear keeps of what it hears, it has to bound itself.

mod bind;
mod core;
mod dialing;
mod finding;
mod line;
mod listening;
mod out;
mod socket;
mod vigil;

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bramble_identity::{Agent, Role, RoleError};
use bramble_value::{Name, Time};
use bytes::Bytes;
use thiserror::Error;
use uuid::Uuid;

use crate::clock::Clock;
use crate::endpoint::Endpoint;
use crate::place::Place;
use crate::protocol::{Gone, Me, Position, Refusal, Terms};
pub use line::{HandedOver, Line, LineError};
use line::{Order, Say};
use listening::MakeTerms;
use out::Out;
pub use out::Reply;

/// What happened on a link.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An agent is there.
    Up {
        /// Its name.
        peer: Name,
        /// This run of its process.
        instance: Uuid,
        /// Its messages go on after this one.
        from: Position,
        /// What it tells first.
        detail: Bytes,
    },
    /// An agent is gone.
    Down {
        /// Its name.
        peer: Name,
        /// How that is known.
        why: Gone,
    },
    /// The agent that was dialed, or one that dialed, is not talked to. A dialer keeps trying, and
    /// says so again only when the reason changes, and ever more rarely where reasons take turns. A
    /// listener says so again every 5 s while others keep trying.
    Refused(Refusal),
    /// The agent that is dialed can't be reached, or doesn't let us in. It is
    /// tried again, and told again only when the reason changes, and ever more rarely where
    /// reasons take turns.
    Unreached {
        /// Why, in a sentence.
        why: String,
    },
    /// A message, once and in order. Tell [`Line::taken`] when it is safe.
    Message {
        /// Who sent it.
        peer: Name,
        /// Which one it is.
        at: Position,
        /// What it says.
        payload: Bytes,
    },
    /// A message of the kind that may be lost.
    Passing {
        /// Who sent it.
        peer: Name,
        /// What it says.
        payload: Bytes,
    },
    /// What an agent's monotonic clock says against ours, about twice a second.
    Clock {
        /// The agent.
        peer: Name,
        /// The estimate.
        clock: Clock,
    },
    /// What waits for an agent can't be read or written; it is tried again.
    Failed {
        /// The agent, where its name is known.
        peer: Option<Name>,
        /// What is wrong, in a sentence.
        why: String,
    },
}

/// A link that can't be begun.
#[derive(Debug, Error)]
pub enum LinkError {
    /// Somebody answers there already.
    #[error("another agent is already running at {0}: stop that one, or choose another endpoint")]
    AlreadyRunning(Endpoint),
    /// There is a file of another kind.
    #[error(
        "can't listen at {0}: there is a file that is no socket; move it away, or choose another endpoint"
    )]
    NotASocket(Endpoint),
    /// The system doesn't let us.
    #[error("can't listen at {endpoint}: {why}; {}", what_to_check(endpoint, why))]
    CantListen {
        /// Where.
        endpoint: Endpoint,
        /// What the system said.
        why: std::io::Error,
    },
    /// It can be dialed only.
    #[error("`{0}` says where to dial, and this agent is to listen: write `tcp://0.0.0.0:5600`")]
    OnlyToDial(Endpoint),
    /// Only enrolled agents are there.
    #[error(
        "the {me} isn't enrolled, and {endpoint} is for enrolled agents only: on the terminal run \
         `bramble-terminal invite {}{}`, and here `bramble-{} join TERMINAL CODE`; agents of one \
         user on one computer can use a Unix socket instead, ipc:///path/to.sock",
        me.name, if me.role == Role::Child { " --child" } else { "" }, me.role
    )]
    NotEnrolled {
        /// Where.
        endpoint: Endpoint,
        /// Who.
        me: Agent,
    },
    /// The identity is another agent's.
    #[error(
        "the keys here are those of the {found}, and this is the {me}: let it join under this name, or give it that one"
    )]
    OthersKeys {
        /// Whose keys they are.
        found: Agent,
        /// Who this is.
        me: Agent,
    },
    /// It is none of the agents that a swarm has.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// No thread could be started.
    #[error("can't start the link's thread: {0}")]
    NoThread(std::io::Error),
}

/// What a person can do where an agent can't listen.
fn what_to_check(endpoint: &Endpoint, why: &std::io::Error) -> &'static str {
    match (endpoint, why.kind()) {
        (Endpoint::Ipc(_), _) => "check that the folder exists and that this user may write there",
        (_, std::io::ErrorKind::PermissionDenied) => {
            "ports below 1024 are the system's: choose another, as in tcp://0.0.0.0:5600"
        }
        _ => {
            "check that this is an address of this computer, or listen at all of them, as in tcp://0.0.0.0:5600"
        }
    }
}

/// The link has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the link has ended")]
pub struct Closed;

/// What happens on a link, in its order. Clones share one queue: an event goes
/// to one of them.
#[derive(Debug, Clone)]
pub struct Events(flume::Receiver<Event>);

impl Events {
    /// Waits for the next event.
    ///
    /// # Errors
    /// When the link has ended and nothing is left.
    pub fn recv(&self) -> Result<Event, Closed> {
        self.0.recv().map_err(|_| Closed)
    }

    /// Waits for the next event in asynchronous code. Nothing is lost when the
    /// future is dropped.
    ///
    /// # Errors
    /// When the link has ended and nothing is left.
    pub async fn next(&self) -> Result<Event, Closed> {
        self.0.recv_async().await.map_err(|_| Closed)
    }

    /// Waits for the next event, but not longer than `most`; `None` when none came.
    ///
    /// # Errors
    /// When the link has ended and nothing is left.
    pub fn recv_timeout(&self, most: Duration) -> Result<Option<Event>, Closed> {
        match self.0.recv_timeout(most) {
            Ok(event) => Ok(Some(event)),
            Err(flume::RecvTimeoutError::Timeout) => Ok(None),
            Err(flume::RecvTimeoutError::Disconnected) => Err(Closed),
        }
    }

    /// The next event if there is one now.
    ///
    /// # Errors
    /// When the link has ended and nothing is left.
    pub fn try_recv(&self) -> Result<Option<Event>, Closed> {
        match self.0.try_recv() {
            Ok(event) => Ok(Some(event)),
            Err(flume::TryRecvError::Empty) => Ok(None),
            Err(flume::TryRecvError::Disconnected) => Err(Closed),
        }
    }
}

/// The link's thread, and the way to it.
#[derive(Debug)]
struct Thread {
    orders: flume::Sender<Order>,
    handle: Option<JoinHandle<()>>,
}

impl Thread {
    fn start(
        name: &str,
        body: impl FnOnce(flume::Receiver<Order>, tokio::runtime::Runtime) + Send + 'static,
    ) -> Result<Thread, LinkError> {
        let (orders, orders_in) = flume::bounded(out::MOST_WAITING);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(LinkError::NoThread)?;
        let handle = std::thread::Builder::new()
            .name(format!("link-{name}"))
            .spawn(move || body(orders_in, runtime))
            .map_err(LinkError::NoThread)?;
        Ok(Thread { orders, handle: Some(handle) })
    }

    fn close(&mut self, within: Duration) {
        if let Some(handle) = self.handle.take() {
            let _ = self.orders.send(Order::Close(Instant::now() + within));
            let _ = handle.join();
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
    }
}

/// A link to the agent at an endpoint. Dropping it ends the link without waiting
/// for what isn't acknowledged.
#[derive(Debug)]
pub struct Dialer(Thread);

impl Dialer {
    /// How to speak to the agent.
    pub fn line(&self) -> Line {
        Line { orders: self.0.orders.clone(), peer: None }
    }

    /// Changes what the agent is told first, from the next time on that the link
    /// comes up.
    pub fn describe(&self, detail: impl Into<Bytes>) {
        let _ = self.0.orders.send(Order::Describe(detail.into()));
    }

    /// Ends the link, and waits for at most `within` until the agent has
    /// acknowledged everything.
    pub fn close(mut self, within: Duration) {
        self.0.close(within);
    }
}

/// The link to all agents that dial an endpoint. Dropping it ends the link
/// without waiting for what isn't acknowledged.
#[derive(Debug)]
pub struct Listener {
    thread: Thread,
    endpoint: Endpoint,
}

impl Listener {
    /// How to speak to one agent.
    pub fn line(&self, peer: &Name) -> Line {
        Line { orders: self.thread.orders.clone(), peer: Some(peer.clone()) }
    }

    /// Where it listens, with the port that was free.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Changes what agents are told first, from the next time on that they come.
    pub fn describe(&self, detail: impl Into<Bytes>) {
        let _ = self.thread.orders.send(Order::Describe(detail.into()));
    }

    /// Ends the link, and waits for at most `within` until all agents that are
    /// there have acknowledged everything.
    pub fn close(mut self, within: Duration) {
        self.thread.close(within);
    }
}

/// Begins a link to the agent at a place, which needn't be there yet. The link is
/// made again whenever it breaks.
///
/// # Errors
/// When the place is on the network and the agent isn't enrolled, or no thread can be
/// started.
pub fn dial(place: impl Into<Place>, me: Me, terms: Terms) -> Result<(Dialer, Events), LinkError> {
    let (queue, events) = flume::unbounded();
    Ok((dial_to(place.into(), me, terms, Out::Queue(queue))?, Events(events)))
}

/// As [`dial`], and `hear` is given each event on the link's own thread, which spares the
/// time to wake another. What it returns is said at once. The link waits for it,
/// so it should do nothing that takes long, and must not wait for a [`Line`] of this link.
///
/// # Errors
/// As those of [`dial`].
pub fn dial_hearing(
    place: impl Into<Place>,
    me: Me,
    terms: Terms,
    hear: impl FnMut(Event) -> Option<Reply> + Send + 'static,
) -> Result<Dialer, LinkError> {
    dial_to(place.into(), me, terms, Out::Ear(Box::new(hear)))
}

fn dial_to(place: Place, me: Me, terms: Terms, out: Out) -> Result<Dialer, LinkError> {
    let agent = Agent::new(me.role.parse()?, me.name.clone());
    let (role, way) = (me.talks_to.parse()?, place.way(agent)?);
    let name = me.name.clone();
    let Place { endpoint, revocations, .. } = place;
    let to = socket::Dial { endpoint, way, me: name.clone(), role, revocations };
    let thread = Thread::start(name.as_str(), move |orders, runtime| {
        runtime.block_on(dialing::run(to, me, terms, orders, out));
    })?;
    Ok(Dialer(thread))
}

/// Begins to listen at a place. `terms` says once for each agent that comes, or is
/// sent something, what it is talked to with; or a sentence on why it is not talked
/// to at all. It is called on the link's thread.
///
/// # Errors
/// When the place is on the network and the agent isn't enrolled, somebody listens there
/// already, or the system doesn't let us.
pub fn listen(
    place: impl Into<Place>,
    me: Me,
    terms: impl FnMut(&Name) -> Result<Terms, String> + Send + 'static,
) -> Result<(Listener, Events), LinkError> {
    let (queue, events) = flume::unbounded();
    Ok((listen_to(place.into(), me, Box::new(terms), Out::Queue(queue))?, Events(events)))
}

/// As [`listen`], and `hear` is given each event as by [`dial_hearing`]. What it returns is
/// said to the agent that the event is of.
///
/// # Errors
/// As those of [`listen`].
pub fn listen_hearing(
    place: impl Into<Place>,
    me: Me,
    terms: impl FnMut(&Name) -> Result<Terms, String> + Send + 'static,
    hear: impl FnMut(Event) -> Option<Reply> + Send + 'static,
) -> Result<Listener, LinkError> {
    listen_to(place.into(), me, Box::new(terms), Out::Ear(Box::new(hear)))
}

fn listen_to(place: Place, me: Me, terms: MakeTerms, out: Out) -> Result<Listener, LinkError> {
    let agent = Agent::new(me.role.parse()?, me.name.clone());
    let bound = bind::bind(place, agent, me.talks_to.parse()?)?;
    let (name, endpoint) = (me.name.clone(), bound.endpoint.clone());
    let thread = Thread::start(name.as_str(), move |orders, runtime| {
        runtime.block_on(listening::run(bound, me, terms, orders, out));
    })?;
    Ok(Listener { thread, endpoint })
}

/// The time on this computer's monotonic clock, which links and agents share.
pub fn now() -> Time {
    let monotonic = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC);
    // Linux has had this clock since 2.6.
    let monotonic = Duration::from(monotonic.expect("the system has a monotonic clock"));
    // Wide enough for 292 years after the computer was switched on.
    Time::from_ns(monotonic.as_nanos() as i64)
}
