//! The trial table while a session fills it.

use bramble_task::TaskDefinition;
use bramble_task::definition::ColumnId;
use bramble_value::{Ending, Kind, Row, Time, Value};

use super::Session;

/// The present trial and what is left of the last.
#[derive(Debug)]
pub(crate) struct Table {
    /// The trial, from 1; 0 before the first.
    pub(crate) number: u32,
    /// When the present trial started, while there is one.
    start: Option<Time>,
    carries: Vec<bool>,
    pub(crate) values: Vec<Option<Value>>,
    /// What the columns held at the end of the last trial.
    pub(crate) last: Vec<Option<Value>>,
}

impl Table {
    pub(crate) fn new(task: &TaskDefinition) -> Table {
        Table {
            number: 0,
            start: None,
            carries: task.columns.iter().map(|column| column.carry.is_some()).collect(),
            values: vec![None; task.columns.len()],
            last: vec![None; task.columns.len()],
        }
    }

    /// The session begins with these values.
    pub(crate) fn begin(&mut self, first: Vec<Option<Value>>) {
        self.values = first;
    }

    /// The present trial; 0 outside of any.
    pub(crate) fn present(&self) -> u32 {
        if self.start.is_some() { self.number } else { 0 }
    }

    fn start_trial(&mut self, now: Time) {
        self.number += 1;
        self.start = Some(now);
        for (value, _) in self.values.iter_mut().zip(&self.carries).filter(|(_, carries)| !**carries) {
            *value = None;
        }
    }

    pub(crate) fn end_trial(&mut self, now: Time, ending: Ending) -> Row {
        self.last.copy_from_slice(&self.values);
        Row {
            trial: self.number,
            start: self.start.take().unwrap_or(now),
            end: now,
            ending,
            values: self.values.clone(),
        }
    }
}

impl Session {
    /// A trial starts.
    pub(crate) fn start_trial(&mut self) {
        self.table.start_trial(self.now);
        for stage in &mut self.stages {
            stage.since = None;
        }
    }

    /// Changes of live parameters take effect.
    pub(crate) fn take_changes(&mut self) {
        for (place, value) in self.changes.drain(..) {
            self.parameters[place] = value;
        }
    }

    /// Writes a column.
    pub(crate) fn write(&mut self, column: ColumnId, value: Option<Value>) {
        self.table.values[column.index()] = value;
        let source = self.sources.column(column);
        self.event(Kind::Column, source, value.map_or(f64::NAN, Value::to_f64));
    }
}
