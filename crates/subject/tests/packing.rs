//! Sessions that are over are packed.

use std::path::{Path, PathBuf};

use crate::common::*;
use bramble_subject::{ClockEstimate, Health, SessionNumber, SubjectFile, Supply};
use bramble_value::{Ending, Record, Time};

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

/// The file that a session grows in.
fn running(file: &SubjectFile, number: SessionNumber) -> PathBuf {
    file.path().with_file_name(format!("M001.h5.running-{number}"))
}

fn records(from: u32, to: u32) -> Vec<Record> {
    (from..to)
        .flat_map(|number| (0..10).map(move |of| event(10 * number + of)).chain([row(number, true)]))
        .collect()
}

#[test]
fn a_packed_session_is_smaller_and_gives_back_what_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let number = file.begin_session(&start(columns())).unwrap();
    let records = records(1, 3000);
    file.append(number, &numbered(1, records.clone())).unwrap();
    let clock = ClockEstimate { time: Time::from_ns(7), offset_ns: 3, error_ns: 1, drift_ppb: 2 };
    file.add_clock(number, &[clock]).unwrap();
    file.end_session(number, &end(Ending::Stopped, "enough")).unwrap();
    let told = file.summary(number).unwrap();
    file.sync().unwrap();
    let before = size(file.path()) + size(&running(&file, number));
    file.pack().unwrap();
    let path = file.path().to_owned();
    drop(file);

    let file = SubjectFile::open(&path).unwrap();
    assert!(size(&path) < before / 2, "{} of {before}", size(&path));
    assert!(!running(&file, number).exists());
    assert_eq!(file.events(number).unwrap(), events_of(&records));
    assert_eq!(file.trials(number).unwrap().rows, rows_of(&records));
    assert_eq!(file.clock(number).unwrap(), [clock]);
    assert_eq!(file.summary(number).unwrap(), told);
    assert_eq!(file.sessions().unwrap(), std::slice::from_ref(&told));
    assert_eq!(file.session_by_uuid(told.uuid).unwrap(), Some(told));
}

#[test]
fn a_session_keeps_what_was_said_of_it_when_it_was_packed_until_more_comes() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let number = file.begin_session(&start(columns())).unwrap();
    file.append(number, &numbered(1, records(1, 20))).unwrap();
    let health = |ns| Health {
        time: Time::from_ns(ns),
        disk: Some((1, 30_000_000_000)),
        temperature: Some(51.5),
        supply: Some(Supply::Slowed),
    };
    file.add_health(number, &[health(7)]).unwrap();
    let unknown = Health { disk: None, temperature: None, supply: None, ..health(9) };
    file.add_health(number, &[health(7), unknown]).unwrap();
    file.end_session(number, &end(Ending::Done, "")).unwrap();
    assert_eq!(file.report(number).unwrap(), None);
    let trials =
        |file: &SubjectFile, number| Some(format!("{} trials", file.trials(number).unwrap().rows.len()));
    file.pack_with(trials).unwrap();
    assert_eq!(file.report(number).unwrap().unwrap(), "19 trials");
    assert_eq!(file.health(number).unwrap(), [health(7), unknown], "what comes again is there once");

    file.append(number, &numbered(1, records(1, 30))).unwrap();
    assert_eq!(file.report(number).unwrap(), None, "it is not of what has come");
    file.pack_with(trials).unwrap();
    assert_eq!(file.report(number).unwrap().unwrap(), "29 trials");
    assert_eq!(file.health(number).unwrap().len(), 2);
}

#[test]
fn what_comes_after_a_session_was_packed_is_kept_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let number = file.begin_session(&start(columns())).unwrap();
    let records = records(1, 200);
    let (first, later) = records.split_at(1000);
    file.append(number, &numbered(1, first.to_vec())).unwrap();
    file.end_session(number, &end(Ending::Error, "cut")).unwrap();
    file.pack().unwrap();
    file.append(number, &numbered(1, records.clone())).unwrap();
    assert!(!later.is_empty());
    file.end_session(number, &end(Ending::Done, "after all")).unwrap();
    file.pack().unwrap();
    file.end_session(number, &end(Ending::Stopped, "no")).unwrap();
    let path = file.path().to_owned();
    drop(file);
    let file = SubjectFile::open_read_only(&path).unwrap();
    assert_eq!(file.events(number).unwrap(), events_of(&records));
    assert_eq!(file.trials(number).unwrap().rows, rows_of(&records));
    assert_eq!(file.summary(number).unwrap().end.unwrap(), end(Ending::Stopped, "no"));
    assert_eq!(file.sessions().unwrap().len(), 1);
}

