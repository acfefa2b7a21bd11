//! The stage tree.

use std::sync::Arc;

use super::{
    Action, ColumnId, Condition, Expression, FunctionId, Place, PortRef, Reaction, StageId, Stimulus,
    Transition, Trigger, UntilRow, What,
};

/// A node of the tree.
///
/// When it starts: `disabled` and `skip_if` are asked (and if either holds it
/// neither starts nor ends); then its first turn starts. When it is entered:
/// `during`, `enter`, then `on` and `after` are armed, then levels that hold
/// already, then times of zero. Then its turn does what its [`StageKind`] does. A
/// leaf is entered with each of its turns, a stage with children once, with its
/// first. `on` and `after` count from the entry, `timeout` from the stage's start
/// and `repeat_timeout` from the turn's, that is from the time of what caused it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Its name, unique among its siblings; its kind's where none was given.
    pub name: String,
    /// A name that is unique in the task: the name itself where that is, else
    /// with its parents' before it: `trials/states/wait`.
    pub path: String,
    /// What it is part of.
    pub parent: Option<StageId>,
    /// What it is.
    pub kind: StageKind,
    /// How many turns it takes.
    pub repeat: Repeat,
    /// How long the whole stage may take.
    pub timeout: Option<Expression>,
    /// How long one turn may take.
    pub repeat_timeout: Option<Expression>,
    /// Not started while this is true.
    pub skip_if: Option<SkipIf>,
    /// Not started while this is true; asked before `skip_if`.
    pub disabled: Option<Expression>,
    /// Done when it starts and undone when it ends, however it ends.
    pub during: Vec<Action>,
    /// Done once it started.
    pub enter: Reaction,
    /// Done when it ends, for whatever reason.
    pub leave: Reaction,
    /// What events do while it is active.
    pub on: Handlers,
    /// What happens a time after its start.
    pub after: Vec<(Expression, What)>,
    /// Where it leads when it is done, in a `states`; without it, to the next
    /// child, and from the last one to the end of the `states`.
    pub then: Option<Transition>,
    /// Where it was written.
    pub place: Place,
}

/// What a stage is.
#[derive(Debug, Clone, PartialEq)]
pub enum StageKind {
    /// A leaf that lasts until a transition leads away from it.
    State,
    /// A leaf that lasts this long (below zero counts as zero).
    Delay(Expression),
    /// A leaf that waits until something is the case, for a time.
    Gate {
        /// For what. (`Trigger::Level` without `lasts`, or any event.)
        trigger: Trigger,
        /// How long it must be the case without a break.
        hold: Option<Expression>,
        /// Whether what is the case at entry counts, or only what changes then.
        use_initial: bool,
    },
    /// A leaf that drives an output for a time, and ends with it; if it ends
    /// earlier the output is stopped.
    Pulse(PortRef, Expression),
    /// A leaf that plays a sound, and ends with it; if it ends earlier the sound
    /// is stopped.
    Play(PortRef, Stimulus<Expression>),
    /// A leaf that does what a function returns.
    Call(FunctionId),
    /// A leaf that writes columns.
    Record(Vec<(ColumnId, Option<Expression>)>),
    /// Children one after the other.
    Sequence(Vec<StageId>, CompleteOn),
    /// Children at once.
    Parallel(Vec<StageId>, CompleteOn),
    /// Children of which one is active, the first of them first, joined by `goto`.
    States(Vec<StageId>),
    /// A repetition whose every turn is a trial.
    Trials(Trials),
}

/// When a `sequence` or `parallel` is complete.
///
/// In a sequence, children after the one that completes it are not started.
/// A child that is skipped or disabled counts as complete, except that `Any`
/// waits for one that really ran while there is one left to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompleteOn {
    /// When all of these are.
    All(Arc<[StageId]>),
    /// When one of these is.
    Any(Arc<[StageId]>),
    /// Never by its children: only by `on`, `after`, a timeout or its parent.
    Never,
}

/// How many turns a stage takes.
#[derive(Debug, Clone, PartialEq)]
pub enum Repeat {
    /// One.
    Once,
    /// This many, asked when the stage starts; 0 starts and ends it.
    Times(Expression),
    /// Without end.
    Forever,
}

/// When a stage isn't started.
#[derive(Debug, Clone, PartialEq)]
pub enum SkipIf {
    /// While this boolean is true.
    Value(Expression),
    /// While this is the case.
    Condition(Condition),
}

/// What events do.
#[derive(Debug, Clone, PartialEq)]
pub enum Handlers {
    /// These, in the order of the file.
    Listed(Vec<Handler>),
    /// What this function of the trial returns when the stage is entered.
    Function(FunctionId),
}

impl Default for Handlers {
    fn default() -> Handlers {
        Handlers::Listed(Vec::new())
    }
}

/// What one event does.
#[derive(Debug, Clone, PartialEq)]
pub struct Handler {
    /// The event.
    pub trigger: Trigger,
    /// What it does.
    pub what: What,
}

/// A repetition whose every turn is a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Trials {
    /// Asked before each trial: the columns it returns are written.
    pub prepare: Option<FunctionId>,
    /// The trial.
    pub body: StageId,
    /// Asked after each trial: whether it was the last.
    pub until: Option<UntilRow>,
}

impl StageKind {
    /// The word for it in the task language.
    pub fn word(&self) -> &'static str {
        match self {
            StageKind::State => "state",
            StageKind::Delay(_) => "delay",
            StageKind::Gate { .. } => "gate",
            StageKind::Pulse(..) => "pulse",
            StageKind::Play(..) => "play",
            StageKind::Call(_) => "call",
            StageKind::Record(_) => "record",
            StageKind::Sequence(..) => "sequence",
            StageKind::Parallel(..) => "parallel",
            StageKind::States(_) => "states",
            StageKind::Trials(_) => "trials",
        }
    }

    /// The stage's children, in order.
    pub fn children(&self) -> &[StageId] {
        match self {
            StageKind::Sequence(children, _)
            | StageKind::Parallel(children, _)
            | StageKind::States(children) => children,
            StageKind::Trials(trials) => std::slice::from_ref(&trials.body),
            _ => &[],
        }
    }
}
