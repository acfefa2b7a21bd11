use bramble_rig::RigConfig;
use bramble_rig::calibration::{Calibration, Point, Valve};
use bramble_task::definition::{
    Device, Handlers, Message, MessageId, Parameter, ParameterId, Place, Reaction, Repeat, Stage, StageId,
    StageKind, Trials,
};
use bramble_value::{Sources, Span, Value, ValueType, Volume};
use proptest::prelude::*;

use super::*;
use crate::requested::requested;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn person(name: &str) -> Person {
    format!("{name}@desk").parse().unwrap()
}

/// Alice asks.
fn ask(number: u64) -> Asker {
    Asker { ask: Ask(number), by: person("alice"), take_over: false }
}

fn bob(number: u64, take_over: bool) -> Asker {
    Asker { ask: Ask(number), by: person("bob"), take_over }
}

fn task() -> Arc<TaskDefinition> {
    let parameter = |text: &str, live| Parameter {
        name: name(text),
        kind: ValueType::Duration,
        default: Value::Duration(Span::from_s(1)),
        min: None,
        max: Some(Value::Duration(Span::from_s(10))),
        doc: String::new(),
        live,
        place: Place::default(),
    };
    let device = |text: &str, kind, ports: &[&str]| Device {
        name: name(text),
        kind,
        ports: ports.iter().map(|port| name(port)).collect(),
        unit: String::new(),
        doc: String::new(),
        place: Place::default(),
    };
    Arc::new(TaskDefinition {
        name: "free_water".into(),
        doc: String::new(),
        parameters: vec![parameter("pause", true), parameter("reward", false)],
        devices: vec![
            device("light", DeviceKind::DigitalOutput, &["left"]),
            device("valve", DeviceKind::Solenoid, &["left", "right"]),
        ],
        columns: vec![],
        messages: vec![Message { name: name("go"), button: true, place: Place::default() }],
        timers: vec![],
        counters: vec![],
        stages: vec![Stage {
            name: "trials".into(),
            path: "trials".into(),
            parent: None,
            kind: StageKind::Trials(Trials { prepare: None, body: StageId(0), until: None }),
            repeat: Repeat::Forever,
            timeout: None,
            repeat_timeout: None,
            skip_if: None,
            disabled: None,
            during: vec![],
            enter: Reaction::default(),
            leave: Reaction::default(),
            on: Handlers::default(),
            after: vec![],
            then: None,
            place: Place::default(),
        }],
        plots: vec![],
    })
}

/// It on a simulated rig.
fn course() -> Course {
    Course { task: task(), wiring: Wiring::simulated(&task()).unwrap() }
}

