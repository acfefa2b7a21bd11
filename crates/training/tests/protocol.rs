//! Protocols as they are written, and the files they are made of.

use std::fs;
use std::path::Path;

use crate::common::{CHOICE, LIB, load, sources};
use bramble_training::{Graduation, Protocol};
use serde_json::json;

const PROTOCOL: &str = r#"
"""From nothing to everything."""

def good(trials):
    return len(trials) >= 20 and trials[-1].hit == True

protocol(
    name = "choices",
    steps = [
        step("rest", task = "../rest.star", params = {"pause": "2 s"}),
        step("choose", task = "../choice.star", params = {"reward": "3 uL", "side": "right"}, graduate = good),
        step("again", task = "../choice.star", graduate = trials(60)),
    ],
)
"#;

#[test]
fn a_protocol_has_its_steps_with_their_tasks_and_parameters() {
    let protocol = load(PROTOCOL);
    assert_eq!((protocol.name.as_str(), protocol.doc.as_str()), ("choices", "From nothing to everything."));
    let names: Vec<&str> = protocol.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["rest", "choose", "again"]);
    let choose = protocol.step(1).expect("a step");
    assert_eq!(
        choose.parameters,
        [("reward".to_owned(), json!("3 uL")), ("side".to_owned(), json!("right"))].into()
    );
    assert_eq!(choose.task.root, "choice.star");
    assert_eq!(choose.task.files.keys().collect::<Vec<_>>(), ["choice.star", "lib/answers.star"]);
    assert!(matches!(choose.graduation, Graduation::Function(_)));
    assert!(matches!(protocol.steps[0].graduation, Graduation::Never));
    let error = protocol.step(3).expect_err("only three");
    assert_eq!(error.to_string(), "protocol choices has no step 4: it has 3");
}

/// Writes the protocol of the tests as files.
fn write(folder: &Path) {
    for (path, text) in sources(PROTOCOL).files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
}

#[test]
fn a_protocol_is_gathered_from_its_folder_and_can_travel() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path());
    let read = bramble_training::read(&folder.path().join("protocols/train.star")).expect("sources");
    let paths: Vec<&str> = read.files.keys().map(String::as_str).collect();
    assert_eq!(paths, ["../choice.star", "../lib/answers.star", "../rest.star", "train.star"]);
    assert_eq!(
        (&read.files["../choice.star"], &read.files["../lib/answers.star"]),
        (&CHOICE.into(), &LIB.into())
    );
    drop(folder);
    let protocol = Protocol::load(&read).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(protocol.steps[1].task.root, "../choice.star");
    let task = bramble_task::load(&protocol.steps[1].task).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(task.definition.doc, "A choice.");
}

#[test]
fn a_file_that_is_gone_is_named_with_the_line_that_wants_it() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path());
    let protocol = folder.path().join("protocols/train.star");
    for (gone, named) in [("lib/answers.star", "../choice.star:3"), ("choice.star", "train.star:11")] {
        fs::remove_file(folder.path().join(gone)).expect("it is there");
        let read = bramble_training::read(&protocol).expect("sources");
        let mistakes = Protocol::load(&read).expect_err("a file is gone").to_string();
        assert!(mistakes.contains(named) && mistakes.contains(&format!("no file `../{gone}`")), "{mistakes}");
    }
    fs::remove_file(&protocol).expect("it is there");
    let error = bramble_training::read(&protocol).expect_err("the protocol is gone");
    assert!(error.to_string().contains("protocols/train.star"), "{error}");
}

#[test]
fn the_protocols_that_come_with_bramble_are_in_order() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tasks/protocols");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("the shipped protocols") {
        let path = entry.expect("a file").path();
        let sources = bramble_training::read(&path).expect("sources");
        Protocol::load(&sources).unwrap_or_else(|mistakes| panic!("{}: {mistakes}", path.display()));
        seen += 1;
    }
    assert!(seen > 0);
}
