//! What a person sees of subjects and their files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::common::{biography, by, columns, end, event, numbered, start, subject_in};
use bramble_subject::{
    Biography, Change, Occasion, SessionStart, SetAside, SubjectError, SubjectFile, Subjects, Weight,
};
use bramble_value::Ending;

#[test]
fn a_new_subject_is_listed_and_says_who_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let uuid = subject_in(folder.path()).uuid();
    let subjects = Subjects::in_folder(folder.path()).unwrap();
    let [id] = &subjects.list().unwrap()[..] else { panic!("one subject") };
    let file = subjects.open_read_only(id).unwrap();
    assert_eq!(file.id().as_str(), "M001");
    assert_eq!(file.uuid(), uuid);
    assert_eq!(file.biography().unwrap(), biography());
    let history = file.history().unwrap();
    assert_eq!(
        (history[0].what.as_str(), history[0].to.as_str(), history[0].when),
        ("subject", "M001", by().when)
    );
}

#[test]
fn a_subject_that_exists_is_not_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = subject_in(folder.path()).path().to_owned();
    let before = fs::read(&path).unwrap();
    let subjects = Subjects::in_folder(folder.path()).unwrap();
    let error = subjects.create(&"M001".parse().unwrap(), &Biography::default(), &by()).unwrap_err();
    assert!(matches!(error, SubjectError::Exists(_)), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_subject_that_is_not_there_is_not_opened_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let subjects = Subjects::in_folder(folder.path()).unwrap();
    let error = subjects.open(&"M002".parse().unwrap()).unwrap_err();
    assert!(error.to_string().contains("M002.h5"), "{error}");
    assert!(subjects.list().unwrap().is_empty());
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let not_a_folder = folder.path().join("data");
    fs::write(&not_a_folder, "").unwrap();
    let error = Subjects::in_folder(&not_a_folder).unwrap_err().to_string();
    assert!(error.contains("data/subjects"), "{error}");

    let subjects = Subjects::in_folder(folder.path()).unwrap();
    fs::remove_dir(folder.path().join("subjects")).unwrap();
    let error = subjects.create(&"M001".parse().unwrap(), &biography(), &by()).unwrap_err().to_string();
    assert!(error.contains("M001.h5") && error.contains("may be written"), "{error}");
}

#[test]
fn a_file_that_is_written_to_is_not_opened_to_be_written_a_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = subject_in(folder.path());
    let error = SubjectFile::open(file.path()).unwrap_err().to_string();
    assert!(error.contains("is open in another program"), "{error}");
    let path = file.path().to_owned();
    drop(file);
    let first = SubjectFile::open_read_only(&path).unwrap();
    SubjectFile::open_read_only(&path).expect("two may read");
    assert!(matches!(SubjectFile::open(&path), Err(SubjectError::InUse(_))));
    drop(first);
    SubjectFile::open(&path).unwrap();
}

#[test]
fn what_is_over_is_read_while_a_session_runs_and_whoever_reads_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let path = file.path().to_owned();
    let over = file.begin_session(&start(columns())).unwrap();
    file.append(over, &numbered(1, [event(1)])).unwrap();
    file.end_session(over, &end(Ending::Done, "")).unwrap();
    file.pack().unwrap();
    let uuid = uuid::Uuid::from_u128(2);
    let runs = file.begin_session(&SessionStart { uuid, ..start(columns()) }).unwrap();

    let reader = SubjectFile::open_read_only(&path).unwrap();
    let numbers = |file: &SubjectFile| -> Vec<_> {
        file.sessions().unwrap().iter().map(|session| session.number).collect()
    };
    assert_eq!((numbers(&reader), reader.running().collect::<Vec<_>>()), (vec![over], vec![runs]));
    assert_eq!(reader.events(over).unwrap().len(), 1);
    let error = reader.session(runs).unwrap_err().to_string();
    assert!(
        error.contains("session 0002 of") && error.ends_with("runs: try again when it has ended"),
        "{error}"
    );

    let change =
        Change { what: "note".into(), to: "it sneezed".into(), ..file.history().unwrap()[0].clone() };
    file.log(&change).unwrap();
    file.weigh(&Weight { when: by().when, grams: 21.0, occasion: Occasion::After, who: by().who }).unwrap();
    file.append(runs, &numbered(1, [event(1), event(2)])).unwrap();
    file.end_session(runs, &end(Ending::Done, "")).unwrap();
    file.pack().unwrap();
    assert!(!file.is_lost());
    assert_eq!((reader.history().unwrap().len(), numbers(&reader)), (1, vec![over]), "it stays as it was");
    let reader = SubjectFile::open_read_only(&path).unwrap();
    assert_eq!((numbers(&reader), reader.weights().unwrap().len()), (vec![over, runs], 1));
    assert_eq!(reader.history().unwrap()[1], change);
    assert_eq!(reader.events(runs).unwrap().len(), 2);
    assert!(matches!(SubjectFile::open(&path), Err(SubjectError::InUse(_))), "one writes");
}

