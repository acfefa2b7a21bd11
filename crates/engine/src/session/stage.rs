//! What is known of one stage while the session runs.

use std::sync::Arc;

use bramble_task::TaskDefinition;
use bramble_task::definition::{
    Condition, Handler, Handlers, PortId, SkipIf, StageId, StageKind, Threshold, Trigger,
};
use bramble_value::{Ending, Time};

use crate::trigger::Armed;

/// One stage's state.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    /// It has started and not yet ended.
    pub(crate) started: bool,
    /// Its turn has started and not yet ended.
    pub(crate) in_turn: bool,
    /// What came of it in its parent's present turn.
    pub(crate) outcome: Outcome,
    /// How its last turn ended.
    pub(crate) turn_ending: Option<Ending>,
    /// How it last ended.
    pub(crate) ending: Option<Ending>,
    /// Which turn it is in, from 0.
    pub(crate) turn_number: u64,
    /// How many turns it takes; `None` is without end.
    pub(crate) turns: Option<u64>,
    /// When it was entered.
    pub(crate) entered: Time,
    /// When it was last entered in this trial.
    pub(crate) since: Option<Time>,
    /// The serials of its present start, entry and turn; 0 where there is none.
    /// A leaf is entered with each turn, a composite once.
    pub(crate) start: u64,
    pub(crate) entry: u64,
    pub(crate) turn: u64,
    /// The last event that something within it handled.
    pub(crate) handled: u64,
    /// What it waits for.
    pub(crate) armed: Vec<Armed>,
    /// Which of its times of `after` are zero.
    pub(crate) zeros: Vec<u16>,
    /// Its handlers, where a function returned them.
    pub(crate) handlers: Option<Arc<[Handler]>>,
    /// The output that it drives, as a leaf, and has to stop if it ends early.
    pub(crate) drives: Option<PortId>,
    /// What has to be undone when it ends.
    pub(crate) undo: Vec<(PortId, Undo)>,
}

/// What came of a stage in a turn of its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Outcome {
    /// It has not come to its end.
    #[default]
    None,
    /// It was skipped or disabled.
    Skipped,
    /// It ran.
    Ran,
}

/// How to undo what a stage did for as long as it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undo {
    Off,
    Stop,
    Clear,
    Freeze,
}

/// Each stage's place in the file: a parent comes before its children, and they
/// before its next sibling.
pub(crate) fn preorder(task: &TaskDefinition) -> Vec<u16> {
    let mut rank = vec![0; task.stages.len()];
    let mut next = 0;
    let mut left: Vec<StageId> = vec![TaskDefinition::ROOT];
    while let Some(stage) = left.pop() {
        rank[stage.index()] = next;
        next += 1;
        left.extend(task.stages[stage.index()].kind.children().iter().rev());
    }
    rank
}

/// Whether the task may look at how fast an encoder moves.
pub(crate) fn minds_speed(task: &TaskDefinition) -> bool {
    let condition = |condition: &Condition| {
        let speed =
            |threshold: &Threshold| matches!(threshold, Threshold::SpeedAbove(_) | Threshold::SpeedBelow(_));
        matches!(condition, Condition::Measured(_, threshold) if speed(threshold))
    };
    let trigger =
        |trigger: &Trigger| matches!(trigger, Trigger::Level { condition: level, .. } if condition(level));
    task.counters.iter().any(|counter| trigger(&counter.of))
        || task.stages.iter().any(|stage| {
            let handled = match &stage.on {
                Handlers::Listed(handlers) => handlers.iter().any(|handler| trigger(&handler.trigger)),
                // What it will return isn't known.
                Handlers::Function(_) => true,
            };
            let waited = matches!(&stage.kind, StageKind::Gate { trigger: gate, .. } if trigger(gate));
            let asked = matches!(&stage.skip_if, Some(SkipIf::Condition(skip)) if condition(skip));
            handled || waited || asked
        })
}
