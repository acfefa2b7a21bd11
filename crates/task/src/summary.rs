//! What a task is, for scripts and the page: as JSON with plain words.

use bramble_value::{Name, Value, ValueType};
use serde::Serialize;

use crate::definition::{Column, Device, Parameter, PlotKind, Stage, StageId};
use crate::graph::{Lead, Say};
use crate::load::Task;

/// A task in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = TaskView))]
pub struct Summary {
    /// Its name.
    pub name: String,
    /// The file's doc string.
    pub doc: String,
    /// Its parameters.
    pub parameters: Vec<ParameterSummary>,
    /// Its devices.
    pub hardware: Vec<DeviceSummary>,
    /// The columns of its trial table.
    pub columns: Vec<ColumnSummary>,
    /// The messages it takes.
    pub messages: Vec<MessageSummary>,
    /// Its stages, parents before their children.
    pub stages: Vec<StageSummary>,
    /// What to draw.
    pub plots: Vec<PlotSummary>,
}

/// A parameter in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are a parameter's")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ParameterSummary {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// Of a quantity's numbers; empty where it has none.
    pub unit: &'static str,
    /// What it may be, where it is a choice.
    pub choices: Vec<String>,
    pub default: String,
    pub min: Option<String>,
    pub max: Option<String>,
    pub live: bool,
    pub doc: String,
}

/// A device in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are a device's")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeviceSummary {
    pub name: String,
    pub kind: &'static str,
    pub ports: Vec<String>,
    pub unit: String,
    pub doc: String,
}

/// A column in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are a column's")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ColumnSummary {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub unit: &'static str,
    /// What it may be, where it is a choice.
    pub choices: Vec<String>,
    pub carried: bool,
    pub doc: String,
}

/// A message in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are a message's")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MessageSummary {
    pub name: String,
    pub button: bool,
}

/// A stage in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are a stage's")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StageSummary {
    pub name: String,
    /// A name that no other stage of the task has.
    pub path: String,
    pub kind: &'static str,
    /// Its kind, and what that says: `delay 200 ms`.
    pub heading: String,
    /// What it does besides leading elsewhere.
    pub notes: Vec<String>,
    pub parent: Option<StageId>,
    pub children: Vec<StageId>,
    /// What leads out of it, or is done while it goes on.
    pub ways: Vec<WaySummary>,
    pub line: u32,
}

/// A way out of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WaySummary {
    /// What causes it, and what is done then: `poke.left rises: outcome = correct`.
    pub words: String,
    /// Where it may lead; empty where the stage goes on.
    pub leads: Vec<LeadSummary>,
}

/// Where a stage may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum LeadSummary {
    /// To this stage.
    Goto(StageId),
    /// To the end of the stages around it.
    Done,
    /// To whatever follows it.
    Next,
    /// To the end of the session.
    Stop,
}

/// A plot in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are a plot's")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PlotSummary {
    pub kind: &'static str,
    pub columns: Vec<String>,
    pub of: Option<String>,
    pub window: Option<u32>,
}

impl Task {
    /// The task in plain words, with where its functions may lead.
    pub fn summary(&self) -> Summary {
        summary(&Say { task: &self.definition, sketches: &self.sketches })
    }
}

fn summary(say: &Say<'_>) -> Summary {
    let task = say.task;
    let stages = (0..).map(StageId).zip(&task.stages);
    Summary {
        name: task.name.clone(),
        doc: task.doc.clone(),
        parameters: task.parameters.iter().map(parameter).collect(),
        hardware: task.devices.iter().map(device).collect(),
        columns: task.columns.iter().map(column).collect(),
        messages: (task.messages.iter())
            .map(|message| MessageSummary { name: message.name.to_string(), button: message.button })
            .collect(),
        stages: stages.map(|(id, one)| stage(say, id, one)).collect(),
        plots: (task.plots.iter())
            .map(|plot| {
                let columns = || plot.columns.iter().map(|column| &task.columns[column.index()]);
                let shown = |of: Value| columns().next_back().map(|column| column.kind.show(of));
                PlotSummary {
                    kind: plot_word(plot.kind),
                    columns: columns().map(|column| column.name.to_string()).collect(),
                    of: plot.of.and_then(shown),
                    window: plot.window,
                }
            })
            .collect(),
    }
}

fn stage(say: &Say<'_>, id: StageId, one: &Stage) -> StageSummary {
    let lead = |lead: Lead| match lead {
        Lead::Goto(stage) => LeadSummary::Goto(stage),
        Lead::Done => LeadSummary::Done,
        Lead::Next => LeadSummary::Next,
        Lead::Stop => LeadSummary::Stop,
    };
    let ways = say.ways(id, one).into_iter();
    StageSummary {
        name: one.name.clone(),
        path: one.path.clone(),
        kind: one.kind.word(),
        heading: say.heading(one),
        notes: say.notes(one),
        parent: one.parent,
        children: one.kind.children().to_vec(),
        ways: ways
            .map(|way| WaySummary { words: way.words, leads: way.leads.into_iter().map(lead).collect() })
            .collect(),
        line: one.place.line,
    }
}

fn parameter(one: &Parameter) -> ParameterSummary {
    let show = |value: Value| one.kind.show(value);
    ParameterSummary {
        name: one.name.to_string(),
        kind: one.kind.to_string(),
        unit: one.kind.unit(),
        choices: choices(&one.kind),
        default: show(one.default),
        min: one.min.map(show),
        max: one.max.map(show),
        live: one.live,
        doc: one.doc.clone(),
    }
}

fn device(one: &Device) -> DeviceSummary {
    let ports = one.ports.iter().map(Name::to_string).collect();
    DeviceSummary {
        name: one.name.to_string(),
        kind: one.kind.word(),
        ports,
        unit: one.unit.clone(),
        doc: one.doc.clone(),
    }
}

fn column(one: &Column) -> ColumnSummary {
    ColumnSummary {
        name: one.name.to_string(),
        kind: one.kind.to_string(),
        unit: one.kind.unit(),
        choices: choices(&one.kind),
        carried: one.carry.is_some(),
        doc: one.doc.clone(),
    }
}

fn choices(kind: &ValueType) -> Vec<String> {
    kind.choices().iter().map(Name::to_string).collect()
}

fn plot_word(kind: PlotKind) -> &'static str {
    match kind {
        PlotKind::Points => "points",
        PlotKind::Line => "line",
        PlotKind::RollingMean => "rolling_mean",
        PlotKind::Spans => "spans",
        PlotKind::Psychometric => "psychometric",
    }
}