#[test]
fn a_file_that_is_not_a_subjects_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let torn = {
        let file = subject_in(folder.path());
        let mut bytes = fs::read(file.path()).unwrap();
        bytes.truncate(bytes.len() / 2);
        bytes
    };
    let cases = [("text", b"not HDF5".to_vec()), ("empty", Vec::new()), ("torn", torn)];
    for (name, content) in cases {
        let path = folder.path().join(name);
        fs::write(&path, &content).unwrap();
        let error = SubjectFile::open(&path).unwrap_err().to_string();
        assert!(error.contains("was left as it is"), "{name}: {error}");
        assert_eq!(fs::read(&path).unwrap(), content, "{name}");
    }
    let other = folder.path().join("other.h5");
    hdf5::File::create(&other).unwrap().close().unwrap();
    assert!(matches!(SubjectFile::open(&other), Err(SubjectError::NotASubject(_))));
}

#[test]
fn a_file_of_a_later_format_says_to_update() {
    let folder = tempfile::tempdir().unwrap();
    let path = subject_in(folder.path()).path().to_owned();
    let file = hdf5::File::open_rw(&path).unwrap();
    file.attr("version").unwrap().write_raw(&[2u64]).unwrap();
    file.close().unwrap();
    let error = SubjectFile::open(&path).unwrap_err().to_string();
    assert!(error.contains("update Bramble"), "{error}");
}

#[test]
fn a_file_opened_for_reading_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = subject_in(folder.path()).path().to_owned();
    let mut file = SubjectFile::open_read_only(&path).unwrap();
    assert!(matches!(file.begin_session(&start(columns())), Err(SubjectError::ReadOnly(_))));
    assert!(matches!(file.keep_source("x"), Err(SubjectError::ReadOnly(_))));
}

#[test]
fn an_edited_biography_is_a_new_version_and_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let mut edited = biography();
    edited.strain = "long ".repeat(100);
    edited.extra = BTreeMap::from([("cage".to_owned(), "13".to_owned())]);
    file.edit_biography(&edited, &by()).unwrap();
    let path = file.path().to_owned();
    drop(file);
    let file = SubjectFile::open_read_only(&path).unwrap();
    assert_eq!(file.biography().unwrap(), edited);
    let versions: Vec<_> = file.biographies().unwrap().into_iter().map(|(_, version)| version).collect();
    assert_eq!(versions, [biography(), edited]);
    let history = file.history().unwrap();
    let changed: Vec<_> =
        history[1..].iter().map(|change| (change.what.as_str(), change.from.as_str())).collect();
    assert_eq!(changed, [("biography.strain", "C57BL/6J"), ("biography.extra.cage", "12")]);
}

#[test]
fn the_history_keeps_every_change_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let texts = ["", "step two", "ü at the end ü", "sha256:nothing", "zero\0", &"long ".repeat(1000)];
    let mut changes = file.history().unwrap();
    for text in texts {
        let change = Change {
            when: by().when,
            who: text.to_owned(),
            what: text.to_owned(),
            from: text.to_owned(),
            to: text.to_owned(),
        };
        file.log(&change).unwrap();
        changes.push(change);
    }
    assert_eq!(file.history().unwrap(), changes);
}

#[test]
fn weights_are_kept_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let weights = [(Occasion::Before, 21.5), (Occasion::After, 22.25)].map(|(occasion, grams)| Weight {
        when: by().when,
        grams,
        occasion,
        who: "ana".to_owned(),
    });
    weights.iter().for_each(|weight| file.weigh(weight).unwrap());
    assert_eq!(file.weights().unwrap(), weights);
}

#[test]
fn a_source_is_kept_once_under_its_hash() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let hash = file.keep_source("abc").unwrap();
    assert_eq!(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(file.keep_source("abc").unwrap(), hash);
    assert_eq!(file.source(&hash).unwrap(), "abc");
    let empty = file.keep_source("").unwrap();
    assert_eq!(file.source(&empty).unwrap(), "");
    let missing = file.source("00").unwrap_err();
    assert!(matches!(missing, SubjectError::NoSource { .. }), "{missing}");
}

#[test]
fn an_open_session_shows_as_such_until_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let number = file.begin_session(&start(columns())).unwrap();
    file.append(number, &[(1, event(1))]).unwrap();
    let path = file.path().to_owned();
    drop(file);
    let mut file = SubjectFile::open(&path).unwrap();
    let summary = file.summary(number).unwrap();
    assert_eq!((summary.end, summary.events, summary.trials), (None, 1, 0));
    file.end_session(number, &end(Ending::Stopped, "cage empty")).unwrap();
    let end = file.summary(number).unwrap().end.unwrap();
    assert_eq!((end.ended, end.ending, end.why.as_str()), (by().when, Ending::Stopped, "cage empty"));
    assert_eq!((end.correct, end.water), (Some(0.75), None));
}

