//! The example tasks, and the ones that are shipped, load as they stand.

use std::path::{Path, PathBuf};

use bramble_task::{load, read};

fn stars(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut stars: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "star")).collect();
    stars.sort();
    stars
}

#[test]
fn every_example_and_every_shipped_task_loads() {
    let all: Vec<PathBuf> = [stars("tests/examples"), stars("../../tasks")].concat();
    assert!(all.len() >= 10);
    let wrong: Vec<String> = all
        .iter()
        .filter_map(|path| load(&read(path).unwrap()).err().map(|mistakes| mistakes.to_string()))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
