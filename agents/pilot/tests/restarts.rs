//! What becomes of a session when one of its agents goes away.

use crate::common::{Lab, eventually, pilot, session};
use bramble_subject::SessionNumber;
use bramble_value::{Ending, Event, Trials};

/// Fast enough for a test, slow enough to be cut.
const PACE: [&str; 4] = ["--speed", "200", "--seed", "5"];

fn lab(arguments: &[&str]) -> Lab {
    let mut lab = Lab::new();
    lab.start_pilot("box1", arguments);
    lab
}

fn start(lab: &Lab, trials: &str) {
    let task = lab.task("free_water.star");
    lab.say(&["start", "M001", "--pilot", "box1", "--task", &task, "--trials", trials]);
}

/// The session as it is when nothing disturbs it.
fn undisturbed(trials: &str) -> (Trials, Vec<Event>) {
    let lab = lab(&["--speed", "max", "--seed", "5"]);
    start(&lab, trials);
    session(&lab.after_sessions(1), 1)
}

#[test]
fn a_terminal_that_is_restarted_in_the_middle_of_a_session_loses_nothing() {
    let mut lab = lab(&PACE);
    start(&lab, "1000");
    lab.until_trials(20);
    assert_eq!(lab.end("terminal"), Some(0));
    lab.start_terminal();
    lab.until_trials(40);
    lab.kill("terminal");
    lab.start_terminal();
    let found = session(&lab.after_sessions(1), 1);
    assert_eq!(found.0.rows.len(), 1000);
    assert!(found == undisturbed("1000"), "it is the session that it is without restarts");
}

#[test]
fn a_pilot_that_is_told_to_end_stops_its_session_and_delivers_it_when_it_is_back() {
    let mut lab = lab(&PACE);
    start(&lab, "5000");
    lab.until_trials(10);
    lab.kill("terminal");
    assert_eq!(lab.end("box1"), Some(0));
    lab.start_terminal();
    lab.start_pilot("box1", &PACE);
    let file = lab.after_sessions(1);
    let end = file.summary(SessionNumber::new(1)).unwrap().end.unwrap();
    assert_eq!((end.ending, end.why.as_str()), (Ending::Stopped, "the pilot was told to end"));
    let (trials, _) = session(&file, 1);
    assert!(trials.rows.len() >= 10);
    assert!((1..).zip(&trials.rows).all(|(number, row)| row.trial == number), "no trial is missing");
}

#[test]
fn a_pilot_that_was_killed_reports_its_session_as_ended_and_runs_another() {
    let mut lab = lab(&PACE);
    start(&lab, "5000");
    lab.until_trials(10);
    lab.kill("box1");
    lab.start_pilot("box1", &PACE);
    let file = lab.after_sessions(1);
    let end = file.summary(SessionNumber::new(1)).unwrap().end.unwrap();
    assert_eq!((end.ending, end.why.as_str()), (Ending::Error, "the pilot restarted during the session"));
    assert!(session(&file, 1).0.rows.len() >= 10);
    drop(file);
    start(&lab, "5");
    assert_eq!(session(&lab.after_sessions(2), 2).0.rows.len(), 5);
}

#[test]
fn a_session_ends_with_a_note_when_its_child_goes_away() {
    let mut lab = lab(&PACE);
    lab.start_child("box1");
    let task = lab.task("fixed_ratio.star");
    lab.say(&["start", "M001", "--pilot", "box1", "--task", &task]);
    lab.until_trials(3);
    lab.kill("wheels");
    let file = lab.after_sessions(1);
    let end = file.summary(SessionNumber::new(1)).unwrap().end.unwrap();
    assert_eq!(end.ending, Ending::Error);
    assert!(end.why.contains("lost its child `wheels`"), "{}", end.why);
    let notes = file.notes(SessionNumber::new(1)).unwrap();
    assert!(notes.iter().any(|note| note.text.contains("wheels")), "{notes:?}");
    let told =
        lab.until(&["status", "--json"], |status| pilot(status, "box1")["children"][0]["here"] == false);
    let child = &pilot(&told, "box1")["children"][0];
    assert!(child["since"].is_string() && child["why"].is_string(), "{child}");
    assert!(lab.say(&["status"]).contains("box1's child wheels is away since "));

    // The child comes back, and is used again.
    drop(file);
    lab.start_child("box1");
    lab.say(&["start", "M001", "--pilot", "box1", "--task", &task, "--trials", "3"]);
    assert_eq!(session(&lab.after_sessions(2), 2).0.rows.len(), 3);
}

#[test]
fn a_pilot_runs_its_session_to_the_end_while_there_is_no_terminal() {
    let mut lab = lab(&PACE);
    start(&lab, "600");
    lab.until_trials(1);
    lab.kill("terminal");
    eventually("the session ends", || lab.log("box1").contains("the session ended").then_some(()));
    lab.start_terminal();
    assert!(session(&lab.after_sessions(1), 1) == undisturbed("600"));
}
