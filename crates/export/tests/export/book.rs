//! The readers that the book shows.

use std::path::{Path, PathBuf};

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
    let mut cohorts = vec![examples.join("read_cohort.py")];
    let mut trials = Vec::new();
    let all = folder.path().join("all");
    for (task, seed) in tasks.iter().zip(1..) {
        let number = simulated(&mut file, task, 3, seed);
        let session = session(&file, number.get());
        // A cohort of each task alone, and one of all.
        let alone = folder.path().join(task);
        for cohort in [&alone, &all] {
            Form::Parquet.export(&session, &here(), cohort, Whether::ToKeep).unwrap();
        }
        cohorts.push(alone);
        arguments.push(Form::Nwb.export(&session, &here(), folder.path(), Whether::ToKeep).unwrap());
        trials.push(session.trials.rows.len());
    }
    cohorts.push(all);
    // One Python for all of them: to load pynwb takes seconds.
    let script = folder.path().join("each.py");
    std::fs::write(&script, EACH).unwrap();
    let each = |arguments: &[PathBuf]| {
        let arguments: Vec<&Path> = arguments.iter().map(PathBuf::as_path).collect();
        run(&script, &arguments)
    };
    let said = each(&cohorts);
    // Each cohort says when its trials started, and each trial is counted with its task's.
    assert_eq!(said.matches("start_s: when it started").count(), tasks.len() + 1, "{said}");
    let lines = said.lines().filter(|line| line.starts_with("M001 "));
    let counted: usize = lines.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum();
    assert_eq!(counted, 2 * trials.iter().sum::<usize>(), "{said}");
    let said = each(&arguments);
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
