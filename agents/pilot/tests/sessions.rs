//! Whole sessions: from a task file through a terminal, a pilot and a child to a
//! subject file.

use crate::common::{Lab, pilot, session, values};
use bramble_subject::SessionNumber;
use bramble_value::{Ending, Event, Kind, Trials};

/// One session of a task, and its subject file's content.
fn run(task: &str, trials: &str, speed: &str, with_child: bool) -> (Trials, Vec<Event>) {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &["--speed", speed, "--seed", "5"]);
    if with_child {
        lab.start_child("box1");
    }
    lab.say(&["start", "M001", "--pilot", "box1", "--task", &lab.task(task), "--trials", trials]);
    session(&lab.after_sessions(1), 1)
}

#[test]
fn a_session_goes_from_a_task_file_to_a_subject_file_with_a_childs_devices() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &["--speed", "max"]);
    lab.start_child("box1");
    let task = lab.file(
        "wheel.star",
        r#"
wheel = hardware(encoder, unit = "deg")
lamp  = hardware(digital_output)
valve = hardware(solenoid, ports = ["center"])
reward = param(volume("4 uL"))
latency = column(duration)

task(stages = trials(body = states(
    state("run", enter = wheel.zero(), during = lamp.on(),
        on = {wheel.beyond(90): [record(latency = state_time), goto("reward")]}),
    state("reward", enter = valve["center"].open(reward), after = {"500 ms": done}),
)))
"#,
    );
    lab.start_session(&task, "20", &["--param", "reward=8 uL"]);
    let file = lab.after_sessions(1);

    let (trials, _) = session(&file, 1);
    assert_eq!(trials.rows.len(), 20);
    assert!(trials.rows.iter().all(|row| row.ending == Ending::Done && row.values[0].is_some()));
    assert!(values(&file, Kind::Position, "wheel").len() >= 20, "the child's wheel was turned");
    assert_eq!(values(&file, Kind::Output, "lamp").iter().filter(|level| **level == 1.0).count(), 20);
    assert_eq!(values(&file, Kind::Command, "valve.center"), [0.2; 20], "8 uL at 40 uL/s");

    let start = file.session(SessionNumber::new(1)).unwrap();
    assert!(start.texts["config/pilot.toml"].contains("child = \"wheels\""));
    let end = file.summary(SessionNumber::new(1)).unwrap().end.unwrap();
    assert_eq!((end.ending, end.why.as_str()), (Ending::Stopped, "20 trials were asked for"));
}

#[test]
fn the_same_seed_gives_the_same_session_at_any_speed() {
    let first = run("free_water.star", "40", "max", false);
    assert_eq!(first.0.rows.len(), 40);
    assert!(first == run("free_water.star", "40", "max", false));
    assert!(first == run("free_water.star", "40", "300", false));
}

#[test]
fn the_same_seed_gives_the_same_session_with_devices_on_a_child() {
    let first = run("fixed_ratio.star", "15", "max", true);
    assert_eq!(first.0.rows.len(), 15);
    assert!(first == run("fixed_ratio.star", "15", "max", true));
}

#[test]
fn graduation_starts_the_next_step_by_itself() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &["--speed", "max"]);
    let protocol = lab.file(
        "tasks/protocols/short.star",
        r#"
protocol(name = "short", steps = [
    step("first", task = "../free_water.star", graduate = trials(12)),
    step("second", task = "../free_water.star", params = {"reward": "2 uL"}, graduate = trials(7)),
])
"#,
    );
    lab.say(&["subject", "assign", "M001", &protocol]);
    lab.say(&["start", "M001", "--pilot", "box1"]);
    let file = lab.after_sessions(2);
    assert_eq!(session(&file, 1).0.rows.len(), 12);
    assert_eq!(session(&file, 2).0.rows.len(), 7);
    let subject =
        lab.until(&["subject", "show", "M001", "--json"], |subject| subject["training"]["finished"] == true);
    assert_eq!(subject["sessions"][1]["protocol"]["step"], "2 second");
    let history = lab.say(&["subject", "history", "M001"]);
    assert!(history.contains("first") && history.contains("second"), "{history}");
}

