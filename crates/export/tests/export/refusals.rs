//! What can't be exported, and what is left then.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bramble_export::{ExportError, Form, Session, Whether, place};
use bramble_subject::SessionNumber;

use crate::sessions::{here, odd, session, simulated, subject};

const FORMS: [Form; 4] = [Form::Nwb, Form::Csv, Form::Parquet, Form::Aind];

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn what_is_there_already_is_left_as_it_is_until_it_is_to_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject(folder.path(), "M001");
    odd(&mut file);
    simulated(&mut file, "free_water.star", 3, 1);
    let session = session(&file, 2);
    for form in FORMS {
        let out = folder.path().join(form.to_string());
        let target = out.join(form.path(&session, &here()));
        fs::create_dir_all(&target).unwrap();
        fs::write(target.join("mine.txt"), "mine").unwrap();
        let error = form.export(&session, &here(), &out, Whether::ToKeep).unwrap_err();
        assert!(matches!(error, ExportError::Exists(_)), "{error}");
        assert_eq!(names(&target), ["mine.txt"]);
        let error = form.export(&session, &here(), &out, Whether::ToReplace).unwrap_err();
        assert!(matches!(&error, ExportError::Foreign(path) if *path == target.join("mine.txt")), "{error}");
        assert_eq!(names(&target), ["mine.txt"], "nobody asked for that to go");
        fs::remove_file(target.join("mine.txt")).unwrap();
        for _ in 0..2 {
            assert_eq!(form.export(&session, &here(), &out, Whether::ToReplace).unwrap(), target);
        }
        assert_eq!(target.is_file(), form == Form::Nwb);
        if target.is_dir() {
            let deeper =
                fs::read_dir(&target).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
            let video = deeper.unwrap_or(target.clone()).join("cam.mp4");
            fs::write(&video, "mine").unwrap();
            let error = form.export(&session, &here(), &out, Whether::ToReplace).unwrap_err();
            assert!(matches!(&error, ExportError::Foreign(path) if *path == video), "{error}");
            assert_eq!(fs::read_to_string(&video).unwrap(), "mine");
        }
        assert_eq!(names(target.parent().unwrap()).len(), 1, "nothing is left beside it");
    }
}

#[test]
fn a_folder_that_cant_be_written_is_said_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject(folder.path(), "M001");
    odd(&mut file);
    let session = session(&file, 1);
    let a_file = folder.path().join("a_file");
    fs::write(&a_file, "").unwrap();
    for form in FORMS {
        let error = form.export(&session, &here(), &a_file, Whether::ToKeep).unwrap_err().to_string();
        assert!(error.contains("a_file") && error.contains("may be written"), "{error}");
    }
    // Root may write everywhere.
    if nix::unistd::geteuid().is_root() {
        return;
    }
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    for form in FORMS {
        let error = form.export(&session, &here(), &closed, Whether::ToKeep).unwrap_err().to_string();
        assert!(error.contains("ermission denied"), "{error}");
    }
    assert!(names(&closed).is_empty());
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn what_fails_in_the_middle_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("M001/0001");
    let fails = |path: &Path| {
        fs::create_dir(path).unwrap();
        let file = path.join("trials.csv");
        fs::write(&file, "half a ro").unwrap();
        Err(ExportError::Write { path: file, source: std::io::ErrorKind::StorageFull.into() })
    };
    let error = place(&target, Whether::ToKeep, fails).unwrap_err().to_string();
    assert!(error.starts_with(&format!("can't write {}", target.join("trials.csv").display())), "{error}");
    assert!(names(&folder.path().join("M001")).is_empty());

    let whole = |path: &Path| {
        fs::create_dir(path).unwrap();
        fs::write(path.join("trials.csv"), "whole").unwrap();
        Ok(())
    };
    place(&target, Whether::ToKeep, whole).unwrap();
    place(&target, Whether::ToReplace, fails).unwrap_err();
    assert_eq!(fs::read_to_string(target.join("trials.csv")).unwrap(), "whole");
    assert_eq!(names(&folder.path().join("M001")), ["0001"]);
}

#[test]
fn what_comes_to_be_there_meanwhile_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("0001");
    let meanwhile = |path: &Path| {
        fs::create_dir(path).unwrap();
        fs::create_dir(&target).unwrap();
        fs::write(target.join("mine.txt"), "mine").unwrap();
        Ok(())
    };
    let error = place(&target, Whether::ToKeep, meanwhile).unwrap_err();
    assert!(matches!(error, ExportError::Exists(_)), "{error}");
    assert_eq!(names(&target), ["mine.txt"]);
}

#[test]
fn a_session_that_isnt_there_or_is_damaged_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject(folder.path(), "M001");
    odd(&mut file);
    let error = Session::read(&file, SessionNumber::new(7)).unwrap_err().to_string();
    assert!(error.contains("no session 0007"), "{error}");
}
