//! What a task can do wrong while it runs, and what becomes of the session.

use bramble_engine::{Engine, Settings, SettingsError};
use bramble_task::call::Returned;
use bramble_task::definition::*;
use bramble_value::{Ending, Seed, Value};

use crate::bench::Bench;
use crate::rig::*;
use crate::tree::*;

#[track_caller]
fn fails(root: Node, words: &[&str]) {
    let mut bench = Bench::start_with(root.task(), |_| Ok(Returned::Test(true)));
    bench.until(1000);
    assert_eq!(bench.engine.ended(), Some(Ending::Error), "{:#?}", bench.log());
    for word in words {
        assert!(bench.notes()[0].contains(word), "{word}: {:?}", bench.notes());
    }
    let started = bench.lines(&["starts"]).len();
    assert_eq!(bench.lines(&["ends "]).len(), started, "{:#?}", bench.log());
}

#[test]
fn an_endless_chain_of_transitions_is_an_error_that_names_its_stages() {
    let a = state("ping").after(0, goto("pong"));
    let b = state("pong").after(0, goto("ping"));
    fails(states("root", [a, b]), &["1000 transitions", "`ping`", "`pong`"]);
}

#[test]
fn a_repetition_for_ever_of_no_length_is_an_error() {
    fails(sequence("root", [delay("a", 0)]).forever(), &["transitions", "`root`"]);
    fails(trials("root", delay("a", 0)).forever(), &["transitions", "`root`"]);
}

#[test]
fn messages_that_answer_themselves_are_an_error() {
    let root = state("root").enter([Action::Emit(GO)]).on(Trigger::Message(GO), act([Action::Emit(GO)]));
    fails(root, &["transitions"]);
}

#[test]
fn stages_that_skip_each_other_without_end_are_an_error() {
    let yes = || SkipIf::Value(Expression::Value(Value::Boolean(true)));
    let a = delay("a", 1).then(To::Goto("b".into())).with(|stage| stage.skip_if = Some(yes()));
    let b = delay("b", 1).then(To::Goto("a".into())).with(|stage| stage.skip_if = Some(yes()));
    fails(states("root", [a, b]), &["transitions", "`a`", "`b`"]);
}

#[test]
fn a_counted_repetition_of_no_length_comes_to_its_end() {
    let mut bench = Bench::start(sequence("root", [delay("a", 0)]).times(5_000).task());
    bench.until(0);
    assert_eq!(bench.engine.ended(), Some(Ending::Done));
}

#[test]
fn a_value_that_is_missing_is_named() {
    fails(
        leaf("wait", StageKind::Delay(Expression::Column(LATENCY))),
        &["`wait`", "column `latency`", "missing"],
    );
}

#[test]
fn an_answer_of_the_wrong_kind_is_an_error() {
    fails(state("root").with(|stage| stage.enter = Reaction::Function(FunctionId(0))), &["returned"]);
}

#[test]
fn a_function_that_fails_in_leave_is_asked_once_and_everything_ends() {
    let inner = state("inner").with(|stage| stage.leave = Reaction::Function(FunctionId(0)));
    let root = sequence("root", [inner]).leave([record(1.0)]).after(10, DONE);
    let mut asked = 0;
    let mut bench = Bench::start_with(root.task(), move |_| {
        asked += 1;
        assert_eq!(asked, 1);
        Err("boom".to_owned())
    });
    bench.until(100);
    assert_eq!(
        bench.lines(&["ends", "note", "number", "session error"]),
        [
            "10 note",
            "10 inner ends error",
            "10 number = 1",
            "10 root ends error",
            "10 session error: stage `inner`: boom",
        ]
    );
}

#[test]
fn a_mistake_says_where_it_was_made() {
    let root = leaf("wait", StageKind::Delay(Expression::Column(LATENCY))).with(|stage| {
        stage.place = Place { file: "tasks/mine.star".to_owned(), line: 12, column: 5, length: 3 };
    });
    fails(root, &["tasks/mine.star:12:5: stage `wait`: column `latency` is missing here"]);
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let task = state("root").task();
    let with = |parameters| {
        let settings = Settings { parameters, ..Settings::defaults(&task, Seed(1)) };
        Engine::new(task.clone(), settings).err().unwrap()
    };
    assert!(matches!(with(vec![]), SettingsError::Count { wanted: 1, found: 0, .. }));
    let error = with(vec![Value::Boolean(true)]).to_string();
    assert_eq!(error, "parameter `pause` can't be true: it is a duration");
}
