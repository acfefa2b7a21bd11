//! Two agents on a simulated network and virtual clocks. The network loses,
//! repeats, reorders and delays frames, cuts either direction, and breaks
//! connections with either side knowing early, late or never; agents stop for a
//! while, leave, and crash with the loss of what was not synced.

mod agent;
mod disk;
mod seeds;

use std::collections::BTreeMap;

use bramble_value::{Random, Seed, Span, Time};

use super::*;

pub(super) use agent::{Agent, NEVER, me};

/// How bad the network is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Network {
    pub(super) lost: f64,
    pub(super) repeated: f64,
    /// The mean delay in milliseconds.
    pub(super) delay_ms: f64,
    /// What was sent first arrives first, as on a TCP connection.
    pub(super) ordered: bool,
}

pub(super) const GOOD: Network = Network { lost: 0.0, repeated: 0.0, delay_ms: 0.2, ordered: true };

/// Everything arrives at once and in order, as on a socket of one computer.
pub(super) const SOCKET: Network = Network { lost: 0.0, repeated: 0.0, delay_ms: 0.0, ordered: true };

/// One direction of the network is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) until: Time,
    /// What is sent meanwhile is lost, and doesn't come later.
    pub(super) loses: bool,
}

/// What is under way to an agent, on a connection.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "few are under way, and nearly all of them are frames")]
enum Flight {
    Frame(Frame),
    /// The connection has ended.
    End,
}

/// A pilot (0), a terminal (1), and what is between them.
pub(super) struct World {
    pub(super) now: Time,
    pub(super) agents: [Agent; 2],
    pub(super) network: Network,
    pub(super) random: Random,
    /// The direction from each agent.
    pub(super) cuts: [Option<Cut>; 2],
    /// By when it arrives: to whom, on which connection.
    under_way: BTreeMap<(Time, u64), (usize, u64, Flight)>,
    count: u64,
    /// When the last frame arrives at each agent.
    last: [Time; 2],
    /// The connection that each agent has, as far as it knows.
    connections: [Option<u64>; 2],
    connected: u64,
    /// Connections up to this one carry nothing more.
    broken: u64,
    /// When the pilot dials anew, where it has no connection.
    redial: Time,
    /// Agents make what comes safe at once.
    pub(super) diligent: bool,
    /// What happened, where somebody wants to read it.
    pub(super) trace: Option<Vec<String>>,
}

/// Between the end of a connection and the next try, as the shell has it.
const PAUSE: Span = Span::from_ms(50);
/// The same after a refusal.
const PAUSE_REFUSED: Span = Span::from_s(1);

impl World {
    pub(super) fn new(seed: u64, network: Network, pilot: Me, terminal: Me) -> World {
        let now = Time::from_ns(1);
        World {
            now,
            agents: [Agent::new(true, pilot), Agent::new(false, terminal)],
            network,
            random: Random::new(Seed(seed), "network", 0),
            cuts: [None; 2],
            under_way: BTreeMap::new(),
            count: 0,
            last: [now; 2],
            connections: [None; 2],
            connected: 0,
            broken: 0,
            redial: now,
            diligent: false,
            trace: None,
        }
    }

