//! What can be found wrong without running anything: in the text of the files,
//! inside functions that nobody has called yet, and in the graph of the stages.

mod calls;
mod facts;
mod graph;
mod program;
mod walk;

use std::sync::Arc;

use crate::TaskDefinition;
use crate::graph::Sketch;
use crate::load::Function;
use crate::lower::outline::Outline;
use crate::mistake::Mistake;
use crate::sandbox::Parsed;
use program::Program;

/// What is wrong with the text of the files.
pub(crate) fn files(parsed: &[Arc<Parsed>]) -> Vec<Mistake> {
    walk::check(&Program::new(parsed))
}

/// What is wrong with the graph, and where its functions lead.
pub(crate) fn stages(
    parsed: &[Arc<Parsed>],
    task: &TaskDefinition,
    outline: &Outline,
    functions: &[Function],
) -> (Vec<Mistake>, Vec<Sketch>) {
    graph::check(&Program::new(parsed), task, outline, functions)
}
