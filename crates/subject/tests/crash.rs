//! A process that dies while it writes leaves every batch that it finished.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{by, columns, end, event, events_of, numbered, row, rows_of, start, subject_in};
use bramble_subject::{By, Change, SetAside, SubjectError, SubjectFile, Subjects};
use bramble_value::{Ending, Random, Record, Seed};

const FOLDER: &str = "BRAMBLE_TEST_CRASH_FOLDER";
const BATCH: u32 = 50;

/// The `number`th batch: events with a row and a note here and there.
fn batch(number: u32) -> Vec<(u64, Record)> {
    let first = number * BATCH + 1;
    let records = (first..first + BATCH).map(|each| match each % 10 {
        0 => row(each, each % 20 == 0),
        1 => Record::Note {
            time: bramble_value::Time::ZERO,
            text: format!("{each} {}", "µ".repeat(each as usize % 300)),
        },
        _ => event(each),
    });
    numbered(u64::from(first), records)
}

/// Says that the `number`th piece of work is finished.
fn say_finished(number: u32) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "finished {number}").unwrap();
    out.flush().unwrap();
}

/// Runs `writer`, a test below, and kills it when it has finished some work;
/// then opens what it left.
fn killed_after(pieces: usize, writer: &str, folder: &Path) -> SubjectFile {
    kill_after(pieces, Duration::ZERO, writer, folder);
    Subjects::in_folder(folder).unwrap().open(&"M001".parse().unwrap()).unwrap()
}

/// The same, `later` than it has finished, and leaves what it left.
fn kill_after(pieces: usize, later: Duration, writer: &str, folder: &Path) {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("crash::{writer}"), "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Read from until it is killed: whoever is heard by nobody ends by itself.
    let lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut lines = lines.filter(|line| line.starts_with("finished"));
    let finished = lines.by_ref().take(pieces).count();
    std::thread::sleep(later);
    process.kill().unwrap();
    process.wait().unwrap();
    assert_eq!(finished, pieces);
}

/// Not a test of its own: a process that is killed.
#[test]
fn writes_batches_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut file = subject_in(Path::new(&folder));
    let number = file.begin_session(&start(columns())).unwrap();
    for each in 0.. {
        file.append(number, &batch(each)).unwrap();
        say_finished(each);
    }
}

#[test]
fn every_finished_batch_survives_a_kill_and_what_comes_again_is_not_doubled() {
    for pieces in [1, 2, 7, 40] {
        let folder = tempfile::tempdir().unwrap();
        let mut file = killed_after(pieces, "writes_batches_until_it_is_killed", folder.path());
        let session = file.sessions().unwrap().remove(0);
        assert_eq!(session.end, None);
        let written = file.written_up_to(session.number).unwrap();
        assert!(written >= u64::from(BATCH) * pieces as u64, "{written} after {pieces} batches");
        assert_eq!(written % u64::from(BATCH), 0, "a batch is written whole or not at all");

        // The journal sends everything again, and one batch more.
        let batches = written as u32 / BATCH + 1;
        let records: Vec<_> = (0..batches).flat_map(batch).collect();
        file.append(session.number, &records).unwrap();
        let records: Vec<Record> = records.into_iter().map(|(_, record)| record).collect();
        assert_eq!(file.trials(session.number).unwrap().rows, rows_of(&records));
        assert_eq!(file.events(session.number).unwrap(), events_of(&records));
    }
}

/// Not a test of its own: a process that is killed.
#[test]
fn runs_sessions_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut file = subject_in(Path::new(&folder));
    for each in 0.. {
        let mut session = start(columns());
        session.sources.insert("tasks/own.star".to_owned(), format!("# {each}"));
        let number = file.begin_session(&session).unwrap();
        file.append(number, &batch(each)).unwrap();
        file.end_session(number, &end(Ending::Done, "")).unwrap();
        let to = format!("{each} {}", "long ".repeat(100));
        let By { who, when } = by();
        file.log(&Change { when, who, what: "step".to_owned(), from: String::new(), to }).unwrap();
        say_finished(each);
    }
}

#[test]
fn every_finished_session_and_change_survives_a_kill() {
    for pieces in [1, 2, 5, 9] {
        let folder = tempfile::tempdir().unwrap();
        let file = killed_after(pieces, "runs_sessions_until_it_is_killed", folder.path());
        let sessions = file.sessions().unwrap();
        assert!(sessions.len() >= pieces, "{} after {pieces}", sessions.len());
        for (each, session) in (0..).zip(&sessions[..pieces]) {
            let records: Vec<Record> = batch(each).into_iter().map(|(_, record)| record).collect();
            assert_eq!(file.events(session.number).unwrap(), events_of(&records));
            assert_eq!(session.end.as_ref().map(|end| end.ending), Some(Ending::Done));
            let sources = file.session(session.number).unwrap().sources;
            assert_eq!(sources["tasks/own.star"], format!("# {each}"));
        }
        let history = file.history().unwrap();
        for (each, change) in (0..pieces).zip(&history[1..]) {
            assert!(change.to.starts_with(&format!("{each} long")), "{change:?}");
        }
    }
}

/// The records of a session that is packed: some pages of each table.
fn much(session: u32) -> Vec<(u64, Record)> {
    (20 * session..20 * session + 20)
        .flat_map(batch)
        .zip(1..)
        .map(|((_, record), number)| (number, record))
        .collect()
}

