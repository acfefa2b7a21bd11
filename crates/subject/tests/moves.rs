//! A session that was recorded under the wrong subject goes to the right one, whole.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::*;
use bramble_subject::{
    By, ClockEstimate, MoveOrder, SessionNumber, SubjectError, SubjectFile, Subjects, Way,
};
use bramble_value::{Ending, Random, Record, Seed, SubjectId, Time};
use uuid::Uuid;

const FOLDER: &str = "BRAMBLE_TEST_MOVES_FOLDER";

fn id(name: &str) -> SubjectId {
    name.parse().unwrap()
}

fn records() -> Vec<Record> {
    let note = Record::Note { time: Time::ZERO, text: "a note ".repeat(100) };
    (1..100).flat_map(|number| [event(number), row(number, number % 3 > 0)]).chain([note]).collect()
}

/// Two subjects, and a session of the first.
fn two(folder: &Path) -> (Subjects, SubjectFile, SubjectFile, Uuid) {
    let mut first = subject_in(folder);
    let subjects = Subjects::in_folder(folder).unwrap();
    let second = subjects.create(&id("M002"), &biography(), &by()).unwrap();
    let session = record(&mut first);
    (subjects, first, second, session)
}

/// Records a session, which ends.
fn record(file: &mut SubjectFile) -> Uuid {
    let mut session = start(columns());
    session.sources.insert("tasks/own.star".to_owned(), format!("# {}", session.uuid));
    let number = file.begin_session(&session).unwrap();
    file.append(number, &numbered(1, records())).unwrap();
    let clock = ClockEstimate { time: Time::from_ns(7), offset_ns: 3, error_ns: 1, drift_ppb: 2 };
    file.add_clock(number, &[clock]).unwrap();
    file.end_session(number, &end(Ending::Done, "enough")).unwrap();
    file.pack().unwrap();
    session.uuid
}

fn order(session: Uuid, from: &SubjectFile, to: &SubjectFile) -> MoveOrder {
    MoveOrder {
        session,
        from: from.id().clone(),
        number: from.session_by_uuid(session).unwrap().unwrap().number,
        to: to.id().clone(),
        by: By { who: "ana@desk".to_owned(), ..by() },
        why: "M002 was in the box".to_owned(),
    }
}

/// Holds a session against what was recorded.
fn holds(file: &SubjectFile, session: Uuid) {
    let summary = file.session_by_uuid(session).unwrap().unwrap();
    let number = summary.number;
    assert_eq!(file.trials(number).unwrap().rows, rows_of(&records()));
    assert_eq!(file.events(number).unwrap(), events_of(&records()));
    assert_eq!(file.notes(number).unwrap()[0].text, "a note ".repeat(100));
    assert_eq!(file.clock(number).unwrap().len(), 1);
    assert_eq!(file.written_up_to(number).unwrap(), records().len() as u64);
    let started = file.session(number).unwrap();
    assert_eq!(started.sources["tasks/own.star"], format!("# {session}"));
    assert_eq!(summary.end.as_ref(), Some(&end(Ending::Done, "enough")));
    assert_eq!(file.sessions().unwrap().iter().filter(|one| one.uuid == session).count(), 1);
}

#[test]
fn a_session_goes_whole_and_both_files_tell_it() {
    let folder = tempfile::tempdir().unwrap();
    let (subjects, mut first, mut second, session) = two(folder.path());
    let started = first.session(SessionNumber::new(1)).unwrap();
    record(&mut second);
    let order = order(session, &first, &second);
    assert_eq!(subjects.move_session(&order, &mut first, &mut second).unwrap().get(), 2);
    assert_eq!(subjects.moves_under_way().unwrap(), []);
    drop((first, second));

    let (mut first, second) =
        (subjects.open(&id("M001")).unwrap(), subjects.open_read_only(&id("M002")).unwrap());
    holds(&second, session);
    assert_eq!(second.session(SessionNumber::new(2)).unwrap(), started, "nothing of it is another");
    assert_eq!(first.sessions().unwrap(), []);
    let (away, here) = (&first.moves()[0], &second.moves()[0]);
    assert_eq!((away.way, away.number.get(), away.other.as_str(), away.there.get()), (Way::To, 1, "M002", 2));
    assert_eq!(
        (here.way, here.number.get(), here.other.as_str(), here.there.get()),
        (Way::From, 2, "M001", 1)
    );
    assert_eq!((away.by.who.as_str(), away.why.as_str()), ("ana@desk", "M002 was in the box"));
    let last = first.history().unwrap().pop().unwrap();
    assert_eq!(
        [last.what.as_str(), &last.from, &last.to],
        ["session moved", "session 0001", "M002, session 0002: M002 was in the box"]
    );
    let last = second.history().unwrap().pop().unwrap();
    assert_eq!(
        [last.what.as_str(), &last.from, &last.to],
        ["session moved", "M001, session 0001: M002 was in the box", "session 0002"]
    );

    // What is asked of it where it was is told where it is, and nothing else gets its number.
    let gone = first.trials(SessionNumber::new(1)).unwrap_err();
    assert!(gone.to_string().contains("it is session 0002 of M002"), "{gone}");
    assert!(matches!(first.begin_session(&started), Err(SubjectError::Moved { .. })));
    assert_eq!(first.begin_session(&start(columns())).unwrap().get(), 2);
}

