//! The order and the timing of stages, held against what another stage engine
//! logged for the same trees on a virtual clock.
//!
//! Each block of a `.events` file is one tree: a `#` line that names it, then
//! `time,stage,event,count` a line, in seconds. A stage's starts and ends and its
//! turns' ("trials" there) must all come in ours, at the same times and in the
//! same order; its other lines (inputs, and when it returned) are not events of
//! stages. What we add to a trace must be an end: of a stage or turn that was cut
//! short, which the other engine leaves out.

use std::collections::BTreeMap;
use std::sync::Arc;

use bramble_engine::{Input, Output};
use bramble_task::TaskDefinition;
use bramble_task::definition::{DeviceId, MessageId, PortId, Sources};
use bramble_value::{Kind, Time};

use crate::bench::Bench;

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

/// The task that a file of these stages is.
fn task(text: &str) -> Arc<TaskDefinition> {
    let root = "tree.star".to_owned();
    let files = BTreeMap::from([(root.clone(), text.to_owned())]);
    match bramble_task::load(&Sources { root, files }) {
        Ok(task) => task.definition,
        Err(mistakes) => panic!("{mistakes}\n{text}"),
    }
}

/// Runs a tree for 2 s.
fn run(stages: &str) -> Bench {
    let mut bench = Bench::start(task(&format!("task(stages = {stages})")));
    bench.until(2000);
    bench
}

const A: &str = r#"delay("300 ms", name = "A")"#;
const B: &str = r#"delay("200 ms", name = "B")"#;
const C: &str = r#"delay("100 ms", name = "C")"#;
const D: &str = r#"delay("1 s", name = "Dlong")"#;
/// What others call `d`.
const SHORT: &str = r#"delay("100 ms", name = "d")"#;

