//! `protocol ...`: check.

use std::path::Path;

use bramble_training::Protocol;
use miette::IntoDiagnostic;
use serde_json::json;

use super::{print_json, say, table};
use crate::cli;
use crate::rule;

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
                "graduation": rule::words(&step.graduation),
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
            rule::words(&step.graduation),
        ]);
    }
    say(format_args!("\n{}", table.trim_fmt()));
    Ok(())
}
