//! A message of every kind, with something in every field.

use std::fmt::Debug;
use std::str::FromStr;

use bramble_message::*;
use bramble_value::{
    Ending, Event, Kind, Name, Names, Record, Row, Seed, Source, SourceKind, Sources, Span, Time, Trials,
    Value, ValueType,
};
use serde_json::json;
use uuid::Uuid;

pub(crate) const SESSION: Uuid = Uuid::from_u128(7);

/// A certificate's number.
const SERIAL: &str = "5f2ab10c000000000000000000000001";

pub(crate) fn read<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("it is one")
}

pub(crate) fn name(text: &str) -> Name {
    read(text)
}

pub(crate) fn port(device: &str, port: Option<&str>) -> PortName {
    PortName { device: name(device), port: port.map(name) }
}

pub(crate) fn software() -> Software {
    Software {
        program: "bramble-pilot".into(),
        version: "0.1.0".into(),
        host: "box1".into(),
        system: "linux".into(),
    }
}

pub(crate) fn origin() -> Origin {
    let texts = [("config/box1.toml".to_owned(), "name = \"box1\"".to_owned())];
    Origin { provenance: json!({ "build": { "commit": null } }), texts: texts.into() }
}

pub(crate) fn device() -> RigDevice {
    RigDevice {
        name: name("poke"),
        kind: "digital_input".into(),
        ports: ["left", "right"].map(name).into(),
        driver: "simulated".into(),
    }
}

pub(crate) fn sources() -> Sources {
    let files = [("task.star".to_owned(), "task()".to_owned())].into();
    Sources { root: "task.star".into(), files }
}

pub(crate) fn side() -> ValueType {
    ValueType::Choice(["left", "right"].map(name).into())
}

/// A value of every type there is.
pub(crate) fn values() -> Vec<(ValueType, Value)> {
    vec![
        (ValueType::Boolean, Value::Boolean(true)),
        (ValueType::Integer, Value::Integer(i64::MIN)),
        (ValueType::Integers, Value::Integers(-3, i32::MAX)),
        (ValueType::Number, Value::Number(f64::MIN_POSITIVE)),
        (ValueType::Duration, Value::Duration(Span::MAX)),
        (ValueType::Volume, Value::Volume(read("4 uL"))),
        (ValueType::Frequency, Value::Frequency(read("5 kHz"))),
        (ValueType::Level, Value::Level(read("7 %"))),
        (side(), Value::Choice(1)),
    ]
}

pub(crate) fn row() -> Row {
    Row {
        trial: 3,
        start: Time::from_ns(1),
        end: Time::from_ns(i64::MAX),
        ending: Ending::Timeout,
        values: values().into_iter().map(|(_, value)| Some(value)).chain([None]).collect(),
    }
}

pub(crate) fn start() -> StartSession {
    StartSession {
        session: SESSION,
        subject: read("M001"),
        task: sources(),
        parameters: [("reward".to_owned(), json!("4 uL")), ("odd".to_owned(), json!({"a": [1, -2.5, null]}))]
            .into(),
        owner: read("alice@desk"),
        seed: Seed(u64::MAX),
        kept: [("target".to_owned(), Value::Choice(1))].into(),
        graduation: Some(Graduation {
            protocol: sources(),
            step: 1,
            earlier: Trials { columns: vec![("target".into(), side())], rows: vec![row()] },
        }),
        trials: None,
        paused: true,
        despite_check: false,
        confirmed: [("underweight".to_owned(), "M001 weighs too little".to_owned())].into(),
        unix_ns: None,
        origin: origin(),
    }
}

pub(crate) fn command(command: Command) -> TerminalToPilot {
    TerminalToPilot::Command {
        ask: Ask(u64::MAX),
        by: read("alice@desk"),
        take_over: true,
        not_after: Some(Time::from_ns(7)),
        command,
    }
}

pub(crate) fn progress() -> Progress {
    Progress {
        session: SESSION,
        subject: read("M001"),
        owner: read("alice@desk"),
        task: "two_choice".into(),
        hold: Some(Hold::Since { seconds: 0.5 }),
        trial: u32::MAX,
        stages: vec!["trials".into(), "wait".into()],
        water: 12.5,
        seconds: 0.1,
        valves: vec![port("valve", Some("left")), port("pump", None)],
    }
}

