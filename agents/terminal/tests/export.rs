//! Sessions for other programs, with no terminal that runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::{bramble_terminal, refusal, text};
use bramble_subject::{
    Biography, By, ClockEstimate, Column, MoveOrder, SessionEnd, SessionNumber, SessionStart, Sex,
    SubjectFile, Subjects,
};
use bramble_value::{
    Ending, Event, Kind, Names, Record, Row, Seed, Source, SourceKind, Time, Value, ValueType,
};
use tempfile::TempDir;
use uuid::Uuid;

/// A data folder with M001, and a session of hers that ended, and one that didn't.
fn lab() -> (TempDir, SubjectFile) {
    let folder = tempfile::tempdir().unwrap();
    let when = "2026-03-04T05:06:07Z".parse().unwrap();
    let biography = Biography {
        species: "Mus musculus".to_owned(),
        sex: Sex::Female,
        birth: Some("2026-01-02".parse().unwrap()),
        genotype: "wt".to_owned(),
        ..Biography::default()
    };
    let by = By { who: "ana".to_owned(), when };
    let subjects = Subjects::in_folder(folder.path()).unwrap();
    let mut file = subjects.create(&"M001".parse().unwrap(), &biography, &by).unwrap();
    for ended in [true, false] {
        let start = SessionStart {
            uuid: Uuid::new_v4(),
            task: "lick".to_owned(),
            task_doc: String::new(),
            root: "lick.star".to_owned(),
            sources: BTreeMap::from([("lick.star".to_owned(), "task()".to_owned())]),
            parameters: Vec::new(),
            columns: vec![Column {
                name: "n".to_owned(),
                value_type: ValueType::Integer,
                doc: "licks".to_owned(),
            }],
            names: Names { sources: vec![(SourceKind::Session, "session".to_owned())] },
            seed: Seed(1),
            pilot: "box1".to_owned(),
            protocol: None,
            started: when,
            start_time: Time::ZERO,
            versions: BTreeMap::new(),
            provenance: serde_json::json!({}),
            texts: Default::default(),
        };
        let number = file.begin_session(&start).unwrap();
        let records = (1..=2000).map(|number: u32| {
            let time = Time::from_ns(i64::from(number) * 1_000_000);
            let event = Event {
                time,
                trial: 1,
                kind: Kind::Input,
                source: Source(0),
                value: f64::from(number).sin(),
            };
            (u64::from(number), Record::Event(event))
        });
        let row = Row {
            trial: 1,
            start: Time::ZERO,
            end: Time::from_ns(2_000_000_000),
            ending: Ending::Done,
            values: vec![Some(Value::Integer(3))],
        };
        let records: Vec<_> = records.chain([(2001, Record::Row(row))]).collect();
        file.append(number, &records).unwrap();
        if ended {
            let end = SessionEnd {
                ended: when,
                ending: Ending::Done,
                why: String::new(),
                correct: None,
                water: None,
            };
            file.end_session(number, &end).unwrap();
        }
    }
    (folder, file)
}

fn export(folder: &Path, arguments: &[&str]) -> Output {
    bramble_terminal(folder).current_dir(folder).arg("export").args(arguments).output().unwrap()
}

/// Every file below a folder, by its path from there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path)
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_owned())
            }
        }
    }
    found.sort();
    found
}

#[test]
fn several_forms_are_written_at_once_and_each_is_said() {
    let (folder, file) = lab();
    drop(file);
    let output = export(folder.path(), &["M001", "--nwb", "--csv", "--parquet", "--out", "out"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout).lines().collect::<Vec<_>>(),
        [
            "session 0001  nwb      out/sub-M001/sub-M001_ses-0001.nwb",
            "session 0001  csv      out/M001/0001",
            "session 0001  parquet  out/subject=M001/session=0001",
            "session 0002  nwb      out/sub-M001/sub-M001_ses-0002.nwb",
            "session 0002  csv      out/M001/0002",
            "session 0002  parquet  out/subject=M001/session=0002",
        ]
    );
    assert!(text(&output.stderr).starts_with("session 0002 has no end: it still runs, or"));
    let tables: Vec<_> = files(&folder.path().join("out/M001/0001"));
    assert_eq!(tables, ["datapackage.json", "events.csv", "notes.csv", "trials.csv"].map(PathBuf::from));
}