fn session(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn request(number: u128) -> Box<StartSession> {
    Box::new(requested(number, Sources::default()))
}

fn desk() -> Desk {
    Desk::new(name("box1"), std::iter::empty())
}

/// A desk at which session 1 runs.
fn running() -> Desk {
    let mut desk = desk();
    desk.command(&ask(0), Command::Start(request(1)));
    desk.started(course());
    desk
}

fn refusal(deeds: Vec<Deed>) -> String {
    match deeds.as_slice() {
        [Deed::Answer(Answer { outcome: Err(why), .. })] => why.clone(),
        other => panic!("it is a refusal alone: {other:?}"),
    }
}

fn stop(number: u128) -> Command {
    Command::Stop { session: session(number), when: When::AfterTrial, why: "enough".into() }
}

fn set(parameter: &str, value: &str) -> Command {
    Command::SetParameter { session: session(1), name: parameter.into(), unix_ns: 7, value: value.into() }
}

#[test]
fn a_start_is_answered_when_the_session_has_started() {
    let mut desk = desk();
    assert_eq!(desk.command(&ask(1), Command::Start(request(1))), [Deed::Start(request(1))]);
    assert_eq!(desk.started(course()), [answer(Ask(1), Ok(()))]);
}

#[test]
fn a_start_that_fails_is_answered_with_why_and_leaves_the_pilot_free() {
    let mut desk = desk();
    desk.command(&ask(1), Command::Start(request(1)));
    assert_eq!(refusal(desk.refused("the rig has no wheel")), "the rig has no wheel");
    assert_eq!(desk.command(&ask(2), Command::Start(request(1))), [Deed::Start(request(1))]);
}

#[test]
fn a_busy_pilot_says_whose_session_it_runs() {
    let why = refusal(running().command(&ask(1), Command::Start(request(2))));
    assert!(
        why.contains("box1 is busy") && why.contains("alice@desk's session of M001 (task free_water)"),
        "{why}"
    );
}

#[test]
fn a_rig_is_in_one_hand_or_in_one_session_and_whoever_comes_second_hears_who() {
    let mut desk = desk();
    desk.by_hand("monitor", None).unwrap();
    let why = refusal(desk.command(&ask(1), Command::Start(request(1))));
    assert_eq!(why, "box1 is busy: someone works its rig by hand (bramble-pilot monitor); end that first");
    assert_eq!(desk.by_hand("set", None).unwrap_err(), why);
    assert_eq!(desk.leave("the pilot ends").len(), 1, "the hand is told to let go");
    desk.ended();
    assert!(desk.is_idle());

    let bob = "bob@laptop".parse().unwrap();
    desk.by_hand("look", Some(&bob)).unwrap();
    let why = refusal(desk.command(&ask(2), Command::Start(request(2))));
    assert_eq!(why, "box1 is busy: bob@laptop works its rig by hand at the page (look); ask them");
    assert_eq!(desk.in_hand().unwrap().who, Some(bob));
    desk.ended();

    let why = running().by_hand("set", None).unwrap_err();
    assert!(why.starts_with("box1 runs alice@desk's session of M001 (task free_water)"), "{why}");
}

#[test]
fn a_start_that_is_repeated_is_not_run_twice() {
    let mut desk = desk();
    desk.command(&ask(1), Command::Start(request(1)));
    assert_eq!(desk.command(&ask(2), Command::Start(request(1))), []);
    assert_eq!(desk.started(course()), [answer(Ask(1), Ok(())), answer(Ask(2), Ok(()))]);
    assert_eq!(desk.command(&ask(3), Command::Start(request(1))), [answer(Ask(3), Ok(()))]);
    desk.ended();
    assert_eq!(desk.command(&ask(4), Command::Start(request(1))), [answer(Ask(4), Ok(()))]);

    let mut restarted = Desk::new(name("box1"), [session(1)].into_iter());
    assert_eq!(restarted.command(&ask(5), Command::Start(request(1))), [answer(Ask(5), Ok(()))]);
}

#[test]
fn a_stop_reaches_the_session_it_means_and_no_other() {
    let tell = Deed::Tell(Request::StopAfterTrial { why: "enough".into() });
    assert_eq!(running().command(&ask(1), stop(1)), [tell.clone(), answer(Ask(1), Ok(()))]);
    assert!(refusal(running().command(&ask(1), stop(2))).contains("another session"));
    assert!(refusal(desk().command(&ask(1), stop(2))).contains("runs no session"));

    let mut over = running();
    over.ended();
    assert_eq!(over.command(&ask(1), stop(1)), [answer(Ask(1), Ok(()))]);

    let mut early = desk();
    early.command(&ask(0), Command::Start(request(1)));
    assert_eq!(early.command(&ask(1), stop(1)), [answer(Ask(1), Ok(()))]);
    assert_eq!(early.started(course()), [answer(Ask(0), Ok(())), tell]);
}

#[test]
fn a_live_parameter_is_set_and_another_is_refused_by_name() {
    let two = Value::Duration(Span::from_s(2));
    let two = Request::Parameter { parameter: ParameterId(0), value: two };
    let (session, name, value) = (session(1), "pause".into(), "2 s".into());
    let written = ParameterSet { session, name, value, who: person("alice"), unix_ns: 7 };
    let deeds = [Deed::Tell(two), Deed::Set(written), answer(Ask(1), Ok(()))];
    assert_eq!(running().command(&ask(1), set("pause", "2 s")), deeds);
    for (parameter, value, says) in [
        ("reward", "2 s", "live = True"),
        ("puase", "2 s", "pause can be changed"),
        ("pause", "2 uL", "pause"),
        ("pause", "2 h", "10 s"),
    ] {
        let why = refusal(running().command(&ask(1), set(parameter, value)));
        assert!(why.contains(says), "{parameter} = {value}: {why}");
    }
}

#[test]
fn messages_and_valves_are_known_by_the_tasks_names() {
    let message = |name: &str| Command::Message { session: session(1), name: name.into() };
    let go = Deed::Tell(Request::Message { message: MessageId(0), value: 0.0 });
    assert_eq!(running().command(&ask(1), message("go")), [go, answer(Ask(1), Ok(()))]);
    assert!(refusal(running().command(&ask(1), message("stay"))).contains("go can be sent"));

    let volume = Volume::from_microliters(4.0).unwrap();
    let reward = |device: &str, port: &str| Command::Reward {
        session: session(1),
        port: PortName { device: name(device), port: Some(name(port)) },
        volume,
    };
    let right = PortId { device: DeviceId(1), port: 1 };
    let give = Deed::Tell(Request::Water { port: right, volume });
    assert_eq!(running().command(&ask(1), reward("valve", "right")), [give, answer(Ask(1), Ok(()))]);
    let why = refusal(running().command(&ask(1), reward("light", "left")));
    assert!(why.contains("valve.left, valve.right can be opened"), "{why}");
}

#[test]
fn water_that_a_valve_can_not_give_is_refused_and_not_said_to_be_given() {
    let rig = "[devices.light]\nkind = \"digital_output\"\ndriver = \"simulated\"\nports = { left = 5 }\n\
               [devices.valve]\nkind = \"solenoid\"\ndriver = \"gpiocdev\"\nlongest_on = \"2 s\"\n\
               ports = { left = 16, right = 20 }\n";
    let rig: RigConfig = bramble_config::parse("pilot.toml", rig).unwrap();
    let point = |ms, grams| Point { open: Span::from_ms(ms), pulses: 100, grams };
    let valve = Valve { device: name("valve"), port: Some(name("left")) };
    let points = vec![point(20, 0.1), point(100, 0.5)];
    let calibration = Calibration::new(valve, Default::default(), 1.0, points).unwrap();
    let calibrations = [calibration].into_iter().collect();
    let task = task();
    let wiring = Wiring::new(&task, &rig, &calibrations, Default::default(), "box1").unwrap();
    let mut desk = desk();
    desk.command(&ask(0), Command::Start(request(1)));
    desk.started(Course { task, wiring });

    let mut reward = |port: &str, microliters| {
        let port = PortName { device: name("valve"), port: Some(name(port)) };
        let volume = Volume::from_microliters(microliters).unwrap();
        desk.command(&ask(1), Command::Reward { session: session(1), port, volume })
    };
    let why = refusal(reward("left", 50.0));
    assert!(why.starts_with("no water was given: ") && why.contains("50 uL is outside"), "{why}");
    let why = refusal(reward("right", 4.0));
    assert!(why.starts_with("no water was given: ") && why.contains("valve.right"), "{why}");
    assert_eq!(reward("left", 4.0).len(), 2, "it is given, and that is said");
}

/// Everything that can be said to session 1.
fn said() -> Vec<Command> {
    let go = Command::Message { session: session(1), name: "go".into() };
    let port = PortName { device: name("valve"), port: Some(name("left")) };
    let water = Command::Reward { session: session(1), port, volume: Volume::from_microliters(4.0).unwrap() };
    vec![stop(1), pause(), resume(), set("pause", "2 s"), go, water]
}

fn pause() -> Command {
    Command::Pause { session: session(1), why: "paused by alice@desk".into() }
}

fn resume() -> Command {
    Command::Resume { session: session(1), why: "resumed by alice@desk".into() }
}

#[test]
fn what_is_said_to_anothers_session_is_refused_by_their_name() {
    let refused = "box1's session of M001 is alice@desk's: ask them, or take it over with --take-over";
    for command in said() {
        assert_eq!(refusal(running().command(&bob(1, false), command)), refused);
    }
    let mut preparing = desk();
    preparing.command(&ask(0), Command::Start(request(1)));
    assert_eq!(refusal(preparing.command(&bob(1, false), stop(1))), refused);
}

#[test]
fn a_session_that_is_taken_over_is_the_others_and_its_record_says_so() {
    let note = Request::Note { text: "bob@desk took the session over from alice@desk".into() };
    let taken = [Deed::Own(session(1), person("bob")), Deed::Tell(note)];
    for command in said() {
        let mut desk = running();
        let deeds = desk.command(&bob(1, true), command.clone());
        assert_eq!(deeds[..2], taken, "{command:?}");
        assert_eq!(deeds.last(), Some(&answer(Ask(1), Ok(()))));
        let again = desk.command(&bob(2, true), command);
        assert!(again.iter().all(|deed| !matches!(deed, Deed::Own(..))), "it is theirs already");
        assert!(refusal(desk.command(&ask(3), pause())).contains("is bob@desk's"));
    }
    let mut early = desk();
    early.command(&ask(0), Command::Start(request(1)));
    assert_eq!(early.command(&bob(1, true), stop(1)), [answer(Ask(1), Ok(()))]);
    assert_eq!(early.started(course())[1..3], taken);
}

#[test]
fn what_can_not_be_done_takes_nothing_over() {
    let mut desk = running();
    assert!(refusal(desk.command(&bob(1, true), set("puase", "2 s"))).contains("pause can be changed"));
    assert!(refusal(desk.command(&bob(2, false), pause())).contains("is alice@desk's"));
}

#[test]
fn of_two_starts_at_once_one_wins_and_the_other_hears_whose_it_is() {
    let mut desk = desk();
    desk.command(&ask(1), Command::Start(request(1)));
    let other = Box::new(StartSession { owner: person("bob"), ..*request(2) });
    let why = refusal(desk.command(&bob(2, true), Command::Start(other)));
    assert_eq!(why, "box1 is busy: it is starting alice@desk's session of M001");
}

#[test]
fn a_session_is_paused_once_and_resumed_once() {
    let mut desk = running();
    let told = |why: &str, pause: bool| {
        let why = why.into();
        Deed::Tell(if pause { Request::Pause { why } } else { Request::Resume { why } })
    };
    assert_eq!(desk.command(&ask(1), resume()), [answer(Ask(1), Ok(()))]);
    assert_eq!(desk.command(&ask(2), pause()), [told("paused by alice@desk", true), answer(Ask(2), Ok(()))]);
    assert_eq!(desk.command(&ask(3), pause()), [answer(Ask(3), Ok(()))]);
    assert_eq!(
        desk.command(&ask(4), resume()),
        [told("resumed by alice@desk", false), answer(Ask(4), Ok(()))]
    );
    assert!(matches!(desk.command(&ask(5), stop(1))[0], Deed::Tell(Request::StopAfterTrial { .. })));

    let mut follows = self::desk();
    follows.command(&ask(0), Command::Start(Box::new(StartSession { paused: true, ..*request(1) })));
    follows.started(course());
    assert!(matches!(follows.command(&ask(1), resume())[0], Deed::Tell(Request::Resume { .. })));
}

#[test]
fn a_task_without_trials_can_not_be_paused() {
    let mut desk = desk();
    desk.command(&ask(0), Command::Start(request(1)));
    let task = Arc::new(TaskDefinition { stages: vec![], ..(*task()).clone() });
    desk.started(Course { wiring: Wiring::simulated(&task).unwrap(), task });
    let why = refusal(desk.command(&ask(1), pause()));
    assert_eq!(why, "task free_water has no trials to pause between: stop it instead");
}

#[derive(Debug, Clone)]
enum Happening {
    Start(u128),
    /// By Alice, or by Bob, who may take it over.
    Stop(u128, Option<bool>),
    Rename,
    Started,
    Refused,
    Ended,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        (1..4u128).prop_map(Happening::Start),
        (1..4u128, any::<Option<bool>>()).prop_map(|(number, bob)| Happening::Stop(number, bob)),
        Just(Happening::Rename),
        Just(Happening::Started),
        Just(Happening::Refused),
        Just(Happening::Ended),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_sessions_run_once_and_alone_and_every_command_is_answered_once(
        happenings in prop::collection::vec(happening(), 0..60)
    ) {
        let mut desk = desk();
        let (mut asked, mut answered) = (0, Vec::new());
        let (mut preparing, mut running, mut ran) = (None, None, Vec::new());
        let mut owner = person("alice");
        let end = [Happening::Started, Happening::Ended];
        for one in happenings.into_iter().chain(end) {
            let deeds = match one {
                Happening::Start(number) => { asked += 1; desk.command(&ask(asked), Command::Start(request(number))) }
                Happening::Stop(number, other) => {
                    asked += 1;
                    let from = other.map_or_else(|| ask(asked), |take_over| bob(asked, take_over));
                    let theirs = preparing.or(running) != Some(session(number)) || owner == from.by;
                    let deeds = desk.command(&from, stop(number));
                    let done = matches!(deeds.last(), Some(Deed::Answer(Answer { outcome: Ok(()), .. })));
                    if preparing.or(running) == Some(session(number)) {
                        prop_assert_eq!(done, theirs || from.take_over);
                    }
                    if done && preparing.or(running) == Some(session(number)) {
                        owner = from.by;
                    }
                    deeds
                }
                Happening::Rename => {
                    asked += 1;
                    desk.command(&ask(asked), Command::Rename { certificate: Bytes::new() })
                }
                Happening::Started if preparing.is_some() => {
                    running = preparing.take();
                    ran.extend(running);
                    desk.started(course())
                }
                Happening::Refused if preparing.take().is_some() => desk.refused("no"),
                Happening::Ended if running.take().is_some() => { desk.ended(); Vec::new() }
                _ => Vec::new(),
            };
            for deed in deeds {
                match deed {
                    Deed::Answer(answer) => answered.push(answer.ask.0),
                    Deed::Rename(ask, _) => {
                        prop_assert!(preparing.is_none() && running.is_none());
                        answered.push(ask.0);
                    }
                    Deed::Tell(_) => prop_assert!(running.is_some()),
                    Deed::Own(of, by) => prop_assert!(running == Some(of) && by == owner),
                    Deed::Set(set) => prop_assert!(running == Some(set.session) && set.who == owner),
                    Deed::Start(request) => {
                        prop_assert!(preparing.is_none() && running.is_none());
                        prop_assert!(!ran.contains(&request.session));
                        (preparing, owner) = (Some(request.session), request.owner.clone());
                    }
                }
            }
            prop_assert_eq!(desk.is_idle(), preparing.is_none() && running.is_none());
        }
        answered.sort_unstable();
        prop_assert_eq!(answered, (1..=asked).collect::<Vec<u64>>());
    }
}

#[test]
fn a_pilot_without_room_starts_no_session_says_why_and_ends_the_one_it_runs_once() {
    let mut desk = running();
    let deeds = desk.end_for_want_of_room("its disk is full");
    assert!(matches!(&deeds[..], [Deed::Tell(Request::StopAfterTrial { .. })]), "{deeds:?}");
    assert_eq!(desk.end_for_want_of_room("its disk is full"), [], "it was told");
    desk.ended();
    desk.has_no_room(Some("its disk is full"));
    let why = refusal(desk.command(&ask(1), Command::Start(request(2))));
    assert_eq!(why, "box1 starts no session: its disk is full");
    desk.has_no_room(None);
    assert_eq!(desk.command(&ask(2), Command::Start(request(2))), [Deed::Start(request(2))]);
}
