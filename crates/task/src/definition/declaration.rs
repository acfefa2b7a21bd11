//! What a task file declares before its stages.

use bramble_value::{Name, Value, ValueType};
use serde::{Deserialize, Serialize};

use super::{ColumnId, CounterId, Expression, FunctionId, Place, Trigger};

/// A parameter: a value that a protocol or a person may choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: Name,
    /// What it holds.
    pub kind: ValueType,
    /// Its value where nobody chose another.
    pub default: Value,
    /// The least it may be.
    pub min: Option<Value>,
    /// The most it may be.
    pub max: Option<Value>,
    /// What it is for.
    pub doc: String,
    /// Whether it may be changed while a session runs.
    pub live: bool,
    /// Where it was written.
    pub place: Place,
}

/// What kind of thing a device is: what may be asked of it and what it may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// High or low: a poke, a lick, a beam, a lever.
    DigitalInput,
    /// A number: a load cell, a photodiode.
    AnalogInput,
    /// On or off: a light, a motor, a trigger to a camera.
    DigitalOutput,
    /// On at a level from 0 to 1: a dimmable light, a fan.
    LevelOutput,
    /// A valve that gives liquid.
    Solenoid,
    /// A wheel: a position.
    Encoder,
    /// A screen.
    Display,
    /// A speaker.
    Sound,
    /// A camera.
    Camera,
}

impl DeviceKind {
    /// Every kind there is.
    pub const ALL: &[DeviceKind] = &[
        DeviceKind::DigitalInput,
        DeviceKind::AnalogInput,
        DeviceKind::DigitalOutput,
        DeviceKind::LevelOutput,
        DeviceKind::Solenoid,
        DeviceKind::Encoder,
        DeviceKind::Display,
        DeviceKind::Sound,
        DeviceKind::Camera,
    ];

    /// The word for it, in task files and in configuration.
    pub fn word(self) -> &'static str {
        match self {
            DeviceKind::DigitalInput => "digital_input",
            DeviceKind::AnalogInput => "analog_input",
            DeviceKind::DigitalOutput => "digital_output",
            DeviceKind::LevelOutput => "level_output",
            DeviceKind::Solenoid => "solenoid",
            DeviceKind::Encoder => "encoder",
            DeviceKind::Display => "display",
            DeviceKind::Sound => "sound",
            DeviceKind::Camera => "camera",
        }
    }
}

/// A device, or a group of like devices told apart by their ports.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub kind: DeviceKind,
    /// The names of its ports; empty for a single device.
    pub ports: Vec<Name>,
    /// The unit of what it measures, for an encoder or an analog input; or empty.
    pub unit: String,
    /// What it is for.
    pub doc: String,
    /// Where it was written.
    pub place: Place,
}

impl Device {
    /// How many ports it has; a single device counts as one.
    pub fn port_count(&self) -> u16 {
        self.ports.len().max(1) as u16
    }
}

/// A column of the trial table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: Name,
    /// What it holds.
    pub kind: ValueType,
    /// What it means.
    pub doc: String,
    /// Whether a trial starts with the value the last one ended with.
    pub carry: Option<Carry>,
    /// Where it was written.
    pub place: Place,
}

/// The memory of a column that is carried from trial to trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Carry {
    /// What the first trial starts with.
    pub first: First,
    /// Whether the first trial starts with the subject's last session's value
    /// where there is one.
    pub keep: bool,
}

/// What a carried column starts with.
#[derive(Debug, Clone, PartialEq)]
pub enum First {
    /// Nothing: it is missing until written (`keep = True` without `carry`).
    Missing,
    /// This value.
    Value(Value),
    /// What this function of the session returns.
    Function(FunctionId),
}

/// A message, from the page, a child or `emit`.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its name.
    pub name: Name,
    /// Whether the page shows a button for it.
    pub button: bool,
    /// Where it was written.
    pub place: Place,
}

/// A timer that any stage may start, stop and wait for.
#[derive(Debug, Clone, PartialEq)]
pub struct Timer {
    /// Its name.
    pub name: Name,
    /// Where it was written.
    pub place: Place,
}

/// A counter of an event, which counts whatever stage is active.
#[derive(Debug, Clone, PartialEq)]
pub struct Counter {
    /// Its name.
    pub name: Name,
    /// What it counts; its port is [`super::PortChoice::Fixed`] or any.
    pub of: Trigger,
    /// Where it was written.
    pub place: Place,
}

/// Something to draw while a session runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// How it is drawn.
    pub kind: PlotKind,
    /// The columns it is drawn from; for a psychometric curve, the stimulus and
    /// then the response.
    pub columns: Vec<ColumnId>,
    /// The value that counts as 1, where the plot is of a share.
    pub of: Option<Value>,
    /// Over how many trials, where the plot has a window.
    pub window: Option<u32>,
}

/// How a plot is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlotKind {
    /// A point a trial.
    Points,
    /// A line through the trials.
    Line,
    /// The mean, or the share, over a window of trials.
    RollingMean,
    /// A shaded span while the column is true, or has the value `of`.
    Spans,
    /// The share of one response against the stimulus.
    Psychometric,
}

/// When a repetition that asks after each row ends: a condition of the trial.
#[derive(Debug, Clone, PartialEq)]
pub enum UntilRow {
    /// What this function returns.
    Function(FunctionId),
    /// A boolean value.
    Value(Expression),
    /// A counter's count reached this number.
    Reaches(CounterId, Expression),
}
