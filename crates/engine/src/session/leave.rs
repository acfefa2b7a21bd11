//! How turns and stages end: children before what they are in, each once, and
//! each with its reason.

use bramble_task::TaskDefinition;
use bramble_task::call::{Purpose, Returned};
use bramble_task::definition::{
    Command, DisplayCommand, Reaction, Repeat, SourceMap, StageId, StageKind, UntilRow,
};
use bramble_value::{Ending, Kind, Value};

use super::enter::{is_leaf, is_nothing};
use super::stage::{Outcome, Undo};
use super::step::{List, Step};
use super::{Phase, Session};
use crate::exchange::Output;
use crate::mistake::{Mistake, Pause};

impl Session {
    /// A stage's turn is over. It does not end yet.
    pub(crate) fn turn_over(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        ending: Ending,
    ) -> Result<(), Pause> {
        let state = &mut self.stages[id.index()];
        if !state.in_turn {
            return Ok(());
        }
        state.turn = 0;
        self.agenda.extend([Step::NextTurn(id), Step::TurnEnded(id, ending)]);
        if is_leaf(&task.stages[id.index()].kind) {
            self.push_leaving(id);
        } else {
            self.push_ends(task, id, Ending::Cancelled);
        }
        Ok(())
    }

    /// A stage ends, with all that is in it.
    pub(crate) fn end(&mut self, task: &TaskDefinition, id: StageId, ending: Ending) -> Result<(), Pause> {
        let state = &mut self.stages[id.index()];
        if !state.started {
            return Ok(());
        }
        state.turn = 0;
        let in_turn = state.in_turn;
        self.agenda.push(Step::Ended(id, ending));
        if is_leaf(&task.stages[id.index()].kind) {
            if in_turn {
                self.agenda.push(Step::TurnEnded(id, ending));
            }
            self.push_leaving(id);
            return Ok(());
        }
        self.push_leaving(id);
        if in_turn {
            // What was in it did not come to its own end.
            let cut = if ending == Ending::Done { Ending::Cancelled } else { ending };
            self.agenda.push(Step::TurnEnded(id, cut));
        }
        let within = match ending {
            Ending::Stopped | Ending::Error => ending,
            _ => Ending::Cancelled,
        };
        self.push_ends(task, id, within);
        Ok(())
    }

    fn push_ends(&mut self, task: &TaskDefinition, id: StageId, ending: Ending) {
        for child in task.stages[id.index()].kind.children().iter().rev() {
            if self.stages[child.index()].started {
                self.agenda.push(Step::End(*child, ending));
            }
        }
    }

    fn push_leaving(&mut self, id: StageId) {
        self.agenda.push(Step::Undo(id));
        if self.stages[id.index()].entry != 0 {
            self.agenda.push(Step::Leave(id));
        }
    }

    /// A stage's `leave`, after which it waits for nothing.
    pub(crate) fn leave(&mut self, task: &TaskDefinition, id: StageId) -> Result<(), Pause> {
        match &task.stages[id.index()].leave {
            Reaction::Function(function) => match self.call(id, *function, Purpose::Actions)? {
                Returned::Actions(actions) => {
                    self.returned.actions = actions;
                    self.agenda.push(Step::Act(id, List::Returned, 0));
                }
                _ => return Err(Mistake::Answer.into()),
            },
            reaction if is_nothing(reaction) => {}
            Reaction::Actions(_) => self.agenda.push(Step::Act(id, List::Leave, 0)),
        }
        self.disarm(id);
        Ok(())
    }

    /// The stage waits for nothing more.
    pub(crate) fn disarm(&mut self, id: StageId) {
        let state = &mut self.stages[id.index()];
        state.entry = 0;
        if !state.armed.is_empty() {
            state.armed.clear();
            self.listeners.retain(|listener| *listener != id);
        }
        state.handlers = None;
    }

    /// Undoes what the stage did for as long as it lasts, the last first.
    pub(crate) fn undo(&mut self, id: StageId) -> Result<(), Pause> {
        let Session { stages, outputs, now, .. } = self;
        let state = &mut stages[id.index()];
        let driven = state.drives.take().map(|port| (port, Undo::Stop));
        for (port, undo) in driven.into_iter().chain(state.undo.drain(..).rev()) {
            let command = match undo {
                Undo::Off => Command::Off,
                Undo::Stop => Command::Stop,
                Undo::Clear => Command::Display(DisplayCommand::Clear),
                Undo::Freeze => Command::Display(DisplayCommand::Freeze),
            };
            outputs.push_back(Output::Device { time: *now, port, command });
        }
        Ok(())
    }

