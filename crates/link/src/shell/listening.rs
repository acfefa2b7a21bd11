//! The thread of a listener: one end for each agent that ever came.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use bramble_value::{Name, Time};
use bytes::Bytes;
use zeromq::{RouterSocket, Socket, SocketRecv, ZmqMessage};

use super::bind::Bound;
use super::core::{GOODBYE, Nonsense, may_answer, may_be_answered, read, say, until};
use super::out::{Out, Strangers, Told};
use super::socket::{deliver, name_in, watch};
use super::vigil::{Vigil, rest};
use super::{Event, Order, now};
use crate::protocol::{End, Frame, Introduction, Me, Reason, Refusal, Terms};

/// The most agents that are talked to by one.
const MOST_PEERS: usize = 1024;

/// The most messages that are taken in before anything is sent.
const MOST_AT_ONCE: usize = 64;

/// What an agent is talked to with, or why it is not.
pub(super) type MakeTerms = Box<dyn FnMut(&Name) -> Result<Terms, String> + Send>;

pub(super) async fn run(
    bound: Bound,
    me: Me,
    terms: MakeTerms,
    orders: flume::Receiver<Order>,
    mut out: Out,
) {
    let mut socket = RouterSocket::new();
    let ended = watch(&mut socket);
    let Bound { sockets, gate, folder, .. } = bound;
    let mut endpoints = Vec::new();
    for listener in sockets {
        match socket.bind_listener(listener).await {
            Ok(endpoint) => endpoints.push(endpoint),
            Err(error) => {
                return out.tell(Event::Failed { peer: None, why: format!("can't listen: {error}") });
            }
        }
    }
    let letting_in = gate.map(|(gate, door)| {
        tokio::spawn(async {
            if let Err(error) = gate.run(door).await {
                tracing::error!("no agent of the network is let in: {error}");
            }
        })
    });
    let mut listening = Listening {
        me,
        terms,
        socket,
        peers: HashMap::new(),
        routes: HashMap::new(),
        agenda: BTreeSet::new(),
        touched: BTreeSet::new(),
        out,
        strangers: Strangers::default(),
        nonsense: Nonsense::default(),
        awake: BTreeSet::new(),
    };
    let mut close_by = None;
    loop {
        let wait = until(listening.agenda.first().map(|(due, _)| *due));
        let wait =
            close_by.map_or(wait, |by: Instant| wait.min(by.saturating_duration_since(Instant::now())));
        let awake = listening.is_awake();
        tokio::select! {
            order = orders.recv_async() => {
                // Without its user, a link ends.
                let first = order.unwrap_or(Order::Close(Instant::now()));
                for order in std::iter::once(first).chain(orders.try_iter().take(256)) {
                    match order {
                        Order::Line(Some(name), what) => listening.say(&name, what),
                        Order::Line(None, _) => {}
                        Order::Describe(detail) => listening.describe(&detail),
                        Order::Close(by) => close_by = Some(by),
                    }
                }
            }
            message = listening.socket.recv() => {
                let mut next = message.ok();
                let mut taken = 0;
                while let Some(message) = next {
                    listening.receive(message).await;
                    taken += 1;
                    // Nothing is taken out that is not received.
                    next = if taken < MOST_AT_ONCE { listening.ready().await } else { None };
                }
            }
            Ok(route) = ended.recv_async() => listening.lost(&route),
            () = rest(awake, wait) => {}
        }
        listening.flush().await;
        if close_by.is_some_and(|by| listening.is_drained() || Instant::now() >= by) {
            break;
        }
    }
    listening.leave().await;
    if let Some(letting_in) = letting_in {
        letting_in.abort();
    }
    // The sockets' files are gone when this returns.
    for endpoint in endpoints {
        if let Err(error) = listening.socket.unbind(endpoint).await {
            tracing::debug!(%error, "an endpoint was not let go of");
        }
    }
    drop(folder);
}

/// One agent that came, or that something waits for.
struct Peer {
    end: End,
    /// The connection it is on.
    route: Option<Bytes>,
    told: Told,
    /// When it is on the agenda.
    due: Option<Time>,
    vigil: Vigil,
    /// Something was said that may be answered, and is to be sent.
    said: bool,
}

