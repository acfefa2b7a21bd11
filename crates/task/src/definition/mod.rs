//! A checked task, as data: what the engine runs, the rig is held against, and
//! files and pictures are made of.
//!
//! Everything is referred to by its place in a list of the [`TaskDefinition`],
//! and every such place is in bounds: only this crate makes them.

mod action;
mod declaration;
mod expression;
mod stage;

use bramble_value::{Name, Names, Source, SourceKind};
use serde::{Deserialize, Serialize};

pub use bramble_value::Sources;

pub use action::{
    Action, Command, DisplayCommand, Reaction, Response, Segment, Stimulus, StimulusKind, Transition, What,
};
pub use declaration::{
    Carry, Column, Counter, Device, DeviceKind, First, Message, Parameter, Plot, PlotKind, Timer, UntilRow,
};
pub use expression::{
    ChoiceTable, Condition, Edge, Expression, PortChoice, PortRef, PortTable, Threshold, Trigger,
};
pub use stage::{CompleteOn, Handler, Handlers, Repeat, SkipIf, Stage, StageKind, Trials};

macro_rules! places {
    ($($(#[doc = $doc:literal])* $id:ident;)*) => {
        $($(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub struct $id(pub u16);

        impl $id {
            /// The place as an index.
            pub fn index(self) -> usize {
                usize::from(self.0)
            }
        })*
    };
}

places! {
    /// A stage's place in [`TaskDefinition::stages`].
    StageId;
    /// A parameter's place in [`TaskDefinition::parameters`].
    ParameterId;
    /// A column's place in [`TaskDefinition::columns`].
    ColumnId;
    /// A device's place in [`TaskDefinition::devices`].
    DeviceId;
    /// A message's place in [`TaskDefinition::messages`].
    MessageId;
    /// A timer's place in [`TaskDefinition::timers`].
    TimerId;
    /// A counter's place in [`TaskDefinition::counters`].
    CounterId;
    /// A function of the task file, kept beside the definition.
    FunctionId;
}

/// One port of one device; a device without ports has one, which is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PortId {
    /// The device.
    pub device: DeviceId,
    /// The port's place among the device's ports.
    pub port: u16,
}

/// Where something was written, for messages.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Place {
    /// The file's path, as in [`Sources`].
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
    /// How many characters it is long.
    pub length: u32,
}

/// A task that was checked: whatever is referred to is there.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskDefinition {
    /// The task's name: `task(name = ...)`, or the file's.
    pub name: String,
    /// The file's doc string.
    pub doc: String,
    /// Parameters, in the order of the file.
    pub parameters: Vec<Parameter>,
    /// Devices, in the order of the file.
    pub devices: Vec<Device>,
    /// Columns, in the order of the file.
    pub columns: Vec<Column>,
    /// Messages that may come or be emitted.
    pub messages: Vec<Message>,
    /// Timers.
    pub timers: Vec<Timer>,
    /// Counters.
    pub counters: Vec<Counter>,
    /// Every stage; a parent comes before its children, and children of one
    /// parent are in the order of the file.
    pub stages: Vec<Stage>,
    /// What to draw.
    pub plots: Vec<Plot>,
}

impl TaskDefinition {
    /// The stage that is the whole task.
    pub const ROOT: StageId = StageId(0);

    /// The parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<(ParameterId, &Parameter)> {
        let place = self.parameters.iter().position(|parameter| parameter.name.as_str() == name)?;
        Some((ParameterId(place as u16), &self.parameters[place]))
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<(ColumnId, &Column)> {
        let place = self.columns.iter().position(|column| column.name.as_str() == name)?;
        Some((ColumnId(place as u16), &self.columns[place]))
    }

    /// The device of this name.
    pub fn device(&self, name: &str) -> Option<(DeviceId, &Device)> {
        let place = self.devices.iter().position(|device| device.name.as_str() == name)?;
        Some((DeviceId(place as u16), &self.devices[place]))
    }

    /// The message of this name.
    pub fn message(&self, name: &str) -> Option<(MessageId, &Message)> {
        let place = self.messages.iter().position(|message| message.name.as_str() == name)?;
        Some((MessageId(place as u16), &self.messages[place]))
    }

