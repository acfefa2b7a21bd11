//! Messages as bytes: good ones come back as they were, bad ones are refused.

use std::fmt::Debug;
use std::str::FromStr;

use bramble_message::*;
use bramble_value::{
    Ending, Event, Kind, Name, Names, Record, Row, Seed, Source, SourceKind, Sources, Span, Time, Trials,
    Value, ValueType,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use uuid::Uuid;

const SESSION: Uuid = Uuid::from_u128(7);

fn read<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("it is one")
}

fn name(text: &str) -> Name {
    read(text)
}

fn port(device: &str, port: Option<&str>) -> PortName {
    PortName { device: name(device), port: port.map(name) }
}

fn software() -> Software {
    Software {
        program: "bramble-pilot".into(),
        version: "0.1.0".into(),
        host: "box1".into(),
        system: "linux".into(),
    }
}

fn device() -> RigDevice {
    RigDevice {
        name: name("poke"),
        kind: "digital_input".into(),
        ports: ["left", "right"].map(name).into(),
        driver: "simulated".into(),
    }
}

fn sources() -> Sources {
    let files = [("task.star".to_owned(), "task()".to_owned())].into();
    Sources { root: "task.star".into(), files }
}

fn side() -> ValueType {
    ValueType::Choice(["left", "right"].map(name).into())
}

/// A value of every type there is.
fn values() -> Vec<(ValueType, Value)> {
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

fn row() -> Row {
    Row {
        trial: 3,
        start: Time::from_ns(1),
        end: Time::from_ns(i64::MAX),
        ending: Ending::Timeout,
        values: values().into_iter().map(|(_, value)| Some(value)).chain([None]).collect(),
    }
}

fn start() -> StartSession {
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
    }
}

fn health() -> Health {
    Health {
        time: Time::from_ns(5),
        unix_ns: 1_700_000_000_000_000_000,
        disk: Some(Disk { free: u64::MAX, size: u64::MAX }),
        temperature: Some(48.3),
        power: Some(Power { low: true, throttled: false, earlier: true }),
    }
}

fn command(command: Command) -> TerminalToPilot {
    TerminalToPilot::Command { ask: Ask(u64::MAX), by: read("alice@desk"), take_over: true, command }
}

fn progress() -> Progress {
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

#[track_caller]
fn comes_back<M: Serialize + DeserializeOwned + PartialEq + Debug>(message: M) {
    let bytes = encode(&message);
    assert_eq!(decode::<M>(&bytes).expect("it is one"), message);
    for cut in 0..bytes.len() {
        assert!(decode::<M>(&bytes[..cut]).is_err(), "{message:?} cut at {cut}");
    }
}

#[test]
fn every_message_of_a_terminal_to_a_pilot_comes_back_as_it_was() {
    comes_back(TerminalHello { software: software() });
    let stop = |when| Command::Stop { session: SESSION, when, why: "the day is over".into() };
    for command in [
        Command::Start(Box::new(start())),
        stop(When::Now),
        stop(When::AfterTrial),
        Command::Pause { session: SESSION, why: "the tube is loose".into() },
        Command::Resume { session: SESSION, why: "it is mended".into() },
        Command::SetParameter { session: SESSION, name: "reward".into(), value: json!("5 uL") },
        Command::Message { session: SESSION, name: "skip".into() },
        Command::Reward { session: SESSION, port: port("valve", Some("left")), volume: read("4 uL") },
    ] {
        comes_back(self::command(command));
    }
}

#[test]
fn every_message_of_a_pilot_to_a_terminal_comes_back_as_it_was() {
    comes_back(PilotHello { software: software(), rig: vec![device()], activity: Activity::Idle });
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
    };
    comes_back(PilotInPassing::Status(Status {
        time: Time::from_ns(4),
        activity: Activity::Running(progress()),
        unacknowledged: 7,
        children: vec![child],
        health: Some(Health { disk: None, temperature: None, power: None, ..health() }),
        notice: Some("its disk is full".into()),
    }));
    comes_back(PilotInPassing::Answer(Answer { ask: Ask(1), outcome: Ok(()) }));
    comes_back(PilotInPassing::Live { session: SESSION, records: vec![Record::Row(row())] });
    for outcome in [Ok(()), Err("the rig is busy".to_owned())] {
        comes_back(PilotToTerminal::Answer(Answer { ask: Ask(1), outcome }));
    }
    let (parameters, columns) = values()
        .into_iter()
        .map(|(kind, value)| {
            let column = ColumnInfo { name: name("a-column"), kind: kind.clone(), doc: "what it is".into() };
            (("a parameter".to_owned(), kind, value), column)
        })
        .unzip();
    comes_back(PilotToTerminal::Started(Box::new(Started {
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
    })));
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
    comes_back(PilotToTerminal::Records { session: SESSION, records: events.chain(others).collect() });
    comes_back(PilotToTerminal::Owner { session: SESSION, owner: read("bob@desk") });
    for ending in Ending::ALL {
        comes_back(PilotToTerminal::Ended(Ended {
            session: SESSION,
            ending: *ending,
            why: "stopped by hand".into(),
            graduated: true,
            paused: false,
            time: Time::from_ns(9),
            unix_ns: -1,
        }));
    }
}

