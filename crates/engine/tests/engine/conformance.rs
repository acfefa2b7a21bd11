//! The order and the timing of stages, held against what another stage engine
//! logged for the same trees on a virtual clock.
//!
//! Each block of a `.events` file is one tree: a `#` line that names it, then
//! `time,stage,event,count` a line, in seconds. A stage's starts and ends and its
//! turns' ("trials" there) must all come in ours, at the same times and in the
//! same order; its other lines (inputs, and when it returned) are not events of
//! stages. What we add to a trace must be an end: of a stage or turn that was cut
//! short, which the other engine leaves out.

use bramble_engine::{Input, Output};
use bramble_task::definition::{Condition, PortId, Threshold, Trigger};
use bramble_value::{Kind, Time};

use crate::bench::Bench;
use crate::rig::*;
use crate::tree::*;

#[derive(Debug, Clone, PartialEq)]
struct Line {
    time: Time,
    stage: String,
    kind: Kind,
    /// Which turn, where it is of one.
    count: Option<u64>,
}

fn traces() -> Vec<(String, Vec<Line>)> {
    let files = [
        include_str!("conformance/1_parallel_any_whom.events"),
        include_str!("conformance/2_timeouts_repeat.events"),
        include_str!("conformance/3_nested_repeat.events"),
        include_str!("conformance/4_gate_hold.events"),
        include_str!("conformance/5_disabled.events"),
        include_str!("conformance/6_exception.events"),
    ];
    let mut traces: Vec<(String, Vec<Line>)> = Vec::new();
    for line in files.iter().flat_map(|file| file.lines()) {
        if let Some(title) = line.strip_prefix("# ") {
            traces.push((title.to_owned(), Vec::new()));
        } else if let [time, stage, event, count] = line.split(',').collect::<Vec<_>>()[..] {
            let (kind, is_turn) = match event {
                "on_stage_start" => (Kind::StageStart, false),
                "on_stage_end" => (Kind::StageEnd, false),
                "on_trial_start" => (Kind::TurnStart, true),
                "on_trial_end" => (Kind::TurnEnd, true),
                _ => continue,
            };
            let seconds: f64 = time.parse().unwrap();
            let line = Line {
                time: Time::from_ns((seconds * 1e9).round() as i64),
                stage: stage.to_owned(),
                kind,
                count: is_turn.then(|| count.parse().unwrap()),
            };
            traces.last_mut().unwrap().1.push(line);
        }
    }
    traces
}

fn trace(title: &str) -> Vec<Line> {
    let found = traces().into_iter().find(|(name, _)| name.starts_with(title));
    found.unwrap_or_else(|| panic!("there is no trace {title}")).1
}

fn told(bench: &Bench) -> Vec<Line> {
    let names = bench.engine.task().names();
    let line = |output: &Output| match output {
        Output::Event(event) => {
            let is_turn = matches!(event.kind, Kind::TurnStart | Kind::TurnEnd);
            let is_stage = matches!(event.kind, Kind::StageStart | Kind::StageEnd);
            (is_turn || is_stage).then(|| Line {
                time: event.time,
                stage: names.name(event.source),
                kind: event.kind,
                count: is_turn.then_some(event.value as u64),
            })
        }
        _ => None,
    };
    bench.outputs.iter().filter_map(line).collect()
}

/// Holds what we told against a trace: all of it, and only ends between.
#[track_caller]
fn compare(title: &str, bench: &Bench) {
    let theirs = trace(title);
    assert!(!theirs.is_empty());
    compare_lines(title, &theirs, bench);
}

#[track_caller]
fn compare_lines(title: &str, theirs: &[Line], bench: &Bench) {
    let ours = told(bench);
    let mut left = theirs.iter().peekable();
    for line in &ours {
        if left.peek() == Some(&line) {
            left.next();
        } else {
            let is_end = matches!(line.kind, Kind::StageEnd | Kind::TurnEnd);
            assert!(is_end, "{title}: {line:?} is ours alone, next of theirs {:?}\n{ours:#?}", left.peek());
        }
    }
    assert_eq!(left.next(), None, "{title}: missing in\n{ours:#?}");
}

fn run(root: Node, until: i64) -> Bench {
    let mut bench = Bench::start(root.task());
    bench.until(until);
    bench
}

fn abcd() -> Vec<Node> {
    vec![delay("A", 300), delay("B", 200), delay("C", 100), delay("Dlong", 1000)]
}

#[test]
fn a_parallel_is_complete_with_any_or_all_of_those_it_names() {
    compare("1a", &run(parallel("root", abcd()).any_of(&["A", "B"]), 2000));
    compare("1b", &run(parallel("root", abcd()).all_of(&["A", "B"]), 2000));
    compare("1d", &run(parallel("root", abcd()), 2000));
    let ab = || [delay("A", 300), delay("B", 200)];
    compare("1g", &run(parallel("root", ab()).any_of(&["A", "B"]), 2000));
}

#[test]
fn a_parallel_that_its_first_child_completes_at_once_starts_no_other() {
    let root = parallel("root", [delay("A", 0), delay("B", 100)]).any_of(&["A", "B"]);
    compare("1j", &run(root, 1000));
}

