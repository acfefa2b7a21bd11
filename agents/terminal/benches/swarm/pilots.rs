//! One terminal with very many pilots. The terminal is the program itself; its
//! pilots are links in another process, and say what pilots with a session do.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use bramble_bench::quantile;
use bramble_link::now;
use bramble_message::{PilotToTerminal, encode};
use bramble_subject::{SessionNumber, Subjects};
use bramble_value::{Kind, Record, Source, Sources, Span, Time};

use crate::Failed;
use crate::apart::pilot::Pilot;
use crate::apart::{Other, hear, pilot, process, say};
use crate::written::Written;

/// What the terminal has to bear.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) pilots: u32,
    pub(crate) seconds: u32,
}

pub(crate) const FULL: Load = Load { pilots: 200, seconds: 60 };
pub(crate) const QUICK: Load = Load { pilots: 10, seconds: 2 };

/// As long as is waited for what must come.
const PATIENCE: Span = Span::from_s(30);

/// Events of each pilot in a second.
const RATE: u32 = 20;

/// What a session begins with, so that its count is found in the file by it.
const FIRST_EVENTS: u32 = 7;
const FIRST_NOTES: u32 = 3;

/// How it bore that.
pub(crate) struct Borne {
    /// Events that are not in their file, or twice.
    pub(crate) wrong: f64,
    /// From an event to its file, in milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// The share of a core, in percent.
    pub(crate) core: f64,
    /// In megabytes.
    pub(crate) memory: f64,
}

impl Load {
    fn events(self) -> u32 {
        self.seconds * RATE
    }
}

/// Runs the terminal `program` under a load.
pub(crate) fn measure(program: &OsStr, load: Load) -> Result<Borne, Failed> {
    let folder = tempfile::tempdir()?;
    let subjects = pilot::lab(folder.path(), load.pilots)?;
    let (terminal, endpoint) = pilot::serve(program, folder.path(), "off")?;
    let path = folder.path().display().to_string();
    let mut pilots =
        Other::start(&["pilots", &format!("{}x{}", load.pilots, load.seconds), &path, &endpoint])?;
    pilots.wait_for("started")?;
    let files = (0..load.pilots).map(|place| find(subjects.path(&pilot::subject(place))));
    let files = files.collect::<Result<Vec<_>, _>>()?;

    pilots.tell("go")?;
    let before = process::processor_seconds(terminal.id())?;
    let begin = now();
    let seen = watch(&files, load)?;
    let core = (process::processor_seconds(terminal.id())? - before) / now().since(begin).seconds() * 100.0;
    let memory = process::most_memory(terminal.id())?;
    pilots.wait_for("acknowledged")?;
    drop(terminal);
    let (wrong, mut delays) = compare(&subjects, &seen, load)?;
    Ok(Borne { wrong, p50: quantile(&mut delays, 0.5), p99: quantile(&mut delays, 0.99), core, memory })
}

/// Waits until a session's first records are in its file, which is beside its subject's.
fn find(subject: PathBuf) -> Result<Written, Failed> {
    let mut path = subject.into_os_string();
    path.push(format!(".running-{}", SessionNumber::new(1)));
    let path = PathBuf::from(path);
    let first = [2, 0, FIRST_EVENTS.into(), FIRST_NOTES.into()];
    let begin = now();
    loop {
        if path.exists()
            && let Some(written) = Written::find(&path, first)?
        {
            return Ok(written);
        }
        if now().since(begin) > PATIENCE {
            return Err(format!("no session came to be in {}", path.display()).into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// When each file was seen to be how far, until all are complete or nothing comes any more.
fn watch(files: &[Written], load: Load) -> Result<Vec<Vec<(Time, u64)>>, Failed> {
    let mut seen = vec![Vec::<(Time, u64)>::new(); files.len()];
    let mut last = now();
    loop {
        let mut complete = true;
        for (file, seen) in files.iter().zip(&mut seen) {
            let up_to = file.up_to()?;
            if seen.last().is_none_or(|(_, known)| *known != up_to) {
                last = now();
                seen.push((last, up_to));
            }
            complete &= up_to >= u64::from(load.events()) + 2;
        }
        if complete || now().since(last) > PATIENCE {
            return Ok(seen);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// How many events are missing or too many in the files, and how long each took to
/// be there, in milliseconds.
fn compare(subjects: &Subjects, seen: &[Vec<(Time, u64)>], load: Load) -> Result<(f64, Vec<f64>), Failed> {
    let (mut wrong, mut delays) = (0, Vec::new());
    for (place, seen) in (0..).zip(seen) {
        let file = subjects.open_read_only(&pilot::subject(place))?;
        let events = file.events(SessionNumber::new(1))?;
        let events = events.get(FIRST_EVENTS as usize..).unwrap_or_default();
        let mut times = BTreeMap::new();
        for event in events {
            wrong += u32::from(times.insert(event.value as u32, event.time).is_some());
        }
        for number in 0..load.events() {
            let Some(time) = times.remove(&number) else {
                wrong += 1;
                continue;
            };
            // The session's start and its first records are messages 1 and 2.
            let written = seen.iter().find(|(_, up_to)| *up_to >= u64::from(number) + 3);
            delays.extend(written.map(|(at, _)| at.since(time).seconds() * 1e3));
        }
        wrong += times.len() as u32;
    }
    Ok((wrong.into(), delays))
}

/// Is all the pilots, until everything they say is acknowledged.
pub(crate) fn be(load: &str, folder: &str, endpoint: &str) -> Result<(), Failed> {
    let (pilots, seconds) = load.split_once('x').ok_or("a load is PILOTSxSECONDS")?;
    let load = Load { pilots: pilots.parse()?, seconds: seconds.parse()? };
    let pilots = (0..load.pilots).map(|place| Pilot::dial(place, folder, endpoint));
    let pilots = pilots.collect::<Result<Vec<_>, _>>()?;
    for pilot in &pilots {
        pilot.wait_until_up()?;
        let text = "task(stages = trials(body = state(\"wait\")))\n";
        let task = Sources { root: "t.star".into(), files: [("t.star".to_owned(), text.to_owned())].into() };
        let started = PilotToTerminal::Started(Box::new(pilot.started(task, "t", now())));
        pilot.line.send(encode(&started))?;
        let (session, records) = (pilot.session(), first());
        pilot.line.send(encode(&PilotToTerminal::Records { session, records }))?;
    }
    say("started")?;
    hear()?;
    // Each has its own moment in the time between two events.
    let apart = Span::from_ns(1_000_000_000 / i64::from(RATE));
    let begin = now();
    for number in 0..load.events() {
        for (place, pilot) in (0..).zip(&pilots) {
            let share = i64::from(number) * i64::from(load.pilots) + place;
            let due = begin + Span::from_ns(apart.ns() * share / i64::from(load.pilots));
            let wait = due.since(now()).ns();
            if wait > 0 {
                std::thread::sleep(Duration::from_nanos(wait.unsigned_abs()));
            }
            pilot.tell(vec![event(number)])?;
        }
    }
    for pilot in pilots {
        pilot.close();
    }
    say("acknowledged")
}

/// What a session begins with.
fn first() -> Vec<Record> {
    let note = || Record::Note { time: now(), text: "first".into() };
    (0..FIRST_EVENTS).map(event).chain((0..FIRST_NOTES).map(|_| note())).collect()
}

fn event(number: u32) -> Record {
    let event = bramble_value::Event {
        time: now(),
        trial: 1,
        kind: Kind::Input,
        source: Source(0),
        value: number.into(),
    };
    Record::Event(event)
}