#[test]
fn a_parallel_is_complete_with_any_or_all_of_those_it_names() {
    let of =
        |complete: &str| format!(r#"parallel({A}, {B}, {C}, {D}, name = "root", complete_on = {complete})"#);
    compare("1a", &run(&of(r#"any_of("A", "B")"#)));
    compare("1b", &run(&of(r#"all_of("A", "B")"#)));
    compare("1d", &run(&of(r#""all""#)));
    compare("1g", &run(&format!(r#"parallel({A}, {B}, name = "root", complete_on = "any")"#)));
}

#[test]
fn a_parallel_that_its_first_child_completes_at_once_starts_no_other() {
    let tree = format!(r#"parallel(delay("0 s", name = "A"), {B}, name = "root", complete_on = "any")"#);
    compare("1j", &run(&tree));
}

#[test]
fn a_sequence_starts_no_child_after_the_one_that_completes_it() {
    compare("1e", &run(&format!(r#"sequence({A}, {B}, {C}, name = "root", complete_on = any_of("B"))"#)));
    compare("1h", &run(&format!(r#"sequence({A}, {B}, name = "root", complete_on = "any")"#)));
    let short = r#"delay("100 ms", name = "A")"#;
    compare("1k", &run(&format!(r#"sequence({short}, {B}, name = "root", complete_on = all_of("A"))"#)));
}

/// There a stage may wait for itself; here one that is never complete by its
/// children says so, and when it is.
#[test]
fn a_stage_that_outlives_its_children_ends_by_its_own_time() {
    let children = r#"delay("100 ms", name = "A"), delay("100 ms", name = "B")"#;
    let tree =
        format!(r#"sequence({children}, name = "root", complete_on = "never", after = {{"500 ms": done}})"#);
    compare("1m", &run(&tree));
}

/// `1n` waits for a stage that is no child of its own, which here is a mistake.
/// What its trace shows is a sequence that waits for no one child.
#[test]
fn a_sequence_that_waits_for_no_one_child_ends_with_its_last() {
    let children = r#"delay("100 ms", name = "A"), delay("100 ms", name = "B")"#;
    compare("1n", &run(&format!(r#"sequence({children}, name = "root")"#)));
    let root = "tree.star".to_owned();
    let foreign = format!(r#"task(stages = sequence({children}, complete_on = any_of("elsewhere")))"#);
    let files = BTreeMap::from([(root.clone(), foreign)]);
    assert!(bramble_task::load(&Sources { root, files }).is_err());
}

#[test]
fn timeouts_cut_stages_and_turns_at_their_own_time() {
    let mid = format!(r#"sequence({SHORT}, name = "mid", repeat = forever, timeout = "250 ms")"#);
    compare("2a", &run(&format!(r#"sequence({mid}, name = "root", repeat = 2)"#)));
    compare("2b", &run(r#"delay("250 ms", name = "d", repeat = 3, repeat_timeout = "100 ms")"#));
    compare("2d", &run(r#"delay("500 ms", name = "d", repeat = 2, timeout = "100 ms")"#));
}

/// Cancelled from outside, the other engine tells no end; ours is stopped.
#[test]
fn a_stop_from_outside_ends_every_stage() {
    let tree = task(r#"task(stages = sequence(delay("1 s", name = "d"), name = "root"))"#);
    let mut bench = Bench::start(tree);
    bench.stop(150);
    compare("2e", &bench);
    assert_eq!(bench.lines(&["ends"]), ["150 d ends stopped", "150 root ends stopped"]);
}

#[test]
fn nested_repetitions_turn_inside_out() {
    let mid = format!(r#"sequence({SHORT}, name = "mid", repeat = 3)"#);
    let tree = format!(r#"sequence({mid}, delay("50 ms", name = "e"), name = "root", repeat = 2)"#);
    compare("3a", &run(&tree));
    compare("3b", &run(&format!(r#"sequence({SHORT}, name = "root", repeat = 0)"#)));
}

/// `stop_stage()` and `stop_trial()` are messages that the stage handles with
/// `done` and `next`.
#[test]
fn done_ends_a_stage_and_next_its_turn() {
    let tree = |repeat: &str, to: &str| {
        let root = format!(r#"sequence({SHORT}, name = "root", repeat = {repeat}, on = {{go: {to}}})"#);
        Bench::start(task(&format!("go = message(\"go\")\ntask(stages = {root})")))
    };
    let mut bench = tree("forever", "done");
    bench.message(250, MessageId(0));
    compare("3d", &bench);
    let mut bench = tree("3", "next");
    bench.message(50, MessageId(0)).until(1000);
    compare("3e", &bench);
}

const INPUT: PortId = PortId { device: DeviceId(0), port: 0 };

/// A gate on a beam, what the beam is at first, and what it becomes when.
fn beam(gate: &str, initial: Option<bool>, inputs: &[(i64, bool)]) -> Bench {
    let text =
        format!("beam = hardware(digital_input)\ntask(stages = gate(beam.high, name = \"gate\"{gate}))");
    let mut bench = Bench::start_after(task(&text), initial.map(|high| (INPUT, high)));
    for (time, high) in inputs {
        bench.input(*time, Input::Digital { port: INPUT, high: *high });
    }
    bench.until(2000);
    bench
}

#[test]
fn a_gate_waits_for_a_level() {
    compare("4a", &beam("", None, &[(100, false), (200, true)]));
    compare("4b", &beam("", Some(true), &[]));
    let hold = r#", hold = "200 ms""#;
    compare("4d", &beam(hold, None, &[(100, true), (200, false), (300, true), (400, true)]));
    compare("4e", &beam(hold, Some(true), &[]));
    let changes = [(100, false), (200, true)];
    compare("4h", &beam(&format!("{hold}, use_initial = False"), Some(true), &changes));
}

#[test]
fn a_gate_that_minds_no_initial_state_waits_for_a_change() {
    compare("4g", &beam(", use_initial = False", Some(true), &[(100, true), (200, true)]));
}

#[test]
fn a_gate_that_is_never_satisfied_ends_with_its_timeout() {
    compare("4j", &beam(r#", timeout = "150 ms""#, None, &[]));
}

#[test]
fn a_gate_waits_for_a_range_and_holds_while_the_value_moves_within_it() {
    let run = |hold: &str, readings: &[(i64, f64)]| {
        let gate = format!(r#"gate(cell.between(0.4, 0.6), name = "gate"{hold})"#);
        let mut bench = Bench::start(task(&format!("cell = hardware(analog_input)\ntask(stages = {gate})")));
        for (time, value) in readings {
            bench.input(*time, Input::Analog { port: INPUT, value: *value });
        }
        bench.until(1000);
        bench
    };
    compare("4k", &run("", &[(100, 0.1), (200, 0.5)]));
    compare("4m", &run(r#", hold = "200 ms""#, &[(100, 0.5), (200, 0.45), (250, 0.55)]));
}

#[test]
fn a_disabled_child_is_passed_over() {
    let a = r#"delay("100 ms", name = "a")"#;
    let b = r#"delay("100 ms", name = "b", disabled = True)"#;
    let c = |time: &str| format!(r#"delay("{time}", name = "c")"#);
    compare("5a", &run(&format!(r#"sequence({a}, {b}, {}, name = "root")"#, c("100 ms"))));
    compare("5b", &run(&format!(r#"parallel({a}, {b}, {}, name = "root")"#, c("200 ms"))));
    let any = format!(r#"sequence({a}, {b}, {}, name = "root", complete_on = any_of("b"))"#, c("100 ms"));
    compare("5d", &run(&any));
}

/// There only a parent looks whether a stage is disabled, so that a root always
/// runs. Here a disabled stage never runs: the session ends at once.
#[test]
fn a_disabled_root_ends_the_session_at_once() {
    let bench = run(r#"sequence(delay("100 ms", name = "a"), name = "root", disabled = True)"#);
    assert!(told(&bench).is_empty());
    assert_eq!(bench.log().last().unwrap(), "0 session done: the task came to its end");
    assert_eq!(trace("5e").len(), 8);
}

#[test]
fn whether_a_stage_is_disabled_is_asked_each_time_it_would_start() {
    let text = r#"
off = column(boolean)
task(stages = sequence(
    delay("100 ms", name = "x", disabled = off),
    delay("50 ms", name = "y"),
    name = "root",
    repeat = 3,
    enter = record(off = False),
    after = {"120 ms": record(off = True)},
))"#;
    let mut bench = Bench::start(task(text));
    bench.until(1000);
    compare("5g", &bench);
}

/// A tree with a function that fails when it is called.
fn failing(stages: &str) -> Bench {
    let text = format!("def boom(trial):\n    return []\n\ntask(stages = {stages})");
    let mut bench = Bench::start_with(task(&text), |_| Err("boom".to_owned()));
    bench.until(1000);
    bench
}

/// A stage of ours fails where a function does; the other engine's failed where
/// its callbacks raised. Ours ends the session, with every end told.
#[test]
fn a_function_that_fails_ends_everything_around_it() {
    let sequence = |failing: &str| {
        let ok = r#"delay("100 ms", name = "ok")"#;
        let after = r#"delay("100 ms", name = "after")"#;
        format!(r#"sequence({ok}, delay("50 ms", name = "boom", {failing}), {after}, name = "root")"#)
    };
    // Before it started: there it ends all the same; here what didn't start doesn't end.
    let init_stage = failing(&sequence("timeout = lambda trial: boom(trial)"));
    let mut theirs = trace("6 serial: root > [ok, boom(init_stage)");
    theirs.retain(|line| line.stage != "boom");
    compare_lines("init_stage", &theirs, &init_stage);
    // As its turn starts: there the turn ends without having started.
    let init_trial = failing(&sequence("repeat_timeout = lambda trial: boom(trial)"));
    let mut theirs = trace("6 serial: root > [ok, boom(init_trial)");
    theirs.retain(|line| line.stage != "boom" || line.kind != Kind::TurnEnd);
    compare_lines("init_trial", &theirs, &init_trial);
    // As its turn, or it, ends.
    let leaves = failing(&sequence("leave = boom"));
    compare("6 serial: root > [ok, boom(trial_done)", &leaves);
    compare("6 serial: root > [ok, boom(stage_done)", &leaves);
    assert_eq!(leaves.lines(&["ends error"]), ["150 boom ends error", "150 root ends error"]);
    // In a parallel, its siblings end too.
    let siblings = r#"delay("500 ms", name = "sib"), delay("50 ms", name = "boom", leave = boom)"#;
    let parallel = failing(&format!(r#"parallel({siblings}, name = "root")"#));
    compare("6 parallel", &parallel);
    assert_eq!(parallel.lines(&["sib ends"]), ["50 sib ends error"]);
    // A stage whose own work fails.
    let bare = failing(r#"call(boom, name = "bare")"#);
    compare("6 base", &bare);
    assert!(bare.notes()[0].contains("boom"));
}

#[test]
fn every_trace_is_held_against_ours() {
    let source = include_str!("conformance.rs").replace("trace(\"", "compare(\"");
    let held: Vec<&str> = source.split("compare(\"").filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(traces().len(), 38);
    for (title, _) in traces() {
        assert!(held.iter().any(|name| title.starts_with(name)), "{title} is held against nothing");
    }
}
