//! What each kind of stage does in its turn, and how it goes on from child to
//! child.

use bramble_task::TaskDefinition;
use bramble_task::call::{Purpose, Returned, Wanted};
use bramble_task::definition::{
    ColumnId, Command, CompleteOn, Expression, FunctionId, PortRef, StageId, StageKind, Stimulus, Transition,
    Trigger,
};
use bramble_value::{Ending, Span, Value};

use super::Session;
use super::stage::Outcome;
use super::step::{List, Step};
use crate::deadline::Due;
use crate::exchange::Output;
use crate::mistake::{Mistake, Pause};
use crate::ports::{PortIndex, PortRange};
use crate::trigger::{Answer, Armed, Effect, Watch};

impl Session {
    /// The stage's turn does what the stage is for.
    pub(crate) fn run(&mut self, task: &TaskDefinition, id: StageId, turn: u64) -> Result<(), Pause> {
        match &task.stages[id.index()].kind {
            StageKind::State => Ok(()),
            StageKind::Delay(length) => {
                let length = self.duration(task, id, length)?;
                self.last_for(id, length, turn);
                Ok(())
            }
            StageKind::Gate { trigger, hold, use_initial } => {
                self.wait_at_gate(task, id, trigger, hold.as_ref(), *use_initial)
            }
            StageKind::Pulse(port, amount) => self.pulse(task, id, port, amount, turn),
            StageKind::Play(port, sound) => self.play(task, id, port, sound, turn),
            StageKind::Call(function) => self.call_stage(id, *function),
            StageKind::Record(columns) => self.record(task, id, columns),
            StageKind::Sequence(children, complete_on) => {
                match children.first() {
                    Some(first) => self.agenda.push(Step::Start(*first)),
                    None => self.complete_if_empty(id, complete_on),
                }
                Ok(())
            }
            StageKind::Parallel(children, complete_on) => {
                if children.is_empty() {
                    self.complete_if_empty(id, complete_on);
                } else {
                    self.agenda.push(Step::Children(id, 0, turn));
                }
                Ok(())
            }
            StageKind::States(children) => {
                self.agenda.push(match children.first() {
                    Some(first) => Step::Start(*first),
                    None => Step::TurnOver(id, Ending::Done),
                });
                Ok(())
            }
            StageKind::Trials(trials) => {
                if let Some(prepare) = trials.prepare {
                    let columns = match self.call(id, prepare, Purpose::Prepare)? {
                        Returned::Columns(columns) => columns,
                        _ => return Err(Mistake::Answer.into()),
                    };
                    let mut fitting = Vec::with_capacity(columns.len());
                    for (column, value) in columns {
                        fitting.push((column, self.fit_column(task, column, value)?));
                    }
                    for (column, value) in fitting {
                        self.write(column, value);
                    }
                }
                self.agenda.push(Step::Start(trials.body));
                Ok(())
            }
        }
    }

    /// A leaf's turn is over after this long.
    fn last_for(&mut self, id: StageId, length: Span, turn: u64) {
        if length == Span::ZERO {
            self.leaf_over(id);
        } else {
            self.set_deadline(self.now + length, id, Due::Leaf(id), turn);
        }
    }

    /// A leaf came to its own end: nothing of what it drove is left to stop.
    pub(crate) fn leaf_over(&mut self, id: StageId) {
        self.stages[id.index()].drives = None;
        self.agenda.push(Step::TurnOver(id, Ending::Done));
    }

    fn complete_if_empty(&mut self, id: StageId, complete_on: &CompleteOn) {
        if *complete_on != CompleteOn::Never {
            self.agenda.push(Step::TurnOver(id, Ending::Done));
        }
    }

    fn wait_at_gate(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        trigger: &Trigger,
        hold: Option<&Expression>,
        use_initial: bool,
    ) -> Result<(), Pause> {
        let mut watch = self.resolve_trigger(task, id, trigger)?;
        if let (Watch::Level(_, lasts), Some(hold)) = (&mut watch, hold) {
            *lasts = Some(self.duration(task, id, hold)?).filter(|hold| *hold > Span::ZERO);
        }
        let armed = self.wait_as_leaf(id, watch);
        let effect = self.look_at(id, armed);
        if !use_initial {
            // What is the case already has to break and come again.
            self.stages[id.index()].armed[usize::from(armed)].serial = 0;
        } else if effect == Effect::Fires {
            self.leaf_over(id);
        } else if let Effect::Begins(lasts) = effect {
            self.begin_lasting(id, armed, lasts, self.now);
        }
        Ok(())
    }

    /// The leaf's turn will be over when this comes.
    fn wait_as_leaf(&mut self, id: StageId, watch: Watch) -> u16 {
        self.listen(id);
        let armed = &mut self.stages[id.index()].armed;
        armed.push(Armed::new(Answer::Leaf, watch));
        (armed.len() - 1) as u16
    }

