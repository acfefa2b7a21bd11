//! Every task that is shipped or shown is one that can be used.

use std::path::{Path, PathBuf};

use bramble_task::{Sources, Task, load, read};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The task files of a folder of the project, but not of those in it.
fn tasks(folder: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(project().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|end| end == "star")).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} has tasks");
    files
}

fn loaded(file: &Path) -> Task {
    load(&read(file).unwrap()).unwrap_or_else(|mistakes| panic!("{}:\n{mistakes}", file.display()))
}

#[test]
fn every_shipped_task_is_without_a_mistake_and_says_what_it_is() {
    for file in tasks("tasks") {
        let task = loaded(&file);
        assert!(!task.definition.doc.is_empty(), "{} has a doc string", file.display());
        for parameter in &task.definition.parameters {
            assert!(!parameter.doc.is_empty(), "{}: {} has a doc", file.display(), parameter.name);
        }
    }
}

#[test]
fn every_example_of_the_book_is_without_a_mistake_but_the_wrong_ones() {
    for file in tasks("docs/examples") {
        if file.to_string_lossy().ends_with("_wrong.star") {
            load(&read(&file).unwrap()).expect_err("a wrong example has a mistake");
        } else {
            loaded(&file);
        }
    }
}

#[test]
fn the_task_in_the_readme_is_without_a_mistake() {
    let readme = std::fs::read_to_string(project().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("```python\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let sources = Sources { root: "README.star".into(), files: [("README.star".into(), text.into())].into() };
    load(&sources).unwrap_or_else(|mistakes| panic!("{mistakes}"));
}
