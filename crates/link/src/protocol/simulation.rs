//! Two ends on a simulated network and a virtual clock: it loses, repeats,
//! reorders and delays frames, breaks the connection, and restarts either side.

use std::collections::BTreeMap;

use bramble_value::{Draw, Name, Random, Seed, Shape, Span, Time};
use bytes::Bytes;
use uuid::Uuid;

use super::*;
use crate::outbox::{Outbox, OutboxError};

/// How bad the network is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Network {
    pub(super) lost: f64,
    pub(super) repeated: f64,
    /// The mean delay in milliseconds; unequal delays reorder.
    pub(super) delay_ms: f64,
}

pub(super) const GOOD: Network = Network { lost: 0.0, repeated: 0.0, delay_ms: 0.2 };

/// Everything arrives at once and in order, as on a socket of one computer.
pub(super) const SOCKET: Network = Network { lost: 0.0, repeated: 0.0, delay_ms: 0.0 };

/// What survives a restart of an agent: a disk.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    epoch: Uuid,
    pub(super) sent: Vec<Bytes>,
    released: u64,
}

/// An outbox on a disk that outlives the end.
#[derive(Clone, Default)]
pub(super) struct DiskOutbox(pub(super) std::sync::Arc<std::sync::Mutex<Disk>>);

impl DiskOutbox {
    fn new() -> DiskOutbox {
        let outbox = DiskOutbox::default();
        outbox.0.lock().unwrap().epoch = Uuid::new_v4();
        outbox
    }
}

impl Outbox for DiskOutbox {
    fn epoch(&self) -> Uuid {
        self.0.lock().unwrap().epoch
    }
    fn push(&mut self, payload: Bytes) -> Result<u64, OutboxError> {
        let mut disk = self.0.lock().unwrap();
        disk.sent.push(payload);
        Ok(disk.sent.len() as u64)
    }
    fn read(&mut self, after: u64, most: usize) -> Result<Vec<(u64, Bytes)>, OutboxError> {
        let disk = self.0.lock().unwrap();
        assert!(after >= disk.released, "asked for what was let go of");
        let waiting = disk.sent.iter().skip(after as usize).cloned();
        Ok((after + 1..).zip(waiting).take(most).collect())
    }
    fn release(&mut self, up_to: u64) -> Result<(), OutboxError> {
        let mut disk = self.0.lock().unwrap();
        disk.released = disk.released.max(up_to);
        Ok(())
    }
    fn last(&self) -> Result<u64, OutboxError> {
        Ok(self.0.lock().unwrap().sent.len() as u64)
    }
    fn released(&self) -> Result<u64, OutboxError> {
        Ok(self.0.lock().unwrap().released)
    }
}

/// An agent: its end, its disk, and what it has safely.
pub(super) struct Agent {
    me: Me,
    dials: bool,
    pub(super) end: End,
    pub(super) outbox: DiskOutbox,
    /// Everything that was made safe, in its order.
    pub(super) safe: Vec<Bytes>,
    pub(super) have: Option<Position>,
    /// Arrived in this run, not yet made safe.
    pub(super) arrived: Vec<(Position, Bytes)>,
    pub(super) events: Vec<(Time, Event)>,
    /// A dead agent does nothing.
    pub(super) dead: bool,
}

pub(super) fn me(dials: bool) -> Me {
    let (name, role, talks_to) =
        if dials { ("box1", "pilot", "terminal") } else { ("desk", "terminal", "pilot") };
    Me::new(name.parse::<Name>().unwrap(), role, talks_to)
}

impl Agent {
    pub(super) fn new(dials: bool, me: Me) -> Agent {
        let outbox = DiskOutbox::new();
        let end = Agent::end(dials, &me, &outbox, None);
        let (safe, have, arrived, events) = (Vec::new(), None, Vec::new(), Vec::new());
        Agent { me, dials, end, outbox, safe, have, arrived, events, dead: false }
    }

    fn end(dials: bool, me: &Me, outbox: &DiskOutbox, have: Option<Position>) -> End {
        let terms = Terms::new(outbox.clone()).having(have);
        if dials { End::dialing(me.clone(), terms) } else { End::listening(me.clone(), terms) }
    }

    /// Forgets everything but the disk.
    pub(super) fn restart(&mut self) {
        self.me.instance = Uuid::new_v4();
        self.arrived.clear();
        self.end = Agent::end(self.dials, &self.me, &self.outbox, self.have);
    }