/// Takes the last byte of a file.
fn cut(path: &Path) {
    let length = fs::metadata(path).unwrap().len();
    fs::File::options().write(true).open(path).unwrap().set_len(length - 1).unwrap();
}

#[test]
fn a_broken_file_is_told_from_a_whole_one_and_is_kept_as_it_is_beside_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let subjects = Subjects::in_folder(folder.path()).unwrap();
    drop(subject_in(folder.path()));
    let id = "M001".parse().unwrap();
    let path = subjects.path(&id);
    let replace = || SubjectFile::replace_broken(&path, &id, &by(), false);
    assert_eq!(replace().unwrap(), None, "it is whole");
    cut(&path);
    let was = fs::read(&path).unwrap();
    let Some(SetAside::Subject(aside)) = replace().unwrap() else { panic!("it is broken") };
    assert_eq!(fs::read(&aside).unwrap(), was);
    assert!(subjects.list().unwrap() == std::slice::from_ref(&id), "what was set aside is no subject");
    assert!(subjects.open(&id).unwrap().sessions().unwrap().is_empty());
    fs::write(&path, "no HDF5").unwrap();
    let error = replace().unwrap_err();
    assert!(matches!(error, SubjectError::Exists(_)), "nothing is written over: {error}");
}

#[test]
fn of_a_subjects_file_and_a_running_sessions_the_broken_one_alone_is_set_aside() {
    for broken in ["M001.h5", "M001.h5.running-0002"] {
        let folder = tempfile::tempdir().unwrap();
        let mut file = subject_in(folder.path());
        let over = file.begin_session(&start(columns())).unwrap();
        file.end_session(over, &end(Ending::Done, "")).unwrap();
        file.pack().unwrap();
        let (started, path) = (start(columns()), file.path().to_owned());
        let runs = file.begin_session(&started).unwrap();
        file.append(runs, &[(1, event(1))]).unwrap();
        drop(file);
        assert!(!SubjectFile::is_broken(&path).unwrap());
        let cut_off = path.with_file_name(broken);
        cut(&cut_off);
        let was = fs::read(&cut_off).unwrap();
        assert!(SubjectFile::is_broken(&path).unwrap());
        let aside =
            SubjectFile::replace_broken(&path, &"M001".parse().unwrap(), &by(), false).unwrap().unwrap();
        assert_eq!(fs::read(aside.path()).unwrap(), was);
        let mut file = SubjectFile::open(&path).unwrap();
        let left = file.sessions().unwrap().iter().map(|session| session.number.get()).collect::<Vec<_>>();
        // The start comes again from the journal, and with it all that is missing.
        let again = file.begin_session(&started).unwrap();
        let events = file.events(again).unwrap().len();
        match aside {
            SetAside::Subject(_) => assert_eq!((left, events), (vec![2], 1)),
            SetAside::Session(_) => assert_eq!((left, events), (vec![1], 0)),
        }
        assert_eq!(again, runs);
    }
}

#[test]
fn a_session_beside_a_file_that_has_another_of_its_number_is_not_taken_for_its() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, other) = (folder.path().join("mine"), folder.path().join("other"));
    let mut paths = Vec::new();
    for (folder, over) in [(&mine, true), (&other, false)] {
        let mut file = subject_in(folder);
        let number = file.begin_session(&start(columns())).unwrap();
        if over {
            file.end_session(number, &end(Ending::Done, "")).unwrap();
            file.pack().unwrap();
        }
        paths.push(file.path().to_owned());
    }
    fs::copy(
        paths[1].with_file_name("M001.h5.running-0001"),
        paths[0].with_file_name("M001.h5.running-0001"),
    )
    .unwrap();
    let error = SubjectFile::open(&paths[0]).unwrap_err().to_string();
    assert!(error.contains("running-0001") && error.contains("has another session 0001"), "{error}");
}

#[test]
fn an_open_file_that_is_cut_off_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject_in(folder.path());
    let number = file.begin_session(&start(Vec::new())).unwrap();
    for cut_off in [file.path().with_file_name("M001.h5.running-0001"), file.path().to_owned()] {
        let whole = fs::read(&cut_off).unwrap();
        cut(&cut_off);
        let error = file.append(number, &[(1, event(1))]).unwrap_err().to_string();
        assert!(error.contains("cut off or written over while it was open"), "{error}");
        assert!(error.starts_with(cut_off.to_str().unwrap()), "{error}");
        fs::write(&cut_off, whole).unwrap();
    }
}
