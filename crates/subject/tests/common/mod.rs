//! A subject, a session and rows of every kind, for the tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bramble_subject::{
    Biography, By, Column, Parameter, ProtocolStep, SessionEnd, SessionStart, Sex, SubjectFile, Subjects,
};
use bramble_value::{
    Ending, Event, Frequency, Kind, Level, Name, Names, Record, Row, Seed, Source, SourceKind, Span, Time,
    Value, ValueType, Volume,
};
use uuid::Uuid;

pub(crate) fn by() -> By {
    By { who: "ana".to_owned(), when: "2026-03-04T05:06:07.123456789Z".parse().unwrap() }
}

pub(crate) fn end(ending: Ending, why: &str) -> SessionEnd {
    SessionEnd { ended: by().when, ending, why: why.to_owned(), correct: Some(0.75), water: None }
}

pub(crate) fn biography() -> Biography {
    Biography {
        species: "Mus musculus".to_owned(),
        strain: "C57BL/6J".to_owned(),
        sex: Sex::Female,
        birth: Some("2026-01-02".parse().unwrap()),
        genotype: "wt".to_owned(),
        notes: "béta".to_owned(),
        extra: BTreeMap::from([("cage".to_owned(), "12".to_owned())]),
    }
}

pub(crate) fn subject_in(folder: &Path) -> SubjectFile {
    let subjects = Subjects::in_folder(folder).unwrap();
    subjects.create(&"M001".parse().unwrap(), &biography(), &by()).unwrap()
}

pub(crate) fn choice(names: &[&str]) -> ValueType {
    ValueType::Choice(names.iter().map(|name| name.parse::<Name>().unwrap()).collect::<Arc<[Name]>>())
}

/// One column of every type.
pub(crate) fn columns() -> Vec<Column> {
    let column =
        |name: &str, value_type| Column { name: name.to_owned(), value_type, doc: format!("the {name}") };
    vec![
        column("correct", ValueType::Boolean),
        column("n", ValueType::Integer),
        column("bias", ValueType::Number),
        column("latency", ValueType::Duration),
        column("reward", ValueType::Volume),
        column("tone", ValueType::Frequency),
        column("light", ValueType::Level),
        column("target", choice(&["left", "center", "right"])),
    ]
}

pub(crate) fn start(columns: Vec<Column>) -> SessionStart {
    let root = "tasks/two_choice.star".to_owned();
    let parameter = |name: &str, value_type, value| Parameter {
        name: name.to_owned(),
        value_type,
        value,
        doc: format!("the {name}"),
    };
    SessionStart {
        uuid: Uuid::new_v4(),
        task: "two_choice".to_owned(),
        task_doc: "Poke where the light is.\nÜber.".to_owned(),
        root: root.clone(),
        sources: BTreeMap::from([
            (root, "task(name = \"two_choice\")\n".to_owned()),
            ("tasks/empty.star".to_owned(), String::new()),
        ]),
        parameters: vec![
            parameter("reward", ValueType::Volume, Value::Volume(Volume::from_microliters(3.3).unwrap())),
            parameter("tries", ValueType::Integer, Value::Integer(i64::MAX)),
            parameter("block", ValueType::Integers, Value::Integers(-20, 40)),
            parameter("side", choice(&["left", "right"]), Value::Choice(1)),
        ],
        columns,
        names: Names {
            sources: vec![
                (SourceKind::Session, "session".to_owned()),
                (SourceKind::Stage, "wait".to_owned()),
                (SourceKind::Port, "poke.left".to_owned()),
            ],
        },
        seed: Seed(u64::MAX),
        pilot: "box1".to_owned(),
        protocol: Some(ProtocolStep { protocol: "visual 2AFC".to_owned(), step: "two_choice".to_owned() }),
        started: "2026-03-04T05:06:07.5Z".parse().unwrap(),
        start_time: Time::from_ns(-5),
        versions: BTreeMap::from([("bramble-pilot".to_owned(), "0.1.0".to_owned())]),
        provenance: serde_json::json!({"host": "box1", "calibrations": [1, 2.5]}),
        texts: BTreeMap::from([("config/pilot.toml".to_owned(), "name = \"box1\"\n".to_owned())]),
    }
}

/// A row with a value in every column of [`columns`], or in none.
pub(crate) fn row(trial: u32, present: bool) -> Record {
    let values = [
        Value::Boolean(trial.is_multiple_of(2)),
        Value::Integer(i64::from(trial) - 2),
        Value::Number(-0.25 * f64::from(trial)),
        Value::Duration(Span::from_ns(1_000_000_007 * i64::from(trial))),
        Value::Volume(Volume::from_microliters(0.1 * f64::from(trial)).unwrap()),
        Value::Frequency(Frequency::from_hertz(440.0 * f64::from(trial)).unwrap()),
        Value::Level(Level::from_share(1.0 / f64::from(trial + 1)).unwrap()),
        Value::Choice((trial % 3) as u16),
    ];
    Record::Row(Row {
        trial,
        start: Time::from_ns(i64::from(trial) * 1000),
        end: Time::from_ns(i64::from(trial) * 1000 + 999),
        ending: Ending::ALL[trial as usize % Ending::ALL.len()],
        values: values.into_iter().map(|value| present.then_some(value)).collect(),
    })
}

pub(crate) fn event(number: u32) -> Record {
    Record::Event(Event {
        time: Time::from_ns(i64::from(number) * 10),
        trial: number / 10,
        kind: Kind::ALL[number as usize % Kind::ALL.len()],
        source: Source(number as u16),
        value: f64::from(number) / 3.0,
    })
}

/// Records with the numbers that a journal gives them.
pub(crate) fn numbered(first: u64, records: impl IntoIterator<Item = Record>) -> Vec<(u64, Record)> {
    (first..).zip(records).collect()
}

pub(crate) fn rows_of(records: &[Record]) -> Vec<Row> {
    records
        .iter()
        .filter_map(|record| if let Record::Row(row) = record { Some(row.clone()) } else { None })
        .collect()
}

pub(crate) fn events_of(records: &[Record]) -> Vec<Event> {
    records
        .iter()
        .filter_map(|record| if let Record::Event(event) = record { Some(*event) } else { None })
        .collect()
}