struct Listening {
    me: Me,
    terms: MakeTerms,
    socket: RouterSocket,
    peers: HashMap<Name, Peer>,
    routes: HashMap<Bytes, Name>,
    /// Those with something to do at a time.
    agenda: BTreeSet<(Time, Name)>,
    /// Those with something to do now.
    touched: BTreeSet<Name>,
    out: Out,
    /// What was told of agents that aren't among the peers.
    strangers: Strangers,
    nonsense: Nonsense,
    /// Those that an answer is waited for from, awake.
    awake: BTreeSet<Name>,
}

impl Listening {
    /// The agent of that name, known from now on if its name is acceptable.
    fn peer(&mut self, name: &Name) -> Result<&mut Peer, Refusal> {
        if !self.peers.contains_key(name) {
            if self.peers.len() >= MOST_PEERS {
                let text = format!("`{}` talks to {MOST_PEERS} agents already", self.me.name);
                return Err(Refusal::new(Reason::Other, text));
            }
            let terms = (self.terms)(name).map_err(|why| Refusal::new(Reason::Unknown, why))?;
            let told = Told::of(name.clone());
            let peer = Peer {
                end: End::listening(self.me.clone(), terms),
                route: None,
                told,
                due: None,
                vigil: Vigil::default(),
                said: false,
            };
            self.peers.insert(name.clone(), peer);
        }
        self.touched.insert(name.clone());
        Ok(self.peers.get_mut(name).expect("was there or has just been put there"))
    }

    /// Whether an answer is waited for awake, from any agent.
    fn is_awake(&mut self) -> bool {
        let (peers, now) = (&mut self.peers, now());
        self.awake.retain(|name| peers.get_mut(name).is_some_and(|peer| peer.vigil.is_kept(now)));
        !self.awake.is_empty()
    }

    /// The next message, where there is one now.
    async fn ready(&mut self) -> Option<ZmqMessage> {
        tokio::select! {
            biased;
            message = self.socket.recv() => message.ok(),
            () = std::future::ready(()) => None,
        }
    }

    fn say(&mut self, name: &Name, what: super::Say) {
        match self.peer(name) {
            Ok(peer) => {
                peer.said |= may_be_answered(&what);
                say(&mut peer.end, what);
            }
            Err(refusal) if let super::Say::Send(_, answer) = what => {
                // Whoever asked may not wait for the answer.
                if let Err(flume::SendError(Err(why))) = answer.send(Err(refusal.text)) {
                    self.out.tell(Event::Failed { peer: Some(name.clone()), why });
                }
            }
            Err(refusal) => self.out.tell(Event::Failed { peer: Some(name.clone()), why: refusal.text }),
        }
    }

    fn describe(&mut self, detail: &Bytes) {
        self.me.detail = detail.clone();
        for peer in self.peers.values_mut() {
            peer.end.describe(detail.clone());
        }
    }

    async fn receive(&mut self, message: ZmqMessage) {
        let (Some(route), Some(bytes)) = (message.get(0), message.get(1)) else { return };
        match read(bytes, route, &mut self.nonsense) {
            Ok(Frame::Hello(peer)) => {
                if let Err(refusal) = self.meet(route, peer) {
                    self.refuse(route, refusal).await;
                }
            }
            Ok(frame) => {
                let Some(name) = self.routes.get(route) else { return };
                let now = now();
                if let Some(peer) = self.peers.get_mut(name) {
                    if may_answer(&frame) {
                        peer.vigil.heard(now);
                    }
                    peer.end.handle(frame, now);
                    if !self.touched.contains(name) {
                        self.touched.insert(name.clone());
                    }
                }
            }
            Err(Some(version)) => {
                let them = name_in(route).map_or("the dialing agent".to_owned(), |name| name.to_string());
                let refusal = Refusal::version((self.me.name.as_str(), self.me.version), (&them, version));
                self.refuse(route, refusal).await;
            }
            Err(None) => {}
        }
    }

