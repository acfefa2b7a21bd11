//! A lab whose pilot's journal keeps a copy of all that was ever written to it,
//! and what must be true of it after every fault.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use bramble_journal::Journal;
use bramble_message::{Ended, PilotToTerminal, Started, decode};
use bramble_subject::{SessionNumber, SubjectFile};
use bramble_value::{Ending, Event, Kind, Random, Record, Row, Seed, SourceKind};
use rusqlite::Connection;
use uuid::Uuid;

use crate::common::{Lab, eventually, pilot};

/// How fast sessions go: fast enough for a test, slow enough to be cut.
pub(crate) const PACE: [&str; 4] = ["--speed", "100", "--seed", "5"];

/// The child that [`Lab::start_child`] starts.
pub(crate) const CHILD: &str = "wheels";

/// Why a session ended that was cut by the death of its pilot: nobody was there to
/// record that its outputs went off.
const CUT: &str = "the pilot restarted during the session";

/// A lab with a terminal and the pilot box1, whose journal is copied.
pub(crate) fn lab() -> Lab {
    let mut lab = Lab::new();
    keep(&lab);
    lab.start_pilot("box1", &PACE);
    lab
}

/// Has the journal of box1, which doesn't run, copy what is written to it.
pub(crate) fn keep(lab: &Lab) {
    std::fs::create_dir_all(lab.path("box1")).unwrap();
    drop(Journal::open(journal(lab)).unwrap());
    let copy = "
        CREATE TABLE kept (place INTEGER PRIMARY KEY, number INTEGER NOT NULL, payload BLOB NOT NULL);
        CREATE TRIGGER keep AFTER INSERT ON records
            BEGIN INSERT INTO kept (number, payload) VALUES (new.number, new.payload); END;
    ";
    Connection::open(journal(lab)).unwrap().execute_batch(copy).unwrap();
}

/// The journal of box1.
pub(crate) fn journal(lab: &Lab) -> PathBuf {
    lab.path("box1/journal.sqlite")
}

/// Chance that a failing run can be repeated with: its seed is printed, and taken
/// from `BRAMBLE_SEED` where that is set.
pub(crate) fn chance() -> Random {
    let seed = std::env::var("BRAMBLE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0 >> 32);
    println!("BRAMBLE_SEED={seed} repeats it");
    Random::new(Seed(seed), "faults", 0)
}

/// Starts a session of a task of the lab.
pub(crate) fn start(lab: &Lab, task: &str, trials: &str) {
    lab.start_session(&lab.task(task), trials, &[]);
}

/// What a pilot's journal ever had of one session.
#[derive(Default)]
struct Told {
    started: Option<Started>,
    events: Vec<Event>,
    rows: Vec<Row>,
    notes: Vec<String>,
    ended: Option<Ended>,
}

/// Ends the agents once everything is delivered, and holds every subject file
/// against what the journal of box1 ever had: each event, row and note exactly
/// once and in order, each session ended, no output left on. Returns the ends of
/// the sessions, in order.
pub(crate) fn check(lab: &mut Lab) -> Vec<(Ending, String)> {
    lab.until(&["status", "--json"], |status| {
        let pilot = pilot(status, "box1");
        // Its health comes with its first word: before that nothing is known of what waits.
        let has_said = !pilot["health"].is_null();
        pilot["here"] == true && has_said && pilot["session"].is_null() && pilot["unacknowledged"] == 0
    });
    // A session that is over is in its subject's own file, and not only in one beside it.
    eventually("all sessions are in their subjects' files", || beside(lab).is_empty().then_some(()));
    // The pilot delivers what it has before it ends, and the terminal writes that before it does.
    assert_eq!(lab.end("box1"), Some(0), "{}", lab.log("box1"));
    assert_eq!(lab.end("terminal"), Some(0), "{}", lab.log("terminal"));
    let mut told = told(lab);
    assert!(!told.is_empty(), "there was no session");
    let mut ends = Vec::new();
    for entry in std::fs::read_dir(lab.path("lab/subjects")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "h5") {
            continue;
        }
        let file = SubjectFile::open_read_only(&path).unwrap();
        for session in file.sessions().unwrap() {
            let told = told.remove(&session.uuid).expect("the journal had the session");
            ends.push(compare(&file, session.number, told));
        }
    }
    assert!(told.is_empty(), "not in a file: {:?}", told.keys());
    ends
}

/// The files beside those of subjects that sessions are in.
fn beside(lab: &Lab) -> Vec<String> {
    let names = std::fs::read_dir(lab.path("lab/subjects")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains(".running-") && !name.contains(".damaged")).collect()
}

