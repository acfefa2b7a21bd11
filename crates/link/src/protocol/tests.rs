//! What the protocol promises, held against the simulated network.

use bramble_value::{Span, Time};
use bytes::Bytes;
use proptest::prelude::*;
use uuid::Uuid;

use super::simulation::{Agent, GOOD, Network, SOCKET, World, me};
use super::*;
use crate::outbox::{MemoryOutbox, Outbox, OutboxError};

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
    (0.0..0.4f64, 0.0..0.4f64, 0.01..80.0f64).prop_map(|(lost, repeated, delay_ms)| Network {
        lost,
        repeated,
        delay_ms,
    })
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
                        world.agents[from].end.send(payload).unwrap();
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
fn a_frame_nested_deeper_than_any_or_longer_than_itself_is_refused() {
    // What stands where a hello's fields are, and what no version has there.
    let nested = [&b"\x81\xa5hello\x81\xa4more"[..], &[0x91; 100_000]].concat();
    assert!(Frame::decode(&nested).is_err());
    assert!(Frame::decode(&vec![0x91; 100_000]).is_err());
    for length in [&b"\xc6\xff\xff\xff\xff"[..], b"\xdb\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff"] {
        let payload = [&b"\x81\xa7passing\x81\xa7payload"[..], length].concat();
        assert!(Frame::decode(&payload).is_err());
    }
}

#[test]
fn a_reason_that_a_later_version_invents_can_still_be_shown() {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Later {
        Refuse { reason: &'static str, text: &'static str },
    }
    let bytes =
        rmp_serde::to_vec_named(&Later::Refuse { reason: "full_moon", text: "come back tomorrow" }).unwrap();
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
    let mut world = World::new(1, SOCKET, me(true), me(false));
    world.run_for(Span::from_s(1));
    let pilot = &mut world.agents[0].end;
    for number in 0..3 * WINDOW {
        pilot.send(Bytes::from(number.to_string())).unwrap();
    }
    let sent = std::iter::from_fn(|| pilot.poll_frame()).filter(|frame| matches!(frame, Frame::Data { .. }));
    assert_eq!(sent.count() as u64, WINDOW);
}

#[test]
fn a_receiver_that_takes_lets_the_window_move_on() {
    let mut world = World::new(1, SOCKET, me(true), me(false));
    for number in 0..3 * WINDOW {
        world.agents[0].end.send(Bytes::from(number.to_string())).unwrap();
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
fn a_message_that_there_is_no_room_for_is_refused_until_there_is() {
    let mut world = World::new(1, SOCKET, me(true), me(false));
    world.agents[1].end = End::listening(me(false), Terms::new(MemoryOutbox::new()));
    let terminal = &mut world.agents[1].end;
    for number in 0..MemoryOutbox::ROOM {
        terminal.send(Bytes::from(number.to_string())).unwrap();
    }
    let refused = terminal.send(Bytes::from_static(b"one more"));
    assert!(matches!(refused, Err(OutboxError::Full(MemoryOutbox::ROOM))), "{refused:?}");
    world.run_for(Span::from_s(1));
    world.agents[0].take();
    assert_eq!(world.agents[0].safe[..2], ["0", "1"]);
    world.run_for(Span::from_s(1));
    world.agents[1].end.send(Bytes::from_static(b"now there is room")).unwrap();
}

#[test]
fn what_was_taken_of_an_earlier_count_says_nothing_of_this_one() {
    let mut world = World::new(1, GOOD, me(true), me(false));
    world.agents[0].end.send(Bytes::from_static(b"poke")).unwrap();
    world.run_for(Span::from_s(1));
    let earlier = Position { epoch: Uuid::new_v4(), number: 1 };
    world.agents[1].end.taken(earlier);
    world.run_for(Span::from_s(1));
    assert!(!world.agents[0].end.is_drained());
    world.agents[1].take();
    world.run_for(Span::from_s(1));
    assert!(world.agents[0].end.is_drained());
}

#[test]
fn an_outbox_in_memory_that_was_lost_begins_a_new_count() {
    let mut world = World::new(1, GOOD, me(true), me(false));
    let memory = |me: Me| End::listening(me, Terms::new(MemoryOutbox::new()));
    world.agents[1].end = memory(me(false));
    world.agents[1].end.send(Bytes::from_static(b"start")).unwrap();
    world.run_for(Span::from_s(1));
    world.agents[0].take();
    world.agents[1].end = memory(me(false));
    world.agents[1].end.send(Bytes::from_static(b"stop")).unwrap();
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
        world.agents[0].end.send(Bytes::from_static(b"poke")).unwrap();
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
