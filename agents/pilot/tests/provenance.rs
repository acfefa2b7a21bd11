//! What a session's record says of where it comes from, with real agents, and a session that
//! is started again from it.

use std::process::Command;

use crate::common::{Lab, TURN, git, session};
use bramble_subject::{SessionNumber, SessionStart};
use serde_json::Value;

const RUN: &[&str] = &["--speed", "max", "--seed", "5"];

/// A lab whose own tasks are in git: one that was edited since, and one that git doesn't know.
fn lab_with_a_repository() -> (Lab, String, String) {
    let mut lab = Lab::new();
    let own = lab.path("own");
    std::fs::create_dir_all(own.join("lib")).unwrap();
    let task = lab.file("own/turn.star", "# not yet\n");
    git(&own, &["init", "--quiet", "--initial-branch", "main"]);
    git(&own, &["add", "."]);
    git(&own, &["commit", "--quiet", "--message", "a task"]);
    lab.file("own/turn.star", TURN);
    lab.file("own/lib/turn.star", "far = 90\n");
    lab.start_pilot("box1", RUN);
    lab.start_child("box1");
    let commit = git(&own, &["rev-parse", "HEAD"]);
    (lab, task, commit)
}

fn start_of(lab: &Lab) -> SessionStart {
    lab.after_sessions(1).session(SessionNumber::new(1)).unwrap()
}

/// An agent says what it was built from, and the text that says its libraries' versions is there.
fn says_what_it_is(start: &SessionStart, told: &Value, program: &str) {
    let build = &told["build"];
    assert_eq!((&build["program"], &build["version"]), (&program.into(), &env!("CARGO_PKG_VERSION").into()));
    assert!(build["commit"].is_string() || build["commit"].is_null(), "{build}");
    assert!(build["target"].is_string() && build["profile"].is_string(), "{build}");
    assert!(told["host"]["kernel"].is_string() && told["host"]["name"].is_string(), "{told}");
    let lock = build["lock"].as_str().unwrap();
    let path = format!("software/{}/Cargo.lock", &lock[..12]);
    assert!(start.texts[&path].contains("name = \"bramble-value\""));
    assert!(start.versions.keys().any(|one| one.starts_with(program)), "{:?}", start.versions);
}

#[test]
fn a_sessions_file_says_of_every_agent_what_it_is_and_of_the_task_where_it_comes_from() {
    let (lab, task, commit) = lab_with_a_repository();
    lab.start_session(&task, "3", &["--param", "reward=8 uL"]);
    let start = start_of(&lab);
    let provenance = &start.provenance;

    let pilot = &provenance["pilot"];
    says_what_it_is(&start, pilot, "bramble-pilot");
    says_what_it_is(&start, &provenance["terminal"], "bramble-terminal");
    let child = &pilot["children"]["wheels"];
    says_what_it_is(&start, child, "bramble-child");
    let of_child = child["devices"].as_array().unwrap().iter();
    assert_eq!(of_child.map(|device| &device["name"]).collect::<Vec<_>>(), ["lamp", "wheel"]);
    assert_eq!((&pilot["name"], &child["name"]), (&"box1".into(), &"wheels".into()));

    let read = |name: &str| std::fs::read_to_string(lab.path(name)).unwrap();
    assert_eq!(start.texts["config/pilot.toml"], read("box1.toml"));
    assert_eq!(start.texts["config/children/wheels.toml"], read("wheels.toml"));

    let repository = &provenance["repository"];
    assert_eq!((&repository["state"], &repository["branch"]), (&"git".into(), &"main".into()));
    assert_eq!((&repository["commit"], &repository["changed"]), (&commit.into(), &true.into()));
    assert_eq!(repository["untracked"], serde_json::json!(["lib/turn.star"]));
    let patch = &start.texts["changes.patch"];
    for line in ["-# not yet", "+task(stages = trials(", "+far = 90"] {
        assert!(patch.contains(line), "{patch}");
    }
    let driver = |device: &str| {
        let devices = pilot["rig"]["devices"].as_array().unwrap();
        devices.iter().find(|one| one["name"] == device).unwrap()["driver"].clone()
    };
    assert_eq!((driver("valve"), driver("wheel")), ("simulated".into(), "child wheels".into()));
    assert_eq!(provenance["request"]["parameters"]["reward"], "8 uL");
}

#[test]
fn a_session_in_no_repository_says_so() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", RUN);
    lab.say(&["start", "M001", "--pilot", "box1", "--task", &lab.task("free_water.star"), "--trials", "2"]);
    let start = start_of(&lab);
    let repository = &start.provenance["repository"];
    assert_eq!(repository["state"], "none");
    assert!(repository["why"].as_str().unwrap().contains("not a git repository"), "{repository}");
    assert!(!start.texts.contains_key("changes.patch"));
}

#[test]
fn a_session_that_was_written_out_is_the_same_session_when_it_is_started_on_another_rig() {
    let (lab, task, commit) = lab_with_a_repository();
    lab.start_session(&task, "6", &["--param", "reward=8 uL"]);
    let first = session(&lab.after_sessions(1), 1);
    let folder = lab.path("out");
    lab.say(&["replay", "M001", "--session", "1", "--extract", folder.to_str().unwrap()]);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("config/pilot.toml"), std::fs::read_to_string(lab.path("box1.toml")).unwrap());
    assert_eq!(
        read("config/children/wheels.toml"),
        std::fs::read_to_string(lab.path("wheels.toml")).unwrap()
    );
    assert!(read("changes.patch").contains("+far = 90"));
    let versions = read("versions.txt");
    assert_eq!(versions.lines().count(), 3, "{versions}");
    assert!(versions.lines().all(|line| line.contains("libraries of software/")), "{versions}");
    let readme = read("README.md");
    assert!(
        std::fs::read_dir(lab.path(".")).unwrap().all(|one| !one
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with(".new-"))
    );
    assert!(readme.contains(&commit) && readme.contains("changes.patch"), "{readme}");

    // As the README says it, on another rig.
    let said = readme.split("bramble-terminal start SUBJECT --pilot PILOT ").nth(1).unwrap();
    let said = said
        .split("\n\n")
        .next()
        .unwrap()
        .replace("\\\n", " ")
        .replace("sources/", &format!("{}/sources/", folder.display()));
    let mut other = Lab::new();
    other.start_pilot("box1", RUN);
    other.start_child("box1");
    let shell = format!("\"$0\" start M001 --pilot box1 {said}");
    let program = crate::common::program("bramble-terminal").get_program().to_owned();
    let started =
        Command::new("sh").arg("-c").arg(shell).arg(program).env("BRAMBLE_DATA", other.path("lab")).output();
    let started = started.unwrap();
    assert!(started.status.success(), "{}", crate::common::text(&started.stderr));
    let second = session(&other.after_sessions(1), 1);
    assert_eq!(first.0, second.0);
    assert!(first.1 == second.1, "every event is the same");
    let seed = |lab: &Lab| start_of(lab).seed;
    assert_eq!(seed(&lab), seed(&other));
}
