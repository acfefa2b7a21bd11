//! How fast the subject file is, and how small: `scripts/bench subject`.

#[path = "subject/export.rs"]
mod export;
#[path = "subject/lab.rs"]
mod lab;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use bramble_bench::{Goal, Report, median, seconds};
use bramble_engine::Settings;
use bramble_replay::{Recording, replay};
use bramble_rig::RigConfig;
use bramble_simulation::{Limits, Simulation, named, simulate};
use bramble_subject::{
    Biography, By, Change, Column, Occasion, Parameter, SessionEnd, SessionStart, SubjectFile, Subjects,
    Weight, life,
};
use bramble_task::Task;
use bramble_value::{Ending, Record, Seed, Sources, Span, Volume};
use jiff::SignedDuration;
use serde_json::json;
use uuid::Uuid;

/// As many trials has a session of the large file.
const TRIALS: u32 = 1000;
/// The subject of the large file.
const LARGE: &str = "large";
/// After so many sessions the large file is packed while it is made.
const PACKED: u32 = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let mut report = Report::from_arguments("subject");
    let quick = report.is_quick();
    let folder = tempfile::tempdir()?;
    let tasks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tasks");
    let sources = bramble_task::read(&tasks.join("two_choice.star"))?;
    let task = bramble_task::load(&sources)?;

    // An hour of a learner's two choices.
    let hour = session(&task, Limits { trials: None, time: Some(Span::from_s(3600)) })?;
    let subjects = Subjects::in_folder(folder.path())?;
    let one = kept(&subjects, "one", &sources, &task, &hour)?;
    replayed(&mut report, &one, &hour)?;
    space(&mut report, &subjects, &sources, &task, &hour)?;
    export::exported(&mut report, &subjects, &sources, &task, &hour)?;
    appended(&mut report, &subjects, &sources, &task, if quick { 20_000 } else { 1_000_000 })?;
    large(&mut report, &subjects, &sources, &task, if quick { 20 } else { 1000 })?;
    let (large, empty) = (LARGE.parse()?, "unused".parse()?);
    subjects.create(&empty, &Biography::default(), &by())?;
    lab::waited(&mut report, folder.path(), &tasks.join("cued_choice.star"), &large, &empty)?;
    report.print();
    Ok(())
}

fn session(task: &Task, limits: Limits) -> Result<Simulation, Box<dyn Error>> {
    let settings = Settings::defaults(&task.definition, Seed(7));
    let animal = named("learner", Seed(8), "")?;
    Ok(simulate(Arc::clone(&task.definition), &mut task.functions(), settings, animal, limits)?)
}

fn by() -> By {
    By { who: "bench".to_owned(), when: "2026-03-04T05:06:07Z".parse().expect("it is a time") }
}

fn start(sources: &Sources, task: &Task) -> SessionStart {
    let definition = &task.definition;
    let parameters = definition.parameters.iter().map(|parameter| Parameter {
        name: parameter.name.to_string(),
        value_type: parameter.kind.clone(),
        value: parameter.default,
        doc: parameter.doc.clone(),
    });
    let columns = definition.columns.iter().map(|column| Column {
        name: column.name.to_string(),
        value_type: column.kind.clone(),
        doc: column.doc.clone(),
    });
    SessionStart {
        uuid: Uuid::new_v4(),
        task: definition.name.clone(),
        task_doc: definition.doc.clone(),
        root: sources.root.clone(),
        sources: sources.files.clone(),
        parameters: parameters.collect(),
        columns: columns.collect(),
        names: definition.names(),
        seed: Seed(7),
        pilot: "box1".to_owned(),
        protocol: None,
        started: by().when,
        start_time: bramble_value::Time::ZERO,
        versions: BTreeMap::new(),
        provenance: json!({
            "pilot": { "rig": { "settings": RigConfig::simulated(definition) }, "simulation": {} },
            "request": { "kept": {}, "trials": null, "graduation": null },
        }),
        texts: Default::default(),
    }
}

fn end() -> SessionEnd {
    SessionEnd {
        ended: by().when,
        ending: Ending::Stopped,
        why: "the session has lasted as long as it may".to_owned(),
        correct: None,
        water: None,
    }
}

fn numbered(records: &[Record]) -> Vec<(u64, Record)> {
    (1..).zip(records.iter().cloned()).collect()
}

fn new(subjects: &Subjects, name: &str) -> Result<SubjectFile, Box<dyn Error>> {
    Ok(subjects.create(&name.parse()?, &Biography::default(), &by())?)
}

/// A file with this session.
fn kept(
    subjects: &Subjects,
    name: &str,
    sources: &Sources,
    task: &Task,
    session: &Simulation,
) -> Result<SubjectFile, Box<dyn Error>> {
    let mut file = new(subjects, name)?;
    let number = file.begin_session(&start(sources, task))?;
    file.append(number, &numbered(&session.records))?;
    file.end_session(number, &end())?;
    file.pack()?;
    Ok(file)
}

fn replayed(report: &mut Report, file: &SubjectFile, session: &Simulation) -> Result<(), Box<dyn Error>> {
    let number = file.sessions()?[0].number;
    let mut times = Vec::new();
    for _ in 0..if report.is_quick() { 1 } else { 5 } {
        let mut came = None;
        times.push(seconds(|| came = Some(Recording::read(file, number).and_then(replay))));
        let came = came.ok_or("it was not run again")??;
        if let Some(difference) = came.difference {
            return Err(difference.into());
        }
    }
    let lasted = session.outcome.end.since(session.outcome.start).seconds();
    let times_faster = lasted / median(times);
    report.simulated(
        "replay of an hour, from its file",
        times_faster,
        "times as fast",
        Some(Goal::AtLeast(100.0)),
    );
    Ok(())
}