    /// Lets a hello through to the end that it is for.
    fn meet(&mut self, route: &Bytes, hello: Introduction) -> Result<(), Refusal> {
        let name = hello.name.clone();
        if name_in(route).as_ref() != Some(&name) {
            let text =
                format!("`{name}` has another name in its ZeroMQ identity, which has to begin with `{name}`");
            return Err(Refusal::new(Reason::Other, text));
        }
        if self.out.is_full() {
            // It says hello again, and by then there may be room for what it brings.
            return Ok(());
        }
        let ours = self.me.name.clone();
        let peer = self.peer(&name)?;
        if peer.route.as_ref() != Some(route) {
            if peer.end.is_up() && peer.end.instance() != Some(hello.instance) {
                let text = format!(
                    "another agent named `{name}` is linked to `{ours}`: give one of the two another name, or stop it"
                );
                return Err(Refusal::new(Reason::NameTaken, text));
            }
            peer.end.connected(now());
            let before = peer.route.replace(route.clone());
            before.and_then(|before| self.routes.remove(&before));
            self.routes.insert(route.clone(), name.clone());
        }
        if let Some(peer) = self.peers.get_mut(&name) {
            peer.end.handle(Frame::Hello(hello), now());
        }
        Ok(())
    }

    /// Refuses a connection that has no end.
    async fn refuse(&mut self, route: &Bytes, refusal: Refusal) {
        send(&mut self.socket, route, &Frame::Refuse(refusal.clone())).await;
        self.out.turned_away(refusal, &mut self.strangers, now());
    }

    fn lost(&mut self, route: &Bytes) {
        let Some(name) = self.routes.remove(route) else { return };
        if let Some(peer) = self.peers.get_mut(&name) {
            peer.end.disconnected();
            peer.route = None;
            self.touched.insert(name);
        }
    }

    /// Does what is due, sends what is to be sent and tells what is to be told.
    async fn flush(&mut self) {
        let now = now();
        while let Some((_, name)) = self.agenda.first().filter(|(due, _)| *due <= now).cloned() {
            self.agenda.pop_first();
            if let Some(peer) = self.peers.get_mut(&name) {
                peer.due = None;
            }
            self.touched.insert(name);
        }
        while let Some(name) = self.touched.pop_first() {
            if let Some(route) = self.attend(&name).await {
                self.lost(&route);
            }
        }
    }

    /// As [`Listening::flush`], for one agent. Returns its connection where that is lost.
    async fn attend(&mut self, name: &Name) -> Option<Bytes> {
        let peer = self.peers.get_mut(name)?;
        peer.end.advance(now());
        let mut lost = None;
        loop {
            while let Some(frame) = peer.end.poll_frame(now()) {
                let Some(route) = &peer.route else { continue };
                if !send(&mut self.socket, route, &frame).await {
                    lost = Some(route.clone());
                    break;
                }
            }
            if !self.out.drain(&mut peer.end, &mut peer.told) || lost.is_some() {
                break;
            }
            // It is a talk, which may go on.
            peer.said = true;
        }
        // Now that it is on its way, an answer may come.
        if std::mem::take(&mut peer.said) {
            let now = now();
            peer.vigil.said(now);
            if peer.vigil.is_kept(now) && !self.awake.contains(name) {
                self.awake.insert(name.clone());
            }
        }
        let due = peer.end.deadline();
        if due != peer.due {
            if let Some(before) = std::mem::replace(&mut peer.due, due) {
                self.agenda.remove(&(before, name.clone()));
            }
            self.agenda.extend(due.map(|due| (due, name.clone())));
        }
        lost
    }

    /// Whether all agents that are there have everything.
    fn is_drained(&self) -> bool {
        self.peers.values().all(|peer| !peer.end.is_up() || peer.end.is_drained())
    }

    /// Says goodbye to all, and waits a moment for their answers: what was sent
    /// before has then arrived.
    async fn leave(&mut self) {
        let mut waiting = 0;
        for (name, peer) in self.peers.iter_mut().filter(|(_, peer)| peer.end.is_up()) {
            peer.end.leave();
            self.touched.insert(name.clone());
            waiting += 1;
        }
        self.flush().await;
        let goodbyes = async {
            while waiting > 0 {
                let Ok(message) = self.socket.recv().await else { return };
                if message.get(1).is_some_and(|bytes| matches!(Frame::decode(bytes), Ok(Frame::Bye {}))) {
                    waiting -= 1;
                }
            }
        };
        let _ = tokio::time::timeout(GOODBYE, goodbyes).await;
    }
}

async fn send(socket: &mut RouterSocket, route: &Bytes, frame: &Frame) -> bool {
    let mut message = ZmqMessage::from(frame.encode());
    message.push_front(route.clone());
    deliver(socket, message).await
}
