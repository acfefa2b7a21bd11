//! The steps that a session is made of.

use bramble_task::TaskDefinition;
use bramble_task::definition::StageId;
use bramble_value::Ending;

use super::Session;
use crate::mistake::Pause;
use crate::ports::PortIndex;

/// A list of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    During,
    Enter,
    Leave,
    /// The response of a handler of `on`.
    On(u16),
    /// The response of a time of `after`.
    After(u16),
    /// What a function returned.
    Returned,
}

/// Something small to do. A serial names the entry or the turn of a stage that
/// the step is for; once that is over the step does nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// The session begins: what is carried gets its first value.
    Begin,
    /// A stage starts, or is skipped.
    Start(StageId),
    /// A turn of it starts.
    Turn(StageId),
    /// It is entered: its `enter`.
    Enter(StageId),
    /// Its function of handlers is asked for them.
    Handlers(StageId, u64),
    /// Its handler of this place is armed, and those behind it.
    Arm(StageId, u16, u64),
    /// Its time of this place is set, and those behind it.
    Times(StageId, u16, u64),
    /// What its trigger of this place waits for may be the case already.
    Levels(StageId, u16, u64),
    /// Its time of this place may be zero.
    Zeros(StageId, u16, u64),
    /// Its turn does what the stage is for.
    Run(StageId, u64),
    /// Its turn starts the child of this place, and those behind it.
    Children(StageId, u16, u64),
    /// An action of a list is done, and those behind it.
    Act(StageId, List, u16),
    /// A trigger of it fired: by the event that is being taken, or by being the case.
    Fire { stage: StageId, armed: u16, port: Option<PortIndex>, by_event: bool, entry: u64 },
    /// A time of its `after` is over.
    TimeOver(StageId, u16, u64),
    /// The transition that a list leads to.
    Go(StageId, List),
    /// The transition from one stage to another is recorded.
    Gone(StageId, StageId),
    /// A stage's turn is over: what is in it ends.
    TurnOver(StageId, Ending),
    /// A stage ends, with all that is in it.
    End(StageId, Ending),
    /// Its `leave`.
    Leave(StageId),
    /// Its `during` is undone.
    Undo(StageId),
    /// Its turn has ended.
    TurnEnded(StageId, Ending),
    /// Its next turn starts, or it ends.
    NextTurn(StageId),
    /// It has ended.
    Ended(StageId, Ending),
    /// Its parent goes on.
    Follow(StageId),
    /// The session ends.
    Over(Ending),
}

impl Step {
    /// The stage it is a step of.
    pub(crate) fn stage(self) -> StageId {
        match self {
            Step::Begin | Step::Over(_) => TaskDefinition::ROOT,
            Step::Start(stage)
            | Step::Turn(stage)
            | Step::Enter(stage)
            | Step::Handlers(stage, _)
            | Step::Arm(stage, ..)
            | Step::Times(stage, ..)
            | Step::Levels(stage, ..)
            | Step::Zeros(stage, ..)
            | Step::Run(stage, _)
            | Step::Children(stage, ..)
            | Step::Act(stage, ..)
            | Step::Fire { stage, .. }
            | Step::TimeOver(stage, ..)
            | Step::Go(stage, _)
            | Step::Gone(stage, _)
            | Step::TurnOver(stage, _)
            | Step::End(stage, _)
            | Step::Leave(stage)
            | Step::Undo(stage)
            | Step::TurnEnded(stage, _)
            | Step::NextTurn(stage)
            | Step::Ended(stage, _)
            | Step::Follow(stage) => stage,
        }
    }
}

impl Session {
    /// Does a step: evaluates what it needs, then changes what it changes.
    pub(crate) fn perform(&mut self, task: &TaskDefinition, step: Step) -> Result<(), Pause> {
        if self.is_void(step) {
            return Ok(());
        }
        match step {
            Step::Begin => self.begin(task),
            Step::Start(stage) => self.start(task, stage),
            Step::Turn(stage) => self.turn(task, stage),
            Step::Enter(stage) => self.enter(task, stage),
            Step::Handlers(stage, entry) => self.ask_handlers(task, stage, entry),
            Step::Arm(stage, next, entry) => self.arm(task, stage, next, entry),
            Step::Times(stage, next, entry) => self.set_times(task, stage, next, entry),
            Step::Levels(stage, next, entry) => self.look_at_levels(stage, next, entry),
            Step::Zeros(stage, next, entry) => self.take_zeros(stage, next, entry),
            Step::Run(stage, turn) => self.run(task, stage, turn),
            Step::Children(stage, next, turn) => self.start_children(task, stage, next, turn),
            Step::Act(stage, list, next) => self.act(task, stage, list, next),
            Step::Fire { stage, armed, port, by_event, .. } => self.fire(task, stage, armed, port, by_event),
            Step::TimeOver(stage, place, _) => self.time_over(task, stage, place),
            Step::Go(stage, list) => self.go(task, stage, list),
            Step::Gone(from, to) => self.gone(from, to),
            Step::TurnOver(stage, ending) => self.turn_over(task, stage, ending),
            Step::End(stage, ending) => self.end(task, stage, ending),
            Step::Leave(stage) => self.leave(task, stage),
            Step::Undo(stage) => self.undo(stage),
            Step::TurnEnded(stage, ending) => self.turn_ended(task, stage, ending),
            Step::NextTurn(stage) => self.next_turn(task, stage),
            Step::Ended(stage, ending) => self.stage_ended(stage, ending),
            Step::Follow(stage) => self.follow(task, stage),
            Step::Over(ending) => self.over(task, ending),
        }
    }

    /// Whether what a step is for is over.
    pub(crate) fn is_void(&self, step: Step) -> bool {
        let stage = &self.stages[step.stage().index()];
        match step {
            Step::Handlers(_, entry)
            | Step::Arm(_, _, entry)
            | Step::Times(_, _, entry)
            | Step::Levels(_, _, entry)
            | Step::Zeros(_, _, entry)
            | Step::Fire { entry, .. }
            | Step::TimeOver(_, _, entry) => stage.entry != entry,
            Step::Run(_, turn) | Step::Children(_, _, turn) => stage.turn != turn,
            _ => false,
        }
    }
}