/// What a session of an hour adds to a file, by its events.
fn space(
    report: &mut Report,
    subjects: &Subjects,
    sources: &Sources,
    task: &Task,
    session: &Simulation,
) -> Result<(), Box<dyn Error>> {
    let file = kept(subjects, "small", sources, task, session)?;
    file.sync()?;
    let size = std::fs::metadata(file.path())?.len() as f64;
    let events = file.sessions()?[0].events as f64;
    report.measured("events of that hour", events, "events", None);
    report.measured("the whole file of that hour, an event", size / events, "bytes", Some(Goal::Below(16.0)));
    Ok(())
}

/// Events, in batches as the terminal's writer makes them, each flushed.
fn appended(
    report: &mut Report,
    subjects: &Subjects,
    sources: &Sources,
    task: &Task,
    rows: usize,
) -> Result<(), Box<dyn Error>> {
    let session = session(task, Limits { trials: Some(TRIALS), time: None })?;
    let events =
        session.records.iter().filter(|record| matches!(record, Record::Event(_))).cycle().take(rows);
    let events: Vec<(u64, Record)> = (1..).zip(events.cloned()).collect();
    let rate = |name: &str, is_on_disk: bool| -> Result<f64, Box<dyn Error>> {
        let mut file = new(subjects, name)?;
        let number = file.begin_session(&start(sources, task))?;
        let mut append = |batch: &[(u64, Record)]| {
            file.append(number, batch)?;
            if is_on_disk { file.sync() } else { Ok(()) }
        };
        let mut outcome = Ok(());
        let took = seconds(|| outcome = events.chunks(4096).try_for_each(&mut append));
        outcome?;
        Ok(events.len() as f64 / took)
    };
    let goal = Some(Goal::AtLeast(200_000.0));
    let flushed = rate("flushed", false)?;
    report.measured("events appended, each batch of 4,096 outlives a kill", flushed, "rows/s", goal);
    let synced = rate("synced", true)?;
    report.measured("events appended, each batch of 4,096 outlives a power cut", synced, "rows/s", goal);
    Ok(())
}

/// What people do in a year with an animal: on each day two weighings, water by hand, a note and a
/// parameter that is changed.
fn live(file: &mut SubjectFile) -> Result<(), Box<dyn Error>> {
    for day in 0..365 {
        let by = By { when: by().when + SignedDuration::from_hours(24 * day), ..by() };
        for occasion in [Occasion::Before, Occasion::After] {
            let when = by.when + SignedDuration::from_hours(i64::from(occasion == Occasion::After));
            file.weigh(&Weight { when, grams: 21.5, occasion, who: by.who.clone() })?;
        }
        file.log(&life::water_given(Volume::from_microliters(300.0), None, &[], &by))?;
        file.log(&life::note("left ear clipped again".to_owned(), &by))?;
        let (what, from, to) = ("parameter.reward".to_owned(), "4 uL".to_owned(), "3 uL".to_owned());
        file.log(&Change { when: by.when, who: by.who, what, from, to })?;
    }
    file.pack()?;
    Ok(())
}

/// A file of many sessions.
fn large(
    report: &mut Report,
    subjects: &Subjects,
    sources: &Sources,
    task: &Task,
    sessions: u32,
) -> Result<(), Box<dyn Error>> {
    let session = session(task, Limits { trials: Some(TRIALS), time: None })?;
    let records = numbered(&session.records);
    // It is made in memory, where there is such a folder: each packing copies the file.
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }?;
    let mut file = new(&Subjects::in_folder(made.path())?, LARGE)?;
    for each in 1..=sessions {
        let number = file.begin_session(&start(sources, task))?;
        file.append(number, &records)?;
        file.end_session(number, &end())?;
        if each % PACKED == 0 || each == sessions {
            file.pack()?;
        }
    }
    live(&mut file)?;
    let path = subjects.path(file.id());
    std::fs::copy(file.path(), &path)?;
    drop(file);
    std::fs::File::open(&path)?.sync_all()?;
    let size = std::fs::metadata(&path)?.len() as f64 / 1e6;
    let shown = || -> Result<u64, Box<dyn Error>> {
        let file = SubjectFile::open_read_only(&path)?;
        file.history()?;
        file.weights()?;
        Ok(file.sessions()?.iter().map(|session| session.trials).sum())
    };
    let runs = if report.is_quick() { 1 } else { 5 };
    let mut trials = 0;
    let mut times = Vec::new();
    for _ in 0..runs {
        let mut seen = Ok(0);
        times.push(seconds(|| seen = shown()));
        trials = seen?;
    }
    let name = format!("opening {sessions} sessions of {trials} trials ({size:.0} MB), and a year's history");
    report.measured(&name, median(times), "s", Some(Goal::Below(0.3)));
    let begun = |path: &Path| -> Result<f64, Box<dyn Error>> {
        let mut outcome = Ok(());
        let start = start(sources, task);
        let took = seconds(|| {
            outcome = SubjectFile::open(path).and_then(|mut file| file.begin_session(&start).map(drop));
        });
        outcome?;
        Ok(took)
    };
    let empty = new(subjects, "empty")?.path().to_owned();
    let mut more = Vec::new();
    for _ in 0..runs {
        more.push(begun(&path)? - begun(&empty)?);
    }
    report.measured(
        "starting a session on it, more than on an empty file",
        median(more),
        "s",
        Some(Goal::Below(0.2)),
    );
    Ok(())
}