/// Every message of a terminal to a pilot.
pub(crate) fn terminal_to_pilot() -> Vec<TerminalToPilot> {
    let stop = |when| Command::Stop { session: SESSION, when, why: "the day is over".into() };
    let commands = [
        Command::Start(Box::new(start())),
        stop(When::Now),
        stop(When::AfterTrial),
        Command::Pause { session: SESSION, why: "the tube is loose".into() },
        Command::Resume { session: SESSION, why: "it is mended".into() },
        Command::SetParameter { session: SESSION, name: "reward".into(), unix_ns: 1, value: json!("5 uL") },
        Command::Message { session: SESSION, name: "skip".into() },
        Command::Rename { certificate: Bytes::from_static(b"a certificate") },
        Command::Reward { session: SESSION, port: port("valve", Some("left")), volume: read("4 uL") },
    ];
    let revoked = TerminalToPilot::Revoked { certificates: vec![read(SERIAL)] };
    commands.map(command).into_iter().chain([revoked]).collect()
}

/// What a terminal says first.
pub(crate) fn terminal_hello() -> TerminalHello {
    TerminalHello { software: software(), revoked: vec![read(SERIAL)] }
}

/// What a pilot says first.
pub(crate) fn pilot_hello() -> PilotHello {
    PilotHello { software: software(), rig: vec![device()], activity: Activity::Idle }
}

/// Every message that a pilot says in passing.
pub(crate) fn pilot_in_passing() -> Vec<PilotInPassing> {
    let child = Child {
        name: name("wheel"),
        here: false,
        since: Some(Time::from_ns(3)),
        why: Some("it ended the link".into()),
        quality: Some(Quality {
            round_trip: Span::from_ms(1),
            clock_error: Span::from_ms(1),
            drift_ppm: -12.5,
            wall_ahead: Some(-0.5),
        }),
        health: Some(health()),
        certificate: Some(read(SERIAL)),
    };
    let status = Status {
        time: Time::from_ns(4),
        activity: Activity::Running(progress()),
        unacknowledged: 7,
        children: vec![child],
        health: Some(Health { disk: None, temperature: None, power: None, ..health() }),
        notice: Some("its disk is full".into()),
        hand: Some(InHand { who: Some(read("alice@desk")), what: "calibrate".into() }),
    };
    let calibrated = Calibrated {
        valve: port("valve", Some("left")),
        made_unix_s: 1_772_323_200,
        age: Span::from_s(60 * 24 * 3600),
    };
    let bars = vec![Bar { up_to: Span::from_ms(1), count: 1 }, Bar { up_to: Span::MAX, count: 2 }];
    let at = Span::from_ms(1);
    let delays = Delays { count: 3, bars, p50: at, p99: at, p99_9: at, worst: Span::from_ms(2) };
    let hand = |told| PilotInPassing::Hand { lease: SESSION, told };
    vec![
        PilotInPassing::Status(Box::new(status)),
        PilotInPassing::Answer(Answer { ask: Ask(1), outcome: Ok(()) }),
        PilotInPassing::Live { session: SESSION, records: vec![Record::Row(row())] },
        PilotInPassing::Calibrated(vec![calibrated]),
        PilotInPassing::Reaction(Reaction { session: SESSION, delays }),
        PilotInPassing::Probed { probe: 3, filler: Bytes::from_static(b"filler") },
        hand(HandTold::Beat(7)),
        hand(HandTold::Told { number: 1, told: vec!["{}".into()] }),
        hand(HandTold::Over { why: "the page is gone".into() }),
    ]
}

/// Everything that a terminal says to a pilot in passing.
pub(crate) fn terminal_in_passing() -> Vec<TerminalInPassing> {
    let hand = |says| TerminalInPassing::Hand { lease: SESSION, says };
    vec![
        hand(HandSays::Begin { by: read("alice@desk") }),
        hand(HandSays::Heard { beat: 7, ask: Some("{}".into()) }),
        hand(HandSays::Heard { beat: 7, ask: None }),
        hand(HandSays::End),
        TerminalInPassing::Probe { probe: 3, answer: 1000, filler: Bytes::from_static(b"filler") },
    ]
}

