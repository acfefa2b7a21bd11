//! Subjects with sessions of shipped tasks, and with sessions that others stumble over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bramble_engine::Settings;
use bramble_export::{Form, Here, Lab, Session, Whether};
use bramble_rig::Wiring;
use bramble_rig::config::RigConfig;
use bramble_simulation::{Limits, named, simulate};
use bramble_subject::{
    Biography, By, Column, Occasion, Parameter, ProtocolStep, SessionEnd, SessionNumber, SessionStart, Sex,
    SubjectFile, Subjects, Weight,
};
use bramble_value::{
    Ending, Event, Frequency, Kind, Level, Name, Names, Record, Row, Seed, Source, SourceKind, Span, Time,
    Value, ValueType, Volume,
};
use serde_json::json;
use uuid::Uuid;

/// When the first session starts.
const STARTED: &str = "2026-03-04T05:06:07.5Z";

pub(crate) fn by() -> By {
    By { who: "ana".to_owned(), when: "2026-03-04T05:00:00Z".parse().unwrap() }
}

pub(crate) fn here() -> Here {
    let lab = Lab {
        institution: "Stanford University".to_owned(),
        name: "Doe lab".to_owned(),
        experimenters: vec!["Doe, Jane".to_owned()],
        investigators: vec!["Jane Doe".to_owned()],
        project: "Visual choice".to_owned(),
        funders: vec!["A fund that nobody knows".to_owned()],
    };
    let now = "2026-03-05T05:06:07Z".parse().unwrap();
    Here { lab, zone: jiff::tz::TimeZone::fixed(jiff::tz::offset(-8)), now }
}

pub(crate) fn biography() -> Biography {
    Biography {
        species: "Mus musculus".to_owned(),
        strain: "C57BL/6J".to_owned(),
        sex: Sex::Female,
        birth: Some("2026-01-02".parse().unwrap()),
        genotype: "wt/wt".to_owned(),
        notes: "béta, \"quoted\"".to_owned(),
        extra: BTreeMap::from(
            [("cage", "12"), ("source", "Jackson")].map(|(name, said)| (name.to_owned(), said.to_owned())),
        ),
    }
}

pub(crate) fn subject(folder: &Path, id: &str) -> SubjectFile {
    let subjects = Subjects::in_folder(folder).unwrap();
    let mut file = subjects.create(&id.parse().unwrap(), &biography(), &by()).unwrap();
    let weight = Weight { when: by().when, grams: 21.5, occasion: Occasion::Before, who: "ana".to_owned() };
    file.weigh(&weight).unwrap();
    file
}

/// Reads one session.
pub(crate) fn session(file: &SubjectFile, number: u32) -> Session {
    Session::read(file, SessionNumber::new(number)).unwrap()
}

/// Simulates a session of a shipped task and writes it. Returns how it went.
pub(crate) fn simulated(file: &mut SubjectFile, task: &str, trials: u32, seed: u64) -> SessionNumber {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tasks").join(task);
    let sources = bramble_task::read(&path).unwrap();
    let task = bramble_task::load(&sources).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let definition = task.definition().clone();
    let settings = Settings::defaults(&definition, Seed(seed));
    let parameters = definition.parameters.iter().zip(&settings.parameters);
    let parameters = parameters.map(|(one, value)| Parameter {
        name: one.name.to_string(),
        value_type: one.kind.clone(),
        value: *value,
        doc: one.doc.clone(),
    });
    let columns = definition.columns.iter().map(|column| Column {
        name: column.name.to_string(),
        value_type: column.kind.clone(),
        doc: column.doc.clone(),
    });
    let rig = RigConfig::simulated(&definition);
    let devices = rig.devices.iter().map(|(name, device)| {
        json!({
            "name": name,
            "kind": device.kind.word(),
            "ports": device.ports(),
            "driver": device.driver.to_string(),
        })
    });
    let start = SessionStart {
        task: definition.name.clone(),
        task_doc: definition.doc.clone(),
        root: sources.root.clone(),
        sources: sources.files.clone(),
        parameters: parameters.collect(),
        columns: columns.collect(),
        names: Wiring::simulated(&definition).unwrap().names(&definition),
        provenance: json!({
            "pilot": {
                "name": "box1",
                "rig": { "devices": devices.collect::<Vec<_>>(), "settings": rig },
                "host": { "name": "box1", "board": "Raspberry Pi 4", "system": "Debian GNU/Linux 12" },
            },
        }),
        ..empty_start(Seed(seed))
    };
    // A task without trials may wait for ever.
    let limits = Limits { trials: Some(trials), time: Some(Span::from_s(3600)) };
    let animal = named("learner", Seed(seed), "").unwrap();
    let done = simulate(definition, &mut task.functions(), settings, animal, limits).unwrap();
    let number = file.begin_session(&start).unwrap();
    let numbered: Vec<_> = (1..).zip(done.records).collect();
    file.append(number, &numbered).unwrap();
    let water = Some(done.summary.water);
    let ended = jiff::SignedDuration::from_nanos(done.outcome.end.ns());
    let ended = start.started.checked_add(ended).unwrap();
    let end = SessionEnd {
        ended,
        ending: Ending::Done,
        why: "enough, \"ok\"".to_owned(),
        correct: Some(0.75),
        water,
    };
    file.end_session(number, &end).unwrap();
    number
}

