//! A protocol's file, written from what was filled in in a form.

use std::fmt::Write;

use bramble_task::Mistake;
use serde_json::Value;

use crate::api::tasks::{NewProtocol, NewStep, Rule};

/// The file's text. What it says is checked when it is loaded, as with any other.
pub(crate) fn text(protocol: &NewProtocol, task: impl Fn(&NewStep) -> String) -> String {
    let mut text = String::new();
    if !protocol.doc.is_empty() {
        text += &format!("{}\n\n", literal(&Value::from(protocol.doc.as_str())));
    }
    // Writing to a text never fails.
    let _ = writeln!(text, "protocol(\n    name = {},\n    steps = [", quoted(&protocol.name));
    for step in &protocol.steps {
        let _ = write!(text, "{STEP}{}, task = {}", quoted(step.name.as_str()), quoted(&task(step)));
        if !step.parameters.is_empty() {
            let pair = |(name, value): (&String, &Value)| format!("{}: {}", quoted(name), literal(value));
            let pairs: Vec<_> = step.parameters.iter().map(pair).collect();
            let _ = write!(text, ",\n            params = {{{}}}", pairs.join(", "));
        }
        if let Some(rule) = &step.graduation {
            let _ = write!(text, ",\n            graduate = {}", graduate(rule));
        }
        text += "),\n";
    }
    text + "    ],\n)\n"
}

/// A mistake in a protocol that was filled in, whose text this is: by the step that it's in, where
/// that can be told, since nobody sees the text's lines.
pub(crate) fn said(mistake: &Mistake, root: &str, text: &str, protocol: &NewProtocol) -> String {
    if mistake.place.file != root {
        return mistake.to_string();
    }
    let until = text.lines().take(usize::try_from(mistake.place.line).unwrap_or(usize::MAX));
    let number = until.filter(|line| line.starts_with(STEP)).count();
    let step = number.checked_sub(1).and_then(|place| protocol.steps.get(place));
    let place = step.map_or_else(String::new, |step| format!("step {number} {}: ", step.name));
    let help = mistake.help.as_ref().map_or_else(String::new, |help| format!(" ({help})"));
    format!("{place}{}{help}", mistake.message)
}

/// How the line of each step begins.
const STEP: &str = "        step(";

fn graduate(rule: &Rule) -> String {
    match rule {
        Rule::Trials { count } => format!("trials({count})"),
        Rule::Accuracy { column, of, at_least, window } => {
            let column = quoted(column);
            format!("accuracy({column}, of = {}, at_least = {at_least}, window = {window})", literal(of))
        }
    }
}

fn quoted(text: &str) -> String {
    literal(&Value::from(text))
}

/// A value as the language writes it: JSON, but for its words.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(values) => format!("[{}]", values.iter().map(literal).collect::<Vec<_>>().join(", ")),
        // JSON's escapes are the language's too.
        text => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use bramble_training::Protocol;
    use bramble_value::Sources;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const TASK: &str = "\"\"\"T.\"\"\"\nreward = param(volume(\"3 uL\"), min = \"1 uL\", max = \"10 uL\")\n\
        poke = hardware(digital_input)\nvalve = hardware(solenoid)\noutcome = column(choice([\"correct\", \"error\"]))\n\
        task(stages = trials(body = state(\"wait\", on = {poke.rises: [record(outcome = \"correct\"), \
        valve.open(reward), done]})))\n";

    fn loaded(protocol: &NewProtocol) -> Result<Protocol, String> {
        let text = text(protocol, |_| "t.star".into());
        let files = [("p.star".to_owned(), text.clone()), ("t.star".to_owned(), TASK.to_owned())];
        let sources = Sources { root: "p.star".into(), files: files.into() };
        Protocol::load(&sources).map_err(|mistakes| format!("{mistakes}\n{text}"))
    }

    fn form(name: &str, doc: &str) -> NewProtocol {
        serde_json::from_value(json!({
            "file": "p", "name": name, "doc": doc,
            "steps": [
                { "name": "first", "task": "t.star", "parameters": { "reward": "4 uL" },
                  "graduation": { "trials": { "count": 40 } } },
                { "name": "second", "task": "t.star",
                  "graduation": { "accuracy": { "column": "outcome", "of": "correct", "at_least": 0.8, "window": 50 } } },
                { "name": "third", "task": "t.star" },
            ],
        }))
        .unwrap()
    }

    #[test]
    fn what_was_filled_in_is_what_is_loaded() {
        let protocol = loaded(&form("water \"first\"", "Two lines.\nWith a \\.")).unwrap();
        // As of every doc, lines are a paragraph.
        let said = (protocol.name.as_str(), protocol.doc.as_str());
        assert_eq!(said, ("water \"first\"", "Two lines. With a \\."));
        let rules: Vec<_> = protocol.steps.iter().map(|step| crate::rule::words(&step.graduation)).collect();
        assert_eq!(
            rules,
            ["after 40 trials", "when `outcome` is correct in 80 % of the last 50 trials", "by hand"]
        );
        assert_eq!(protocol.steps[0].parameters["reward"], "4 uL");
        // And a form can be filled in with it again.
        let filled: Vec<_> =
            protocol.steps.iter().map(|step| crate::rule::in_form(&step.graduation)).collect();
        let before = form("", "").steps.into_iter().map(|step| Ok(step.graduation)).collect::<Vec<_>>();
        assert_eq!(filled, before);
    }

    #[test]
    fn what_the_task_does_not_allow_is_refused() {
        let mut protocol = form("p", "");
        protocol.steps[0].parameters.insert("reward".into(), json!("40 uL"));
        assert!(loaded(&protocol).unwrap_err().contains("40 uL"));
    }

    #[test]
    fn a_mistake_is_told_by_its_step() {
        let mut protocol = form("p", "What it is for.");
        protocol.steps[1].parameters.insert("reward".into(), json!("40 uL"));
        let text = text(&protocol, |_| "t.star".into());
        let files = [("p.star".to_owned(), text.clone()), ("t.star".to_owned(), TASK.to_owned())];
        let sources = Sources { root: "p.star".into(), files: files.into() };
        let mistakes = Protocol::load(&sources).unwrap_err();
        let said: Vec<_> = mistakes.iter().map(|one| said(one, "p.star", &text, &protocol)).collect();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("step 2 second: ") && said[0].contains("40 uL"), "{said:?}");
        assert!(!said[0].contains(".star"), "{said:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
        #[test]
        fn no_text_of_a_form_is_taken_for_code(name in "\\PC{1,20}") {
            let protocol = loaded(&form(&format!("a{name}"), ""));
            prop_assert_eq!(protocol.map(|protocol| protocol.name), Ok(format!("a{name}")));
        }
    }
}