    fn drain_events(&mut self, now: Time) {
        while let Some(event) = self.end.poll_event() {
            if let Event::Message { at, payload } = &event {
                self.arrived.push((*at, payload.clone()));
            }
            assert!(self.arrived.len() as u64 <= WINDOW, "more arrived than the window allows");
            self.events.push((now, event));
        }
    }

    /// Makes everything that arrived safe, and says so.
    pub(super) fn take(&mut self) {
        for (at, payload) in self.arrived.drain(..) {
            self.safe.push(payload);
            self.have = Some(at);
        }
        if let Some(at) = self.have {
            self.end.taken(at);
        }
    }

    pub(super) fn downs(&self) -> usize {
        self.events.iter().filter(|(_, event)| matches!(event, Event::Down(_))).count()
    }

    pub(super) fn ups(&self) -> usize {
        self.events.iter().filter(|(_, event)| matches!(event, Event::Up { .. })).count()
    }
}

/// A pilot (0), a terminal (1), and what is between them.
pub(super) struct World {
    pub(super) now: Time,
    pub(super) agents: [Agent; 2],
    pub(super) network: Network,
    random: Random,
    /// Frames under way, by when they arrive.
    under_way: BTreeMap<(Time, u64), (usize, Vec<u8>)>,
    count: u64,
    /// When the pilot dials anew.
    redial: Option<Time>,
}

impl World {
    pub(super) fn new(seed: u64, network: Network, pilot: Me, terminal: Me) -> World {
        World {
            now: Time::from_ns(1),
            agents: [Agent::new(true, pilot), Agent::new(false, terminal)],
            network,
            random: Random::new(Seed(seed), "network", 0),
            under_way: BTreeMap::new(),
            count: 0,
            redial: Some(Time::from_ns(1)),
        }
    }

    /// Everything under way is lost, and both sides know.
    pub(super) fn break_connection(&mut self) {
        self.under_way.clear();
        for agent in &mut self.agents {
            agent.end.disconnected();
        }
        self.redial = Some(self.now + Span::from_ms(50));
    }

    fn transmit(&mut self) {
        for from in 0..2 {
            while let Some(frame) = self.agents[from].end.poll_frame() {
                if self.agents[from].dead {
                    continue;
                }
                let copies = 1 + usize::from(self.random.chance(self.network.repeated));
                for _ in 0..copies {
                    if self.random.chance(self.network.lost) {
                        continue;
                    }
                    let shape = Shape::Exponential { mean: self.network.delay_ms * 1e6 };
                    let draw = Draw { shape, min: None, max: None, plus: None, whole: false };
                    let at = self.now + Span::from_ns(draw.sample(&mut self.random) as i64);
                    self.count += 1;
                    self.under_way.insert((at, self.count), (1 - from, frame.encode().to_vec()));
                }
            }
        }
    }

    /// Runs until `end`, from one thing that is due to the next.
    fn run_until(&mut self, end: Time) {
        let mut turns_without_time = 0;
        loop {
            let now = self.now;
            for agent in &mut self.agents {
                agent.drain_events(now);
            }
            self.transmit();
            if self.redial.is_none() && self.agents[0].end.is_down() {
                self.break_connection();
                continue;
            }
            let arrival = self.under_way.keys().next().map(|(at, _)| *at);
            let deadlines =
                self.agents.iter().filter(|agent| !agent.dead).filter_map(|agent| agent.end.deadline());
            let next = deadlines.chain(arrival).chain(self.redial).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            turns_without_time = if next > self.now { 0 } else { turns_without_time + 1 };
            assert!(turns_without_time < 1000, "an end wants to act at once, again and again");
            self.now = next.max(self.now);
            if self.redial.is_some_and(|at| at <= self.now) {
                self.redial = None;
                self.agents[1].end.connected(self.now);
                self.agents[0].end.connected(self.now);
            }
            while let Some(((at, number), _)) = self.under_way.first_key_value()
                && *at <= self.now
            {
                let key = (*at, *number);
                let (to, bytes) = self.under_way.remove(&key).unwrap();
                if !self.agents[to].dead {
                    self.agents[to].end.handle(Frame::decode(&bytes).unwrap(), self.now);
                }
            }
            for agent in self.agents.iter_mut().filter(|agent| !agent.dead) {
                agent.end.advance(self.now);
            }
        }
    }

    pub(super) fn run_for(&mut self, span: Span) {
        self.run_until(self.now + span);
    }
}