#[test]
fn what_is_there_is_left_and_said_unless_it_is_to_be_replaced() {
    let (folder, file) = lab();
    let path = file.path().display().to_string();
    drop(file);
    let one = ["M001", "--csv", "--session", "1"];
    assert!(export(folder.path(), &one).status.success());
    let trials = folder.path().join("M001/0001/trials.csv");
    fs::write(&trials, "mine").unwrap();
    // The other session is written, and the file is meant by its path too.
    let output = export(folder.path(), &[&path, "--csv"]);
    assert!(!output.status.success());
    assert_eq!(text(&output.stdout), "session 0002  csv      ./M001/0002\n");
    let said = text(&output.stderr);
    assert!(
        said.contains("left as they are") && said.contains("./M001/0001") && said.contains("--replace"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&trials).unwrap(), "mine");
    assert!(export(folder.path(), &[&one[..], &["--replace"]].concat()).status.success());
    assert!(fs::read_to_string(&trials).unwrap().starts_with("trial,start_s,end_s,ending,n\n1,0,2,done,3\n"));
}

#[test]
fn what_one_form_or_session_lacks_keeps_no_other_from_being_exported() {
    let (folder, file) = lab();
    let path = file.path().to_owned();
    drop(file);
    let output = export(folder.path(), &["M001", "--csv", "--aind"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout).lines().count(), 2, "{}", text(&output.stdout));
    let said = text(&output.stderr);
    assert_eq!(said.matches("wants what isn't known of sessions 0001 to 0002:").count(), 1, "{said}");

    let its_own = files(path.parent().unwrap());
    let its_own =
        its_own.iter().find(|name| name.to_string_lossy().contains("0001")).expect("not packed yet");
    let damaged = hdf5::File::open_rw(path.with_file_name(its_own)).unwrap();
    damaged.unlink("sessions/0001/events").unwrap();
    drop(damaged);
    let output = export(folder.path(), &["M001", "--csv", "--out", "other"]);
    assert_eq!(
        (output.status.code(), text(&output.stdout)),
        (Some(1), "session 0002  csv      other/M001/0002\n".to_owned())
    );
    let said = text(&output.stderr);
    assert!(
        said.contains("these were not exported:") && said.contains("session 0001 can't be read"),
        "{said}"
    );
}

#[test]
fn who_and_what_isnt_there_is_said() {
    let (folder, file) = lab();
    drop(file);
    let refused = |arguments: &[&str]| refusal(&export(folder.path(), arguments));
    let said = refused(&["M002", "--csv"]);
    assert!(said.contains("there is no subject M002") && said.contains("subject list"), "{said}");
    let said = refused(&["copies/M002.h5", "--csv"]);
    assert!(said.contains("copies/M002.h5 isn't there"), "{said}");
    let said = refused(&["M/../..", "--csv"]);
    assert!(said.contains("isn't there") || said.contains("not"), "{said}");
    let said = refused(&["ä b", "--csv"]);
    assert!(said.contains("`ä b` is neither a file nor a subject"), "{said}");
    let said = refused(&["M001", "--csv", "--session", "9"]);
    assert!(said.contains("M001 has no session 0009; it has 0001 to 0002"), "{said}");
    let said = refused(&["M001"]);
    assert!(said.contains("--nwb|--csv|--parquet|--aind"), "{said}");
    let said = refused(&["M001", "--aind", "--session", "1"]);
    assert!(said.contains("investigators, in [lab] of config/terminal.toml"), "{said}");
    let elsewhere = folder.path().join("elsewhere");
    let said = refused(&["M001", "--csv", "--data", elsewhere.to_str().unwrap()]);
    assert!(said.contains("--data DIR names another data folder") && !elsewhere.exists(), "{said}");
    assert!(files(folder.path()).iter().all(|path| path.starts_with("subjects")), "nothing was written");
}

#[test]
fn what_archives_ask_for_and_isnt_known_is_said() {
    let (folder, mut file) = lab();
    let by = By { who: "ana".to_owned(), when: "2026-03-05T05:06:07Z".parse().unwrap() };
    let unborn = Biography { birth: None, sex: Sex::Unknown, ..file.biography().unwrap() };
    file.edit_biography(&unborn, &by).unwrap();
    drop(file);
    let output = export(folder.path(), &["M001", "--nwb", "--session", "1"]);
    assert!(output.status.success());
    let said = text(&output.stderr);
    assert_eq!(said, "archives of NWB ask for what isn't known of M001: its sex, its day of birth\n");
}

