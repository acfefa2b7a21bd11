//! What a task is, for scripts and the page: as JSON with plain words.

use bramble_value::{Name, Value};
use serde::Serialize;

use crate::definition::{Column, Device, Parameter, PlotKind, StageId, TaskDefinition};

/// A task in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
pub struct ParameterSummary {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub default: String,
    pub min: Option<String>,
    pub max: Option<String>,
    pub live: bool,
    pub doc: String,
}

/// A device in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are a device's")]
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
pub struct ColumnSummary {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub unit: &'static str,
    pub carried: bool,
    pub doc: String,
}

/// A message in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are a message's")]
pub struct MessageSummary {
    pub name: String,
    pub button: bool,
}

/// A stage in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are a stage's")]
pub struct StageSummary {
    pub path: String,
    pub kind: &'static str,
    pub parent: Option<StageId>,
    pub line: u32,
}

/// A plot in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are a plot's")]
pub struct PlotSummary {
    pub kind: &'static str,
    pub columns: Vec<String>,
    pub of: Option<String>,
    pub window: Option<u32>,
}

impl TaskDefinition {
    /// The task in plain words.
    pub fn summary(&self) -> Summary {
        Summary {
            name: self.name.clone(),
            doc: self.doc.clone(),
            parameters: self.parameters.iter().map(parameter).collect(),
            hardware: self.devices.iter().map(device).collect(),
            columns: self.columns.iter().map(column).collect(),
            messages: (self.messages.iter())
                .map(|message| MessageSummary { name: message.name.to_string(), button: message.button })
                .collect(),
            stages: (self.stages.iter())
                .map(|stage| StageSummary {
                    path: stage.path.clone(),
                    kind: stage.kind.word(),
                    parent: stage.parent,
                    line: stage.place.line,
                })
                .collect(),
            plots: (self.plots.iter())
                .map(|plot| {
                    let columns = || plot.columns.iter().map(|column| &self.columns[column.index()]);
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
}

fn parameter(one: &Parameter) -> ParameterSummary {
    let show = |value: Value| one.kind.show(value);
    ParameterSummary {
        name: one.name.to_string(),
        kind: one.kind.to_string(),
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
        carried: one.carry.is_some(),
        doc: one.doc.clone(),
    }
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
