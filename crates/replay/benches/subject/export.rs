//! How fast a session is exported.

use std::error::Error;

use bramble_bench::{Goal, Report, median, seconds};
use bramble_export::{Form, Here, Lab, Session, Whether};
use bramble_simulation::Simulation;
use bramble_subject::Subjects;
use bramble_task::Task;
use bramble_value::{Record, Sources, Time};
use jiff::tz::TimeZone;

use crate::{by, end, new, numbered, start};

/// How many events the session has.
const EVENTS: usize = 100_000;
/// How long it lasted, in nanoseconds.
const HOUR: i64 = 3_600_000_000_000;

/// An hour with as many events as the goal is about: those of `hour` again and
/// again, evenly spread.
pub(crate) fn exported(
    report: &mut Report,
    subjects: &Subjects,
    sources: &Sources,
    task: &Task,
    hour: &Simulation,
) -> Result<(), Box<dyn Error>> {
    let events = hour.records.iter().filter_map(|record| match record {
        Record::Event(event) => Some(*event),
        _ => None,
    });
    let spread = (0..).zip(events.cycle().take(EVENTS)).map(|(place, mut event)| {
        event.time = Time::from_ns(place * (HOUR / EVENTS as i64));
        Record::Event(event)
    });
    let rows = hour.records.iter().filter(|record| matches!(record, Record::Row(_))).cloned();
    let records: Vec<Record> = spread.chain(rows).collect();
    let mut file = new(subjects, "exported")?;
    let number = file.begin_session(&start(sources, task))?;
    file.append(number, &numbered(&records))?;
    file.end_session(number, &end())?;
    file.pack()?;
    let here = Here { lab: Lab::default(), zone: TimeZone::UTC, now: by().when };
    let folder = tempfile::tempdir()?;
    for form in [Form::Nwb, Form::Parquet, Form::Csv] {
        let mut times = Vec::new();
        for _ in 0..if report.is_quick() { 1 } else { 5 } {
            let mut outcome = None;
            times.push(seconds(|| {
                let session = Session::read(&file, number);
                outcome = Some(
                    session
                        .and_then(|session| form.export(&session, &here, folder.path(), Whether::ToReplace)),
                );
            }));
            outcome.ok_or("it was not exported")??;
        }
        let goal = (form == Form::Nwb).then_some(Goal::Below(2.0));
        let name = format!("export of an hour of 100,000 events as {form}, on the disk");
        report.measured(&name, median(times), "s", goal);
    }
    Ok(())
}
