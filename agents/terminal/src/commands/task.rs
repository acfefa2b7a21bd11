//! `task ...`: check, graph, simulate.

use std::path::Path;

use bramble_task::Task;
use bramble_task::definition::{Device, Parameter};
use bramble_value::Value;
use miette::{IntoDiagnostic, WrapErr};

use super::{print_json, say, simulate, table};
use crate::cli;

pub(super) fn run(command: cli::Task) -> miette::Result<()> {
    match command {
        cli::Task::Check { file, json } => check(&file, json),
        cli::Task::Graph { file, mermaid, svg: _, output } => graph(&file, mermaid, output.as_deref()),
        cli::Task::Simulate(options) => simulate::run(&options),
    }
}

/// A task from its file.
pub(super) fn load(file: &Path) -> miette::Result<Task> {
    let sources = bramble_task::read(file).into_diagnostic()?;
    Ok(bramble_task::load(&sources)?)
}

fn graph(file: &Path, mermaid: bool, output: Option<&Path>) -> miette::Result<()> {
    let task = load(file)?;
    let picture = match mermaid {
        true => task.mermaid(),
        false => task.svg(),
    };
    match output {
        Some(path) => std::fs::write(path, picture)
            .into_diagnostic()
            .wrap_err_with(|| format!("the picture can't be written to {}", path.display())),
        None => {
            say(format_args!("{}", picture.trim_end()));
            Ok(())
        }
    }
}

fn check(file: &Path, as_json: bool) -> miette::Result<()> {
    let task = load(file)?;
    let definition = &task.definition;
    if as_json {
        return print_json(&task.summary());
    }
    say(format_args!(
        "{} is in order: {}, {} stages",
        file.display(),
        definition.name,
        definition.stages.len()
    ));
    if !definition.doc.is_empty() {
        say(format_args!("\n{}", definition.doc.trim_end()));
    }
    if !definition.parameters.is_empty() {
        let mut rows = table(&["parameter", "type", "default", "range", "live", ""]);
        for one in &definition.parameters {
            let live = if one.live { "live" } else { "" };
            let default = one.kind.show(one.default);
            rows.add_row([one.name.as_str(), &one.kind.to_string(), &default, &range(one), live, &one.doc]);
        }
        say(format_args!("\n{}", rows.trim_fmt()));
    }
    if !definition.devices.is_empty() {
        let mut rows = table(&["hardware", "kind", "ports", ""]);
        for one in &definition.devices {
            rows.add_row([one.name.as_str(), one.kind.word(), &ports(one).join(", "), &one.doc]);
        }
        say(format_args!("\n{}", rows.trim_fmt()));
    }
    if !definition.columns.is_empty() {
        let mut rows = table(&["column", "type", ""]);
        for one in &definition.columns {
            rows.add_row([one.name.as_str(), &one.kind.to_string(), &one.doc]);
        }
        say(format_args!("\n{}", rows.trim_fmt()));
    }
    Ok(())
}

fn range(parameter: &Parameter) -> String {
    let show = |value: Value| parameter.kind.show(value);
    match (parameter.min, parameter.max) {
        (Some(min), Some(max)) => format!("{} to {}", show(min), show(max)),
        (Some(min), None) => format!("{} and more", show(min)),
        (None, Some(max)) => format!("up to {}", show(max)),
        (None, None) => String::new(),
    }
}

fn ports(device: &Device) -> Vec<&str> {
    device.ports.iter().map(bramble_value::Name::as_str).collect()
}