/// Not a test of its own: a process that is killed.
#[test]
fn packs_sessions_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut file = subject_in(Path::new(&folder));
    for each in 0.. {
        let number = file.begin_session(&start(columns())).unwrap();
        file.append(number, &much(each)).unwrap();
        file.end_session(number, &end(Ending::Done, "enough")).unwrap();
        say_finished(each);
        file.pack().unwrap();
    }
}

/// Opens a file whose sessions up to this number are over. The one after them may have been
/// killed such that it can't be read: then it is set aside, to be written anew.
fn opened(path: &Path, over: usize) -> SubjectFile {
    match SubjectFile::open(path) {
        Err(SubjectError::Damaged { path: damaged, .. }) => {
            assert!(SubjectFile::is_broken(path).unwrap());
            let aside = SubjectFile::replace_broken(path, &"M001".parse().unwrap(), &by(), false);
            assert!(matches!(aside.unwrap(), Some(SetAside::Session(_))));
            let number = damaged.extension().unwrap().to_str().unwrap().strip_prefix("running-").unwrap();
            assert!(number.parse::<usize>().unwrap() > over, "session {number} was over");
            SubjectFile::open(path).unwrap()
        }
        opened => opened.unwrap(),
    }
}

/// Holds sessions against what was written to them.
fn holds(file: &SubjectFile, sessions: usize) {
    let summaries = file.sessions().unwrap();
    assert!(summaries.len() >= sessions, "{} of {sessions}", summaries.len());
    // What was told is whole, and so is whatever another followed after.
    let whole = sessions.max(summaries.len() - 1);
    for (each, summary) in (0..).zip(&summaries[..whole]) {
        let records: Vec<Record> = much(each).into_iter().map(|(_, record)| record).collect();
        assert_eq!(file.trials(summary.number).unwrap().rows, rows_of(&records), "session {each}");
        assert_eq!(file.events(summary.number).unwrap(), events_of(&records), "session {each}");
        assert_eq!(file.notes(summary.number).unwrap().len(), records.len() / 10);
        assert_eq!(summary.end.as_ref(), Some(&end(Ending::Done, "enough")));
        assert_eq!(file.written_up_to(summary.number).unwrap(), records.len() as u64);
    }
    assert_eq!(file.history().unwrap().len(), 1);
}

#[test]
fn a_kill_at_any_moment_of_packing_leaves_the_file_whole_and_all_sessions_in_it() {
    let seed = std::env::var("BRAMBLE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0 >> 32);
    println!("BRAMBLE_SEED={seed} repeats it");
    let mut random = Random::new(Seed(seed), "packing", 0);
    let (mut amid, mut packed) = (0, 0);
    for _ in 0..24 {
        let folder = tempfile::tempdir().unwrap();
        let pieces = 1 + random.below(4) as usize;
        let later = Duration::from_micros(random.below(25_000));
        kill_after(pieces, later, "packs_sessions_until_it_is_killed", folder.path());
        let path = folder.path().join("subjects/M001.h5");
        amid += u32::from(path.with_extension("h5.new").exists());
        // As it was left, and once it is open to be written and packed again.
        holds(&SubjectFile::open_read_only(&path).unwrap(), pieces);
        let mut file = opened(&path, pieces);
        holds(&file, pieces);
        file.pack().unwrap();
        holds(&file, pieces);
        drop(file);
        holds(&SubjectFile::open_read_only(&path).unwrap(), pieces);
        packed += 1;
    }
    println!("killed {packed} times, {amid} of them while a copy was being made");
}

#[test]
fn rows_that_a_crash_left_uncounted_are_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let number = file.begin_session(&start(columns())).unwrap();
    file.append(number, &batch(0)).unwrap();
    let (path, trials, events) =
        (file.path().to_owned(), file.trials(number).unwrap(), file.events(number).unwrap());
    drop(file);
    // As a crash between a table's growth and the count of its rows leaves them.
    let session = path.with_file_name("M001.h5.running-0001");
    let tables = [
        (&session, "sessions/0001/trials/table", 5),
        (&session, "sessions/0001/events/table", 40),
        (&path, "history/table", 1),
    ];
    for (path, table, _) in tables {
        let raw = hdf5::File::open_rw(path).unwrap();
        raw.dataset(table).unwrap().resize(1000).unwrap();
        raw.close().unwrap();
    }

    let reader = SubjectFile::open_read_only(&path).unwrap();
    assert_eq!((reader.trials(number).unwrap(), reader.sessions().unwrap().len()), (trials.clone(), 1));
    drop(reader);
    let mut file = SubjectFile::open(&path).unwrap();
    assert_eq!((file.trials(number).unwrap(), file.events(number).unwrap()), (trials, events));
    assert_eq!(file.history().unwrap().len(), 1);
    assert_eq!(file.begin_session(&start(columns())).unwrap().get(), 2);
    drop(file);
    for (path, table, rows) in tables {
        assert_eq!(hdf5::File::open(path).unwrap().dataset(table).unwrap().size(), rows, "{table}");
    }
}

#[test]
fn a_subject_whose_making_was_cut_short_can_be_made() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("subjects")).unwrap();
    fs::write(folder.path().join("subjects/M001.h5.new"), b"half").unwrap();
    assert!(Subjects::in_folder(folder.path()).unwrap().list().unwrap().is_empty());
    subject_in(folder.path());
    let left: Vec<_> = fs::read_dir(folder.path().join("subjects")).unwrap().collect();
    assert_eq!(left.len(), 1);
}
