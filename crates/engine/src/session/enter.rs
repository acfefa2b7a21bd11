//! How stages start and turns start, and how stages are entered.

use bramble_task::TaskDefinition;
use bramble_task::call::{Purpose, Returned};
use bramble_task::definition::{
    Carry, ColumnId, First, Handlers, Reaction, Repeat, SkipIf, StageId, StageKind,
};
use bramble_value::{Ending, Kind};

use super::Session;
use super::stage::Outcome;
use super::step::{List, Step};
use crate::deadline::Due;
use crate::mistake::{Mistake, Pause};
use crate::trigger::{Answer, Armed};

impl Session {
    /// The session begins.
    pub(crate) fn begin(&mut self, task: &TaskDefinition) -> Result<(), Pause> {
        let mut first = Vec::with_capacity(task.columns.len());
        for (place, column) in task.columns.iter().enumerate() {
            let kept = self.kept.get(place).copied().flatten();
            first.push(match &column.carry {
                None => None,
                Some(Carry { keep: true, .. }) if kept.is_some() => kept,
                Some(Carry { first: First::Missing, .. }) => None,
                Some(Carry { first: First::Value(value), .. }) => Some(*value),
                Some(Carry { first: First::Function(function), .. }) => {
                    let id = ColumnId(place as u16);
                    match self.call(TaskDefinition::ROOT, *function, Purpose::Carry(id))? {
                        Returned::Value(value) => self.fit_column(task, id, value)?,
                        _ => return Err(Mistake::Answer.into()),
                    }
                }
            });
        }
        let mut counted = Vec::with_capacity(task.counters.len());
        for (place, counter) in task.counters.iter().enumerate() {
            let watch = self.resolve_trigger(task, TaskDefinition::ROOT, &counter.of)?;
            counted.push(Armed::new(Answer::Handler(place as u16), watch));
        }
        let world = self.world();
        for armed in &mut counted {
            // What is the case already has not come to be so.
            armed.look(&world, false);
        }
        self.table.begin(first);
        self.counted = counted;
        self.agenda.push(Step::Start(TaskDefinition::ROOT));
        Ok(())
    }

    /// A stage starts, unless it is disabled or skipped.
    pub(crate) fn start(&mut self, task: &TaskDefinition, id: StageId) -> Result<(), Pause> {
        let stage = &task.stages[id.index()];
        if self.is_skipped(task, id)? {
            self.count_transition(task, id)?;
            let state = &mut self.stages[id.index()];
            state.outcome = Outcome::Skipped;
            state.ending = None;
            self.agenda.push(Step::Follow(id));
            return Ok(());
        }
        let turns = match &stage.repeat {
            Repeat::Once => Some(1),
            Repeat::Times(times) => Some(self.integer(task, id, times)?.max(0) as u64),
            Repeat::Forever => None,
        };
        let timeout = match &stage.timeout {
            Some(timeout) => Some(self.duration(task, id, timeout)?),
            None => None,
        };

        let start = self.next_serial();
        let state = &mut self.stages[id.index()];
        state.started = true;
        state.start = start;
        state.turn_number = 0;
        state.turns = turns;
        state.turn_ending = None;
        self.event(Kind::StageStart, self.sources.stage(id), 0.0);
        if let Some(timeout) = timeout {
            self.set_deadline(self.now + timeout, id, Due::StageTimeout(id), start);
        }
        if turns == Some(0) {
            self.agenda.extend([Step::Follow(id), Step::Ended(id, Ending::Done)]);
        } else {
            self.agenda.push(Step::Turn(id));
        }
        Ok(())
    }

    fn is_skipped(&mut self, task: &TaskDefinition, id: StageId) -> Result<bool, Pause> {
        let stage = &task.stages[id.index()];
        if let Some(disabled) = &stage.disabled
            && self.boolean(task, id, disabled)?
        {
            return Ok(true);
        }
        match &stage.skip_if {
            None => Ok(false),
            Some(SkipIf::Value(skip)) => self.boolean(task, id, skip),
            Some(SkipIf::Condition(condition)) => {
                let test = self.resolve_condition(task, id, condition)?;
                Ok(test.holds(&self.world()).0)
            }
        }
    }

    /// A turn of a stage starts. A leaf is entered anew with each turn; a stage
    /// with children is entered once, in its first.
    pub(crate) fn turn(&mut self, task: &TaskDefinition, id: StageId) -> Result<(), Pause> {
        let stage = &task.stages[id.index()];
        if self.holds(id, &stage.kind) {
            return Ok(());
        }
        let timeout = match &stage.repeat_timeout {
            Some(timeout) => Some(self.duration(task, id, timeout)?),
            None => None,
        };

        // What was left of what is over by now would pile up.
        while self.agenda.last().is_some_and(|step| self.is_void(*step)) {
            self.agenda.pop();
        }
        match stage.kind {
            StageKind::Trials(_) => {
                self.take_changes();
                self.start_trial();
            }
            _ if id == TaskDefinition::ROOT && !self.has_trials => self.take_changes(),
            _ => {}
        }
        let turn = self.next_serial();
        let state = &mut self.stages[id.index()];
        state.turn = turn;
        state.in_turn = true;
        let number = state.turn_number;
        for child in stage.kind.children() {
            self.stages[child.index()].outcome = Outcome::None;
        }
        self.event(Kind::TurnStart, self.sources.stage(id), number as f64);
        if let Some(timeout) = timeout {
            self.set_deadline(self.now + timeout, id, Due::TurnTimeout(id), turn);
        }
        self.agenda.push(Step::Run(id, turn));
        if is_leaf(&stage.kind) || number == 0 {
            self.push_entry(task, id);
        }
        Ok(())
    }

    fn push_entry(&mut self, task: &TaskDefinition, id: StageId) {
        let stage = &task.stages[id.index()];
        let entry = self.next_serial();
        let state = &mut self.stages[id.index()];
        state.entry = entry;
        state.entered = self.now;
        state.since = Some(self.now);
        // The last of these is done first.
        let handlers = match &stage.on {
            Handlers::Listed(handlers) if handlers.is_empty() => None,
            Handlers::Listed(_) => Some(Step::Arm(id, 0, entry)),
            Handlers::Function(_) => Some(Step::Handlers(id, entry)),
        };
        if !stage.after.is_empty() {
            self.agenda.push(Step::Zeros(id, 0, entry));
        }
        if handlers.is_some() {
            self.agenda.push(Step::Levels(id, 0, entry));
        }
        if !stage.after.is_empty() {
            self.agenda.push(Step::Times(id, 0, entry));
        }
        self.agenda.extend(handlers);
        if !is_nothing(&stage.enter) {
            self.agenda.push(Step::Enter(id));
        }
        if !stage.during.is_empty() {
            self.agenda.push(Step::Act(id, List::During, 0));
        }
    }
}

/// Whether a stage has no children, so that each of its turns is an entry.
pub(crate) fn is_leaf(kind: &StageKind) -> bool {
    !matches!(
        kind,
        StageKind::Sequence(..) | StageKind::Parallel(..) | StageKind::States(_) | StageKind::Trials(_)
    )
}

/// Whether there is nothing to do.
pub(crate) fn is_nothing(reaction: &Reaction) -> bool {
    matches!(reaction, Reaction::Actions(actions) if actions.is_empty())
}
