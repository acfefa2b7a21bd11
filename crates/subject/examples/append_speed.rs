//! How many events a second a subject file takes, by the size of a batch.

use std::time::Instant;

use bramble_subject::{Biography, By, Column, SessionStart, Subjects};
use bramble_value::{Event, Kind, Names, Record, Seed, Source, Time, ValueType};

/// How many events are written for each size.
const EVENTS: u64 = 512_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let by = By { who: "append_speed".to_owned(), when: "2026-01-01T00:00:00Z".parse()? };
    let subjects = Subjects::in_folder(folder.path())?;
    let mut file = subjects.create(&"M001".parse()?, &Biography::default(), &by)?;
    for batch in [16, 64, 256, 1024] {
        let number = file.begin_session(&session(&by))?;
        let records: Vec<(u64, Record)> = (1..=EVENTS).map(|each| (each, event(each))).collect();
        let begin = Instant::now();
        for batch in records.chunks(batch) {
            file.append(number, batch)?;
        }
        let seconds = begin.elapsed().as_secs_f64();
        println!("{batch:5} events a batch: {:9.0} events/s", EVENTS as f64 / seconds);
    }
    Ok(())
}

fn event(number: u64) -> Record {
    Record::Event(Event {
        time: Time::from_ns(number as i64 * 1_000_000),
        trial: (number / 20) as u32,
        kind: Kind::Input,
        source: Source((number % 7) as u16),
        value: (number % 2) as f64,
    })
}

fn session(by: &By) -> SessionStart {
    let column = Column { name: "latency".to_owned(), value_type: ValueType::Duration, doc: String::new() };
    SessionStart {
        uuid: uuid::Uuid::new_v4(),
        task: "speed".to_owned(),
        task_doc: String::new(),
        root: "speed.star".to_owned(),
        sources: [("speed.star".to_owned(), "task()".to_owned())].into(),
        parameters: Vec::new(),
        columns: vec![column],
        names: Names::default(),
        seed: Seed(1),
        pilot: "box1".to_owned(),
        protocol: None,
        started: by.when,
        start_time: Time::ZERO,
        versions: Default::default(),
        provenance: serde_json::Value::Null,
        texts: Default::default(),
    }
}