#[test]
fn every_message_between_a_pilot_and_a_child_comes_back_as_it_was() {
    comes_back(ChildHello { software: software(), offer: Offer { devices: vec![device()] } });
    comes_back(health());
    let (ask, time) = (Ask(1), Time::from_ns(5));
    comes_back(PilotToChild::Claim { ask, session: SESSION, devices: vec![name("wheel")], simulated: true });
    comes_back(PilotToChild::Release { ask });
    comes_back(PilotToChild::Write { ask, time, port: port("light", None), level: 0.5 });
    for outcome in [Ok(()), Err("no such port".to_owned())] {
        comes_back(ChildToPilot::Done { ask, outcome });
    }
    for reading in [Reading::Digital(true), Reading::Analog(-1.5), Reading::Position(1e9)] {
        comes_back(PilotToChild::Touch { ask, time, port: port("wheel", None), reading });
        comes_back(ChildToPilot::Missed { time, port: port("wheel", None), count: 3 });
        comes_back(ChildToPilot::Note { time, text: "a storm".to_owned() });
        comes_back(ChildToPilot::Failed { why: "its chip is gone".to_owned() });
        comes_back(ChildToPilot::Input { time, port: port("wheel", None), reading });
    }
}

#[test]
fn a_message_is_a_map_with_field_names() {
    let command = Command::Stop { session: SESSION, when: When::AfterTrial, why: "the day is over".into() };
    let bytes = encode(&self::command(command));
    let text = String::from_utf8_lossy(&bytes);
    for field in ["command", "ask", "by", "alice@desk", "take_over", "stop", "when", "after_trial", "why"] {
        assert!(text.contains(field), "{field} is in the message");
    }
}

/// Tries to read every kind of message, and says which could be.
fn readable(bytes: &[u8]) -> Vec<&'static str> {
    fn name_if<M: DeserializeOwned>(bytes: &[u8]) -> Option<&'static str> {
        decode::<M>(bytes).ok().map(|_| std::any::type_name::<M>())
    }
    let kinds = [
        name_if::<TerminalHello>,
        name_if::<TerminalToPilot>,
        name_if::<PilotHello>,
        name_if::<PilotToTerminal>,
        name_if::<PilotInPassing>,
        name_if::<Health>,
        name_if::<ChildHello>,
        name_if::<ChildToPilot>,
        name_if::<PilotToChild>,
    ];
    kinds.iter().filter_map(|name_if| name_if(bytes)).collect()
}

#[test]
fn bytes_that_are_no_message_are_an_error_that_says_what_was_wanted() {
    for bytes in [&b""[..], b"\xc1", b"hello", &[0xdf, 0xff, 0xff, 0xff, 0xff]] {
        assert!(readable(bytes).is_empty());
        let error = decode::<PilotToTerminal>(bytes).unwrap_err().to_string();
        assert!(error.contains("PilotToTerminal"), "{error}");
    }
}

/// A change of a parameter to whatever these bytes are.
fn parameter_of(value: &[u8]) -> Vec<u8> {
    let command = Command::SetParameter { session: SESSION, name: "reward".into(), value: json!(null) };
    let mut bytes = encode(&self::command(command)).to_vec();
    assert_eq!(bytes.pop(), Some(0xc0), "the value, null, comes last");
    bytes.extend(value);
    bytes
}

#[test]
fn what_is_nested_as_deep_as_json_may_be_is_read_and_deeper_is_refused() {
    let nested = |depth| [vec![0x91; depth], vec![0xc0]].concat();
    assert!(decode::<TerminalToPilot>(&parameter_of(&nested(127))).is_ok());
    for depth in [1_000, 100_000] {
        assert!(decode::<TerminalToPilot>(&parameter_of(&nested(depth))).is_err(), "{depth}");
        // As a field that no message has, and as a map in a map.
        assert!(readable(&[&b"\x81\xa4more"[..], &nested(depth)].concat()).is_empty());
        let maps: Vec<u8> = b"\x81\xa1a".iter().copied().cycle().take(3 * depth).collect();
        assert!(decode::<TerminalToPilot>(&parameter_of(&maps)).is_err(), "{depth}");
    }
}

#[test]
fn what_claims_to_be_long_is_refused_without_memory_for_it() {
    // Each claims four thousand million bytes, elements or entries.
    for head in [0xc6, 0xc9, 0xdb, 0xdd, 0xdf] {
        let claim = [head, 0xff, 0xff, 0xff, 0xff];
        assert!(decode::<TerminalToPilot>(&parameter_of(&claim)).is_err(), "{head:x}");
        // A thousand claims, one in the other: were each given what it claims, or a
        // thousandth of it, this process would not live.
        assert!(decode::<TerminalToPilot>(&parameter_of(&claim.repeat(1000))).is_err(), "{head:x}");
        let records =
            [&b"\x81\xa7records\x82\xa7session\xc4\x10"[..], &[0; 16], b"\xa7records", &claim].concat();
        assert!(decode::<PilotToTerminal>(&records).is_err(), "{head:x}");
    }
}

#[test]
fn a_quantity_that_cant_be_is_refused() {
    let reward = Command::Reward { session: SESSION, port: port("valve", None), volume: read("4 uL") };
    let mut bytes = encode(&command(reward)).to_vec();
    // The volume comes last, and its sign is the first of its eight bytes.
    let sign = bytes.len() - 8;
    bytes[sign] |= 0x80;
    let error = decode::<TerminalToPilot>(&bytes).unwrap_err().to_string();
    assert!(error.contains("`-4` is out of the range of a volume"), "{error}");
}

proptest! {
    #[test]
    fn hostile_bytes_are_never_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        at in any::<prop::sample::Index>(),
        by in any::<u8>(),
    ) {
        readable(&bytes);
        // A good message with one byte of it changed.
        let mut good = encode(&command(Command::Start(Box::new(start())))).to_vec();
        let at = at.index(good.len());
        good[at] = by;
        readable(&good);
    }
}