#[test]
fn a_session_that_comes_back_has_a_number_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (subjects, mut first, mut second, session) = two(folder.path());
    let there = order(session, &first, &second);
    subjects.move_session(&there, &mut first, &mut second).unwrap();
    let back = order(session, &second, &first);
    assert_eq!(subjects.move_session(&back, &mut second, &mut first).unwrap().get(), 2);
    holds(&first, session);
    assert_eq!((first.moves().len(), second.moves().len()), (2, 2));
    assert_eq!(second.sessions().unwrap(), []);
}

#[test]
fn sessions_are_in_the_order_in_which_they_ran_whenever_they_were_moved() {
    let folder = tempfile::tempdir().unwrap();
    let (subjects, mut first, mut second, session) = two(folder.path());
    let mut later = start(columns());
    later.started = "2026-03-05T00:00:00Z".parse().unwrap();
    second.begin_session(&later).unwrap();
    let order = order(session, &first, &second);
    subjects.move_session(&order, &mut first, &mut second).unwrap();
    let numbers: Vec<u32> = second.sessions().unwrap().iter().map(|one| one.number.get()).collect();
    assert_eq!(numbers, [2, 1]);
}

#[test]
fn h5py_finds_the_session_in_the_right_file_alone_and_who_moved_it_in_both() {
    let folder = tempfile::tempdir().unwrap();
    let (subjects, mut first, mut second, session) = two(folder.path());
    subjects.move_session(&order(session, &first, &second), &mut first, &mut second).unwrap();
    drop((first, second));
    let python = std::env::var_os("BRAMBLE_PYTHON")
        .expect("BRAMBLE_PYTHON names a Python with h5py: run scripts/test, which makes one and sets it");
    let script = "
import sys, h5py
old, new = (h5py.File(path) for path in sys.argv[1:3])
assert list(old['sessions']) == [] and list(new['sessions']) == ['0001'], list(new['sessions'])
session = new['sessions/0001']
assert session.attrs['uuid'] == sys.argv[3]
assert len(session['trials/table']) == 99 and len(session['events/table']) == 99
for row in session['sources/table']:
    assert row['sha256'].decode() in new['sources']
for file, way, other in ((old, b'to', b'M002'), (new, b'from', b'M001')):
    move, = file['moves/table']
    assert (move['way'], move['subject'], move['why']) == (way, other, b'M002 was in the box'), move
    assert file['history/table'][-1]['what'] == b'session moved'
index = {row['session']: row for row in new['index/table']}
assert index[1]['uuid'].decode() == sys.argv[3] and index[1]['trials'] == 99
";
    let path = |name: &str| subjects.path(&id(name));
    let output = Command::new(python)
        .args(["-c", script])
        .args([path("M001"), path("M002")])
        .arg(session.to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Not a test of its own: a process that is killed.
#[test]
fn moves_a_session_to_and_fro_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let (subjects, mut first, mut second, session) = two(Path::new(&folder));
    record(&mut second);
    for _ in 0.. {
        println!("\nfinished {session}");
        std::io::stdout().flush().unwrap();
        let order = order(session, &first, &second);
        subjects.move_session(&order, &mut first, &mut second).unwrap();
        (first, second) = (second, first);
    }
}

#[test]
fn a_kill_at_any_moment_leaves_the_session_in_one_file_at_least_and_in_one_at_last() {
    let seed = std::env::var("BRAMBLE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0 >> 32);
    println!("BRAMBLE_SEED={seed} repeats it");
    let mut random = Random::new(Seed(seed), "moving", 0);
    let mut amid = 0;
    for _ in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "moves::moves_a_session_to_and_fro_until_it_is_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut finished = lines.filter(|line| line.starts_with("finished"));
        let line = finished.nth(random.below(3) as usize).unwrap();
        let session: Uuid = line.trim_start_matches("finished ").parse().unwrap();
        std::thread::sleep(Duration::from_micros(random.below(25_000)));
        process.kill().unwrap();
        process.wait().unwrap();

        let subjects = Subjects::in_folder(folder.path()).unwrap();
        let both = [id("M001"), id("M002")];
        let has = |id| {
            let file = subjects.open_read_only(id).unwrap();
            file.session_by_uuid(session).unwrap().map(|_| holds(&file, session))
        };
        assert!(both.iter().filter_map(has).count() >= 1);
        for order in subjects.moves_under_way().unwrap() {
            amid += 1;
            let (mut from, mut to) = (subjects.open(&order.from).unwrap(), subjects.open(&order.to).unwrap());
            subjects.move_session(&order, &mut from, &mut to).unwrap();
        }
        assert_eq!(subjects.moves_under_way().unwrap(), []);
        assert_eq!(both.iter().filter_map(has).count(), 1);
        let moves = both.each_ref().map(|id| subjects.open_read_only(id).unwrap().moves().len());
        assert_eq!(moves[0], moves[1], "each move is told in both files");
    }
    println!("killed 12 times, {amid} of them while a session was being moved");
}