    /// The stage that is the task's `trials`, if it has one.
    pub fn trials(&self) -> Option<(StageId, &Trials)> {
        self.stages.iter().enumerate().find_map(|(place, stage)| match &stage.kind {
            StageKind::Trials(trials) => Some((StageId(place as u16), trials)),
            _ => None,
        })
    }

    /// A port as it is written in files and messages: `poke.left`, or `beam`.
    pub fn port_name(&self, port: PortId) -> String {
        let device = &self.devices[port.device.index()];
        match device.ports.get(usize::from(port.port)) {
            Some(name) => format!("{}.{name}", device.name),
            None => device.name.to_string(),
        }
    }

    /// What the sources in a session's events stand for. See [`SourceMap`].
    pub fn names(&self) -> Names {
        let mut sources = vec![(SourceKind::Session, self.name.clone())];
        sources.extend(self.stages.iter().map(|stage| (SourceKind::Stage, stage.path.clone())));
        for (device, declared) in self.devices.iter().enumerate() {
            for port in 0..declared.port_count() {
                let port = PortId { device: DeviceId(device as u16), port };
                sources.push((SourceKind::Port, self.port_name(port)));
            }
        }
        let named = |kind, name: &Name| (kind, name.to_string());
        sources.extend(self.columns.iter().map(|column| named(SourceKind::Column, &column.name)));
        sources.extend(self.parameters.iter().map(|one| named(SourceKind::Parameter, &one.name)));
        sources.extend(self.messages.iter().map(|one| named(SourceKind::Message, &one.name)));
        sources.extend(self.timers.iter().map(|one| named(SourceKind::Timer, &one.name)));
        sources.extend(self.counters.iter().map(|one| named(SourceKind::Counter, &one.name)));
        Names { sources }
    }
}

/// From what a task declares to its [`Source`] in the session's [`Names`], and
/// back for ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceMap {
    /// The first source of each device's ports.
    devices: Vec<u16>,
    columns: u16,
    parameters: u16,
    messages: u16,
    timers: u16,
    counters: u16,
    /// The first source after all that the task declares.
    end: u16,
}

impl SourceMap {
    /// The source that is the session itself.
    pub const SESSION: Source = Source(0);

    /// The map of this task, in the order of [`TaskDefinition::names`].
    pub fn new(task: &TaskDefinition) -> SourceMap {
        let mut next = 1 + task.stages.len() as u16;
        let mut devices = Vec::with_capacity(task.devices.len());
        for device in &task.devices {
            devices.push(next);
            next += device.port_count();
        }
        let mut take = |count: usize| {
            let first = next;
            next += count as u16;
            first
        };
        SourceMap {
            devices,
            columns: take(task.columns.len()),
            parameters: take(task.parameters.len()),
            messages: take(task.messages.len()),
            timers: take(task.timers.len()),
            counters: take(task.counters.len()),
            end: next,
        }
    }

    /// A stage's source.
    pub fn stage(&self, stage: StageId) -> Source {
        Source(1 + stage.0)
    }

    /// A port's source. A device after the task's own is one that the rig has in
    /// every session: its one port comes after all that the task declares.
    pub fn port(&self, port: PortId) -> Source {
        let device = port.device.index();
        match self.devices.get(device) {
            Some(first) => Source(first + port.port),
            None => Source(self.end + (device - self.devices.len()) as u16),
        }
    }

    /// A column's source.
    pub fn column(&self, column: ColumnId) -> Source {
        Source(self.columns + column.0)
    }

    /// A parameter's source.
    pub fn parameter(&self, parameter: ParameterId) -> Source {
        Source(self.parameters + parameter.0)
    }

    /// A message's source.
    pub fn message(&self, message: MessageId) -> Source {
        Source(self.messages + message.0)
    }

    /// A timer's source.
    pub fn timer(&self, timer: TimerId) -> Source {
        Source(self.timers + timer.0)
    }

    /// A counter's source.
    pub fn counter(&self, counter: CounterId) -> Source {
        Source(self.counters + counter.0)
    }
}