    fn pulse(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        port: &PortRef,
        amount: &Expression,
        turn: u64,
    ) -> Result<(), Pause> {
        let port = self.one_port(task, id, port)?;
        let amount = self.needed(task, id, amount, Wanted::Amount)?;
        match amount {
            Value::Duration(length) => {
                self.drive(id, port, Command::Pulse { on: amount, after: None, level: None });
                self.last_for(id, length, turn);
            }
            // Only the rig knows how long this takes.
            _ => {
                self.drive(id, port, Command::Open(amount));
                self.wait_as_leaf(id, Watch::Ends(PortRange::one(port)));
            }
        }
        Ok(())
    }

    fn play(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        port: &PortRef,
        sound: &Stimulus<Expression>,
        turn: u64,
    ) -> Result<(), Pause> {
        let port = self.one_port(task, id, port)?;
        let sound = self.stimulus(task, id, sound)?;
        let length = sound.kind.duration().and_then(|place| sound.arguments.get(place).copied().flatten());
        self.drive(id, port, Command::Play { sound, after: None });
        match length {
            Some(Value::Duration(length)) => self.last_for(id, length, turn),
            _ => {
                self.wait_as_leaf(id, Watch::Ends(PortRange::one(port)));
            }
        }
        Ok(())
    }

    /// Drives an output for as long as the leaf's turn takes.
    fn drive(&mut self, id: StageId, port: PortIndex, command: Command<Value>) {
        let port = self.ports.get(port).id;
        self.stages[id.index()].drives = Some(port);
        self.outputs.push_back(Output::Device { time: self.now, port, command });
    }

    fn call_stage(&mut self, id: StageId, function: FunctionId) -> Result<(), Pause> {
        match self.call(id, function, Purpose::Actions)? {
            Returned::Actions(actions) => self.returned.actions = actions,
            _ => return Err(Mistake::Answer.into()),
        }
        self.agenda.extend([Step::TurnOver(id, Ending::Done), Step::Act(id, List::Returned, 0)]);
        Ok(())
    }

    fn record(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        columns: &[(ColumnId, Option<Expression>)],
    ) -> Result<(), Pause> {
        let mut values = Vec::with_capacity(columns.len());
        for (column, expression) in columns {
            values.push((*column, self.column_value(task, id, *column, expression.as_ref())?));
        }
        for (column, value) in values {
            self.write(column, value);
        }
        self.agenda.push(Step::TurnOver(id, Ending::Done));
        Ok(())
    }

    /// A `parallel` starts its child of this place; those behind it follow once
    /// that has done what it does at once.
    pub(crate) fn start_children(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        next: u16,
        turn: u64,
    ) -> Result<(), Pause> {
        let children = task.stages[id.index()].kind.children();
        if let Some(child) = children.get(usize::from(next)) {
            if usize::from(next) + 1 < children.len() {
                self.agenda.push(Step::Children(id, next + 1, turn));
            }
            self.agenda.push(Step::Start(*child));
        }
        Ok(())
    }

    /// A stage ended or was skipped: what it is part of goes on.
    pub(crate) fn follow(&mut self, task: &TaskDefinition, id: StageId) -> Result<(), Pause> {
        let stage = &task.stages[id.index()];
        let ending = self.stages[id.index()].ending.unwrap_or(Ending::Done);
        let Some(parent) = stage.parent else {
            self.agenda.push(Step::Over(ending));
            return Ok(());
        };
        let next = usize::from(self.place[id.index()]) + 1;
        match &task.stages[parent.index()].kind {
            StageKind::Sequence(children, complete_on) => {
                if self.is_complete(complete_on) {
                    self.agenda.push(Step::TurnOver(parent, Ending::Done));
                } else if let Some(child) = children.get(next) {
                    self.agenda.push(Step::Start(*child));
                }
            }
            StageKind::Parallel(_, complete_on) if self.is_complete(complete_on) => {
                self.agenda.push(Step::TurnOver(parent, Ending::Done));
            }
            StageKind::States(children) => match stage.then {
                Some(Transition::Goto(to)) => {
                    self.count_transition(task, id)?;
                    self.agenda.extend([Step::Start(to), Step::Gone(id, to)]);
                }
                Some(Transition::Done) => {
                    self.agenda.extend([Step::Follow(parent), Step::End(parent, Ending::Done)]);
                }
                _ => self.agenda.push(match children.get(next) {
                    Some(child) => Step::Start(*child),
                    None => Step::TurnOver(parent, Ending::Done),
                }),
            },
            StageKind::Trials(_) => {
                let cut = ending == Ending::Timeout;
                let ending = if cut { Ending::Timeout } else { Ending::Done };
                self.agenda.push(Step::TurnOver(parent, ending));
            }
            _ => {}
        }
        Ok(())
    }

    fn is_complete(&self, complete_on: &CompleteOn) -> bool {
        let outcome = |child: &StageId| self.stages[child.index()].outcome;
        match complete_on {
            CompleteOn::All(children) => children.iter().all(|child| outcome(child) != Outcome::None),
            CompleteOn::Any(children) => {
                children.iter().any(|child| outcome(child) == Outcome::Ran)
                    || children.iter().all(|child| outcome(child) != Outcome::None)
            }
            CompleteOn::Never => false,
        }
    }
}