/// Every message of a pilot to a terminal.
pub(crate) fn pilot_to_terminal() -> Vec<PilotToTerminal> {
    let (parameters, columns) = values()
        .into_iter()
        .map(|(kind, value)| {
            let column = ColumnInfo { name: name("a-column"), kind: kind.clone(), doc: "what it is".into() };
            (("a parameter".to_owned(), kind, value), column)
        })
        .unzip();
    let started = PilotToTerminal::Started(Box::new(Started {
        request: start(),
        task_name: "two_choice".into(),
        task_doc: String::new(),
        parameters,
        columns,
        names: Names { sources: vec![(SourceKind::Session, "session".into())] },
        time: Time::from_ns(-1),
        unix_ns: 1_700_000_000_000_000_000,
        software: software(),
        provenance: json!({"calibrations": {"valve.left": [1.5, 2, true, null, "x"]}}),
        texts: origin().texts,
    }));
    let events = Kind::ALL.iter().map(|kind| {
        Record::Event(Event {
            time: Time::from_ns(1),
            trial: 1,
            kind: *kind,
            source: Source(u16::MAX),
            value: -0.5,
        })
    });
    let others = [Record::Row(row()), Record::Note { time: Time::ZERO, text: "the valve is dry".into() }];
    let records = PilotToTerminal::Records { session: SESSION, records: events.chain(others).collect() };
    let owner = PilotToTerminal::Owner { session: SESSION, owner: read("bob@desk") };
    let parameter = PilotToTerminal::Parameter(ParameterSet {
        session: SESSION,
        name: "reward".into(),
        value: json!("5 uL"),
        who: read("bob@desk"),
        unix_ns: 1_700_000_000_000_000_000,
    });
    let answers = [Ok(()), Err("the rig is busy".to_owned())]
        .map(|outcome| PilotToTerminal::Answer(Answer { ask: Ask(1), outcome }));
    let ended = Ending::ALL.iter().map(|ending| {
        PilotToTerminal::Ended(Ended {
            session: SESSION,
            ending: *ending,
            why: "stopped by hand".into(),
            graduated: true,
            paused: false,
            time: Time::from_ns(9),
            unix_ns: -1,
        })
    });
    answers.into_iter().chain([started, records, owner, parameter]).chain(ended).collect()
}

/// What a child says now and then.
pub(crate) fn health() -> Health {
    Health {
        time: Time::from_ns(5),
        unix_ns: 1_700_000_000_000_000_000,
        disk: Some(Disk { free: u64::MAX, size: u64::MAX }),
        temperature: Some(48.3),
        power: Some(Power { low: true, throttled: false, earlier: true }),
    }
}

/// What a child says first.
pub(crate) fn child_hello() -> ChildHello {
    ChildHello { software: software(), offer: Offer { devices: vec![device()] }, origin: origin() }
}

const READINGS: [Reading; 3] = [Reading::Digital(true), Reading::Analog(-1.5), Reading::Position(1e9)];

/// Every message of a pilot to a child.
pub(crate) fn pilot_to_child() -> Vec<PilotToChild> {
    let (ask, time) = (Ask(1), Time::from_ns(5));
    let mut messages = vec![
        PilotToChild::Claim { ask, session: SESSION, devices: vec![name("wheel")], simulated: true },
        PilotToChild::Release { ask },
        PilotToChild::Write { ask, time, port: port("light", None), level: 0.5 },
    ];
    let touch = |reading| PilotToChild::Touch { ask, time, port: port("wheel", None), reading };
    messages.extend(READINGS.map(touch));
    messages.push(PilotToChild::Revoked { certificates: vec![read(SERIAL)] });
    messages
}

/// Every message of a child to a pilot.
pub(crate) fn child_to_pilot() -> Vec<ChildToPilot> {
    let (ask, time) = (Ask(1), Time::from_ns(5));
    let mut messages = vec![
        ChildToPilot::Done { ask, outcome: Ok(()) },
        ChildToPilot::Done { ask, outcome: Err("no such port".to_owned()) },
        ChildToPilot::Missed { time, port: port("wheel", None), count: 3 },
        ChildToPilot::Note { time, text: "a storm".to_owned() },
        ChildToPilot::Failed { why: "its chip is gone".to_owned() },
    ];
    let input = |reading| ChildToPilot::Input { time, port: port("wheel", None), reading };
    messages.extend(READINGS.map(input));
    messages
}
