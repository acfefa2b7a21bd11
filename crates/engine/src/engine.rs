//! The engine: inputs go in with their times, outputs come out in order.

use std::sync::Arc;

use bramble_task::TaskDefinition;
use bramble_task::call::Returned;
use bramble_task::definition::StageId;
use bramble_value::{Ending, Time, Value};

use crate::exchange::{Input, Output};
use crate::session::{Pending, Session};
use crate::settings::{Settings, SettingsError};

/// One session of a task.
///
/// Change it (`start`, `handle`, `advance`, `answer`), then take its outputs
/// with `poll` until there are none, then sleep until `deadline` or the next
/// input. Work is done while outputs are taken, a little for each, so that what
/// a long chain of stages puts out never piles up.
pub struct Engine {
    task: Arc<TaskDefinition>,
    session: Session,
}

impl Engine {
    /// A session that has not started.
    pub fn new(task: Arc<TaskDefinition>, settings: Settings) -> Result<Engine, SettingsError> {
        settings.check(&task)?;
        let session = Session::new(&task, settings);
        Ok(Engine { task, session })
    }

    /// Starts the session.
    pub fn start(&mut self, now: Time) {
        self.session.hand_in(Pending::Start(now));
    }

    /// Hands in what happened `at` a time. Deadlines before that run first. An
    /// input handed in before the start is recorded and sets what its port is,
    /// and no more. An input stamped before what was already done is taken now,
    /// keeps its stamp, and is followed by a `Late` event.
    ///
    /// While a call is not answered, what is handed in waits, in order, in a
    /// queue that is as long as the wait makes it: who evaluates functions
    /// bounds their time. All that is done afterwards carries its own time, so a
    /// session doesn't depend on how long the answer took.
    pub fn handle(&mut self, input: Input, at: Time) {
        self.session.hand_in(Pending::Input(input, at));
    }

    /// Lets time pass: every deadline up to and including `now` runs.
    pub fn advance(&mut self, now: Time) {
        self.session.hand_in(Pending::Advance(now));
    }

    /// Gives the result of the call of this number, or what went wrong with it,
    /// which ends the session. An answer to another call than the present one
    /// does nothing.
    pub fn answer(&mut self, number: u64, result: Result<Returned, String>) {
        self.session.answer(&self.task, number, result);
    }

    /// The next output, or nothing until something is handed in.
    pub fn poll(&mut self) -> Option<Output> {
        self.session.poll(&self.task)
    }

    /// When to `advance` next if nothing happens before, once all outputs have
    /// been taken; nothing while a call is not answered.
    pub fn deadline(&self) -> Option<Time> {
        self.session.deadline()
    }

    /// How the session ended, once it has.
    pub fn ended(&self) -> Option<Ending> {
        self.session.ended()
    }

    /// The task.
    pub fn task(&self) -> &Arc<TaskDefinition> {
        &self.task
    }

    /// The trial, from 1; 0 before the first.
    pub fn trial(&self) -> u32 {
        self.session.table().number
    }

    /// The columns, in the order of the task; `None` is missing.
    pub fn columns(&self) -> &[Option<Value>] {
        &self.session.table().values
    }

    /// The parameters as they are in effect, in the order of the task.
    pub fn parameters(&self) -> &[Value] {
        self.session.parameters()
    }

    /// Whether the session was paused, and not resumed since.
    pub fn is_paused(&self) -> bool {
        self.session.is_paused()
    }

    /// Whether a trial would have begun but for a pause.
    pub fn is_held(&self) -> bool {
        self.session.is_held()
    }

    /// The stages that are running, parents before their children.
    pub fn running(&self) -> impl Iterator<Item = StageId> + '_ {
        self.session.running()
    }
}
