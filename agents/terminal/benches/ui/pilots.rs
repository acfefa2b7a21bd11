//! All the pilots, each with a session of two choices that a simulated animal had before: its
//! events come in their order, evenly spread.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bramble_engine::Settings;
use bramble_link::now;
use bramble_message::{
    Activity, ColumnInfo, PilotInPassing, PilotToTerminal, Progress, Started, Status, encode,
};
use bramble_rig::Wiring;
use bramble_simulation::{Limits, named, simulate};
use bramble_task::Task;
use bramble_value::{Event, Names, Record, Row, Seed, Sources, Span, Time};

use crate::RATE;
use crate::apart::pilot::Pilot;
use crate::apart::{Failed, hear, say};

/// More trials than a measurement has time for.
const TRIALS: u32 = 1000;

/// Is all the pilots, until whoever started this says otherwise.
pub(crate) fn be(pilots: u32, folder: &str, endpoint: &str) -> Result<(), Failed> {
    let over = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&over);
    std::thread::spawn(move || {
        // Whoever started this says so by ending.
        _ = hear();
        told.store(true, Ordering::Relaxed);
    });
    let script = Script::new()?;
    let pilots = (0..pilots).map(|place| Pilot::dial(place, folder, endpoint));
    let pilots = pilots.collect::<Result<Vec<_>, _>>()?;
    let mut players = Vec::new();
    for pilot in pilots {
        pilot.wait_until_up()?;
        let start = now();
        if players.is_empty() {
            let unix = SystemTime::now().duration_since(UNIX_EPOCH)?;
            say(&format!("started {}", unix.as_secs_f64() * 1e3))?;
        }
        let started = script.started(&pilot, start);
        pilot.line.send(encode(&PilotToTerminal::Started(Box::new(started.clone()))))?;
        players.push(Player { pilot, started, next: 0, trial: (0, start) });
    }
    // Each has its own moment in the time between two events.
    let apart = Span::from_ns(1_000_000_000 / i64::from(RATE) / players.len() as i64);
    let mut due = now();
    let mut turn = 0;
    while !over.load(Ordering::Relaxed) {
        for player in &mut players {
            due += apart;
            let wait = due.since(now()).ns();
            if wait > 0 {
                std::thread::sleep(Duration::from_nanos(wait.unsigned_abs()));
            }
            player.play(&script)?;
            if turn % RATE == 0 {
                player.say_how_it_is()?;
            }
        }
        turn += 1;
    }
    players.into_iter().for_each(|player| player.pilot.close());
    Ok(())
}

/// What happens in every session.
struct Script {
    sources: Sources,
    task: Task,
    names: Names,
    records: Vec<Record>,
}

impl Script {
    fn new() -> Result<Script, Failed> {
        let tasks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tasks");
        let sources = bramble_task::read(&tasks.join("two_choice.star"))?;
        let task = bramble_task::load(&sources)?;
        let definition = &task.definition;
        let names = Wiring::simulated(definition)?.names(definition);
        let settings = Settings::defaults(definition, Seed(7));
        let limits = Limits { trials: Some(TRIALS), time: None };
        let animal = named("learner", Seed(8), "")?;
        let simulation = simulate(Arc::clone(definition), &mut task.functions(), settings, animal, limits)?;
        Ok(Script { sources, names, records: simulation.records, task })
    }

    fn started(&self, pilot: &Pilot, start: Time) -> Started {
        let definition = &self.task.definition;
        let parameters = definition.parameters.iter();
        let columns = definition.columns.iter().map(|column| ColumnInfo {
            name: column.name.clone(),
            kind: column.kind.clone(),
            doc: column.doc.clone(),
        });
        Started {
            parameters: parameters.map(|one| (one.name.to_string(), one.kind.clone(), one.default)).collect(),
            columns: columns.collect(),
            names: self.names.clone(),
            ..pilot.started(self.sources.clone(), &definition.name, start)
        }
    }
}

/// A pilot in its session.
struct Player {
    pilot: Pilot,
    started: Started,
    /// What of the script comes next.
    next: usize,
    /// The present trial, and since when.
    trial: (u32, Time),
}

impl Player {
    /// Tells the next event, as one of now, and what comes with it.
    fn play(&mut self, script: &Script) -> Result<(), Failed> {
        let mut told = Vec::new();
        while let Some(record) = script.records.get(self.next) {
            match record {
                Record::Event(_) if !told.is_empty() => break,
                Record::Event(event) => {
                    let time = now();
                    if event.trial != self.trial.0 {
                        self.trial = (event.trial, time);
                    }
                    told.push(Record::Event(Event { time, ..*event }));
                }
                Record::Row(row) => {
                    let (_, start) = self.trial;
                    told.push(Record::Row(Row { start, end: now(), ..row.clone() }));
                }
                Record::Note { .. } => {}
            }
            self.next += 1;
        }
        self.pilot.tell(told)
    }

    fn say_how_it_is(&self) -> Result<(), Failed> {
        let request = &self.started.request;
        let task = self.started.task_name.clone();
        let begun =
            Progress::beginning(request.session, request.subject.clone(), request.owner.clone(), task);
        let time = now();
        let seconds = time.since(self.started.time).seconds();
        let progress = Progress { trial: self.trial.0, seconds, ..begun };
        let status = Status {
            time,
            activity: Activity::Running(progress),
            unacknowledged: 0,
            children: Vec::new(),
            health: None,
            notice: None,
            hand: None,
        };
        Ok(self.pilot.line.passing(encode(&PilotInPassing::Status(Box::new(status))))?)
    }
}
