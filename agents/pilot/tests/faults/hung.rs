//! Agents that stop for longer than the heartbeat, and go on.

use bramble_subject::SubjectFile;
use bramble_value::{Ending, Kind};
use nix::sys::signal::Signal;

use super::kept::{CHILD, PACE, check, lab, start, until_says, until_stopped};
use crate::common::pilot;

#[test]
fn a_pilot_that_hangs_is_told_away_and_goes_on_with_its_session() {
    let mut lab = lab();
    start(&lab, "free_water.star", "300");
    lab.until_trials(5);
    lab.signal("box1", Signal::SIGSTOP);
    let status = lab.until(&["status", "--json"], |status| pilot(status, "box1")["here"] == false);
    assert!(pilot(&status, "box1")["session"].is_object(), "its session isn't over: {status}");
    assert!(lab.log("terminal").contains("is away"), "{}", lab.log("terminal"));
    lab.signal("box1", Signal::SIGCONT);
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["here"] == true);
    let trials = lab.after_sessions(1).sessions().unwrap()[0].trials;
    assert_eq!(trials, 300);
    check(&mut lab);
}

#[test]
fn what_is_asked_of_a_pilot_that_hangs_is_not_done_later() {
    let mut lab = lab();
    let task = lab.task("free_water.star");
    let begin = ["start", "M001", "--pilot", "box1", "--task", &task, "--trials", "100000"];
    lab.signal("box1", Signal::SIGSTOP);
    let refused = lab.refused(&begin);
    assert!(refused.contains("box1 went away before it answered"), "{refused}");
    // Nobody knows yet whether it began.
    lab.start_pilot("box2", &PACE);
    let elsewhere = ["start", "M001", "--pilot", "box2", "--task", &task];
    let refused = lab.refused(&elsewhere);
    assert!(refused.contains("M001 is about to start a session on box1"), "{refused}");
    lab.signal("box1", Signal::SIGCONT);
    until_says(&lab, "terminal", "is here again");
    lab.say(&begin);
    lab.until_trials(3);
    lab.signal("box1", Signal::SIGSTOP);
    let refused = lab.refused(&["reward", "M001", "valve.left", "4 uL"]);
    assert!(refused.contains("box1 went away before it answered"), "{refused}");
    lab.signal("box1", Signal::SIGCONT);
    until_stopped(&lab);
    check(&mut lab);
    let file = SubjectFile::open_read_only(&lab.path("lab/subjects/M001.h5")).unwrap();
    let sessions = file.sessions().unwrap();
    assert_eq!(sessions.len(), 1, "the first start was not done later");
    let events = file.events(sessions[0].number).unwrap();
    assert!(events.iter().all(|event| event.kind != Kind::Manual), "no water was given later");
}

#[test]
fn a_terminal_that_hangs_is_told_gone_and_misses_nothing() {
    let mut lab = lab();
    start(&lab, "free_water.star", "2000");
    lab.until_trials(5);
    lab.signal("terminal", Signal::SIGSTOP);
    until_says(&lab, "box1", "is gone");
    lab.signal("terminal", Signal::SIGCONT);
    // Its status would say that box1 is here from before it hung.
    until_says(&lab, "terminal", "is here again");
    lab.say(&["stop", "M001", "--after-trial"]);
    assert_eq!(check(&mut lab)[0].0, Ending::Stopped);
}

#[test]
fn a_child_that_hangs_ends_its_session_with_a_note_and_serves_the_next() {
    let mut lab = lab();
    lab.start_child("box1");
    start(&lab, "fixed_ratio.star", "5000");
    lab.until_trials(3);
    lab.signal(CHILD, Signal::SIGSTOP);
    lab.until(&["status", "--json"], |status| {
        let box1 = pilot(status, "box1");
        box1["session"].is_null() && box1["children"][0]["here"] == false
    });
    lab.signal(CHILD, Signal::SIGCONT);
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["children"][0]["here"] == true);
    start(&lab, "fixed_ratio.star", "5");
    lab.after_sessions(2);
    let ends = check(&mut lab);
    assert_eq!(ends[0].0, Ending::Error);
    assert!(ends[0].1.contains("lost its child `wheels`"), "{}", ends[0].1);
    assert_eq!(ends[1].1, "5 trials were asked for");
}
