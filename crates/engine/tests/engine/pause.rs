//! A pause: no trial begins, and all else goes on.

use bramble_engine::{Engine, Input, Settings};
use bramble_task::definition::Trigger;
use bramble_value::Seed;

use crate::bench::{Bench, at};
use crate::rig::*;
use crate::tree::*;

#[test]
fn the_present_trial_is_finished_and_the_next_begins_with_the_resumption() {
    let body = state("body").during([light_on(0)]).after(100, DONE);
    let mut bench = Bench::start(trials("root", body).times(3).task());
    bench.input(130, Input::Pause);
    assert!(bench.engine.is_paused() && !bench.engine.is_held());
    bench.until(1000);
    assert!(bench.engine.is_held());
    assert_eq!(bench.engine.deadline(), None);
    bench.input(1000, Input::Resume).until(2000);
    assert_eq!(
        bench.lines(&["test ", "row", "root turn", "light", "session done"])[6..],
        [
            "100 root turn 1",
            "100 light.left on",
            "130 test pause 0",
            "200 light.left off",
            "200 root turn 1 over",
            "200 row 2 done",
            "200 test held 0",
            "1000 test resume 0",
            "1000 root turn 2",
            "1000 light.left on",
            "1100 light.left off",
            "1100 root turn 2 over",
            "1100 row 3 done",
            "1100 test session end 0",
            "1100 session done: the task came to its end",
        ]
    );
}

#[test]
fn a_pause_that_is_resumed_within_the_trial_holds_nothing() {
    let mut bench = Bench::start(trials("root", delay("body", 100)).times(2).task());
    bench.input(30, Input::Pause).input(31, Input::Pause).input(60, Input::Resume).input(61, Input::Resume);
    bench.until(1000);
    assert_eq!(
        bench.lines(&["pause", "held", "resume", "row"]),
        ["30 test pause 0", "60 test resume 0", "100 row 1 done", "200 row 2 done"]
    );
}

#[test]
fn what_is_around_the_trials_goes_on_and_its_times_run_on() {
    let blink = state("blink").during([light_on(0)]).after(150, DONE);
    let root = parallel("root", [trials("trials", delay("body", 100)).forever(), blink])
        .on(Trigger::Message(GO), Then::Do(vec![light_on(1)], To::Stay))
        .with(|stage| stage.timeout = Some(ms(700)));
    let mut bench = Bench::start(root.task());
    bench.input(10, Input::Pause).message(300, GO).until(1000);
    assert_eq!(
        bench.lines(&["held", "light", "trials ends", "session timeout"]),
        [
            "0 light.left on",
            "100 test held 0",
            "150 light.left off",
            "300 light.right on",
            "700 trials ends cancelled",
            "700 session timeout: the task took as long as it may",
        ]
    );
    assert!(!bench.engine.is_held());
}

#[test]
fn a_stop_ends_what_is_paused_at_once_a_gentle_one_too() {
    for stop in [Input::Stop { why: "test".into() }, Input::StopAfterTrial { why: "test".into() }] {
        let mut bench = Bench::start(trials("root", delay("body", 100)).forever().task());
        bench.input(10, Input::Pause).input(300, stop);
        assert_eq!(bench.lines(&["session stopped"]), ["300 session stopped: test"]);
        assert_eq!(bench.rows().len(), 1);
    }
}

#[test]
fn an_end_that_comes_with_the_trial_comes_before_the_pause() {
    let mut bench = Bench::start(trials("root", delay("body", 100)).times(1).task());
    bench.input(10, Input::Pause).until(1000);
    assert_eq!(bench.lines(&["held", "session done"]), ["100 session done: the task came to its end"]);
}

#[test]
fn a_session_that_is_paused_before_its_start_holds_its_first_trial() {
    let task = sequence("root", [delay("first", 50), trials("trials", delay("body", 100)).times(1)]).task();
    let mut engine = Engine::new(task.clone(), Settings::defaults(&task, Seed(1))).unwrap();
    engine.handle(Input::Pause, at(0));
    engine.start(at(0));
    engine.advance(at(500));
    while engine.poll().is_some() {}
    assert!(engine.is_held());
    assert_eq!(engine.trial(), 0);
    engine.handle(Input::Resume, at(500));
    while engine.poll().is_some() {}
    assert_eq!(engine.trial(), 1);
}

#[test]
fn a_task_without_trials_goes_on_and_says_so() {
    let mut bench = Bench::start(delay("root", 100).task());
    bench.input(30, Input::Pause);
    assert!(!bench.engine.is_paused());
    assert!(bench.notes()[0].contains("can't be paused"), "{:?}", bench.notes());
    bench.until(100);
    assert_eq!(bench.lines(&["session done"]).len(), 1);
}