#[test]
fn a_sequence_starts_no_child_after_the_one_that_completes_it() {
    let abc = [delay("A", 300), delay("B", 200), delay("C", 100)];
    compare("1e", &run(sequence("root", abc).any_of(&["B"]), 2000));
    let ab = || [delay("A", 300), delay("B", 200)];
    compare("1h", &run(sequence("root", ab()).any_of(&["A", "B"]), 2000));
    let short = [delay("A", 100), delay("B", 100)];
    compare("1k", &run(sequence("root", short).all_of(&["A"]), 2000));
}

/// There a stage may wait for itself; here one that is never complete by its
/// children says so, and when it is.
#[test]
fn a_stage_that_outlives_its_children_ends_by_its_own_time() {
    let ab = [delay("A", 100), delay("B", 100)];
    compare("1m", &run(sequence("root", ab).completes(Complete::Never).after(500, DONE), 2000));
}

/// `1n` waits for a stage that is no child of its own. Ours can't be written: the
/// checker refuses it. What its trace shows is a sequence that waits for none.
#[test]
fn a_sequence_that_waits_for_no_one_child_ends_with_its_last() {
    compare("1n", &run(sequence("root", [delay("A", 100), delay("B", 100)]), 2000));
}

#[test]
fn timeouts_cut_stages_and_turns_at_their_own_time() {
    let timeout =
        |time: u32| move |stage: &mut bramble_task::definition::Stage| stage.timeout = Some(ms(time));
    let mid = sequence("mid", [delay("d", 100)]).forever().with(timeout(250));
    compare("2a", &run(sequence("root", [mid]).times(2), 2000));
    let turns = delay("d", 250).times(3).with(|stage| stage.repeat_timeout = Some(ms(100)));
    compare("2b", &run(turns, 2000));
    compare("2d", &run(delay("d", 500).times(2).with(timeout(100)), 2000));
}

/// Cancelled from outside, the other engine tells no end; ours is stopped.
#[test]
fn a_stop_from_outside_ends_every_stage() {
    let mut bench = Bench::start(sequence("root", [delay("d", 1000)]).task());
    bench.stop(150);
    compare("2e", &bench);
    assert_eq!(bench.lines(&["ends"]), ["150 d ends stopped", "150 root ends stopped"]);
}

#[test]
fn nested_repetitions_turn_inside_out() {
    let mid = sequence("mid", [delay("d", 100)]).times(3);
    compare("3a", &run(sequence("root", [mid, delay("e", 50)]).times(2), 2000));
    compare("3b", &run(sequence("root", [delay("d", 100)]).times(0), 2000));
}

/// `stop_stage()` and `stop_trial()` are messages that the stage handles with
/// `done` and `next`.
#[test]
fn done_ends_a_stage_and_next_its_turn() {
    let mut bench =
        Bench::start(sequence("root", [delay("d", 100)]).forever().on(Trigger::Message(GO), DONE).task());
    bench.message(250, GO);
    compare("3d", &bench);
    let mut bench =
        Bench::start(sequence("root", [delay("d", 100)]).times(3).on(Trigger::Message(GO), NEXT).task());
    bench.message(50, GO).until(1000);
    compare("3e", &bench);
}

/// The inputs of a gate's trace: time in ms and state.
fn gated(root: Node, initial: Option<bool>, inputs: &[(i64, bool)], until: i64) -> Bench {
    let mut bench = Bench::start_after(root.task(), initial.map(|high| (port(POKE, 0), high)));
    for (time, state) in inputs {
        bench.poke(*time, 0, *state);
    }
    bench.until(until);
    bench
}

#[test]
fn a_gate_waits_for_a_level() {
    let gate_of = |hold, use_initial| gate("gate", high(0), hold, use_initial);
    compare("4a", &gated(gate_of(None, true), None, &[(100, false), (200, true)], 2000));
    compare("4b", &gated(gate_of(None, true), Some(true), &[], 2000));
    let dropout = [(100, true), (200, false), (300, true), (400, true)];
    compare("4d", &gated(gate_of(Some(200), true), None, &dropout, 2000));
    compare("4e", &gated(gate_of(Some(200), true), Some(true), &[], 2000));
    let changes = [(100, false), (200, true)];
    compare("4h", &gated(gate_of(Some(200), false), Some(true), &changes, 2000));
}

#[test]
fn a_gate_that_minds_no_initial_state_waits_for_a_change() {
    let gate = gate("gate", high(0), None, false);
    compare("4g", &gated(gate, Some(true), &[(100, true), (200, true)], 2000));
}

#[test]
fn a_gate_that_is_never_satisfied_ends_with_its_timeout() {
    let gate = gate("gate", high(0), None, true).with(|stage| stage.timeout = Some(ms(150)));
    compare("4j", &gated(gate, None, &[], 2000));
}