/// What a session of no task starts from.
pub(crate) fn empty_start(seed: Seed) -> SessionStart {
    SessionStart {
        uuid: Uuid::new_v4(),
        task: "empty".to_owned(),
        task_doc: String::new(),
        root: "empty.star".to_owned(),
        sources: BTreeMap::from([("empty.star".to_owned(), String::new())]),
        parameters: Vec::new(),
        columns: Vec::new(),
        names: Names { sources: vec![(SourceKind::Session, "session".to_owned())] },
        seed,
        pilot: "box1".to_owned(),
        protocol: Some(ProtocolStep { protocol: "water to choice".to_owned(), step: "2 choice".to_owned() }),
        started: STARTED.parse().unwrap(),
        start_time: Time::ZERO,
        versions: BTreeMap::from([("bramble-pilot".to_owned(), "0.1.0".to_owned())]),
        provenance: json!({}),
        texts: Default::default(),
    }
}

fn choice(names: &[&str]) -> ValueType {
    ValueType::Choice(names.iter().map(|name| name.parse::<Name>().unwrap()).collect())
}

/// Columns of every type, and with names that others have a meaning for.
fn odd_columns() -> Vec<Column> {
    let column =
        |name: &str, value_type, doc: &str| Column { name: name.to_owned(), value_type, doc: doc.to_owned() };
    vec![
        column("correct", ValueType::Boolean, "whether it was, \"really\",\nright"),
        column("n", ValueType::Integer, "Zähler"),
        column("bias", ValueType::Number, ""),
        column("latency", ValueType::Duration, "tone to answer"),
        column("reward", ValueType::Volume, "water"),
        column("tone", ValueType::Frequency, "the tone"),
        column("light", ValueType::Level, "the light"),
        column("target", choice(&["left", "center", "right"]), "the side"),
        column("trial", ValueType::Integer, "a name of the table itself"),
        column("subject", ValueType::Integer, "a folder's name"),
        column("CORRECT", ValueType::Integer, "the same name in capitals"),
        column("id", ValueType::Integer, "a name of NWB"),
        column("start_time", ValueType::Number, "a name of NWB"),
        column("tags", ValueType::Integer, "a name of NWB"),
        column("n_missing", ValueType::Integer, "a name that says what is missing"),
        column("n_index", ValueType::Integer, "a name of NWB"),
        column("name", ValueType::Integer, "a name of pynwb's"),
        column("description", ValueType::Integer, "a name of pynwb's"),
        column("parent", ValueType::Integer, "a name of pynwb's"),
        column("copy", ValueType::Integer, "a name of pynwb's"),
        column("a-b", ValueType::Integer, "no name of Python's"),
        column("class", ValueType::Integer, "a word of Python's"),
    ]
}

fn odd_row(trial: u32) -> Record {
    let number = i64::from(trial);
    let odd = [
        Value::Boolean(trial.is_multiple_of(2)),
        // No number of 53 bits.
        Value::Integer((1 << 60) + number),
        Value::Number(-0.1 * f64::from(trial)),
        Value::Duration(Span::from_ns(1_000_000_007 * number)),
        Value::Volume(Volume::from_microliters(0.1 * f64::from(trial)).unwrap()),
        Value::Frequency(Frequency::from_hertz(440.0 * f64::from(trial)).unwrap()),
        Value::Level(Level::from_share(1.0 / f64::from(trial + 1)).unwrap()),
        Value::Choice((trial % 3) as u16),
    ];
    let columns = odd_columns();
    let values = columns.iter().enumerate().map(|(place, column)| {
        let other = match column.value_type {
            ValueType::Number => Value::Number(number as f64),
            _ => Value::Integer(number * 10 + place as i64),
        };
        let value = odd.get(place).copied().unwrap_or(other);
        // Each column is missing in some trial, and the first trial has them all.
        (trial == 1 || !(trial as usize + place).is_multiple_of(4)).then_some(value)
    });
    Record::Row(Row {
        trial,
        start: Time::from_ns(7_000_000_000 + number * 1_000_000_001),
        end: Time::from_ns(7_000_000_000 + number * 1_000_000_001 + 999_999_999),
        ending: Ending::ALL[trial as usize % Ending::ALL.len()],
        values: values.collect(),
    })
}

