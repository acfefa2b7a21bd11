//! Files that earlier layouts were written in are read by today's code, and by the reader for
//! Python that the book shows.
//!
//! `tests/files` has one of each layout, in the order in which they came, compressed as a whole. Each was written by
//! the code of its time, and has the same in it: a biography that was edited, a weighing, a
//! session that is over and one that runs; and from when on there are moves, one that was moved away.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::*;
use bramble_subject::{
    ClockEstimate, Health, MoveOrder, Occasion, SessionNumber, SubjectFile, Subjects, Supply, Weight,
};
use bramble_value::{Ending, Event, Kind, Record, Time};
use tempfile::TempDir;

/// Names the file that [`writes_a_file_to_keep`] writes.
const KEEP: &str = "BRAMBLE_KEEP_FILE";

/// The files, oldest layout first.
struct Kept {
    files: Vec<PathBuf>,
    /// What they were unpacked into goes away with this.
    _folder: TempDir,
}

impl Kept {
    fn unpack() -> Kept {
        let folder = tempfile::tempdir().unwrap();
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
        let mut files = Vec::new();
        for packed in std::fs::read_dir(kept).unwrap() {
            let packed = packed.unwrap().path();
            let unpacked = Command::new("gzip").arg("-dc").arg(&packed).output().unwrap();
            assert!(unpacked.status.success(), "{}", String::from_utf8_lossy(&unpacked.stderr));
            let file = folder.path().join(packed.file_stem().unwrap());
            std::fs::write(&file, unpacked.stdout).unwrap();
            files.push(file);
        }
        files.sort();
        // One of each row of the book's table.
        let book = include_str!("../../../docs/src/subject-file.md");
        assert_eq!(files.len(), book.lines().filter(|line| line.starts_with("| 1 |")).count());
        Kept { files, _folder: folder }
    }
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn records() -> Vec<Record> {
    let of_trial = |trial| (0..10).map(move |of| event(10 * trial + of)).chain([row(trial, trial % 2 == 1)]);
    let note = Record::Note { time: Time::from_ns(70), text: "the tube is loose".to_owned() };
    (1..=6).flat_map(of_trial).chain([note]).collect()
}

/// The events, with the kinds that there were when a file was written: each in its turn.
fn events(path: &Path) -> Vec<Event> {
    let kinds = hdf5::File::open(path).unwrap().dataset("sessions/0001/names/kinds/table").unwrap().size();
    let of_then = |event: Event| Event { kind: Kind::ALL[event.time.ns() as usize / 10 % kinds], ..event };
    events_of(&records()).into_iter().map(of_then).collect()
}

fn health() -> Health {
    let (disk, temperature) = (Some((12_000_000_000, 30_000_000_000)), Some(51.5));
    Health { time: Time::from_ns(7), disk, temperature, supply: Some(Supply::Fine) }
}

/// Whether a file is of when sessions could be moved.
fn has_moves(path: &Path) -> bool {
    name(path) >= "1-6"
}

/// What every kept file has, in today's layout.
fn write(folder: &Path) -> PathBuf {
    let mut file = subject_in(folder);
    let mut edited = biography();
    edited.notes = "the second version".to_owned();
    file.edit_biography(&edited, &by()).unwrap();
    let weight = Weight { when: by().when, grams: 21.5, occasion: Occasion::Before, who: "ana".to_owned() };
    file.weigh(&weight).unwrap();
    for over in [true, false] {
        let number = file.begin_session(&start(columns())).unwrap();
        file.append(number, &numbered(1, records())).unwrap();
        let clock = ClockEstimate { time: Time::from_ns(7), offset_ns: 3, error_ns: 1, drift_ppb: 2 };
        file.add_clock(number, &[clock]).unwrap();
        file.add_health(number, &[health()]).unwrap();
        if over {
            file.end_session(number, &end(Ending::Stopped, "enough")).unwrap();
        }
    }
    file.pack_with(|_, number| Some(format!("a report of {number}"))).unwrap();
    let gone = file.begin_session(&start(columns())).unwrap();
    file.end_session(gone, &end(Ending::Done, "")).unwrap();
    let subjects = Subjects::in_folder(folder).unwrap();
    let mut other = subjects.create(&"M002".parse().unwrap(), &biography(), &by()).unwrap();
    let order = MoveOrder {
        session: file.session(gone).unwrap().uuid,
        from: file.id().clone(),
        number: gone,
        to: other.id().clone(),
        by: by(),
        why: "M002 was in the box".to_owned(),
    };
    subjects.move_session(&order, &mut file, &mut other).unwrap();
    file.sync().unwrap();
    file.path().to_owned()
}

#[test]
fn a_file_of_every_layout_gives_all_that_it_has() {
    let kept = Kept::unpack();
    for path in &kept.files {
        let wanted = events(path);
        let file = SubjectFile::open_read_only(path).unwrap();
        let shown = name(path);
        let biography = file.biography().unwrap();
        assert_eq!((biography.notes.as_str(), biography.strain.as_str()), ("the second version", "C57BL/6J"));
        assert_eq!(file.biographies().unwrap().len(), 2, "{shown}");
        let moves: Vec<_> = file.moves().iter().map(|one| (one.number.get(), one.other.as_str())).collect();
        assert_eq!(moves, if has_moves(path) { vec![(3, "M002")] } else { Vec::new() }, "{shown}");
        assert_eq!(file.history().unwrap().len(), 2 + moves.len(), "{shown}");
        assert_eq!(file.weights().unwrap()[0].grams, 21.5, "{shown}");
        let report = file.report(SessionNumber::new(1)).unwrap();
        assert_eq!(report.is_some(), name(path) >= "1-5", "{shown}");
        assert!(report.is_none_or(|report| report == "a report of 0001"), "{shown}");
        let sessions = file.sessions().unwrap();
        let ends: Vec<_> = sessions.iter().map(|session| session.end.clone()).collect();
        assert_eq!(ends, [Some(end(Ending::Stopped, "enough")), None], "{shown}");
        for number in [1, 2].map(SessionNumber::new) {
            let (read, wrote) = (file.session(number).unwrap(), start(columns()));
            assert_eq!((read.task, read.sources), (wrote.task, wrote.sources), "{shown}");
            assert_eq!((read.parameters, read.columns), (wrote.parameters, wrote.columns), "{shown}");
            assert_eq!((read.names, read.seed), (wrote.names, wrote.seed), "{shown}");
            assert_eq!((read.provenance, read.versions), (wrote.provenance, wrote.versions), "{shown}");
            // What came later is empty before.
            assert!(read.texts.is_empty() || read.texts == wrote.texts, "{shown}");
            assert_eq!(file.trials(number).unwrap().rows, rows_of(&records()), "{shown}");
            assert_eq!(file.events(number).unwrap(), wanted, "{shown}");
            assert_eq!(file.notes(number).unwrap()[0].text, "the tube is loose", "{shown}");
            let healths = file.health(number).unwrap();
            assert!(healths.is_empty() || healths == [health()], "{shown}");
            let clock = file.clock(number).unwrap();
            assert!(clock[0].offset_ns == 3 && [0, 2].contains(&clock[0].drift_ppb), "{shown}: {clock:?}");
        }
    }
}

#[test]
fn a_file_of_every_layout_goes_on_in_todays() {
    let kept = Kept::unpack();
    for path in &kept.files {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("M001.h5");
        std::fs::copy(path, &copy).unwrap();
        let mut file = SubjectFile::open(&copy).unwrap();
        let runs = SessionNumber::new(2);
        let next = file.written_up_to(runs).unwrap() + 1;
        file.append(runs, &numbered(next, [event(999)])).unwrap();
        let clock = ClockEstimate { time: Time::from_ns(8), offset_ns: 4, error_ns: 1, drift_ppb: 2 };
        file.add_clock(runs, &[clock]).unwrap();
        file.end_session(runs, &end(Ending::Done, "")).unwrap();
        let new = start(columns());
        let third = file.begin_session(&new).unwrap();
        file.end_session(third, &end(Ending::Done, "")).unwrap();
        file.sync().unwrap();
        let size = |path: &Path| std::fs::metadata(path).unwrap().len();
        let files = || std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
        let before: u64 = files().map(|file| size(&file)).sum();
        file.pack().unwrap();
        drop(file);
        assert_eq!(files().collect::<Vec<_>>(), std::slice::from_ref(&copy));
        assert!(size(&copy) < before, "{}: {} of {before}", name(path), size(&copy));
        let file = SubjectFile::open_read_only(&copy).unwrap();
        assert_eq!(file.sessions().unwrap().len(), 3, "{}", name(path));
        assert_eq!(file.session(third).unwrap(), new);
        assert_eq!(file.events(runs).unwrap().len(), events_of(&records()).len() + 1);
        let clock = file.clock(runs).unwrap();
        assert_eq!((clock.len(), clock[1].offset_ns), (2, 4), "{}", name(path));
    }
}

#[test]
fn the_newest_kept_file_has_todays_layout() {
    let folder = tempfile::tempdir().unwrap();
    let today = layout(&write(folder.path()));
    let all = Kept::unpack();
    let newest = all.files.last().unwrap();
    let kept = layout(newest);
    let differs: Vec<&String> =
        today.keys().chain(kept.keys()).filter(|key| today.get(*key) != kept.get(*key)).collect();
    assert!(
        differs.is_empty(),
        "the layout is another than that of {}: {differs:?}. Say in the book's chapter on the subject file what \
         changed, and keep a file of the new one beside the others: {KEEP}=NEW.h5 cargo test -p bramble-subject \
         --test kept_files writes_a_file_to_keep, then gzip it",
        newest.display()
    );
}

/// Not a test of its own: how a file comes to be kept.
#[test]
fn writes_a_file_to_keep() {
    let Some(keep) = std::env::var_os(KEEP) else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(write(folder.path()), keep).unwrap();
}

/// The type of each dataset, and the attributes of each group, by path.
fn layout(path: &Path) -> BTreeMap<String, String> {
    let file = hdf5::File::open(path).unwrap();
    let mut found = BTreeMap::new();
    groups(&file, &mut found);
    found
}

fn groups(group: &hdf5::Group, found: &mut BTreeMap<String, String>) {
    let name = group.name();
    found.insert(name.clone(), format!("{:?}", group.attr_names().unwrap()));
    // What a text is called and how long it is says nothing of the layout.
    if name == "/sources" {
        return;
    }
    for dataset in group.datasets().unwrap() {
        found.insert(dataset.name(), format!("{:?}", dataset.dtype().unwrap().to_descriptor().unwrap()));
    }
    group.groups().unwrap().iter().for_each(|group| groups(group, found));
}

#[test]
fn the_books_reader_for_python_reads_a_file_of_every_layout() {
    let python = std::env::var_os("BRAMBLE_PYTHON").expect(
        "BRAMBLE_PYTHON names a Python with h5py, tables and pandas: run scripts/test, which makes one and sets it",
    );
    let reader = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/read_subject.py");
    let lines = std::fs::read_to_string(&reader).unwrap().lines().count();
    assert!(lines <= 20, "the book says twenty lines, and there are {lines}");
    let mut said = BTreeMap::new();
    let kept = Kept::unpack();
    for path in &kept.files {
        let output = Command::new(&python).arg(&reader).arg(path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        said.insert(name(path), String::from_utf8(output.stdout).unwrap());
    }
    let first = said.values().next().unwrap();
    for line in [
        "subject M001, format 1",
        "session 0001: two_choice, 6 trials, enough",
        "session 0002: two_choice, 6 trials, running",
    ] {
        assert!(first.contains(line), "{first}");
    }
    for (path, said) in &said {
        assert_eq!(said, first, "{path}");
    }
}