#[test]
fn a_running_session_is_told_to_change_to_give_water_and_to_stop() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &["--speed", "100"]);
    let task = lab.file(
        "button.star",
        r#"
pause = param(duration("1 s"), live = True)
valve = hardware(solenoid, ports = ["left"])
go    = message("go", button = True)
kind  = column(choice(["timed", "told"]))

task(stages = trials(body = state("wait",
    on = {go: [record(kind = "told"), done]},
    after = {pause: [record(kind = "timed"), done]},
)))
"#,
    );
    lab.say(&["start", "M001", "--pilot", "box1", "--task", &task]);
    lab.until_trials(2);
    lab.say(&["message", "M001", "go"]);
    lab.say(&["reward", "M001", "valve.left", "4 uL"]);
    lab.say(&["set", "M001", "pause=200 ms"]);
    assert!(lab.refused(&["set", "M001", "puase=200 ms"]).contains("pause can be changed"));
    assert!(lab.refused(&["message", "M001", "stay"]).contains("go can be sent"));
    lab.say(&["stop", "M001", "--after-trial", "--why", "enough"]);
    let file = lab.after_sessions(1);
    assert_eq!(values(&file, Kind::Message, "go").len(), 1);
    assert_eq!(values(&file, Kind::Manual, "valve.left"), [4.0]);
    assert_eq!(values(&file, Kind::Parameter, "pause"), [0.2]);
    let end = file.summary(SessionNumber::new(1)).unwrap().end.unwrap();
    assert_eq!(end.ending, Ending::Stopped);
    assert!(end.why.ends_with("enough"), "{}", end.why);
    drop(file);
    // Whoever runs it again elsewhere is told of it.
    let folder = lab.path("out");
    lab.say(&["replay", "M001", "--session", "1", "--extract", folder.to_str().unwrap()]);
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    for deed in
        ["message SUBJECT go`", "reward SUBJECT valve.left \"4 uL\"`", "set SUBJECT pause=\"200 ms\"`"]
    {
        assert!(readme.contains(&format!(": `bramble-terminal {deed}")), "{deed}: {readme}");
    }
}

/// A task whose trials end when that is said.
const TOLD: &str = "valve = hardware(solenoid, ports = [\"left\"])\ngo = message(\"go\")\n\
    task(stages = trials(body = state(\"wait\", on = {go: done})))\n";

#[test]
fn a_session_is_its_owners_until_another_takes_it_over_by_name() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &["--speed", "1"]);
    let task = lab.file("told.star", TOLD);
    lab.say(&["start", "M001", "--pilot", "box1", "--task", &task, "--who", "alice@desk"]);
    let theirs = "box1's session of M001 is alice@desk's: ask them, or take it over with --take-over";
    for words in ["stop M001", "pause M001", "resume M001", "reward M001 valve.left 4uL"] {
        let words = words.split(' ').chain(["--who", "bob@desk"]).collect::<Vec<_>>();
        assert_eq!(lab.refused(&words), theirs, "{words:?}");
    }
    let owner = |owner: &'static str| {
        move |status: &serde_json::Value| pilot(status, "box1")["session"]["owner"] == owner
    };
    lab.until(&["status", "--json"], owner("alice@desk"));
    lab.say(&["reward", "M001", "valve.left", "4 uL", "--who", "bob@desk", "--take-over"]);
    lab.until(&["status", "--json"], owner("bob@desk"));
    assert!(lab.refused(&["stop", "M001", "--who", "alice@desk"]).contains("is bob@desk's"));

    lab.kill("terminal");
    lab.start_terminal();
    // Its owner is known from the journal before box1 is heard.
    lab.until(&["status", "--json"], |status| {
        pilot(status, "box1")["here"] == true && owner("bob@desk")(status)
    });
    assert!(lab.refused(&["stop", "M001", "--who", "alice@desk"]).contains("is bob@desk's"));
    lab.say(&["stop", "M001", "--who", "bob@desk"]);

    let file = lab.after_sessions(1);
    let notes = file.notes(SessionNumber::new(1)).unwrap();
    let taken = "bob@desk took the session over from alice@desk";
    assert_eq!(notes.iter().filter(|note| note.text == taken).count(), 1, "{notes:?}");
    let start = file.session(SessionNumber::new(1)).unwrap();
    assert_eq!(start.provenance["request"]["owner"], "alice@desk");
}