    /// A turn has ended, and with it a trial, where it is one.
    pub(crate) fn turn_ended(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        ending: Ending,
    ) -> Result<(), Pause> {
        let state = &mut self.stages[id.index()];
        state.in_turn = false;
        state.turn = 0;
        state.turn_ending = Some(ending);
        let number = state.turn_number;
        self.event(Kind::TurnEnd, self.sources.stage(id), number as f64);
        if let StageKind::Trials(_) = task.stages[id.index()].kind {
            let row = self.table.end_trial(self.now, ending);
            self.outputs.push_back(Output::Row(row));
        }
        Ok(())
    }

    /// The next turn starts, or the stage ends.
    pub(crate) fn next_turn(&mut self, task: &TaskDefinition, id: StageId) -> Result<(), Pause> {
        let stage = &task.stages[id.index()];
        let mut over = false;
        if let StageKind::Trials(trials) = &stage.kind {
            if let Some(why) = self.stop_after_trial.take() {
                self.unwind(Ending::Stopped, why);
                return Ok(());
            }
            if let Some(until) = &trials.until {
                over = self.asks_until(task, id, until)?;
            }
        }
        let state = &mut self.stages[id.index()];
        let next = state.turn_number + 1;
        if over || state.turns.is_some_and(|turns| next >= turns) {
            let ending = match (state.turn_ending, &stage.kind) {
                (Some(Ending::Timeout), kind) if !matches!(kind, StageKind::Trials(_)) => Ending::Timeout,
                _ => Ending::Done,
            };
            self.agenda.extend([Step::Follow(id), Step::Ended(id, ending)]);
            if !is_leaf(&stage.kind) {
                self.push_leaving(id);
            }
            return Ok(());
        }
        state.turn_number = next;
        let unbounded = stage.repeat == Repeat::Forever || matches!(stage.kind, StageKind::Trials(_));
        self.count_turn(task, id)?;
        if unbounded {
            self.count_transition(task, id)?;
        }
        self.agenda.push(Step::Turn(id));
        Ok(())
    }

    fn asks_until(&mut self, task: &TaskDefinition, id: StageId, until: &UntilRow) -> Result<bool, Pause> {
        match until {
            UntilRow::Function(function) => match self.call(id, *function, Purpose::Test)? {
                Returned::Test(over) | Returned::Value(Some(Value::Boolean(over))) => Ok(over),
                _ => Err(Mistake::Answer.into()),
            },
            UntilRow::Value(expression) => self.boolean(task, id, expression),
            UntilRow::Reaches(counter, count) => {
                let count = self.integer(task, id, count)?.max(0) as u64;
                Ok(self.counts[counter.index()] >= count)
            }
        }
    }

    /// A stage has ended.
    pub(crate) fn stage_ended(&mut self, id: StageId, ending: Ending) -> Result<(), Pause> {
        let state = &mut self.stages[id.index()];
        state.started = false;
        state.start = 0;
        state.outcome = Outcome::Ran;
        state.ending = Some(ending);
        self.let_go(id);
        self.event(Kind::StageEnd, self.sources.stage(id), f64::from(ending as u8));
        Ok(())
    }

    /// The session has ended.
    pub(crate) fn over(&mut self, task: &TaskDefinition, ending: Ending) -> Result<(), Pause> {
        let why = match &self.phase {
            Phase::Unwinding(_, why) => why.clone(),
            _ if ending == Ending::Timeout => "the task took as long as it may".into(),
            _ => "the task came to its end".into(),
        };
        debug_assert!(self.stages.iter().all(|stage| !stage.started), "{} left a stage", task.name);
        self.phase = Phase::Over(ending);
        self.pending.clear();
        self.within.clear();
        self.deadlines.clear();
        self.event(Kind::SessionEnd, SourceMap::SESSION, f64::from(ending as u8));
        self.outputs.push_back(Output::Ended { time: self.now, ending, why });
        Ok(())
    }
}