#[test]
fn an_end_that_is_told_twice_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let number = file.begin_session(&start(columns())).unwrap();
    file.append(number, &numbered(1, records(1, 10))).unwrap();
    file.end_session(number, &end(Ending::Done, "enough")).unwrap();
    file.sync().unwrap();
    let grown = std::fs::read(running(&file, number)).unwrap();
    file.end_session(number, &end(Ending::Done, "enough")).unwrap();
    file.sync().unwrap();
    assert_eq!(std::fs::read(running(&file, number)).unwrap(), grown);
    file.pack().unwrap();
    let own = std::fs::read(file.path()).unwrap();
    file.end_session(number, &end(Ending::Done, "enough")).unwrap();
    file.pack().unwrap();
    assert_eq!(std::fs::read(file.path()).unwrap(), own);
}

#[test]
fn a_session_that_runs_leaves_the_subjects_own_file_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let over = file.begin_session(&start(columns())).unwrap();
    file.end_session(over, &end(Ending::Done, "")).unwrap();
    file.pack().unwrap();
    let own = std::fs::read(file.path()).unwrap();
    let runs = file.begin_session(&start(columns())).unwrap();
    let records = records(1, 50);
    file.append(runs, &numbered(1, records.clone())).unwrap();
    file.end_session(runs, &end(Ending::Done, "")).unwrap();
    file.sync().unwrap();
    assert!(std::fs::read(file.path()).unwrap() == own);
    let path = file.path().to_owned();
    drop(file);
    let file = SubjectFile::open_read_only(&path).unwrap();
    assert_eq!(file.events(runs).unwrap(), events_of(&records));
    // What it grows in is a subject's file with that session alone.
    let alone = SubjectFile::open_read_only(&running(&file, runs)).unwrap();
    assert_eq!((alone.id(), alone.uuid()), (file.id(), file.uuid()));
    assert_eq!(alone.sessions().unwrap(), [file.summary(runs).unwrap()]);
    assert_eq!(alone.session(runs).unwrap(), file.session(runs).unwrap());
}

#[test]
fn a_session_that_runs_can_be_packed_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let over = file.begin_session(&start(columns())).unwrap();
    file.end_session(over, &end(Ending::Done, "")).unwrap();
    let runs = file.begin_session(&start(columns())).unwrap();
    file.append(runs, &numbered(1, records(1, 5))).unwrap();
    file.pack().unwrap();
    assert!(!running(&file, runs).exists());
    assert!(file.summary(runs).unwrap().end.is_none());
    file.append(runs, &numbered(45, records(5, 9))).unwrap();
    assert_eq!(file.trials(runs).unwrap().rows.len(), 8);
    let numbers: Vec<_> = file.sessions().unwrap().iter().map(|session| session.number).collect();
    assert_eq!(numbers, [over, runs]);
    file.end_session(runs, &end(Ending::Done, "")).unwrap();
    file.pack().unwrap();
    assert_eq!(file.events(runs).unwrap(), events_of(&records(1, 9)));
}

#[test]
fn many_small_sessions_packed_at_once_make_nothing_larger() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let empty = size(file.path());
    let mut before = empty;
    for _ in 0..20 {
        let number = file.begin_session(&start(columns())).unwrap();
        file.append(number, &numbered(1, records(1, 3))).unwrap();
        file.end_session(number, &end(Ending::Done, "")).unwrap();
        file.sync().unwrap();
        before += size(&running(&file, number)) - empty;
    }
    file.pack().unwrap();
    let after = size(file.path());
    assert!(after < before, "{after} of {before}");
    // One after the other they take as much.
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    for _ in 0..20 {
        let number = file.begin_session(&start(columns())).unwrap();
        file.append(number, &numbered(1, records(1, 3))).unwrap();
        file.end_session(number, &end(Ending::Done, "")).unwrap();
        file.pack().unwrap();
    }
    let singly = size(file.path());
    assert!(after <= singly, "{after}, and {singly} singly");
}
