//! `protocol ...`: check.

use std::path::Path;

use bramble_training::{Graduation, Protocol, Wanted};
use miette::IntoDiagnostic;
use serde_json::json;

use super::{print_json, say, table};
use crate::cli;

pub(super) fn run(command: cli::Protocol) -> miette::Result<()> {
    let cli::Protocol::Check { file, json } = command;
    check(&file, json)
}

fn check(file: &Path, as_json: bool) -> miette::Result<()> {
    let sources = bramble_training::read(file).into_diagnostic()?;
    let protocol = Protocol::load(&sources)?;
    if as_json {
        let steps = protocol.steps.iter().map(|step| {
            json!({
                "name": step.name,
                "task": step.task.root,
                "parameters": step.parameters,
                "graduation": describe(&step.graduation),
            })
        });
        return print_json(&json!({
            "name": protocol.name,
            "doc": protocol.doc,
            "steps": steps.collect::<Vec<_>>(),
        }));
    }
    say(format_args!("{} is in order: {}", file.display(), protocol.name));
    if !protocol.doc.is_empty() {
        say(format_args!("{}", protocol.doc));
    }
    let mut table = table(&["step", "task", "parameters", "graduates"]);
    for (place, step) in (1..).zip(&protocol.steps) {
        let parameters = step.parameters.iter().map(|(name, value)| match value.as_str() {
            Some(text) => format!("{name} = {text}"),
            None => format!("{name} = {value}"),
        });
        table.add_row([
            crate::assignment::label(place, &step.name),
            step.task.root.clone(),
            parameters.collect::<Vec<_>>().join(", "),
            describe(&step.graduation),
        ]);
    }
    say(format_args!("\n{}", table.trim_fmt()));
    Ok(())
}

/// A rule in words.
fn describe(rule: &Graduation) -> String {
    match rule {
        Graduation::Never => "by hand".to_owned(),
        Graduation::Trials(count) => format!("after {count} trials"),
        Graduation::Accuracy { column, of, at_least, window, .. } => {
            let of = match of {
                Wanted::Name(name) => name.clone(),
                Wanted::Boolean(flag) => flag.to_string(),
                Wanted::Number(number) => number.to_string(),
            };
            format!("when `{column}` is {of} in {} % of the last {window} trials", at_least * 100.0)
        }
        Graduation::Rate { at_least, per, window } => format!("at {at_least} trials in {per}, over {window}"),
        Graduation::Function(_) => "when its function says so".to_owned(),
        Graduation::AllOf(rules) => join(rules, ", and "),
        Graduation::AnyOf(rules) => join(rules, ", or "),
    }
}

fn join(rules: &[Graduation], with: &str) -> String {
    rules.iter().map(describe).collect::<Vec<_>>().join(with)
}