#[test]
fn of_two_starts_at_once_on_one_pilot_one_wins_and_the_other_hears_its_name() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &["--speed", "1"]);
    lab.say(&["subject", "add", "M002"]);
    let task = lab.file("told.star", TOLD);
    let start = |subject: &str, who: &str| {
        lab.run(&["start", subject, "--pilot", "box1", "--task", &task, "--who", who])
    };
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(|| start("M001", "alice@desk"));
        let other = start("M002", "bob@desk");
        (one.join().unwrap(), other)
    });
    assert!(one.status.success() != other.status.success(), "one of them runs");
    let (lost, winner) = if one.status.success() { (other, "alice@desk") } else { (one, "bob@desk") };
    let said = crate::common::refusal(&lost);
    assert!(said.starts_with("box1 is busy: ") && said.contains(winner), "{said}");
}

#[test]
fn a_session_is_paused_between_two_trials_and_goes_on_where_it_was() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &["--speed", "1"]);
    let task = lab.file("told.star", TOLD);
    lab.say(&["start", "M001", "--pilot", "box1", "--task", &task, "--trials", "2"]);
    lab.say(&["pause", "M001", "--why", "the tube is loose"]);
    lab.say(&["message", "M001", "go"]);
    let held = |status: &serde_json::Value| !pilot(status, "box1")["session"]["hold"]["since"].is_null();
    lab.until(&["status", "--json"], held);
    assert!(lab.say(&["status"]).contains("paused"));
    lab.say(&["reward", "M001", "valve.left", "4 uL"]);
    lab.kill("terminal");
    lab.start_terminal();
    lab.until(&["status", "--json"], held);
    lab.say(&["resume", "M001"]);
    lab.say(&["message", "M001", "go"]);
    let file = lab.after_sessions(1);
    let (trials, events) = session(&file, 1);
    assert_eq!(trials.rows.len(), 2);
    let time = |kind| events.iter().find(|event| event.kind == kind).unwrap().time;
    let (held, resumed) = (time(Kind::Held), time(Kind::Resume));
    assert!(time(Kind::Pause) <= held && held < resumed);
    assert!(trials.rows.iter().all(|row| row.end <= held || row.start >= resumed), "no trial in between");
    assert_eq!(values(&file, Kind::Manual, "valve.left"), [4.0]);
    let notes = file.notes(SessionNumber::new(1)).unwrap();
    assert!(notes.iter().any(|note| note.text.ends_with("the tube is loose")), "{notes:?}");
}

#[test]
fn the_step_that_follows_keeps_the_owner_and_the_pause() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &["--speed", "1"]);
    lab.file("tasks/told.star", TOLD);
    let protocol = lab.file(
        "tasks/protocols/told.star",
        r#"
protocol(name = "told", steps = [
    step("first", task = "../told.star", graduate = trials(1)),
    step("second", task = "../told.star", graduate = trials(1)),
])
"#,
    );
    lab.say(&["subject", "assign", "M001", &protocol]);
    lab.say(&["start", "M001", "--pilot", "box1", "--who", "alice@desk"]);
    lab.say(&["pause", "M001", "--who", "bob@desk", "--take-over"]);
    lab.say(&["message", "M001", "go", "--who", "bob@desk"]);
    lab.until(&["subject", "show", "M001", "--json"], |subject| {
        subject["sessions"].as_array().unwrap().len() == 2
    });
    lab.until(&["status", "--json"], |status| {
        let session = &pilot(status, "box1")["session"];
        session["owner"] == "bob@desk" && !session["hold"]["since"].is_null()
    });
    lab.say(&["resume", "M001", "--who", "bob@desk"]);
    lab.say(&["message", "M001", "go", "--who", "bob@desk"]);
    let file = lab.after_sessions(2);
    assert_eq!(file.session(SessionNumber::new(2)).unwrap().provenance["request"]["owner"], "bob@desk");
}
