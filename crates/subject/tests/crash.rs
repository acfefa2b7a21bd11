//! A process that dies while it writes leaves every batch that it finished.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use bramble_subject::{SubjectFile, Subjects};
use bramble_value::Record;
use common::{columns, event, events_of, numbered, row, rows_of, start, subject_in};

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

/// Not a test of its own: the process that is killed. It says each batch that
/// it has finished.
#[test]
fn a_process_that_writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut file = subject_in(Path::new(&folder));
    let number = file.begin_session(&start(columns())).unwrap();
    for each in 0.. {
        file.append(number, &batch(each)).unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "finished {each}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn every_finished_batch_survives_a_kill_and_what_comes_again_is_not_doubled() {
    for batches_before_the_kill in [1, 2, 7, 40] {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_process_that_writes_until_it_is_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(writer.stdout.take().unwrap()).lines().map(Result::unwrap);
        let finished =
            lines.filter(|line| line.starts_with("finished")).take(batches_before_the_kill).count();
        writer.kill().unwrap();
        writer.wait().unwrap();
        assert_eq!(finished, batches_before_the_kill);

        let subjects = Subjects::in_folder(folder.path()).unwrap();
        let mut file = subjects.open(&"M001".parse().unwrap()).unwrap();
        let session = file.sessions().unwrap().remove(0);
        assert_eq!(session.end, None);
        let written = file.written_up_to(session.number).unwrap();
        assert!(written >= u64::from(BATCH) * finished as u64, "{written} after {finished} batches");
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
    let raw = hdf5::File::open_rw(&path).unwrap();
    for table in ["sessions/0001/trials/table", "sessions/0001/events/table", "history/table"] {
        raw.dataset(table).unwrap().resize(1000).unwrap();
    }
    raw.close().unwrap();

    let reader = SubjectFile::open_read_only(&path).unwrap();
    assert_eq!((reader.trials(number).unwrap(), reader.sessions().unwrap().len()), (trials.clone(), 1));
    drop(reader);
    let mut file = SubjectFile::open(&path).unwrap();
    assert_eq!((file.trials(number).unwrap(), file.events(number).unwrap()), (trials, events));
    assert_eq!(file.history().unwrap().len(), 1);
    assert_eq!(file.begin_session(&start(columns())).unwrap().get(), 2);
    drop(file);
    let raw = hdf5::File::open(&path).unwrap();
    assert_eq!(raw.dataset("sessions/0001/trials/table").unwrap().size(), 5);
    assert_eq!(raw.dataset("history/table").unwrap().size(), 1);
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
