//! What the protocol promises, held against the simulated network.

use bramble_value::{Random, Seed, Span, Time};
use bytes::Bytes;
use proptest::prelude::*;
use uuid::Uuid;

use super::simulation::{Agent, Cut, GOOD, NEVER, Network, SOCKET, World, me};
use super::*;
use crate::outbox::{MemoryOutbox, Outbox, OutboxError};

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn hostile_bytes_and_frames_are_errors_and_never_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        numbers in prop::collection::vec(any::<u64>(), 1..20),
        times in any::<[i64; 3]>(),
    ) {
        let _ = Frame::decode(&Bytes::from(bytes));
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
                    have: Some(Position { epoch: agent.journal.epoch(), number }),
                    window: Window { messages: number as u32, bytes: number },
                    keeper: None,
                    addressee: None,
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
                    while agent.end.poll_frame(world.now).is_some() {}
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
        window: Window::DEFAULT,
        keeper: None,
        addressee: None,
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
            assert!(Frame::decode(&bytes.slice(..cut)).is_err(), "{frame:?} cut at {cut}");
        }
    }
}

#[test]
fn a_frame_nested_deeper_than_any_or_longer_than_itself_is_refused() {
    // What stands where a hello's fields are, and what no version has there.
    let nested = [&b"\x81\xa5hello\x81\xa4more"[..], &[0x91; 100_000]].concat();
    assert!(Frame::decode(&nested.into()).is_err());
    assert!(Frame::decode(&vec![0x91; 100_000].into()).is_err());
    for length in [&b"\xc6\xff\xff\xff\xff"[..], b"\xdb\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff"] {
        let payload = [&b"\x81\xa7passing\x81\xa7payload"[..], length].concat();
        assert!(Frame::decode(&payload.into()).is_err());
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
    let frame = Frame::decode(&bytes.into()).unwrap();
    assert_eq!(frame, Frame::Refuse(Refusal::new(Reason::Other, "come back tomorrow")));
}

#[test]
fn a_silent_end_is_known_to_be_gone_within_three_seconds() {
    for dead in 0..2 {
        let mut world = World::new(1, GOOD, me(true), me(false));
        world.run_for(Span::from_s(10));
        assert_eq!((world.agents[0].downs(), world.agents[1].downs()), (0, 0));
        world.agents[dead].dead = Some(NEVER);
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
        assert!(text.contains(&format!("`desk` speaks version {VERSION}")), "{text}");
        assert!(text.contains(&format!("`box1` version {}", VERSION + 1)), "{text}");
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

/// Messages of so many bytes each, numbered.
fn messages(count: u32, size: usize) -> Vec<Bytes> {
    let message = |number: u32| {
        let mut message = vec![0; size];
        message[..4].copy_from_slice(&number.to_be_bytes());
        Bytes::from(message)
    };
    (0..count).map(message).collect()
}

fn say(agent: &mut Agent, messages: &[Bytes]) {
    for message in messages {
        agent.say(message.clone()).unwrap();
    }
}

#[test]
fn a_sender_that_is_not_acknowledged_stops_at_the_window() {
    for (size, most) in [(4, Window::DEFAULT.messages as usize), (32 << 10, 128)] {
        let mut world = World::new(1, SOCKET, me(true), me(false));
        world.run_for(Span::from_s(1));
        say(&mut world.agents[0], &messages(most as u32 + 1000, size));
        let sent = std::iter::from_fn(|| world.agents[0].end.poll_frame(world.now));
        assert_eq!(sent.filter(|frame| matches!(frame, Frame::Data { .. })).count(), most);
    }
}

#[test]
fn a_receiver_holds_no_more_than_its_window_of_a_sender_that_heeds_none() {
    for (size, most) in [(4, Window::DEFAULT.messages as u64), (32 << 10, 128)] {
        let mut world = World::new(1, SOCKET, me(true), me(false));
        world.run_for(Span::from_s(1));
        let terminal = &mut world.agents[1].end;
        for (number, payload) in (1..).zip(messages(9000, size)) {
            terminal.handle(Frame::Data { number, payload }, world.now);
        }
        let passed = std::iter::from_fn(|| terminal.poll_event());
        assert_eq!(passed.filter(|event| matches!(event, Event::Message { .. })).count() as u64, most);
        // As soon as some are safe, as many more are taken in.
        let at = Position { epoch: world.agents[0].journal.epoch(), number: 100 };
        terminal.taken(at);
        for (number, payload) in (most + 1..).zip(messages(200, size)) {
            terminal.handle(Frame::Data { number, payload }, world.now);
        }
        assert_eq!(std::iter::from_fn(|| terminal.poll_event()).count(), 100);
    }
}

#[test]
fn what_is_left_of_an_earlier_count_takes_up_room_until_it_is_safe() {
    let mut world = World::new(1, SOCKET, me(true), me(false));
    let window = Window { messages: 10, bytes: 1000 };
    world.agents[0].configure(window, true, &mut Random::new(Seed(1), "", 0));
    world.agents[1].configure(window, true, &mut Random::new(Seed(2), "", 0));
    for _ in 0..5 {
        say(&mut world.agents[0], &messages(7, 4));
        world.run_for(Span::from_s(1));
        world.crash(0, Span::from_ms(1), Some(Span::ZERO));
        world.run_for(Span::from_s(1));
    }
    assert_eq!(world.agents[1].held.len(), 10);
    world.agents[1].take();
    world.run_for(Span::from_s(5));
    assert_eq!(world.agents[1].held.len(), 0);
    say(&mut world.agents[0], &messages(7, 4));
    world.run_for(Span::from_s(1));
    assert_eq!(world.agents[1].held.len(), 7);
}

#[test]
fn a_burst_of_five_thousand_messages_arrives_whole() {
    let mut world = World::new(1, GOOD, me(true), me(false));
    let burst = messages(5000, 4096);
    say(&mut world.agents[0], &burst);
    world.diligent = true;
    world.run_for(Span::from_s(5));
    assert!(world.agents[1].safe() == burst);
}

#[test]
fn a_message_that_is_too_long_is_refused_where_it_is_sent() {
    let mut world = World::new(1, GOOD, me(true), me(false));
    let refused = world.agents[0].end.send(Bytes::from(vec![0; LARGEST + 1])).unwrap_err().to_string();
    assert!(
        refused.contains("a message of 4194305 bytes is not sent, since the most is 4194304"),
        "{refused}"
    );
    // The longest that isn't goes through, alone in its window.
    let longest = messages(3, LARGEST);
    say(&mut world.agents[0], &longest);
    world.diligent = true;
    world.run_for(Span::from_s(5));
    assert!(world.agents[1].safe() == longest);
}

#[test]
fn what_a_journal_holds_that_no_frame_can_is_said_and_not_sent() {
    let mut world = World::new(1, GOOD, me(true), me(false));
    world.run_for(Span::from_s(1));
    world.agents[0].journal.append(Bytes::from(vec![0; LARGEST_PAYLOAD + 1]));
    world.agents[0].take();
    world.run_for(Span::from_s(1));
    let failed = world.agents[0].events.iter().find_map(|(_, event)| match event {
        Event::Failed(why) => Some(why),
        _ => None,
    });
    assert!(failed.expect("it is said").contains("16777217 bytes"), "{failed:?}");
}

#[test]
fn memory_that_is_full_refuses_messages_until_there_is_room() {
    for size in [4, 32 << 10] {
        let mut world = World::new(1, SOCKET, me(true), me(false));
        let everything = Window { messages: u32::MAX, bytes: u64::MAX };
        world.agents[1].configure(everything, true, &mut Random::new(Seed(1), "", 0));
        let terminal = &mut world.agents[1];
        let most = MemoryOutbox::ROOM.min(MemoryOutbox::ROOM_BYTES / size);
        say(terminal, &messages(most as u32, size));
        let refused = terminal.say(Bytes::from(vec![0; size])).unwrap_err();
        let full = OutboxError::Full { messages: most, bytes: most * size };
        assert_eq!(refused.to_string(), full.to_string());
        world.run_for(Span::from_s(1));
        world.agents[0].take();
        world.run_for(Span::from_s(1));
        world.agents[1].say(Bytes::from_static(b"now there is room")).unwrap();
    }
}

#[test]
fn what_was_taken_of_an_earlier_count_says_nothing_of_this_one() {
    let mut world = World::new(1, GOOD, me(true), me(false));
    world.agents[0].say(Bytes::from_static(b"poke")).unwrap();
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
    world.agents[1].configure(Window::DEFAULT, true, &mut Random::new(Seed(1), "", 0));
    world.agents[1].say(Bytes::from_static(b"start")).unwrap();
    world.run_for(Span::from_s(1));
    world.agents[0].take();
    world.crash(1, Span::from_ms(1), Some(Span::ZERO));
    world.run_for(Span::from_ms(10));
    world.agents[1].say(Bytes::from_static(b"stop")).unwrap();
    world.run_for(Span::from_s(1));
    world.agents[0].take();
    assert_eq!(world.agents[0].safe(), ["start", "stop"]);
    // What the pilot took of the first count doesn't count for the second.
    assert_eq!(world.agents[0].have().unwrap().number, 1);
}

#[test]
fn a_journal_that_was_replaced_by_an_older_copy_is_refused() {
    let mut world = World::new(1, GOOD, me(true), me(false));
    for _ in 0..5 {
        world.agents[0].say(Bytes::from_static(b"poke")).unwrap();
    }
    world.run_for(Span::from_s(1));
    world.agents[1].take();
    world.run_for(Span::from_s(1));
    world.agents[0].journal.go_back_to(3);
    world.crash(0, Span::from_ms(1), Some(Span::ZERO));
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

#[test]
fn a_welcome_that_was_lost_is_said_again() {
    let mut world = World::new(1, Network { lost: 1.0, ..GOOD }, me(true), me(false));
    world.run_for(Span::from_ms(400));
    assert_eq!(world.agents[1].ups(), 0);
    // The second hello arrives, its welcome doesn't, and the third is answered again.
    world.cuts[1] = Some(Cut { until: world.now + Span::from_ms(500), loses: true });
    world.network = GOOD;
    world.run_for(Span::from_ms(500));
    assert_eq!((world.agents[0].ups(), world.agents[1].ups()), (0, 1));
    world.run_for(Span::from_ms(500));
    assert_eq!((world.agents[0].ups(), world.agents[1].ups()), (1, 1));
}

#[test]
fn what_was_never_sent_cant_be_acknowledged() {
    for memory in [true, false] {
        let mut world = World::new(1, GOOD, me(true), me(false));
        world.agents[0].configure(Window::DEFAULT, memory, &mut Random::new(Seed(1), "", 0));
        world.run_for(Span::from_s(1));
        let now = world.now;
        world.agents[0].say(Bytes::from_static(b"poke")).unwrap();
        world.agents[0].end.handle(Frame::Acknowledge { up_to: 2 }, now);
        world.agents[0].end.handle(Frame::Ping { sent: now, last: 0, taken: u64::MAX }, now);
        assert_eq!(world.agents[0].end.outbox.released().unwrap(), 0);
        world.diligent = true;
        world.run_for(Span::from_s(1));
        assert_eq!(world.agents[1].safe(), ["poke"]);
    }
}

#[test]
fn what_a_connection_still_had_to_say_is_not_said_on_the_next() {
    let mut world = World::new(1, GOOD, me(true), me(false));
    world.run_for(Span::from_s(1));
    let (pilot, now) = (&mut world.agents[0].end, world.now);
    pilot.handle(Frame::Ping { sent: now, last: 0, taken: 0 }, now);
    pilot.connected(now);
    assert!(matches!(pilot.poll_frame(now), Some(Frame::Hello(_))));
    assert_eq!(pilot.poll_frame(now), None);
}
