//! `task simulate`: a whole session with a simulated animal, in no time.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use bramble_engine::Settings;
use bramble_simulation::{Limits, Simulation, named, simulate};
use bramble_value::{Ending, Random, Seed, Trials, Value, ValueType};
use miette::{IntoDiagnostic, WrapErr, miette};
use serde_json::json;

use super::{print_json, say, table, task};
use crate::cli;

pub(super) fn run(options: &cli::Simulate) -> miette::Result<()> {
    let task = task::load(&options.file)?;
    let chosen = options.parameters.iter().cloned().collect();
    let parameters = task.parameters(&chosen)?;
    let seed = Seed(options.seed);
    let kept = task.kept(&options.keep.iter().cloned().collect())?;
    let kept = task.definition.columns.iter().map(|column| kept.get(column.name.as_str()).copied());
    let settings = Settings { parameters, seed, kept: kept.collect() };
    // The animal's chances are not those of the task.
    let animal_seed = Seed(Random::new(seed, "animal", 0).below(u64::MAX));
    let animal = named(&options.animal, animal_seed, "").into_diagnostic()?;
    let limits = Limits { trials: Some(options.trials), time: None };
    let definition = Arc::clone(&task.definition);
    let simulation =
        simulate(definition, &mut task.functions(), settings, animal, limits).into_diagnostic()?;
    if let Some(path) = &options.csv {
        write_csv(path, &simulation.trials)
            .into_diagnostic()
            .wrap_err_with(|| format!("the trial table can't be written to {}", path.display()))?;
    }
    if simulation.outcome.ending == Ending::Error {
        return Err(miette!("{} made a mistake: {}", task.definition.name, simulation.outcome.why));
    }
    if let Some(mistake) = simulation.animal.mistake() {
        return Err(miette!("the animal {} made a mistake: {mistake}", options.animal));
    }
    if options.json {
        return print_json(&as_json(options, &task.definition.name, &simulation));
    }
    show(options, &task.definition.name, &simulation);
    Ok(())
}

fn show(options: &cli::Simulate, task: &str, simulation: &Simulation) {
    let summary = &simulation.summary;
    say(format_args!("{task} with {}, seed {}", options.animal, options.seed));
    let why = match &*simulation.outcome.why {
        "" => String::new(),
        why => format!(": {why}"),
    };
    say(format_args!(
        "{} trials in {} of simulated time, {:.1} uL of water; {}{why}",
        summary.trials,
        clock(summary.duration.seconds()),
        summary.water,
        simulation.outcome.ending.name(),
    ));
    if summary.columns.is_empty() || summary.trials == 0 {
        return;
    }
    let mut rows = table(&["column", "value", "trials", "share"]);
    for column in &summary.columns {
        let missing = [("missing".to_owned(), column.missing)];
        let counted = column.counts.iter().chain(missing.iter().filter(|(_, count)| *count > 0));
        for (place, (value, count)) in counted.enumerate() {
            let name = if place == 0 { column.name.as_str() } else { "" };
            let share = format!("{:.1} %", 100.0 * *count as f64 / summary.trials as f64);
            rows.add_row([name, value, &count.to_string(), &share]);
        }
    }
    say(format_args!("\n{}", rows.trim_fmt()));
}

fn as_json(options: &cli::Simulate, task: &str, simulation: &Simulation) -> serde_json::Value {
    let summary = &simulation.summary;
    let columns = summary.columns.iter().map(|column| {
        let counts: serde_json::Map<_, _> =
            column.counts.iter().map(|(value, count)| (value.clone(), json!(count))).collect();
        (column.name.clone(), json!({ "counts": counts, "missing": column.missing }))
    });
    json!({
        "task": task,
        "animal": options.animal,
        "seed": options.seed,
        "trials": summary.trials,
        "seconds": summary.duration.seconds(),
        "water_ul": summary.water,
        "ending": simulation.outcome.ending.name(),
        "why": &*simulation.outcome.why,
        "columns": columns.collect::<serde_json::Map<_, _>>(),
    })
}

/// The trial table as in the subject file, with numbers in their columns' units.
/// A value that is missing is an empty field, which no value is.
fn write_csv(path: &Path, trials: &Trials) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    write!(file, "trial,start_ns,end_ns,ending")?;
    for (name, _) in &trials.columns {
        write!(file, ",{name}")?;
    }
    writeln!(file)?;
    for row in &trials.rows {
        write!(file, "{},{},{},{}", row.trial, row.start.ns(), row.end.ns(), row.ending.name())?;
        for ((_, kind), value) in trials.columns.iter().zip(&row.values) {
            write!(file, ",{}", value.map(|value| field(kind, value)).unwrap_or_default())?;
        }
        writeln!(file)?;
    }
    file.flush()
}

fn field(kind: &ValueType, value: Value) -> String {
    match value {
        // Names and whole numbers as they are; what has a unit as a number.
        Value::Boolean(_) | Value::Integer(_) | Value::Integers(..) | Value::Choice(_) => kind.show(value),
        value => value.to_f64().to_string(),
    }
}

/// Seconds as hours, minutes and seconds.
fn clock(seconds: f64) -> String {
    let whole = seconds as u64;
    format!("{}:{:02}:{:06.3}", whole / 3600, whole / 60 % 60, seconds % 60.0)
}