    pub(super) fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:13.6} {}", self.now.ns() as f64 / 1e9, what()));
        }
    }

    /// The connection carries nothing more; the agents learn of it after these spans.
    pub(super) fn break_connection_and_tell(&mut self, after: [Option<Span>; 2]) {
        self.broken = self.connected;
        for (who, after) in after.into_iter().enumerate() {
            if let Some(after) = after {
                self.fly(self.now + after, who, self.connected, Flight::End);
            }
        }
    }

    /// The connection is gone, and both sides know.
    pub(super) fn break_connection(&mut self) {
        self.broken = self.connected;
        self.hang_up(0);
        self.hang_up(1);
        self.redial = self.now + PAUSE;
    }

    /// An agent dies with all that isn't on its disk, and starts again after a while.
    pub(super) fn crash(&mut self, who: usize, down: Span, peer_learns: Option<Span>) {
        let mut after = [None; 2];
        after[1 - who] = peer_learns;
        self.break_connection_and_tell(after);
        self.connections[who] = None;
        // What a process said hello with, and nobody heard, is lost with it.
        let is_hello = |flight: &Flight| matches!(flight, Flight::Frame(Frame::Hello(_)));
        self.under_way.retain(|_, (to, _, flight)| *to == who || !is_hello(flight));
        let agent = &mut self.agents[who];
        agent.journal.crash(&mut self.random);
        (agent.dead, agent.stopped) = (Some(self.now + down), None);
        self.start_again();
    }

    fn start_again(&mut self) {
        for who in 0..2 {
            let agent = &mut self.agents[who];
            if agent.dead.is_some_and(|until| until <= self.now) {
                agent.dead = None;
                agent.start(&mut self.random);
                self.connections[who] = None;
                self.redial = self.redial.max(self.now);
                self.note(|| format!("{who} starts"));
            }
            let agent = &mut self.agents[who];
            if agent.stopped.is_some_and(|until| until <= self.now) {
                agent.stopped = None;
            }
        }
    }

    /// An agent no longer has a connection.
    fn hang_up(&mut self, who: usize) {
        self.connections[who] = None;
        self.agents[who].end.disconnected();
    }

    fn fly(&mut self, at: Time, to: usize, connection: u64, flight: Flight) {
        self.count += 1;
        self.under_way.insert((at, self.count), (to, connection, flight));
    }

    /// Sends on a connection; an ordered network keeps what is cut off for later.
    fn send(&mut self, from: usize, connection: u64, flight: Flight) {
        let cut = self.cuts[from].filter(|cut| cut.until > self.now);
        if connection <= self.broken || cut.is_some_and(|cut| cut.loses) {
            return;
        }
        // Never at once, so that what takes no time is an end that spins.
        let delay = -libm::log(1.0 - self.random.unit()) * self.network.delay_ms * 1e6;
        let from_then = cut.map_or(self.now, |cut| cut.until);
        let mut at = from_then + Span::from_ns(1 + delay as i64);
        if self.network.ordered {
            at = at.max(self.last[1 - from]);
            self.last[1 - from] = at;
        }
        self.fly(at, 1 - from, connection, flight);
    }

    fn transmit(&mut self) {
        for from in 0..2 {
            let now = self.agents[from].local(self.now);
            while self.agents[from].is_running()
                && let Some(frame) = self.agents[from].end.poll_frame(now)
            {
                self.check_frame(from, &frame);
                let Some(connection) = self.connections[from] else { continue };
                let copies = 1 + usize::from(self.random.chance(self.network.repeated));
                for _ in 0..copies {
                    if !self.random.chance(self.network.lost) {
                        self.send(from, connection, Flight::Frame(frame.clone()));
                    }
                }
                self.note(|| format!("{from} says {frame:?}"));
            }
        }
    }

    /// Holds what is said to what is true.
    fn check_frame(&self, from: usize, frame: &Frame) {
        let (agent, other) = (&self.agents[from], &self.agents[1 - from]);
        let epoch = agent.end.inbound.map(|inbound| inbound.epoch);
        let have = agent.have().filter(|have| Some(have.epoch) == epoch).map_or(0, |have| have.number);
        match frame {
            Frame::Acknowledge { up_to: taken } | Frame::Ping { taken, .. } => {
                assert!(*taken <= have, "{from} acknowledges {taken}, and has only {have} safely");
            }
            Frame::Hello(peer) | Frame::Welcome(peer) => {
                let said = peer.have.map_or(0, |have| have.number);
                assert!(said <= have, "{from} says that it has {said}, and has only {have} safely");
            }
            Frame::Data { number, payload } => {
                let released = agent.end.outbox.released().unwrap();
                let before = &agent.sent.last().expect("it sends in an epoch").1;
                let before = &before[released as usize..*number as usize - 1];
                let bytes = before.iter().map(|payload| payload.len()).sum::<usize>() + payload.len();
                let window = other.end.window;
                let within = before.len() < window.messages as usize && bytes as u64 <= window.bytes;
                assert!(within || before.is_empty(), "{from} sends more than the window allows");
            }
            _ => {}
        }
        let released = agent.end.outbox.released().unwrap();
        let epoch = agent.end.outbox.epoch();
        let safe = other.have().filter(|have| have.epoch == epoch).map_or(0, |have| have.number);
        assert!(released <= safe, "{from} let go of {released}, and only {safe} are safe at the other end");
    }

    /// Lets both agents do what they can without the time going on.
    fn settle(&mut self) {
        for who in 0..2 {
            let now = self.now;
            if self.agents[who].is_running() {
                let ahead = self.agents[1 - who].clock - self.agents[who].clock;
                self.agents[who].drain_events(now, ahead);
                if self.diligent {
                    self.agents[who].take();
                }
            }
        }
        self.transmit();
        // A dialer hangs up where nothing came of it.
        if let Some(connection) = self.connections[0]
            && self.agents[0].is_running()
            && self.agents[0].end.is_down()
        {
            let refused = self.agents[0].end.was_refused();
            self.redial = self.now + if refused { PAUSE_REFUSED } else { PAUSE };
            self.hang_up(0);
            self.send(0, connection, Flight::End);
        }
    }

    /// From here on the network is good, and both agents run and are diligent.
    pub(super) fn heal(&mut self) {
        (self.network, self.cuts, self.last) = (GOOD, [None; 2], [self.now; 2]);
        for agent in &mut self.agents {
            agent.stopped = agent.stopped.map(|_| self.now);
            agent.dead = agent.dead.map(|_| self.now);
        }
        self.diligent = true;
        // What was held up comes now, in its order.
        for (_, (to, connection, flight)) in std::mem::take(&mut self.under_way) {
            self.fly(self.now, to, connection, flight);
        }
    }

    /// When the pilot can have a connection; `None` while it has one.
    fn dials_at(&self) -> Option<Time> {
        let ready = self.connections[0].is_none() && self.agents[0].is_running();
        let cuts = self.cuts.iter().flatten().map(|cut| cut.until);
        let listening = self.agents[1].dead.map(|until| until + PAUSE);
        ready.then(|| cuts.chain(listening).fold(self.redial, Time::max))
    }

    fn dial(&mut self) {
        self.connected += 1;
        self.last = [self.now; 2];
        self.connections[0] = Some(self.connected);
        let agent = &mut self.agents[0];
        agent.end.connected(agent.local(self.now));
    }

    /// What the shell of a listener does with a hello of another connection.
    fn meet(&mut self, connection: u64, hello: &Introduction) -> bool {
        let listener = &mut self.agents[1];
        if self.connections[1] != Some(connection) {
            if listener.end.is_up() && listener.end.instance() != Some(hello.instance) {
                let refusal = Refusal::new(Reason::NameTaken, "another one is linked");
                self.send(1, connection, Flight::Frame(Frame::Refuse(refusal)));
                return false;
            }
            listener.end.connected(listener.local(self.now));
            self.connections[1] = Some(connection);
        }
        true
    }

    fn arrive(&mut self, to: usize, connection: u64, flight: Flight) {
        if self.agents[to].dead.is_some() {
            return;
        }
        if let Some(until) = self.agents[to].stopped {
            return self.fly(until, to, connection, flight);
        }
        let agents = &mut self.agents;
        let now = agents[to].local(self.now);
        match flight {
            Flight::End if self.connections[to] == Some(connection) => {
                self.hang_up(to);
                self.redial = self.redial.max(self.now + PAUSE);
            }
            Flight::Frame(Frame::Hello(hello)) if to == 1 => {
                // A listener learns of a connection by its first frame.
                if self.meet(connection, &hello) {
                    self.agents[1].end.handle(Frame::Hello(hello), now);
                }
            }
            Flight::Frame(frame) if self.connections[to] == Some(connection) => {
                agents[to].end.handle(frame, now)
            }
            Flight::End | Flight::Frame(_) => {}
        }
    }

    /// Runs until `end`, from one thing that is due to the next.
    fn run_until(&mut self, end: Time) {
        let mut turns_without_time = 0;
        loop {
            self.settle();
            let arrival = self.under_way.keys().next().map(|(at, _)| *at);
            let others = self.agents.iter().flat_map(|agent| {
                let running = agent.is_running().then(|| agent.end.deadline()).flatten();
                let due = running.map(|local| Time::from_ns(local.ns() - agent.clock));
                [due, agent.dead, agent.stopped]
            });
            let next = others.flatten().chain(arrival).chain(self.dials_at()).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            turns_without_time = if next > self.now { 0 } else { turns_without_time + 1 };
            assert!(turns_without_time < 10, "an end wants to act at once, again and again");
            self.now = next.max(self.now);
            self.start_again();
            if self.dials_at().is_some_and(|at| at <= self.now) {
                self.dial();
            }
            while let Some(first) = self.under_way.first_entry().filter(|first| first.key().0 <= self.now) {
                let (to, connection, flight) = first.remove();
                self.arrive(to, connection, flight);
            }
            for agent in self.agents.iter_mut().filter(|agent| agent.is_running()) {
                agent.end.advance(agent.local(self.now));
            }
        }
    }

    pub(super) fn run_for(&mut self, span: Span) {
        self.run_until(self.now + span);
    }
}
