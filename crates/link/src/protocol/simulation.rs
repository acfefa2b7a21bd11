//! Two ends on a simulated network and a virtual clock: it loses, repeats,
//! reorders and delays frames, breaks the connection, and restarts either side.

use std::collections::BTreeMap;

use bramble_value::{Draw, Name, Random, Seed, Shape, Span, Time};
use bytes::Bytes;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::outbox::{MemoryOutbox, Outbox, OutboxError};

/// How bad the network is.
#[derive(Debug, Clone, Copy)]
struct Network {
    lost: f64,
    repeated: f64,
    /// The mean delay in milliseconds; unequal delays reorder.
    delay_ms: f64,
}

const GOOD: Network = Network { lost: 0.0, repeated: 0.0, delay_ms: 0.2 };

/// What survives a restart of an agent: a disk.
#[derive(Debug, Clone, Default)]
struct Disk {
    epoch: Uuid,
    sent: Vec<Bytes>,
    released: u64,
}

/// An outbox on a disk that outlives the end.
#[derive(Clone, Default)]
struct DiskOutbox(std::sync::Arc<std::sync::Mutex<Disk>>);

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
        let waiting = disk.sent.iter().cloned().skip(after as usize);
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
struct Agent {
    me: Me,
    dials: bool,
    end: End,
    outbox: DiskOutbox,
    /// Everything that was made safe, in its order.
    safe: Vec<Bytes>,
    have: Option<Position>,
    /// Arrived in this run, not yet made safe.
    arrived: Vec<(Position, Bytes)>,
    events: Vec<(Time, Event)>,
    /// A dead agent does nothing.
    dead: bool,
}

fn me(dials: bool) -> Me {
    let (name, role, talks_to) =
        if dials { ("box1", "pilot", "terminal") } else { ("desk", "terminal", "pilot") };
    Me::new(name.parse::<Name>().unwrap(), role, talks_to)
}

