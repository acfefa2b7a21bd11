//! What needs no running terminal: tasks and protocols, checked, drawn and tried.

use std::path::Path;
use std::process::{Output, Stdio};

use crate::common::{ONE_COLUMN, bramble_terminal, refusal, text};
use tempfile::TempDir;

/// A folder with the task lick.star.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lick.star"), ONE_COLUMN).unwrap();
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    bramble_terminal(folder).current_dir(folder).args(arguments).output().unwrap()
}

fn say(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn a_task_in_order_is_described() {
    let folder = folder();
    let said = say(folder.path(), &["task", "check", "lick.star"]);
    assert!(said.starts_with("lick.star is in order: lick"), "{said}");
    assert!(said.contains("1 uL to 10 uL") && said.contains("left, right"), "{said}");
    let json: serde_json::Value =
        serde_json::from_str(&say(folder.path(), &["task", "check", "lick.star", "--json"])).unwrap();
    assert_eq!(
        (&json["parameters"][0]["default"], &json["columns"][0]["name"]),
        (&"3 uL".into(), &"outcome".into())
    );
}

#[test]
fn a_mistake_is_shown_where_it_is_with_what_was_meant() {
    let folder = folder();
    std::fs::write(folder.path().join("wrong.star"), ONE_COLUMN.replace("poke[\"left\"]", "pok[\"left\"]"))
        .unwrap();
    let said = refusal(&run(folder.path(), &["task", "check", "wrong.star"]));
    assert!(said.contains("wrong.star:10:13") && said.contains("did you mean `poke`?"), "{said}");
    assert_eq!(said.matches("did you mean").count(), 1, "{said}");
    let scripted = refusal(&run(folder.path(), &["task", "check", "wrong.star", "--json"]));
    assert_eq!(scripted, said, "what is wrong is told in the same words to scripts");
    let gone = refusal(&run(folder.path(), &["task", "check", "gone.star"]));
    assert!(gone.contains("gone.star"), "{gone}");
}

#[test]
fn a_task_is_drawn_for_markdown_and_as_a_picture() {
    let folder = folder();
    assert!(say(folder.path(), &["task", "graph", "lick.star", "--mermaid"]).starts_with("stateDiagram"));
    say(folder.path(), &["task", "graph", "lick.star", "-o", "lick.svg"]);
    assert!(std::fs::read_to_string(folder.path().join("lick.svg")).unwrap().contains("<svg"));
    let said = refusal(&run(folder.path(), &["task", "graph", "lick.star", "-o", "no/folder.svg"]));
    assert!(said.starts_with("the picture can't be written to no/folder.svg"), "{said}");
}

#[test]
fn one_seed_gives_one_table_and_another_seed_another() {
    let folder = folder();
    let table = |seed: &str| {
        let simulate = ["task", "simulate", "lick.star", "--trials", "50", "--csv", "t.csv", "--seed", seed];
        let said = say(folder.path(), &simulate);
        assert!(said.contains("50 trials in "), "{said}");
        std::fs::read_to_string(folder.path().join("t.csv")).unwrap()
    };
    let first = table("1");
    assert_eq!(first.lines().next(), Some("trial,start_ns,end_ns,ending,outcome"));
    assert_eq!(first.lines().count(), 51);
    assert_eq!(first, table("1"));
    assert_ne!(first, table("2"));
}

#[test]
fn a_simulation_is_summed_up_for_scripts() {
    let folder = folder();
    let simulate = ["task", "simulate", "lick.star", "--trials", "50", "--param", "reward=5 uL", "--json"];
    let json: serde_json::Value = serde_json::from_str(&say(folder.path(), &simulate)).unwrap();
    let counts = &json["columns"]["outcome"]["counts"];
    let (correct, error) = (counts["correct"].as_u64().unwrap(), counts["error"].as_u64().unwrap());
    assert_eq!((json["trials"].as_u64(), correct + error), (Some(50), 50));
    // The end of the session may cut the last drop.
    let (water, drops) = (json["water_ul"].as_f64().unwrap(), correct as f64);
    assert!((5.0 * (drops - 1.0)..=5.0 * drops + 0.1).contains(&water), "{json}");
}

#[test]
fn a_parameter_or_an_animal_that_is_none_is_refused() {
    let folder = folder();
    let simulate = ["task", "simulate", "lick.star"];
    let said = refusal(&run(folder.path(), &[&simulate[..], &["--param", "reward=50 uL"]].concat()));
    assert!(said.contains("reward") && said.contains("10 uL"), "{said}");
    let said = refusal(&run(folder.path(), &[&simulate[..], &["--animal", "leaner"]].concat()));
    assert!(said.starts_with("there is no animal `leaner` (did you mean `learner`?)"), "{said}");
}

#[test]
fn a_protocol_is_checked_with_its_tasks() {
    let folder = folder();
    let steps = "step(\"one\", task = \"lick.star\", graduate = trials(3))";
    std::fs::write(folder.path().join("p.star"), format!("protocol(name = \"water\", steps = [{steps}])"))
        .unwrap();
    let said = say(folder.path(), &["protocol", "check", "p.star"]);
    assert!(said.starts_with("p.star is in order: water") && said.contains("after 3 trials"), "{said}");
    let wrong = steps.replace("lick.star", "nope.star");
    std::fs::write(folder.path().join("p.star"), format!("protocol(name = \"water\", steps = [{wrong}])"))
        .unwrap();
    let said = refusal(&run(folder.path(), &["protocol", "check", "p.star"]));
    assert!(said.contains("p.star:1:") && said.contains("nope.star"), "{said}");
}

#[test]
fn a_variable_that_is_empty_is_as_good_as_none() {
    let folder = folder();
    let show = ["subject", "list", "--data", "lab"];
    let output = bramble_terminal(folder.path()).env("BRAMBLE_DATA", "").args(show).output().unwrap();
    let said = refusal(&output);
    assert!(said.contains("no terminal") || said.contains("serve"), "it went on to its own folder: {said}");
    assert!(!said.contains("a value is required"), "{said}");
}

#[test]
fn a_reader_that_stops_reading_is_no_mistake() {
    let folder = folder();
    let mut process = bramble_terminal(folder.path())
        .current_dir(folder.path())
        .args(["task", "graph", "lick.star"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(process.stdout.take());
    let output = process.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn every_command_explains_itself() {
    let folder = folder();
    for command in [
        &["serve"][..],
        &["subject", "add"],
        &["subject", "assign"],
        &["start"],
        &["stop"],
        &["set"],
        &["message"],
        &["reward"],
        &["status"],
        &["task", "graph"],
        &["task", "simulate"],
        &["protocol", "check"],
    ] {
        let said = say(folder.path(), &[command, &["--help"]].concat());
        assert!(said.contains("Example") && said.contains("--data"), "{command:?}: {said}");
    }
}
