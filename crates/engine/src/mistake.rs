//! What can go wrong in a task that was checked, and only shows while it runs.

use bramble_task::TaskDefinition;
use bramble_task::definition::StageId;
use thiserror::Error;

/// Why an evaluation could not be finished.
#[derive(Debug)]
pub(crate) enum Pause {
    /// A function has to be called first.
    Call,
    /// The task made a mistake.
    Mistake(Mistake),
}

/// A mistake of the task. It ends the session.
#[derive(Debug, Error)]
pub(crate) enum Mistake {
    #[error("{what} is missing here: write it before, in `prepare` or with `record`")]
    Missing { what: String },
    #[error("{what} can't be {found}")]
    Unfit { what: &'static str, found: String },
    #[error("column `{column}` can't hold {found}: it is a {kind}")]
    Column { column: String, kind: String, found: String },
    #[error("device `{device}` has no such port as was asked for")]
    Port { device: String },
    #[error("{text}")]
    Function { text: String },
    #[error("a function returned something that has no place here")]
    Answer,
    #[error("`{to}` can't be gone to from here: it is no sibling of the stage or of what it is in")]
    Goto { to: String },
    #[error(
        "more than {limit} transitions without time passing, among {stages}: give one of these stages a time or an event to wait for"
    )]
    Endless { limit: u32, stages: String },
}

impl From<Mistake> for Pause {
    fn from(mistake: Mistake) -> Pause {
        Pause::Mistake(mistake)
    }
}

/// The mistake as a person reads it, with where it was made.
pub(crate) fn explain(task: &TaskDefinition, stage: StageId, mistake: &Mistake) -> String {
    let stage = &task.stages[stage.index()];
    let place = &stage.place;
    if place.file.is_empty() {
        format!("stage `{}`: {mistake}", stage.path)
    } else {
        format!("{}:{}:{}: stage `{}`: {mistake}", place.file, place.line, place.column, stage.path)
    }
}
