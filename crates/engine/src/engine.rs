//! The engine: inputs go in with their times, outputs come out in order.

use std::sync::Arc;

use bramble_task::TaskDefinition;
use bramble_task::call::Returned;
use bramble_task::definition::StageId;
use bramble_value::{Ending, Time, Value};

use crate::exchange::{Input, Output};
use crate::settings::{Settings, SettingsError};

/// One session of a task.
///
/// Change it (`start`, `handle`, `advance`, `answer`), then take its outputs
/// with `poll` until there are none, then sleep until `deadline` or the next
/// input. Work is done while outputs are taken, a little for each, so that what
/// a long chain of stages puts out never piles up.
pub struct Engine {
    task: Arc<TaskDefinition>,
    settings: Settings,
}

impl Engine {
    /// A session that has not started.
    pub fn new(task: Arc<TaskDefinition>, settings: Settings) -> Result<Engine, SettingsError> {
        settings.check(&task)?;
        Ok(Engine { task, settings })
    }

    /// Starts the session.
    pub fn start(&mut self, _now: Time) {}

    /// Hands in what happened `at` a time. Deadlines before that run first. An
    /// input handed in before the start is recorded and sets what its port is.
    /// An input stamped before what was already done is taken now, keeps its
    /// stamp, and is followed by a `Late` event.
    pub fn handle(&mut self, _input: Input, _at: Time) {}

    /// Lets time pass: every deadline up to and including `now` runs.
    pub fn advance(&mut self, _now: Time) {}

    /// Gives the result of the call of this number, or what went wrong with it.
    pub fn answer(&mut self, _number: u64, _result: Result<Returned, String>) {}

    /// The next output, or nothing until something is handed in.
    pub fn poll(&mut self) -> Option<Output> {
        None
    }

    /// When to `advance` next, if nothing happens before.
    pub fn deadline(&self) -> Option<Time> {
        None
    }

    /// How the session ended, once it has.
    pub fn ended(&self) -> Option<Ending> {
        None
    }

    /// The task.
    pub fn task(&self) -> &Arc<TaskDefinition> {
        &self.task
    }

    /// The trial, from 1; 0 before the first.
    pub fn trial(&self) -> u32 {
        0
    }

    /// The columns, in the order of the task.
    pub fn columns(&self) -> &[Option<Value>] {
        &[]
    }

    /// The parameters, in the order of the task.
    pub fn parameters(&self) -> &[Value] {
        &self.settings.parameters
    }

    /// The stages that are running, parents before their children.
    pub fn running(&self) -> impl Iterator<Item = StageId> + '_ {
        std::iter::empty()
    }
}
