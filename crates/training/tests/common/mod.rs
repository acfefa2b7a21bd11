//! Two tasks and protocols over them, for the tests.

use std::collections::BTreeMap;

use bramble_training::{Graduation, Protocol};
use bramble_value::{Ending, Name, Row, Sources, Span, Time, Trials, Value, ValueType};

/// A task with a column of each kind that graduation may look at.
pub(crate) const CHOICE: &str = r#"
"""A choice."""
load("lib/answers.star", "answers")

reward = param(volume("4 uL"), max = volume("10 uL"), doc = "water")
pause  = param(duration("1 s"))
side   = param(choice(["left", "right"]))

poke   = hardware(digital_input)

outcome = column(answers)
hit     = column(boolean)
tries   = column(integer)
latency = column(duration)

task(stages = trials(body = state("wait",
    on = {poke.rises: [record(outcome = "correct", hit = True, tries = 1, latency = state_time), done]},
    after = {pause: done},
)))
"#;

/// A task without trials.
pub(crate) const REST: &str = r#"
pause = param(duration("1 s"))
task(stages = delay(pause))
"#;

pub(crate) const LIB: &str = r#"
answers = choice(["correct", "error", "missed"])
"#;

pub(crate) fn sources(protocol: &str) -> Sources {
    let files = [
        ("protocols/train.star", protocol),
        ("choice.star", CHOICE),
        ("rest.star", REST),
        ("lib/answers.star", LIB),
    ];
    let files: BTreeMap<String, String> =
        files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    Sources { root: "protocols/train.star".to_owned(), files }
}

pub(crate) fn load(protocol: &str) -> Protocol {
    Protocol::load(&sources(protocol)).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// The rule that a step graduates on.
pub(crate) fn rule(graduate: &str) -> Graduation {
    let step = format!("step(\"one\", task = \"../choice.star\", graduate = {graduate})");
    load(&format!("protocol(name = \"p\", steps = [{step}])")).steps[0].graduation.clone()
}

pub(crate) const CORRECT: u16 = 0;
pub(crate) const ERROR: u16 = 1;

/// Trials of the choice task, one a second, numbered from 1.
pub(crate) fn trials(outcomes: &[Option<u16>]) -> Trials {
    let names: Vec<Name> = ["correct", "error", "missed"].iter().map(|name| name.parse().unwrap()).collect();
    let columns = vec![
        ("outcome".to_owned(), ValueType::Choice(names.into())),
        ("hit".to_owned(), ValueType::Boolean),
        ("tries".to_owned(), ValueType::Integer),
        ("latency".to_owned(), ValueType::Duration),
    ];
    let rows = (1..).zip(outcomes).map(|(trial, outcome)| Row {
        trial,
        start: Time::ZERO + Span::from_s(trial - 1),
        end: Time::ZERO + Span::from_s(trial),
        ending: Ending::Done,
        values: vec![
            outcome.map(Value::Choice),
            outcome.map(|outcome| Value::Boolean(outcome == CORRECT)),
            Some(Value::Integer(i64::from(trial % 2))),
            outcome.map(|outcome| Value::Duration(Span::from_ms(100 * (1 + u32::from(outcome))))),
        ],
    });
    Trials { rows: rows.collect(), columns }
}

/// The trials of one session after those of another, each numbered from 1.
pub(crate) fn after(mut first: Trials, second: Trials) -> Trials {
    first.rows.extend(second.rows);
    first
}
