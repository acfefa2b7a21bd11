//! Pictures of a task's stages, for people.

mod layout;
mod mermaid;
mod say;
mod svg;

use crate::definition::{FunctionId, StageId, TaskDefinition};
use crate::load::Task;

pub(crate) use say::Say;

/// What is known of a function without calling it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sketch {
    pub(crate) name: String,
    /// Where it may lead, from each stage that it is a function of.
    pub(crate) leads: Vec<(StageId, Lead)>,
}

/// Where a stage may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    Goto(StageId),
    Done,
    Next,
    /// To the end of the session.
    Stop,
}

/// The stages as a Mermaid state diagram.
pub fn mermaid(task: &TaskDefinition) -> String {
    mermaid::draw(&Say { task, sketches: &[] })
}

/// The stages as an SVG picture: boxes in boxes, in each what it does, and
/// arrows where it leads.
pub fn svg(task: &TaskDefinition) -> String {
    svg::draw(&Say { task, sketches: &[] })
}

impl Task {
    /// The stages as a Mermaid state diagram, with where functions may lead.
    pub fn mermaid(&self) -> String {
        mermaid::draw(&Say { task: &self.definition, sketches: &self.sketches })
    }

    /// The stages as an SVG picture, with where functions may lead.
    pub fn svg(&self) -> String {
        svg::draw(&Say { task: &self.definition, sketches: &self.sketches })
    }
}

impl Say<'_> {
    fn sketch(&self, function: FunctionId) -> Option<&Sketch> {
        self.sketches.get(function.index())
    }
}
