//! Choosing the values of a task's parameters.

use std::collections::BTreeMap;

use bramble_task::{Sources, Task, load};
use bramble_value::{Span, Value};
use serde_json::{Value as Json, json};

fn task() -> Task {
    let text = r#"
pause = param(duration("1 s", min = "100 ms", max = "10 s"))
share = param(number(0.5, min = 0, max = 1))
side  = param(choice(["left", "right"]))
many  = param(integers(5, 15))
skip  = param(boolean(False))
count = param(integer(3), min = 1)
task(stages = delay(pause))
"#;
    let sources = Sources { root: "t.star".into(), files: [("t.star".into(), text.into())].into() };
    load(&sources).unwrap()
}

fn chosen(pairs: &[(&str, Json)]) -> Result<Vec<Value>, String> {
    let pairs: BTreeMap<String, Json> =
        pairs.iter().map(|(name, json)| ((*name).to_owned(), json.clone())).collect();
    task().parameters(&pairs).map_err(|mistakes| mistakes.to_string())
}

#[test]
fn what_is_not_chosen_has_its_default() {
    let values = chosen(&[("pause", json!("200 ms"))]).unwrap();
    assert_eq!(values[0], Value::Duration(Span::from_ms(200)));
    assert_eq!(values[1..3], [Value::Number(0.5), Value::Choice(0)]);
}

#[test]
fn a_value_is_written_as_in_the_file_or_as_a_text() {
    for (name, json, value) in [
        ("share", json!(0.25), Value::Number(0.25)),
        ("share", json!("0.25"), Value::Number(0.25)),
        ("side", json!("right"), Value::Choice(1)),
        ("many", json!([2, 3]), Value::Integers(2, 3)),
        ("many", json!("[2, 3]"), Value::Integers(2, 3)),
        ("many", json!("2 to 3"), Value::Integers(2, 3)),
        ("skip", json!(true), Value::Boolean(true)),
        ("skip", json!("True"), Value::Boolean(true)),
        ("count", json!("7"), Value::Integer(7)),
    ] {
        assert!(chosen(&[(name, json.clone())]).unwrap().contains(&value), "{name} = {json}");
    }
}

#[test]
fn a_wrong_value_is_refused_with_what_would_do() {
    for (name, json, message) in [
        ("pause", json!("20 s"), "t.star:2:9: parameter `pause`: 20 s is more than the most it may be, 10 s"),
        ("pause", json!(5), "t.star:2:9: parameter `pause`: 5 is not a duration: it needs a unit, in quotes"),
        ("share", json!("nan"), "t.star:3:9: parameter `share`: \"nan\" is not a number"),
        (
            "side",
            json!("rihgt"),
            "t.star:4:9: parameter `side`: \"rihgt\" is none of its choices (did you mean `right`?)",
        ),
        (
            "many",
            json!([9, 1]),
            "t.star:5:9: parameter `many`: [9,1] is not a range of whole numbers, as in 5 to 15 or [5, 15]",
        ),
        ("count", json!(0), "t.star:7:9: parameter `count`: 0 is less than the least it may be, 1"),
        ("puase", json!("1 s"), "t.star:1:1: there is no parameter `puase` (did you mean `pause`?)"),
    ] {
        assert_eq!(chosen(&[(name, json)]).unwrap_err(), message);
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let message = chosen(&[("share", json!(2)), ("count", json!(0))]).unwrap_err();
    assert_eq!(message.lines().count(), 2, "{message}");
}
