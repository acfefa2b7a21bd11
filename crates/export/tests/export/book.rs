//! The readers that the book shows.

use std::path::Path;

use bramble_export::{Form, Whether};

use crate::outside::run;
use crate::sessions::{here, session, simulated, subject};

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
    for (task, seed) in tasks.iter().zip(1..) {
        let number = simulated(&mut file, task, 3, seed);
        let session = session(&file, number.get());
        let path = Form::Nwb.export(&session, &here(), folder.path(), Whether::ToKeep).unwrap();
        let said = run(&examples.join("read_nwb.py"), &[&path]);
        let trials = format!("M001, Mus musculus, F: {} trials\n", session.trials.rows.len());
        assert!(said.starts_with(&trials) && said.contains(task.as_str()), "{task}: {said}");
    }
    file.sync().unwrap();
    let path = file.path().to_owned();
    drop(file);
    let said = run(&examples.join("read_subject.py"), &[&path]);
    assert_eq!(said.matches("\nsession ").count(), tasks.len(), "{said}");
    assert!(said.contains("median"), "of those that have a side and a latency: {said}");
}
