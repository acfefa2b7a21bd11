//! The language's sentences, each as a small task that a scripted animal goes
//! through: what its trial table then says.

use bramble_engine::Settings;
use bramble_simulation::{Limits, Scripted, simulate};
use bramble_task::{Sources, load};
use bramble_value::{Record, Seed, Span};

/// Each row as its ending and its columns, and last how the session ended.
fn rows(task: &str, script: &str) -> Vec<String> {
    let sources = Sources { root: "task.star".into(), files: [("task.star".into(), task.into())].into() };
    let task = load(&sources).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let definition = task.definition().clone();
    let settings = Settings::defaults(&definition, Seed(1));
    let animal: Scripted = script.parse().unwrap();
    let limits = Limits { trials: None, time: Some(Span::from_s(60)) };
    let done =
        simulate(definition.clone(), &mut task.functions(), settings, Box::new(animal), limits).unwrap();
    let row = |record: &Record| {
        let Record::Row(row) = record else { return None };
        let values = definition
            .columns
            .iter()
            .zip(&row.values)
            .map(|(column, value)| value.map_or("missing".to_owned(), |value| column.kind.show(value)));
        Some(format!("{}: {}", row.ending.name(), values.collect::<Vec<_>>().join(", ")))
    };
    let rows = done.records.iter().filter_map(row);
    rows.chain([done.outcome.why.to_string()]).collect()
}

#[test]
fn beyond_has_a_direction_from_where_zero_was_set() {
    let task = r#"
wheel = hardware(encoder, unit = "deg")
left = column(boolean)
position = column(number)
task(stages = trials(repeat = 1, body = states(
    delay("50 ms", name = "wait"),
    state("turn", enter = wheel.zero(), on = {
        wheel.beyond(10): [record(left = False, position = event.value), done],
        wheel.beyond(-10): [record(left = True, position = event.value), done],
    }),
)))"#;
    let script = "at 0.01 s wheel to 100\nat 0.1 s wheel to 91\nat 0.2 s wheel to 105\nat 0.3 s wheel to 89";
    assert_eq!(rows(task, script), ["done: true, -11", "the task came to its end"]);
}

#[test]
fn a_pulse_outlasts_its_stage_and_has_no_end_once_it_is_stopped() {
    let task = r#"
out = hardware(digital_output, ports = ["long", "short"])
n = column(integer, carry = 0)
task(stages = trials(repeat = 1, body = states(
    state("start",
        enter = [out["long"].pulse("100 ms"), out["short"].pulse("20 ms", after = "50 ms")],
        after = {"10 ms": goto("wait")}),
    state("wait", on = {out["short"].ends: [record(n = 1), out["long"].stop(), goto("last")]}),
    state("last", on = {out["long"].ends: stop("it ended")}, after = {"500 ms": done}),
)))"#;
    assert_eq!(rows(task, ""), ["done: 1", "the task came to its end"]);
}

#[test]
fn what_is_emitted_comes_in_order_to_the_states_that_are_then_active() {
    let task = r#"
poke = hardware(digital_input)
first = message("first")
second = message("second")
seen = column(integer, carry = 0)
task(stages = trials(repeat = 1, body = parallel(
    states(
        state("a", on = {poke.rises: [emit("first"), emit("second"), goto("b")]}),
        state("b", on = {first: goto("c"), second: stop("out of order")}),
        state("c", on = {second: done}),
    ),
    state("beside", on = {first: record(seen = 1), second: next}),
)))"#;
    assert_eq!(rows(task, "at 1 s poke for 10 ms"), ["done: 1", "the task came to its end"]);
}

#[test]
fn a_carried_column_that_was_made_missing_stays_missing() {
    let task = r#"
kept = column(integer, carry = 3)
seen = column(integer)
def prepare(trial):
    return {"kept": None} if trial.number == 2 else {}
task(stages = trials(repeat = 3, prepare = prepare, body = sequence(delay("1 s"), record(seen = kept))))"#;
    let expected =
        ["done: 3, 3", "done: missing, missing", "done: missing, missing", "the task came to its end"];
    assert_eq!(rows(task, ""), expected);
}

#[test]
fn a_trial_that_is_stopped_while_a_stage_is_left_has_its_row() {
    let task = r#"
poke = hardware(digital_input)
early = column(integer)
late = column(boolean)
task(stages = trials(body = states(
    state("a", enter = record(early = 1), leave = stop("enough"), on = {poke.rises: goto("b")}),
    state("b", enter = record(late = True), after = {"1 s": done}),
)))"#;
    assert_eq!(rows(task, "at 1 s poke for 10 ms"), ["stopped: 1, missing", "enough"]);
}

#[test]
fn handlers_that_a_function_made_know_what_they_were_made_with() {
    let task = r#"
poke = hardware(digital_input, ports = ["left", "right"])
side = column(choice(["left", "right"]))
def answer(side):
    def handler(trial):
        return [record(side = side), goto("end")]
    return handler
task(stages = trials(repeat = 2, body = states(
    state("wait", on = {poke[port].rises: answer(port) for port in poke.ports}),
    delay("100 ms", name = "end", then = done),
)))"#;
    let script = "at 1 s poke right for 10 ms\nat 2 s poke left for 10 ms";
    assert_eq!(rows(task, script), ["done: right", "done: left", "the task came to its end"]);
}

#[test]
fn computing_with_a_missing_column_says_so() {
    let task = r#"
a = column(number)
b = column(number)
def add(trial):
    return record(b = trial.a + 1)
task(stages = trials(body = states(state("x", enter = add, after = {"1 s": [record(a = 1), done]}))))"#;
    let said = rows(task, "");
    assert_eq!(said[0], "error: missing, missing");
    assert!(
        said[1].contains("task.star:5:23: in `add`: this is computed with a value that is missing"),
        "{}",
        said[1]
    );
}
