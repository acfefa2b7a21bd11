//! What a protocol is, once it is loaded.

use std::collections::BTreeMap;

use bramble_task::Mistakes;
use bramble_value::Sources;
use thiserror::Error;

use crate::{Graduation, load};

/// The steps that train an animal.
#[derive(Debug, Clone)]
pub struct Protocol {
    /// Its name.
    pub name: String,
    /// What it says of itself.
    pub doc: String,
    /// Its steps; at least one.
    pub steps: Vec<Step>,
}

/// One step: a task, until the subject graduates.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name, which no other step of the protocol has.
    pub name: String,
    /// The task's file and all that it loads; its root is the task.
    pub task: Sources,
    /// The parameters that are not the task's own defaults, as written.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// When the subject moves on.
    pub graduation: Graduation,
}

/// A step that the protocol doesn't have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("protocol {protocol} has no step {}: it has {count}", index + 1)]
pub struct NoStep {
    protocol: String,
    index: u32,
    count: usize,
}

impl Protocol {
    /// Loads a protocol and every task of it, and checks each step against its
    /// task. The sources hold all of them ([`crate::read`] gathers them).
    ///
    /// # Errors
    /// Everything that is wrong with the protocol or its tasks, with where.
    pub fn load(sources: &Sources) -> Result<Protocol, Mistakes> {
        load::load(sources)
    }

    /// The step at this place, from 0.
    ///
    /// # Errors
    /// Where there are not so many.
    pub fn step(&self, index: u32) -> Result<Step, NoStep> {
        let step = self.steps.get(index as usize).cloned();
        step.ok_or_else(|| NoStep { protocol: self.name.clone(), index, count: self.steps.len() })
    }
}
