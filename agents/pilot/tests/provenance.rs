//! What a session's record says of where it comes from, with real agents, and a session that
//! is started again from it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Lab, TURN, git, pilot, session};
use bramble_subject::{SessionNumber, SessionStart, SubjectFile};
use bramble_value::{Event, Trials};
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
    assert_eq!(readme.contains("`calibrations/`"), folder.join("calibrations").exists(), "{readme}");

    let (other, second) = started_again(&folder, "start");
    assert_eq!(first.0, second.0);
    assert!(first.1 == second.1, "every event is the same");
    let seed = |lab: &Lab| start_of(lab).seed;
    assert_eq!(seed(&lab), seed(&other));
}

/// The blocks of commands in a README, each as a script.
fn blocks(readme: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in readme.lines() {
        match line.strip_prefix("       ") {
            Some(line) => blocks.last_mut().unwrap().push_str(&format!("{line}\n")),
            None if blocks.last().unwrap().is_empty() => {}
            None => blocks.push(String::new()),
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

/// Does what the README of a folder says, in that folder, with another lab: its first session, and
/// that lab.
fn started_again(folder: &Path, named: &str) -> (Lab, (Trials, Vec<Event>)) {
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let blocks = blocks(&readme);
    let [simulate, start] = blocks.as_slice() else { panic!("{named}: {readme}") };
    let mut other = Lab::new();
    other.start_pilot("box1", RUN);
    other.start_child("box1");
    let program = PathBuf::from(crate::common::program("bramble-terminal").get_program());
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    for script in [simulate, &start.replace("SUBJECT", "M001").replace("PILOT", "box1")] {
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", script]).current_dir(folder);
        let done = shell.env("PATH", &path).env("BRAMBLE_DATA", other.path("lab")).output().unwrap();
        assert!(done.status.success(), "{named}: {script}\n{}", crate::common::text(&done.stderr));
    }
    let second = session(&other.after_sessions(1), 1);
    (other, second)
}

/// Writes a session of M001's out, checks what was written, and runs it again elsewhere: it is the
/// same.
fn comes_out_the_same(lab: &Lab, number: u32, task: &str, protocol: Option<&str>) {
    let folder = lab.path(&format!("out{number}"));
    let said = number.to_string();
    lab.say(&["replay", "M001", "--session", &said, "--extract", folder.to_str().unwrap()]);
    let within = |path: &str| folder.join("sources").join(path).display().to_string();
    lab.say(&["task", "check", &within(task)]);
    if let Some(protocol) = protocol {
        lab.say(&["protocol", "check", &within(protocol)]);
    }
    let file = SubjectFile::open_read_only(&lab.path("lab/subjects/M001.h5")).unwrap();
    let (first, (_, second)) = (session(&file, number), started_again(&folder, task));
    assert_eq!(first.0, second.0, "{task}");
    assert!(first.1 == second.1, "{task}: every event is the same");
}

/// Has the simulated animal forget what it learned, which is in no subject's file.
fn another_animal(lab: &mut Lab) {
    lab.end("box1");
    lab.start_pilot("box1", RUN);
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["children"][0]["here"] == true);
}

fn lab_with_a_pilot() -> Lab {
    let mut lab = Lab::new();
    lab.start_pilot("box1", RUN);
    lab.start_child("box1");
    lab
}

#[test]
fn a_session_of_each_shipped_protocol_is_written_out_with_all_its_files_and_is_the_same_again() {
    for (file, task) in [("light_2afc.star", "light_2afc.star"), ("water_to_choice.star", "cued_choice.star")]
    {
        let lab = lab_with_a_pilot();
        let path = lab.task(&format!("protocols/{file}"));
        lab.say(&["subject", "assign", "M001", &path, "--step", "2"]);
        lab.say(&["start", "M001", "--pilot", "box1", "--trials", "4"]);
        lab.after_sessions(1);
        comes_out_the_same(&lab, 1, task, Some(&format!("protocols/{file}")));
    }
}

#[test]
fn a_session_that_ended_by_graduation_ends_there_again_for_an_animal_without_its_past() {
    let mut lab = lab_with_a_pilot();
    lab.say(&["subject", "assign", "M001", &lab.task("protocols/water_to_choice.star")]);
    lab.say(&["start", "M001", "--pilot", "box1", "--trials", "30"]);
    lab.after_sessions(1);
    another_animal(&mut lab);
    lab.say(&["start", "M001", "--pilot", "box1", "--trials", "11"]);
    let file = lab.after_sessions(3);
    assert_eq!(file.trials(SessionNumber::new(2)).unwrap().rows.len(), 10);
    comes_out_the_same(&lab, 2, "free_water.star", Some("protocols/water_to_choice.star"));
}

#[test]
fn a_session_that_began_with_what_a_column_kept_begins_with_it_again() {
    let mut lab = lab_with_a_pilot();
    let task = lab.task("center_hold.star");
    lab.start_session(&task, "8", &[]);
    lab.after_sessions(1);
    another_animal(&mut lab);
    lab.start_session(&task, "8", &["--param", "pause=2 s"]);
    let file = lab.after_sessions(2);
    let asked = |file: &SubjectFile, number| file.trials(number).unwrap().rows[0].values[0];
    assert_ne!(asked(&file, SessionNumber::new(1)), asked(&file, SessionNumber::new(2)), "it kept something");
    comes_out_the_same(&lab, 2, "center_hold.star", None);
    let said: Value =
        serde_json::from_str(&std::fs::read_to_string(lab.path("out2/session.json")).unwrap()).unwrap();
    assert!(said["kept"]["asked"].as_str().unwrap().ends_with(" ms"), "{said}");
    for (wrong, why) in [("outcome=correct", "it keeps `asked`"), ("asked=3", "it needs a unit")] {
        let refused = lab.refused(&["start", "M001", "--pilot", "box1", "--task", &task, "--keep", wrong]);
        assert!(refused.contains(why), "{refused}");
    }
}

#[test]
fn a_task_that_loads_files_from_a_folder_beside_its_own_is_written_out_whole() {
    let lab = lab_with_a_pilot();
    std::fs::create_dir_all(lab.path("own")).unwrap();
    let text = TURN.replace("lib/turn.star", "../tasks/lib/turn.star");
    let task = lab.file("own/turn.star", &text);
    lab.file("tasks/lib/turn.star", "far = 90\n");
    lab.start_session(&task, "3", &[]);
    lab.after_sessions(1);
    comes_out_the_same(&lab, 1, "tasks_/turn.star", None);
}