#[test]
fn a_gate_waits_for_a_range_and_holds_while_the_value_moves_within_it() {
    let load = PortId { device: LOAD, port: 0 };
    let within = || level(Condition::Measured(one(LOAD, 0), Threshold::Between(number(0.4), number(0.6))));
    let run = |hold, readings: &[(i64, f64)]| {
        let mut bench = Bench::start(gate("gate", within(), hold, true).task());
        for (time, value) in readings {
            bench.input(*time, Input::Analog { port: load, value: *value });
        }
        bench.until(1000);
        bench
    };
    compare("4k", &run(None, &[(100, 0.1), (200, 0.5)]));
    compare("4m", &run(Some(200), &[(100, 0.5), (200, 0.45), (250, 0.55)]));
}

fn disabled(node: Node) -> Node {
    let yes = bramble_task::definition::Expression::Value(bramble_value::Value::Boolean(true));
    node.with(|stage| stage.disabled = Some(yes))
}

#[test]
fn a_disabled_child_is_passed_over() {
    let abc = || [delay("a", 100), disabled(delay("b", 100)), delay("c", 100)];
    compare("5a", &run(sequence("root", abc()), 1000));
    let parallel_abc = [delay("a", 100), disabled(delay("b", 50)), delay("c", 200)];
    compare("5b", &run(parallel("root", parallel_abc), 1000));
    let any = [delay("a", 100), disabled(delay("b", 100)), delay("c", 100)];
    compare("5d", &run(sequence("root", any).any_of(&["b"]), 1000));
}

/// There only a parent looks whether a stage is disabled, so that a root always
/// runs. Here a disabled stage never runs: the session ends at once.
#[test]
fn a_disabled_root_ends_the_session_at_once() {
    let bench = run(disabled(sequence("root", [delay("a", 100)])), 1000);
    assert!(told(&bench).is_empty());
    assert_eq!(bench.log().last().unwrap(), "0 session done: the task came to its end");
    assert_eq!(trace("5e").len(), 8);
}

#[test]
fn whether_a_stage_is_disabled_is_asked_each_time_it_would_start() {
    let off = bramble_task::definition::Expression::Column(FLAG);
    let flag = |value| {
        let value = bramble_task::definition::Expression::Value(bramble_value::Value::Boolean(value));
        bramble_task::definition::Action::Record(FLAG, Some(value))
    };
    let x = delay("x", 100).with(|stage| stage.disabled = Some(off));
    let root =
        sequence("root", [x, delay("y", 50)]).times(3).during([flag(false)]).after(120, act([flag(true)]));
    compare("5g", &run(root, 1000));
}

/// A stage of ours fails where a function does; the other engine's failed where
/// its callbacks raised. Ours ends the session, with every end told.
#[test]
fn a_function_that_fails_ends_everything_around_it() {
    let function = bramble_task::definition::FunctionId(0);
    let boom = |kind: fn(bramble_task::definition::FunctionId) -> Node| {
        let children = [delay("ok", 100), kind(function), delay("after", 100)];
        let mut bench = Bench::start_with(sequence("root", children).task(), |_| Err("boom".to_owned()));
        bench.until(1000);
        bench
    };
    use bramble_task::definition::{Expression, Reaction, StageKind};
    // Before it started: there it ends all the same; here what didn't start doesn't end.
    let init_stage =
        boom(|function| delay("boom", 50).with(|stage| stage.timeout = Some(Expression::Function(function))));
    let theirs: Vec<Line> = trace("6 serial: root > [ok, boom(init_stage)")
        .into_iter()
        .filter(|line| line.stage != "boom")
        .collect();
    compare_lines("init_stage", &theirs, &init_stage);
    // As its turn starts: there the turn ends without having started.
    let init_trial = boom(|function| {
        delay("boom", 50).with(|stage| stage.repeat_timeout = Some(Expression::Function(function)))
    });
    let theirs: Vec<Line> = trace("6 serial: root > [ok, boom(init_trial)")
        .into_iter()
        .filter(|line| line.stage != "boom" || line.kind != Kind::TurnEnd)
        .collect();
    compare_lines("init_trial", &theirs, &init_trial);
    // As its turn, or it, ends.
    let leaves = boom(|function| delay("boom", 50).with(|stage| stage.leave = Reaction::Function(function)));
    compare("6 serial: root > [ok, boom(trial_done)", &leaves);
    compare("6 serial: root > [ok, boom(stage_done)", &leaves);
    assert_eq!(leaves.lines(&["ends error"]), ["150 boom ends error", "150 root ends error"]);
    // In a parallel, its siblings end too.
    let children = [delay("sib", 500), state("boom").after(50, Then::Function(function))];
    let mut bench = Bench::start_with(parallel("root", children).task(), |_| Err("boom".to_owned()));
    bench.until(1000);
    compare("6 parallel", &bench);
    assert_eq!(bench.lines(&["sib ends"]), ["50 sib ends error"]);
    // A stage whose own work fails.
    let bare = leaf("bare", StageKind::Call(function));
    let bench = Bench::start_with(bare.task(), |_| Err("boom".to_owned()));
    compare("6 base", &bench);
    assert!(bench.notes()[0].contains("boom"));
}

#[test]
fn every_trace_is_held_against_ours() {
    assert_eq!(traces().len(), 38);
}