#[test]
fn a_session_that_runs_is_left_out_and_what_is_over_is_exported() {
    let (folder, mut file) = lab();
    let said = refusal(&export(folder.path(), &["M001", "--csv"]));
    assert!(said.contains("session 0001 of M001 runs: try again when it has ended"), "none is over: {said}");
    file.pack().unwrap();
    let more = ClockEstimate { time: Time::ZERO, offset_ns: 0, error_ns: 0, drift_ppb: 0 };
    file.add_clock(SessionNumber::new(2), &[more]).unwrap();
    let output = export(folder.path(), &["M001", "--csv"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("session 0002 runs, and is left out"));
    let said = text(&output.stdout);
    assert!(said.contains("session 0001") && !said.contains("session 0002"), "{said}");
    let said = refusal(&export(folder.path(), &["M001", "--csv", "--session", "2"]));
    assert!(said.contains("session 0002 of M001 runs: try again when it has ended"), "{said}");
}

#[test]
fn a_damaged_file_is_said_and_left_as_it_is() {
    let (folder, file) = lab();
    let path = file.path().to_owned();
    drop(file);
    let whole = fs::read(&path).unwrap();
    for cut in [0, 100, whole.len() / 2] {
        fs::write(&path, &whole[..cut]).unwrap();
        let said = refusal(&export(folder.path(), &["M001", "--csv", "--nwb", "--out", "out"]));
        assert!(said.contains("M001.h5"), "{said}");
        assert_eq!(fs::read(&path).unwrap().len(), cut);
        assert!(files(&folder.path().join("out")).is_empty());
    }
}

#[test]
fn a_full_disk_is_said_and_leaves_nothing_half_written() {
    let (folder, file) = lab();
    drop(file);
    for form in ["--nwb", "--csv", "--parquet"] {
        // To the process it is as if the disk had no room after 4 KiB of a file.
        let output = Command::new("bash")
            .args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$@\"", "bash"])
            .arg(assert_cmd::cargo::cargo_bin!("bramble-terminal"))
            .args(["export", "M001", "--session", "1", "--out", "full", form])
            .env("BRAMBLE_DATA", folder.path())
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = refusal(&output);
        assert!(said.contains("can't write full/") && said.contains("has room"), "{form}: {said}");
        assert!(files(&folder.path().join("full")).is_empty(), "{form}");
    }
}

#[test]
fn a_session_that_isnt_there_is_said_with_those_that_are() {
    let (folder, mut file) = lab();
    let subjects = Subjects::in_folder(folder.path()).unwrap();
    let by = By { who: "ana".to_owned(), when: "2026-03-05T05:06:07Z".parse().unwrap() };
    let mut other = subjects.create(&"M002".parse().unwrap(), &Biography::default(), &by).unwrap();
    // Of the first there is a gap after.
    let start = file.session(SessionNumber::new(1)).unwrap();
    file.begin_session(&SessionStart { uuid: Uuid::new_v4(), ..start }).unwrap();
    let order = MoveOrder {
        session: file.session(SessionNumber::new(1)).unwrap().uuid,
        from: file.id().clone(),
        number: SessionNumber::new(1),
        to: other.id().clone(),
        by,
        why: "M002 was in the box".to_owned(),
    };
    subjects.move_session(&order, &mut file, &mut other).unwrap();
    drop((file, other));
    let output = export(folder.path(), &["M001", "--csv", "--session", "9"]);
    let said = refusal(&output);
    assert!(said.contains("M001 has no session 0009; it has 0002 to 0003"), "{said}");
}

#[test]
fn a_birth_after_the_session_is_one_that_archives_dont_know() {
    let (folder, mut file) = lab();
    let by = By { who: "ana".to_owned(), when: "2026-03-05T05:06:07Z".parse().unwrap() };
    let birth = Some("2026-03-09".parse().unwrap());
    let edited = Biography { birth, ..file.biography().unwrap() };
    file.edit_biography(&edited, &by).unwrap();
    drop(file);
    let output = export(folder.path(), &["M001", "--nwb"]);
    let said = text(&output.stderr);
    assert!(said.contains("its day of birth, since 2026-03-09 is after its session of 2026-03-"), "{said}");
}