/// A session of every kind of event, with every type of column, that began at
/// another moment than its clock, and was cut.
pub(crate) fn odd(file: &mut SubjectFile) -> SessionNumber {
    let sources = [
        (SourceKind::Session, "session"),
        (SourceKind::Stage, "trials/wait"),
        (SourceKind::Stage, "trials/answer"),
        (SourceKind::Port, "poke.left"),
        (SourceKind::Port, "wheel"),
        (SourceKind::Column, "target"),
        (SourceKind::Parameter, "pause"),
    ];
    let start = SessionStart {
        task: "odd".to_owned(),
        task_doc: "Every type.\nÜber.".to_owned(),
        sources: BTreeMap::from([
            ("empty.star".to_owned(), String::new()),
            ("lib/ü.star".to_owned(), "x = 1\n".to_owned()),
        ]),
        parameters: vec![
            Parameter {
                name: "pause".to_owned(),
                value_type: ValueType::Duration,
                value: Value::Duration(Span::from_ms(200)),
                doc: "between trials".to_owned(),
            },
            Parameter {
                name: "tries".to_owned(),
                value_type: ValueType::Integer,
                value: Value::Integer(i64::MAX),
                doc: String::new(),
            },
            Parameter {
                name: "block".to_owned(),
                value_type: ValueType::Integers,
                value: Value::Integers(-20, 40),
                doc: "a range".to_owned(),
            },
        ],
        columns: odd_columns(),
        names: Names { sources: sources.map(|(kind, name)| (kind, name.to_owned())).into() },
        start_time: Time::from_ns(7_000_000_000),
        protocol: None,
        provenance: json!({"pilot": {"rig": {
            "devices": [{"name": "wheel", "kind": "encoder", "ports": [], "driver": "gpiocdev"}],
            "settings": {"devices": {"wheel": {"unit": "deg"}}},
        }}}),
        ..empty_start(Seed(u64::MAX))
    };
    let number = file.begin_session(&start).unwrap();
    let event = |place: u32, kind: Kind| {
        let (source, value) = match kind {
            Kind::StageStart => (1, 0.0),
            Kind::StageEnd => (1, f64::from(Ending::Goto as u8)),
            Kind::Goto => (1, 2.0),
            Kind::Position => (4, f64::from(place) / 3.0),
            Kind::Column => (5, 2.0),
            Kind::Parameter => (6, 0.25),
            _ => (3, 1.0),
        };
        let time = Time::from_ns(7_000_000_000 + i64::from(place) * 10_000_000);
        Record::Event(Event { time, trial: place / 10, kind, source: Source(source), value })
    };
    let mut records = Vec::new();
    for place in 0..200 {
        records.push(event(place, Kind::ALL[place as usize % Kind::ALL.len()]));
        if place % 10 == 9 {
            records.push(odd_row(place / 10 + 1));
        }
    }
    records.push(Record::Note {
        time: Time::from_ns(8_000_000_000),
        text: "a line, \"quoted\",\nand another".to_owned(),
    });
    let numbered: Vec<_> = (1..).zip(records).collect();
    file.append(number, &numbered).unwrap();
    number
}

/// A session that was stopped in its first state, two seconds after it began.
pub(crate) fn stopped_at_once(file: &mut SubjectFile) -> SessionNumber {
    let sources =
        [(SourceKind::Session, "session"), (SourceKind::Stage, "trials"), (SourceKind::Stage, "trials/wait")];
    let names = Names { sources: sources.map(|(kind, name)| (kind, name.to_owned())).into() };
    let number = file.begin_session(&SessionStart { names, ..empty_start(Seed(4)) }).unwrap();
    let event = |seconds: i64, kind, stage| {
        let value = if kind == Kind::StageEnd { f64::from(Ending::Stopped as u8) } else { 0.0 };
        let time = Time::from_ns(seconds * 1_000_000_000);
        Record::Event(Event { time, trial: 1, kind, source: Source(stage), value })
    };
    let records = [
        event(0, Kind::StageStart, 1),
        event(0, Kind::StageStart, 2),
        event(2, Kind::StageEnd, 2),
        event(2, Kind::StageEnd, 1),
    ];
    file.append(number, &(1..).zip(records).collect::<Vec<_>>()).unwrap();
    number
}

/// A session that began and has nothing in it.
pub(crate) fn empty(file: &mut SubjectFile) -> SessionNumber {
    file.begin_session(&empty_start(Seed(3))).unwrap()
}

/// Two subjects, one with a name that is more than letters, and sessions of every kind.
pub(crate) fn cohort(folder: &Path) -> Vec<Session> {
    let mut first = subject(folder, "M001");
    simulated(&mut first, "two_choice.star", 40, 1);
    simulated(&mut first, "free_water.star", 20, 2);
    odd(&mut first);
    empty(&mut first);
    let mut second = subject(folder, "m-2_b");
    simulated(&mut second, "two_choice.star", 10, 3);
    // It has no trials.
    simulated(&mut second, "blink.star", 0, 4);
    let all = |file: &SubjectFile| -> Vec<Session> {
        file.sessions().unwrap().iter().map(|one| session(file, one.number.get())).collect()
    };
    [all(&first), all(&second)].concat()
}

/// Exports every session.
pub(crate) fn exported(form: Form, sessions: Vec<Session>, folder: &Path) -> Vec<(PathBuf, Session)> {
    let export = |session: Session| {
        // Those that nobody saw the end of may have ended at the same time.
        let out =
            if form == Form::Aind { folder.join(session.number.to_string()) } else { folder.to_owned() };
        (form.export(&session, &here(), &out, Whether::ToKeep).unwrap(), session)
    };
    sessions.into_iter().map(export).collect()
}
