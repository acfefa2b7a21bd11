//! What a function of the trial sees, and what becomes of what it returns.

use std::sync::Arc;

use bramble_task::call::{Call, EventView, Purpose, Returned, View, Wanted};
use bramble_task::definition::{ColumnId, DeviceId, FunctionId, PortId, Sources, StageId, Transition};
use bramble_task::{FunctionError, Task, load};
use bramble_value::{Ending, Row, Seed, Span, Time, Value};

fn task(text: &str) -> Task {
    let sources = Sources { root: "t.star".into(), files: [("t.star".into(), text.into())].into() };
    load(&sources).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// A task whose one function is `prepare`, with these lines in it.
fn prepare(lines: &str) -> Task {
    let body: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    task(&format!(
        r#"
window = param(duration("2 s"))
linger = param(integers(5, 15))
poke = hardware(digital_input, ports = ["left", "right"])
side = column(choice(["left", "right"]))
latency = column(duration)
share = column(number)
many = column(integer)
flag = column(boolean)
pokes = counter(poke.rises)
def prepare(trial):
{body}
task(stages = trials(prepare = prepare, body = states(
    state("wait", on = {{poke.rises: [record(side = "left", latency = state_time, share = 1, many = 2, flag = True), done]}}),
)))
"#
    ))
}

fn view(task: &Task) -> View {
    View {
        seed: Seed(7),
        time: Time::from_ns(5_000_000_000),
        session_start: Time::ZERO,
        trial: 3,
        parameters: task.definition().parameters.iter().map(|parameter| parameter.default).collect(),
        columns: vec![None; task.definition().columns.len()],
        entered: Time::from_ns(4_700_000_000),
        since: vec![None; task.definition().stages.len()],
        event: None,
        counts: vec![4; task.definition().counters.len()],
    }
}

fn call(task: &Task, purpose: Purpose) -> Result<Returned, FunctionError> {
    let view = view(task);
    task.functions().call(&Call { number: 0, function: FunctionId(0), purpose, stage: StageId(0), view })
}

/// The value of the column that the lines return.
fn returned(lines: &str, column: &str) -> Option<Value> {
    let task = prepare(lines);
    let id = task.definition().column(column).unwrap().0;
    match call(&task, Purpose::Prepare) {
        Ok(Returned::Columns(columns)) => columns.iter().find(|(one, _)| *one == id).unwrap().1,
        other => panic!("{other:?}"),
    }
}

fn failed(lines: &str) -> String {
    call(&prepare(lines), Purpose::Prepare).unwrap_err().to_string()
}

#[test]
fn durations_are_seconds_and_know_texts_with_units() {
    let same = |expression: &str| returned(&format!("return {{\"flag\": {expression}}}"), "flag");
    let yes = Some(Value::Boolean(true));
    for expression in [
        "trial.window == 2",
        "trial.window == \"2 s\"",
        "\"2000 ms\" == trial.window",
        "trial.window > \"300 ms\"",
        "0.3 < trial.window",
        "trial.window / 4 == \"500 ms\"",
        "trial.window / \"500 ms\" == 4",
        "trial.window - 0.5 == 1.5",
        "max(trial.window, \"3 s\") == 3",
        "trial.window.ms == 2000",
        "trial.state_time == \"300 ms\"",
        "trial.window != None",
    ] {
        assert_eq!(same(expression), yes, "{expression}");
    }
}

#[test]
fn what_makes_no_sense_is_an_error_and_not_false() {
    let message = failed("return {\"flag\": trial.window < \"4 uL\"}");
    assert!(message.contains("`4 uL` is not a duration"), "{message}");
    let message = failed("return {\"flag\": trial.latency < 1}");
    assert!(message.contains("t.star:12"), "{message}");
}

#[test]
fn results_take_the_type_of_their_column() {
    assert_eq!(
        returned("return {\"latency\": trial.window / 4}", "latency"),
        Some(Value::Duration(Span::from_ms(500)))
    );
    assert_eq!(
        returned("return {\"latency\": \"30 ms\"}", "latency"),
        Some(Value::Duration(Span::from_ms(30)))
    );
    assert_eq!(returned("return {\"side\": \"right\"}", "side"), Some(Value::Choice(1)));
    assert_eq!(returned("return {\"side\": None}", "side"), None);
    assert_eq!(returned("return {\"many\": trial.pokes + trial.number}", "many"), Some(Value::Integer(7)));
    let message = failed("return {\"side\": \"rihgt\"}");
    assert!(message.contains("column `side`") && message.contains("did you mean `right`?"), "{message}");
    let message = failed("return {\"latency\": -1 * trial.window}");
    assert!(message.contains("out of the range"), "{message}");
}

#[test]
fn the_same_call_draws_the_same_and_the_next_one_differs() {
    let task = prepare("return {\"share\": trial.random.uniform(0, 1)}");
    let functions = task.functions();
    let draw = |number| {
        let call = Call {
            number,
            function: FunctionId(0),
            purpose: Purpose::Prepare,
            stage: StageId(0),
            view: view(&task),
        };
        functions.call(&call).unwrap()
    };
    assert_eq!(draw(3), draw(3));
    assert_ne!(draw(3), draw(4));
}

#[test]
fn draws_stay_within_their_bounds() {
    let task = prepare(
        "return {\"many\": trial.random.draw(trial.linger), \"latency\": trial.random.draw(exponential(\"350 ms\", min = \"200 ms\", max = \"500 ms\", plus = \"200 ms\"))}",
    );
    let functions = task.functions();
    for number in 0..500 {
        let call = Call {
            number,
            function: FunctionId(0),
            purpose: Purpose::Prepare,
            stage: StageId(0),
            view: view(&task),
        };
        let Ok(Returned::Columns(columns)) = functions.call(&call) else { panic!() };
        let values: Vec<f64> = columns.iter().map(|(_, value)| value.unwrap().to_f64()).collect();
        assert!((5.0..=15.0).contains(&values[0]) && (0.4..=0.7).contains(&values[1]), "{values:?}");
    }
}

#[test]
fn the_trials_before_are_seen() {
    let task = prepare(
        "return {\"many\": len([s for s in trial.past(side, 2) if s == \"left\"]), \"side\": trial.last.side}",
    );
    let mut functions = task.functions();
    let mut ask = |rows: &[u16]| {
        for (place, side) in rows.iter().enumerate() {
            let values = vec![Some(Value::Choice(*side)), None, None, None, None];
            let (start, end) = (Time::ZERO, Time::ZERO);
            functions.row(&Row { trial: place as u32, start, end, ending: Ending::Done, values });
        }
        let call = Call {
            number: 0,
            function: FunctionId(0),
            purpose: Purpose::Prepare,
            stage: StageId(0),
            view: view(&task),
        };
        let Ok(Returned::Columns(columns)) = functions.call(&call) else { panic!() };
        (columns[0].1, columns[1].1)
    };
    assert_eq!(ask(&[]), (Some(Value::Integer(0)), None));
    assert_eq!(ask(&[0, 0, 0]), (Some(Value::Integer(2)), Some(Value::Choice(0))));
    assert_eq!(ask(&[1]), (Some(Value::Integer(1)), Some(Value::Choice(1))));
}

#[test]
fn a_handler_sees_its_event_and_says_where_to_go() {
    let task = task(
        r#"
poke = hardware(digital_input, ports = ["left", "right"])
side = column(choice(["left", "right"]))
def answer(trial):
    return [record(side = trial.event.port), goto("right") if trial.event.port == "right" else done]
task(stages = trials(body = states(
    state("wait", on = {poke.rises: answer}),
    delay("1 s", name = "right", then = done),
)))
"#,
    );
    let mut view = view(&task);
    let port = PortId { device: DeviceId(0), port: 1 };
    view.event = Some(EventView { time: view.time, port: Some(port), message: None, value: 1.0 });
    let call =
        Call { number: 0, function: FunctionId(0), purpose: Purpose::Response, stage: StageId(2), view };
    let Ok(Returned::Response(response)) = task.functions().call(&call) else { panic!() };
    assert_eq!(response.actions.len(), 1);
    assert_eq!(response.transition, Transition::Goto(StageId(3)));
}

#[test]
fn a_port_may_be_chosen_by_a_function() {
    let task = task(
        r#"
light = hardware(digital_output, ports = ["left", "right"])
task(stages = state("lit", enter = light[lambda trial: "right"].on(), timeout = "1 s"))
"#,
    );
    let wanted = Purpose::Value(Wanted::Port(DeviceId(0)));
    assert_eq!(call(&task, wanted).unwrap(), Returned::Port(1));
    let column = Purpose::Value(Wanted::Boolean);
    assert!(call(&task, column).unwrap_err().to_string().contains("True or False"));
}

#[test]
fn a_hostile_function_fails_within_moments_and_the_next_call_works() {
    for lines in [
        "for a in range(10000):\n    for b in range(10000):\n        pass\nreturn {}",
        "return {\"many\": len([0] * 1000000000)}",
        "x = \"x\"\nfor i in range(100):\n    x += x\nreturn {}",
        "x = [0]\nfor i in range(60):\n    x = [x, x]\nreturn {\"flag\": x == x}",
        "x = {}\nfor a in range(10000):\n    for b in range(10000):\n        x[\"%d %d\" % (a, b)] = [a] * 1000\nreturn {}",
    ] {
        let task = prepare(lines);
        assert!(call(&task, Purpose::Prepare).is_err(), "{lines}");
        assert!(call(&task, Purpose::Prepare).is_err(), "{lines}");
    }
}

#[test]
fn declaring_something_during_a_session_is_an_error() {
    let message = failed("param(number(4))\nreturn {}");
    assert!(message.contains("`param` can't be used inside a function"), "{message}");
}

#[test]
fn functions_may_be_called_on_another_thread() {
    let task = prepare("return {\"many\": 1}");
    let functions = task.functions();
    let call = Call {
        number: 0,
        function: FunctionId(0),
        purpose: Purpose::Prepare,
        stage: StageId(0),
        view: view(&task),
    };
    let returned = std::thread::spawn(move || functions.call(&call)).join().unwrap();
    let many = task.definition().column("many").unwrap().0;
    assert_eq!(returned.unwrap(), Returned::Columns(vec![(many, Some(Value::Integer(1)))]));
    let _: (Arc<_>, ColumnId) = (task.sources, many);
}
