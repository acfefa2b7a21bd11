//! The readers that the book shows.

use std::path::Path;

use bramble_export::{Form, Whether};

use crate::outside::run;
use crate::sessions::{here, session, simulated, subject};

/// Runs a reader on one file after the other.
const EACH: &str = "import runpy, sys
reader, *paths = sys.argv[1:]
for path in paths:
    sys.argv = [reader, path]
    runpy.run_path(reader, run_name='__main__')
";

#[test]
fn the_readers_that_the_book_shows_read_a_session_of_every_shipped_task() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tasks");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples");
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject(folder.path(), "M001");
    let names = std::fs::read_dir(shipped).unwrap().map(|entry| entry.unwrap().file_name());
    let tasks: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
    let tasks: Vec<&String> = tasks.iter().filter(|name| name.ends_with(".star")).collect();
    assert!(!tasks.is_empty());
    let mut arguments = vec![examples.join("read_nwb.py")];
    let mut trials = Vec::new();
    for (task, seed) in tasks.iter().zip(1..) {
        let number = simulated(&mut file, task, 3, seed);
        let session = session(&file, number.get());
        arguments.push(Form::Nwb.export(&session, &here(), folder.path(), Whether::ToKeep).unwrap());
        trials.push(session.trials.rows.len());
    }
    // One Python for all of them: to load pynwb takes seconds.
    let each = folder.path().join("each.py");
    std::fs::write(&each, EACH).unwrap();
    let arguments: Vec<&Path> = arguments.iter().map(|path| path.as_path()).collect();
    let said = run(&each, &arguments);
    let said: Vec<&str> = said.split("M001, Mus musculus, F: ").skip(1).collect();
    assert_eq!(said.len(), tasks.len());
    for ((said, task), trials) in said.iter().zip(&tasks).zip(trials) {
        assert!(
            said.starts_with(&format!("{trials} trials\n")) && said.contains(task.as_str()),
            "{task}: {said}"
        );
    }
    file.pack().unwrap();
    let path = file.path().to_owned();
    drop(file);
    let said = run(&examples.join("read_subject.py"), &[&path]);
    assert_eq!(said.matches("\nsession ").count(), tasks.len(), "{said}");
    assert!(said.contains("median"), "of those that have a side and a latency: {said}");
}
