//! A disk that gets full while a file is packed, or a session is moved.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::*;
use bramble_subject::{MoveOrder, SubjectFile, Subjects};
use bramble_value::{Ending, Record};

/// A disk of a few megabytes, which is gone with this; none where this user can't have one.
struct Small(PathBuf);

impl Small {
    fn at(folder: &Path) -> Option<Small> {
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=4m", "bramble-test"]).arg(folder).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Small(folder.to_owned()));
        }
        println!("skipped: this user can't mount a small disk");
        None
    }

    /// Takes all of its room but so many pages.
    fn fill_but(&self, pages: usize) {
        let ballast = self.0.join("ballast");
        // The first time there is none.
        let _ = fs::remove_file(&ballast);
        let mut file = fs::File::create(&ballast).unwrap();
        let mut taken = 0;
        while file.write_all(&[1; 4096]).is_ok() {
            taken += 1;
        }
        file.set_len(4096 * taken.max(pages) as u64 - 4096 * pages as u64).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn records(from: u32) -> Vec<Record> {
    (from..from + 200)
        .flat_map(|number| (0..10).map(move |of| event(10 * number + of)).chain([row(number, true)]))
        .collect()
}

fn holds(file: &SubjectFile, sessions: u32) {
    let summaries = file.sessions().unwrap();
    assert_eq!(summaries.len(), sessions as usize);
    for (each, summary) in (0..).zip(summaries) {
        assert_eq!(file.trials(summary.number).unwrap().rows, rows_of(&records(300 * each)));
        assert_eq!(file.events(summary.number).unwrap(), events_of(&records(300 * each)));
        assert_eq!(summary.end, Some(end(Ending::Done, "")));
    }
}

#[test]
fn a_disk_that_gets_full_while_a_file_is_packed_leaves_it_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Small::at(folder.path()) else { return };
    let mut file = subject_in(folder.path());
    let path = file.path().to_owned();
    for each in 0..4 {
        let number = file.begin_session(&start(columns())).unwrap();
        file.append(number, &numbered(1, records(300 * each))).unwrap();
        file.end_session(number, &end(Ending::Done, "")).unwrap();
    }
    file.sync().unwrap();
    let size = fs::metadata(&path).unwrap().len();

    let mut refused = 0;
    for pages in (0..).step_by(3) {
        disk.fill_but(pages);
        match file.pack() {
            Ok(()) => break,
            Err(error) => assert!(error.to_string().contains("M001"), "{error}"),
        }
        refused += 1;
        assert!(!path.with_extension("h5.new").exists(), "the copy is gone");
        assert_eq!(fs::metadata(&path).unwrap().len(), size);
        holds(&file, 4);
        drop(file);
        holds(&SubjectFile::open_read_only(&path).unwrap(), 4);
        file = SubjectFile::open(&path).unwrap();
        assert!(pages < 1000, "it is never packed");
    }
    assert!(refused > 10, "the disk was full {refused} times");
    drop(file);
    holds(&SubjectFile::open(&path).unwrap(), 4);
}

#[test]
fn a_disk_that_gets_full_while_a_session_is_moved_leaves_it_in_one_file_at_least() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Small::at(folder.path()) else { return };
    let mut from = subject_in(folder.path());
    let subjects = Subjects::in_folder(folder.path()).unwrap();
    let mut to = subjects.create(&"M002".parse().unwrap(), &biography(), &by()).unwrap();
    let session = start(columns());
    let number = from.begin_session(&session).unwrap();
    from.append(number, &numbered(1, records(0))).unwrap();
    from.end_session(number, &end(Ending::Done, "")).unwrap();
    from.pack().unwrap();
    let order = MoveOrder {
        session: session.uuid,
        from: from.id().clone(),
        number,
        to: to.id().clone(),
        by: by(),
        why: "the wrong animal".to_owned(),
    };
    let (mut nothing, mut half) = (0, 0);
    for pages in (0..).step_by(3) {
        disk.fill_but(pages);
        let moved = subjects.move_session(&order, &mut from, &mut to);
        let there = to.session_by_uuid(session.uuid).unwrap();
        if moved.is_ok() {
            break;
        }
        let here = from.session_by_uuid(session.uuid).unwrap();
        assert_eq!(here.map(|one| one.number), Some(number), "it is where it was");
        match there {
            None => nothing += 1,
            Some(_) => half += 1,
        }
        assert_eq!(subjects.moves_under_way().unwrap().len(), usize::from(there.is_some()));
        assert!(pages < 1000, "it is never moved");
    }
    assert!(nothing > 5 && half > 0, "the disk was full {nothing} times before, and {half} times between");
    assert_eq!(subjects.moves_under_way().unwrap(), []);
    assert_eq!((from.sessions().unwrap().len(), from.moves().len()), (0, 1));
    assert_eq!((to.moves().len(), to.history().unwrap().len()), (1, 2));
    holds(&to, 1);
}