impl Agent {
    fn new(dials: bool, me: Me) -> Agent {
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
    fn restart(&mut self) {
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
    fn take(&mut self) {
        for (at, payload) in self.arrived.drain(..) {
            self.safe.push(payload);
            self.have = Some(at);
        }
        if let Some(at) = self.have {
            self.end.taken(at);
        }
    }

    fn downs(&self) -> usize {
        self.events.iter().filter(|(_, event)| matches!(event, Event::Down(_))).count()
    }

    fn ups(&self) -> usize {
        self.events.iter().filter(|(_, event)| matches!(event, Event::Up { .. })).count()
    }
}

/// A pilot (0), a terminal (1), and what is between them.
struct World {
    now: Time,
    agents: [Agent; 2],
    network: Network,
    random: Random,
    /// Frames under way, by when they arrive.
    under_way: BTreeMap<(Time, u64), (usize, Vec<u8>)>,
    count: u64,
    /// When the pilot dials anew.
    redial: Option<Time>,
}

impl World {
    fn new(seed: u64, network: Network, pilot: Me, terminal: Me) -> World {
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
    fn break_connection(&mut self) {
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
            let deadlines = self.agents.iter().filter(|agent| !agent.dead).filter_map(|agent| agent.end.deadline());
            let next = deadlines.chain(arrival).chain(self.redial).min().unwrap_or(end);
            if next > end {
                self.now = end;
                return;
            }
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

    fn run_for(&mut self, span: Span) {
        self.run_until(self.now + span);
    }
}

/// What is done to the two agents.
#[derive(Debug, Clone, Copy)]
enum Step {
    Send { from: usize, messages: usize },
    Take { who: usize },
    Run { ms: u32 },
    Break,
    Restart { who: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0usize..2, 1usize..40).prop_map(|(from, messages)| Step::Send { from, messages }),
        4 => (0usize..2).prop_map(|who| Step::Take { who }),
        6 => (1u32..1500).prop_map(|ms| Step::Run { ms }),
        1 => Just(Step::Break),
        1 => (0usize..2).prop_map(|who| Step::Restart { who }),
    ];
    prop::collection::vec(step, 1..60)
}

fn networks() -> impl Strategy<Value = Network> {
    (0.0..0.4f64, 0.0..0.4f64, 0.01..80.0f64).prop_map(|(lost, repeated, delay_ms)| Network { lost, repeated, delay_ms })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn everything_arrives_once_and_in_order_whatever_happens(
        seed in any::<u64>(),
        network in networks(),
        steps in steps(),
    ) {
        let mut world = World::new(seed, network, me(true), me(false));
        let mut sent: [Vec<Bytes>; 2] = Default::default();
        for step in steps {
            match step {
                Step::Send { from, messages } => {
                    for _ in 0..messages {
                        let payload = Bytes::from(format!("{from}: {}", sent[from].len()));
                        sent[from].push(payload.clone());
                        world.agents[from].end.send(payload);
                    }
                }
                Step::Take { who } => world.agents[who].take(),
                Step::Run { ms } => world.run_for(Span::from_ms(ms)),
                Step::Break => world.break_connection(),
                Step::Restart { who } => {
                    world.agents[who].restart();
                    world.break_connection();
                }
            }
            for who in 0..2 {
                let agent = &world.agents[who];
                let from_other = &sent[1 - who];
                let had: Vec<_> = agent.safe.iter().chain(agent.arrived.iter().map(|(_, payload)| payload)).collect();
                prop_assert!(had.len() <= from_other.len());
                prop_assert!(had.iter().zip(from_other).all(|(had, sent)| *had == sent), "{who} has something else");
                let released = world.agents[1 - who].outbox.released().unwrap();
                prop_assert!(released <= agent.safe.len() as u64, "let go of what isn't safe");
            }
        }
        // However bad it was: once the network is good, everything comes through.
        world.network = GOOD;
        for _ in 0..20 {
            world.run_for(Span::from_s(1));
            world.agents.iter_mut().for_each(Agent::take);
        }
        for who in 0..2 {
            prop_assert_eq!(&world.agents[who].safe, &sent[1 - who]);
            prop_assert!(world.agents[1 - who].end.is_drained());
        }
    }

    #[test]
    fn hostile_bytes_and_frames_are_errors_and_never_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        numbers in prop::collection::vec(any::<u64>(), 1..20),
        times in any::<[i64; 3]>(),
    ) {
        let _ = Frame::decode(&bytes);
        for dials in [true, false] {
            let mut world = World::new(1, GOOD, me(true), me(false));
            world.run_for(Span::from_s(1));
            let agent = &mut world.agents[usize::from(!dials)];
            let [sent, received, ping] = times.map(Time::from_ns);
            for number in numbers.iter().copied() {
                let introduction = Introduction {
                    version: VERSION,
                    name: me(!dials).name,
                    role: me(!dials).role,
                    instance: Uuid::new_v4(),
                    epoch: Uuid::new_v4(),
                    released: number,
                    last: number,
                    have: Some(Position { epoch: agent.outbox.epoch(), number }),
                    detail: Bytes::new(),
                };
                for frame in [
                    Frame::Data { number, payload: Bytes::new() },
                    Frame::Acknowledge { up_to: number },
                    Frame::Missing { after: number },
                    Frame::Ping { sent, last: number, taken: number },
                    Frame::Pong { ping, received, sent },
                    Frame::Welcome(introduction.clone()),
                    Frame::Hello(introduction),
                    Frame::Data { number: number.wrapping_add(1), payload: Bytes::new() },
                ] {
                    agent.end.handle(frame, world.now);
                    agent.end.advance(world.now);
                    while agent.end.poll_frame().is_some() {}
                }
            }
        }
    }
}

#[test]
fn a_frame_is_the_same_after_it_was_written_and_read() {
    let introduction = Introduction {
        version: VERSION,
        name: "box1".parse().unwrap(),
        role: "pilot".to_owned(),
        instance: Uuid::new_v4(),
        epoch: Uuid::new_v4(),
        released: 3,
        last: u64::MAX,
        have: Some(Position { epoch: Uuid::new_v4(), number: 7 }),
        detail: Bytes::from_static(b"session 3"),
    };
    for frame in [
        Frame::Hello(introduction.clone()),
        Frame::Welcome(introduction),
        Frame::Refuse(Refusal::new(Reason::NameTaken, "no")),
        Frame::Data { number: 1, payload: Bytes::from_static(&[0, 255]) },
        Frame::Acknowledge { up_to: 1 },
        Frame::Missing { after: 0 },
        Frame::Passing { payload: Bytes::new() },
        Frame::Ping { sent: Time::from_ns(-1), last: 1, taken: 2 },
        Frame::Pong { ping: Time::from_ns(1), received: Time::from_ns(2), sent: Time::from_ns(3) },
        Frame::Bye {},
    ] {
        let bytes = frame.encode();
        assert_eq!(Frame::decode(&bytes).unwrap(), frame);
        for cut in 0..bytes.len() {
            assert!(Frame::decode(&bytes[..cut]).is_err(), "{frame:?} cut at {cut}");
        }
    }
}

#[test]
fn a_reason_that_a_later_version_invents_can_still_be_shown() {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Later {
        Refuse { reason: &'static str, text: &'static str },
    }
    let bytes = rmp_serde::to_vec_named(&Later::Refuse { reason: "full_moon", text: "come back tomorrow" }).unwrap();
    let frame = Frame::decode(&bytes).unwrap();
    assert_eq!(frame, Frame::Refuse(Refusal::new(Reason::Other, "come back tomorrow")));
}

#[test]
fn a_silent_end_is_known_to_be_gone_within_three_seconds() {
    for dead in 0..2 {
        let mut world = World::new(1, GOOD, me(true), me(false));
        world.run_for(Span::from_s(10));
        assert_eq!((world.agents[0].downs(), world.agents[1].downs()), (0, 0));
        world.agents[dead].dead = true;
        let died = world.now;
        world.run_for(Span::from_s(5));
        let (noticed, why) = world.agents[1 - dead]
            .events
            .iter()
            .find_map(|(at, event)| match event {
                Event::Down(why) => Some((*at, *why)),
                _ => None,
            })
            .expect("its silence is noticed");
        assert_eq!(why, Gone::Silent);
        assert!(noticed.since(died) <= Span::from_s(3), "{}", noticed.since(died));
    }
}

#[test]
fn an_end_that_comes_back_is_up_again_at_once() {
    let mut world = World::new(1, GOOD, me(true), me(false));
    world.run_for(Span::from_s(1));
    world.break_connection();
    world.run_for(Span::from_ms(100));
    assert_eq!((world.agents[0].ups(), world.agents[1].ups()), (2, 2));
    assert_eq!((world.agents[0].downs(), world.agents[1].downs()), (1, 1));
}

#[test]
fn two_versions_that_cant_talk_say_so_on_both_sides() {
    let pilot = Me { version: VERSION + 1, ..me(true) };
    let mut world = World::new(1, GOOD, pilot, me(false));
    world.run_for(Span::from_ms(500));
    for agent in &world.agents {
        let Some((_, Event::Refused(refusal))) = agent.events.first() else { panic!("{:?}", agent.events) };
        assert_eq!(refusal.reason, Reason::Version);
        let text = refusal.to_string();
        assert!(text.contains("`desk` speaks version 1") && text.contains("`box1` version 2"), "{text}");
        assert_eq!(agent.ups(), 0);
    }
}

#[test]
fn an_agent_of_another_role_is_refused() {
    let child = Me { role: "child".to_owned(), ..me(true) };
    let mut world = World::new(1, GOOD, child, me(false));
    world.run_for(Span::from_ms(500));
    let Some((_, Event::Refused(refusal))) = world.agents[0].events.first() else { panic!() };
    assert_eq!(refusal.reason, Reason::Role);
}

#[test]
fn a_sender_that_is_not_acknowledged_stops_at_the_window() {
    let mut world = World::new(1, GOOD, me(true), me(false));
    for number in 0..3 * WINDOW {
        world.agents[0].end.send(Bytes::from(number.to_string()));
    }
    world.run_for(Span::from_s(5));
    assert_eq!(world.agents[1].arrived.len() as u64, WINDOW);
    for _ in 0..3 {
        world.agents[1].take();
        world.run_for(Span::from_s(1));
    }
    assert_eq!(world.agents[1].safe.len() as u64, 3 * WINDOW);
}

#[test]
fn an_outbox_in_memory_that_was_lost_begins_a_new_count() {
    let mut world = World::new(1, GOOD, me(true), me(false));
    let memory = |me: Me| End::listening(me, Terms::new(MemoryOutbox::new()));
    world.agents[1].end = memory(me(false));
    world.agents[1].end.send(Bytes::from_static(b"start"));
    world.run_for(Span::from_s(1));
    world.agents[0].take();
    world.agents[1].end = memory(me(false));
    world.agents[1].end.send(Bytes::from_static(b"stop"));
    world.break_connection();
    world.run_for(Span::from_s(1));
    world.agents[0].take();
    assert_eq!(world.agents[0].safe, ["start", "stop"]);
    // What the pilot took of the first count doesn't count for the second.
    assert_eq!(world.agents[0].have.unwrap().number, 1);
}

#[test]
fn a_journal_that_was_replaced_by_an_older_copy_is_refused() {
    let mut world = World::new(1, GOOD, me(true), me(false));
    for _ in 0..5 {
        world.agents[0].end.send(Bytes::from_static(b"poke"));
    }
    world.run_for(Span::from_s(1));
    world.agents[1].take();
    world.run_for(Span::from_s(1));
    world.agents[0].outbox.0.lock().unwrap().sent.truncate(3);
    world.agents[0].restart();
    world.break_connection();
    world.run_for(Span::from_ms(500));
    let refused = world.agents[0].events.iter().find_map(|(_, event)| match event {
        Event::Refused(refusal) => Some(refusal),
        _ => None,
    });
    let refusal = refused.expect("the terminal refuses it");
    assert_eq!(refusal.reason, Reason::Lost);
    assert!(refusal.text.contains("has message 5 of `box1`, which now knows only of 3"), "{refusal}");
}

#[test]
fn passing_messages_and_the_clock_arrive_while_the_link_is_up() {
    let mut world = World::new(1, GOOD, me(true), me(false));
    world.agents[0].end.pass(Bytes::from_static(b"lost: nobody is there"));
    world.run_for(Span::from_s(1));
    world.agents[0].end.pass(Bytes::from_static(b"12 trials"));
    world.run_for(Span::from_s(1));
    let events = &world.agents[1].events;
    let passing: Vec<_> = events.iter().filter(|(_, event)| matches!(event, Event::Passing(_))).collect();
    assert_eq!(passing.len(), 1);
    let clock = events.iter().rev().find_map(|(_, event)| match event {
        Event::Clock(clock) => Some(*clock),
        _ => None,
    });
    let clock = clock.expect("heartbeats were answered");
    assert!(clock.offset_ns.abs() <= clock.error.ns(), "{clock:?}");
}

#[test]
fn a_goodbye_is_known_at_once() {
    let mut world = World::new(1, GOOD, me(true), me(false));
    world.run_for(Span::from_s(1));
    world.agents[1].end.leave();
    world.run_for(Span::from_ms(20));
    let (_, last) = world.agents[0].events.last().unwrap();
    assert_eq!(*last, Event::Down(Gone::Left));
}