/// What the journal of box1 ever had, by session.
fn told(lab: &Lab) -> BTreeMap<Uuid, Told> {
    let journal = Connection::open(journal(lab)).unwrap();
    let mut query = journal.prepare("SELECT payload FROM kept ORDER BY place").unwrap();
    let payloads = query.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let mut sessions: BTreeMap<Uuid, Told> = BTreeMap::new();
    for payload in payloads {
        match decode(&payload.unwrap()).unwrap() {
            PilotToTerminal::Answer(_) | PilotToTerminal::Owner { .. } | PilotToTerminal::Parameter(_) => {}
            PilotToTerminal::Started(started) => {
                let session = sessions.entry(started.request.session).or_default();
                assert!(session.started.replace(*started).is_none(), "a session starts once");
            }
            PilotToTerminal::Records { session, records } => {
                let session = sessions.entry(session).or_default();
                for record in records {
                    match record {
                        Record::Event(event) => session.events.push(event),
                        Record::Row(row) => session.rows.push(row),
                        Record::Note { text, .. } => session.notes.push(text),
                    }
                }
            }
            PilotToTerminal::Ended(ended) => {
                let session = sessions.entry(ended.session).or_default();
                assert!(session.ended.replace(ended).is_none(), "a session ends once");
            }
        }
    }
    sessions
}

fn compare(file: &SubjectFile, number: SessionNumber, told: Told) -> (Ending, String) {
    let place = format!("{}, session {number}", file.path().display());
    same(&place, "events", &file.events(number).unwrap(), &told.events);
    same(&place, "trials", &file.trials(number).unwrap().rows, &told.rows);
    let notes: Vec<String> = file.notes(number).unwrap().into_iter().map(|note| note.text).collect();
    same(&place, "notes", &notes, &told.notes);
    let end = file.summary(number).unwrap().end.unwrap_or_else(|| panic!("{place} has no end"));
    let ended = told.ended.unwrap();
    assert_eq!((end.ending, &end.why), (ended.ending, &ended.why), "{place}");
    if ended.why != CUT {
        let left_on = left_on(&told.started.unwrap(), &told.events, &ended.why);
        assert!(left_on.is_empty(), "{place} ended ({}) and left on: {left_on:?}", ended.why);
    }
    (end.ending, end.why)
}

fn same<T: PartialEq + std::fmt::Debug>(place: &str, what: &str, found: &[T], told: &[T]) {
    if let Some(at) = found.iter().zip(told).position(|(found, told)| found != told) {
        panic!("{place}: {what} differ at {at}: {:?} in the file, {:?} in the journal", found[at], told[at]);
    }
    assert_eq!(found.len(), told.len(), "{place}: so many {what} in the file, and so many in the journal");
}

/// The outputs that were on at last. Those of a child that was lost are its own to
/// make safe.
fn left_on(started: &Started, events: &[Event], why: &str) -> BTreeSet<String> {
    let mut on = BTreeMap::new();
    for event in events.iter().filter(|event| event.kind == Kind::Output) {
        on.insert(event.source, event.value);
    }
    let on = on.into_iter().filter(|(_, level)| *level != 0.0);
    let names = on.map(|(source, _)| started.names.sources[usize::from(source.0)].clone());
    let of_child = |name: &str| name.starts_with("lamp") && why.contains("lost its child");
    let names = names.filter(|(kind, name)| *kind == SourceKind::Port && !of_child(name));
    names.map(|(_, name)| name).collect()
}

/// Waits until an agent's log says something.
pub(crate) fn until_says(lab: &Lab, agent: &str, words: &str) {
    eventually(&format!("{agent} says: {words}"), || lab.log(agent).contains(words).then_some(()));
}

/// Stops the session of box1, which may be away yet, or notice only now that it was.
pub(crate) fn until_stopped(lab: &Lab) {
    eventually("no session runs", || {
        let status = lab.until(&["status", "--json"], |_| true);
        let box1 = pilot(&status, "box1");
        // What it does comes with its first word, as its health does.
        let has_said = !box1["health"].is_null();
        let over = box1["here"] == true && has_said && box1["session"].is_null();
        over.then_some(()).or_else(|| lab.run(&["stop", "M001"]).status.success().then_some(()))
    });
}

/// Waits until the terminal tells this beside box1.
pub(crate) fn until_its_notice(lab: &Lab, words: &str) {
    lab.until(&["status", "--json"], |status| {
        pilot(status, "box1")["notice"].as_str().is_some_and(|notice| notice.contains(words))
    });
}
