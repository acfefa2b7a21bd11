//! Whole sessions in simulated time, as fast as they can be computed.

use std::sync::Arc;

use bramble_engine::{Settings, SettingsError};
use bramble_rig::Dose;
use bramble_rig::driver::{Pace, Simulated, inbox};
use bramble_rig::remote::Remotes;
use bramble_rig::session::{Around, FunctionHost, Outcome, Session, Verdict};
use bramble_rig::{Misfit, WaterMeter, Wiring};
use bramble_task::TaskDefinition;
use bramble_task::definition::{DeviceKind, SourceMap};
use bramble_value::{Record, Row, Span, Trials, Value, ValueType};
use thiserror::Error;

use crate::animal::Animal;

/// How long a session lasts where nobody says.
const DAY: Span = Span::from_s(24 * 3600);

/// When a simulated session ends, if its task doesn't end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// After this many trials.
    pub trials: Option<u32>,
    /// After this much simulated time. Where neither is given, a day.
    pub time: Option<Span>,
}

/// A session that can't be simulated.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SimulationError {
    /// The parameters aren't the task's.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The task can't have a rig. A rig of its own fits every task that was checked.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// The animal was written with a mistake, which was met.
    #[error("the animal made a mistake: {0}")]
    Animal(String),
}

/// A session that was simulated.
pub struct Simulation {
    /// The trial table.
    pub trials: Trials,
    /// Everything that was recorded, in order; rows and notes among it.
    pub records: Vec<Record>,
    /// How the session ended.
    pub outcome: Outcome,
    /// The session in numbers.
    pub summary: Summary,
    /// The animal, with what it learned.
    pub animal: Box<dyn Animal>,
}

/// A session in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// How many trials it had.
    pub trials: usize,
    /// How long it lasted, in simulated time.
    pub duration: Span,
    /// How much water was given, in microliters.
    pub water: f64,
    /// How often each value of each column that is a choice or a boolean came.
    pub columns: Vec<ColumnSummary>,
}

/// How often the values of one column came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSummary {
    /// The column.
    pub name: String,
    /// Each value it may have, and how many trials had it.
    pub counts: Vec<(String, usize)>,
    /// How many trials had none.
    pub missing: usize,
}

/// Simulates a session of `task` on a rig that has just what the task wants.
///
/// # Errors
/// [`SimulationError`] where the parameters aren't the task's, or the animal
/// was written with a mistake.
pub fn simulate(
    task: Arc<TaskDefinition>,
    functions: &mut dyn FunctionHost,
    settings: Settings,
    animal: Box<dyn Animal>,
    limits: Limits,
) -> Result<Simulation, SimulationError> {
    let wiring = Wiring::simulated(&task)?;
    let session = Session::new(Arc::clone(&task), settings, wiring.clone())?
        .at_most(limits.time.unwrap_or(DAY.max(day_for(limits))));
    let mut driver = Simulated::new(&wiring, animal, Pace::Free);
    // Nobody posts to it: the animal and the task are all there is.
    let (_, inbox) = inbox();
    let mut records: Vec<Record> = Vec::new();
    let mut judge = |row: &Row| match limits.trials {
        Some(most) if row.trial >= most => Verdict::EndAfterTrial("all trials that were asked for".into()),
        _ => Verdict::Continue,
    };
    let outcome = session.run(Around {
        driver: &mut driver,
        remotes: &mut Remotes::new(),
        inbox: &inbox,
        functions,
        recorder: &mut records,
        judge: &mut judge,
    });
    let animal = driver.into_world();
    if let Some(mistake) = animal.mistake() {
        return Err(SimulationError::Animal(mistake.to_owned()));
    }
    let columns = task.columns.iter().map(|column| (column.name.to_string(), column.kind.clone())).collect();
    let rows = records.iter().filter_map(|record| match record {
        Record::Row(row) => Some(row.clone()),
        _ => None,
    });
    let trials = Trials { columns, rows: rows.collect() };
    let summary = Summary {
        trials: trials.rows.len(),
        duration: outcome.end.since(outcome.start),
        water: water(&task, &wiring, &records),
        columns: trials.columns.iter().enumerate().filter_map(|(place, _)| count(&trials, place)).collect(),
    };
    Ok(Simulation { trials, records, outcome, summary, animal })
}

/// Time enough for as many trials as were asked for, at a minute each.
fn day_for(limits: Limits) -> Span {
    Span::from_s(limits.trials.unwrap_or(0).saturating_mul(60))
}

/// What the valves gave: what flowed while they were open.
fn water(task: &TaskDefinition, wiring: &Wiring, records: &[Record]) -> f64 {
    let sources = SourceMap::new(task);
    let valves = wiring.ports().filter(|(_, wire)| wire.kind == DeviceKind::Solenoid);
    let mut meter: WaterMeter =
        valves.map(|(port, wire)| (sources.port(port), wire.dose.clone().unwrap_or(Dose::TYPICAL))).collect();
    for record in records {
        if let Record::Event(event) = record {
            meter.note(event);
        }
    }
    meter.microliters()
}

fn count(trials: &Trials, place: usize) -> Option<ColumnSummary> {
    let (name, kind) = trials.columns.get(place)?;
    let names: Vec<String> = match kind {
        ValueType::Boolean => vec!["false".to_owned(), "true".to_owned()],
        ValueType::Choice(choices) => choices.iter().map(ToString::to_string).collect(),
        _ => return None,
    };
    let mut counts: Vec<(String, usize)> = names.into_iter().map(|name| (name, 0)).collect();
    let mut missing = 0;
    for row in &trials.rows {
        let value = row.values.get(place).copied().flatten().map(Value::to_f64);
        match value.and_then(|value| counts.get_mut(value as usize)) {
            Some((_, count)) => *count += 1,
            None => missing += 1,
        }
    }
    Some(ColumnSummary { name: name.clone(), counts, missing })
}
