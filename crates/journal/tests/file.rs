//! What becomes of files, good and bad.

use std::path::Path;

use bramble_journal::{Journal, JournalError};

#[test]
fn numbers_go_on_after_everything_was_released_and_the_program_restarted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.append("terminal", &["a", "b"]).unwrap(), 1..=2);
    journal.release("terminal", 2);
    drop(journal);
    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.append("terminal", &["c"]).unwrap(), 3..=3);
    assert_eq!(journal.read("terminal", 0, 10).unwrap(), [(3, "c".into())]);
    assert_eq!(journal.lanes(), ["terminal"]);
}

#[test]
fn what_a_process_wrote_is_there_after_it_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let copy = folder.path().join("copy.sqlite");
    let journal = Journal::open(&path).unwrap();
    journal.append("terminal", &["a poke"]).unwrap();
    journal.remember("session", "3").unwrap();
    // A killed process leaves its files as they are at that moment.
    std::fs::copy(&path, &copy).unwrap();
    std::fs::copy(folder.path().join("journal.sqlite-wal"), folder.path().join("copy.sqlite-wal")).unwrap();
    let copy = Journal::open(&copy).unwrap();
    assert_eq!(copy.read("terminal", 0, 10).unwrap(), [(1, "a poke".into())]);
    assert_eq!(copy.recall("session").unwrap().unwrap(), "3");
}

#[test]
fn what_was_let_go_of_is_gone_at_once_and_leaves_the_disk_with_the_next_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let on_disk = |journal: &Journal| {
        let copy = tempfile::tempdir().unwrap();
        std::fs::copy(journal.path(), copy.path().join("copy")).unwrap();
        let log = journal.path().with_extension("sqlite-wal");
        std::fs::copy(log, copy.path().join("copy-wal")).unwrap();
        Journal::open(copy.path().join("copy")).unwrap().read("terminal", 0, 10).unwrap().len()
    };
    let journal = Journal::open(&path).unwrap();
    journal.append("terminal", &["a", "b", "c"]).unwrap();
    journal.release("terminal", 2);
    assert_eq!(
        (journal.read("terminal", 0, 10).unwrap().len(), journal.pending("terminal").unwrap()),
        (1, 1)
    );
    assert_eq!(on_disk(&journal), 3);
    journal.append("box1", &["x"]).unwrap();
    assert_eq!(on_disk(&journal), 1);
    journal.release("terminal", 3);
    drop(journal);
    assert_eq!(Journal::open(&path).unwrap().released("terminal"), 3);
}

#[test]
fn a_gap_is_refused_and_nothing_of_the_batch_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path().join("journal.sqlite")).unwrap();
    let error = journal.store("box1", &[(1, "a"), (2, "b"), (4, "d")]).unwrap_err();
    assert_eq!(error.to_string(), "record 4 can't be stored in lane `box1`, whose last is 2: 3 is missing");
    assert_eq!(journal.last("box1"), 0);
    assert_eq!(journal.store("box1", &[(1, "a"), (1, "a"), (2, "b")]).unwrap(), 1..=2);
    assert!(journal.store("box1", &[(u64::MAX, "z")]).is_err());
}

#[test]
fn a_file_that_is_no_journal_is_refused_and_left_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes.txt");
    std::fs::write(&notes, "M001 drank well today. ".repeat(1000)).unwrap();
    let damaged = folder.path().join("damaged.sqlite");
    std::fs::write(&damaged, [b"SQLite format 3\0".to_vec(), vec![7; 5000]].concat()).unwrap();
    let other = folder.path().join("other.sqlite");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE mice (name TEXT)").unwrap();
    for path in [notes, damaged, other] {
        let before = std::fs::read(&path).unwrap();
        let error = Journal::open(&path).unwrap_err();
        assert!(matches!(error, JournalError::NotAJournal { .. }), "{error}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    let mut left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["damaged.sqlite", "notes.txt", "other.sqlite"], "nothing is left beside them");
}

#[test]
fn a_journal_of_a_later_bramble_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    drop(Journal::open(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert!(
        error.to_string().contains("format 99") && error.to_string().contains("newer Bramble"),
        "{error}"
    );
}

#[test]
fn a_journal_in_use_is_refused_and_says_by_whom() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let journal = Journal::open(&path).unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert!(matches!(error, JournalError::InUse { .. }), "{error}");
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    // Not even a program that knows nothing of our lock gets in.
    let stranger = rusqlite::Connection::open(&path).unwrap();
    assert!(stranger.execute_batch("PRAGMA busy_timeout = 0; DELETE FROM records").is_err());
    journal.append("terminal", &["still mine"]).unwrap();
    drop(stranger);
    drop(journal);
    Journal::open(&path).unwrap();
}

#[test]
fn a_lock_that_a_crash_left_behind_keeps_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    drop(Journal::open(&path).unwrap());
    // Whoever wrote this is gone, or another process now has its number.
    let lock = folder.path().join("journal.sqlite.lock");
    std::fs::write(&lock, format!("bramble-pilot (process {})", std::process::id())).unwrap();
    let journal = Journal::open(&path).unwrap();
    journal.append("terminal", &["after the crash"]).unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert!(matches!(error, JournalError::InUse { .. }), "{error}");
}

#[test]
fn a_number_beyond_all_counting_leaves_a_journal_that_works() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let journal = Journal::open(&path).unwrap();
    journal.begin_after("box1", u64::MAX).unwrap();
    let last = journal.last("box1");
    assert_eq!(last, i64::MAX as u64 - 1);
    journal.release("box1", u64::MAX);
    assert_eq!(journal.store("box1", &[(last + 1, "the last")]).unwrap(), last + 1..=last + 1);
    assert_eq!(journal.read("box1", last, 10).unwrap(), [(last + 1, "the last".into())]);
    assert!(journal.store("box1", &[(u64::MAX, "beyond")]).is_err());
}

#[test]
fn a_place_that_cant_be_written_to_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    for path in [
        folder.path().join("nowhere/journal.sqlite"),
        folder.path().join("file/journal.sqlite"),
        folder.path().to_owned(),
        // Refused even to root.
        Path::new("/proc/journal.sqlite").to_owned(),
    ] {
        let error = Journal::open(&path).unwrap_err();
        assert!(matches!(error, JournalError::Unopenable { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&path.display().to_string()) && text.contains("may write there"), "{text}");
    }
}

#[test]
fn what_was_let_go_of_is_on_disk_once_that_is_settled_also_while_somebody_has_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("journal.sqlite"), folder.path().join("copy.sqlite"));
    let journal = Journal::open(&path).unwrap();
    journal.append("terminal", &["one", "two", "three"]).unwrap();
    journal.release("terminal", 2);
    journal.settle().unwrap();
    for end in ["", "-wal"] {
        let with_end = |path: &std::path::Path| format!("{}{end}", path.display());
        std::fs::copy(with_end(&path), with_end(&copy)).unwrap();
    }
    let left = Journal::open(&copy).unwrap();
    assert_eq!((left.released("terminal"), left.pending("terminal").unwrap()), (2, 1));
    drop(journal);
}
