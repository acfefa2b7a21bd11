//! What a session will run: a task and its parameters, read from files and
//! checked before anything starts.

use std::collections::BTreeMap;
use std::path::Path;

use bramble_message::Graduation;
use bramble_task::TaskDefinition;
use bramble_value::Sources;
use serde::{Deserialize, Serialize};

use crate::refusal::{Allowed, Refusal};

/// A task that was checked, with its parameters.
pub(crate) struct Plan {
    pub(crate) task: Sources,
    pub(crate) definition: TaskDefinition,
    pub(crate) parameters: BTreeMap<String, serde_json::Value>,
    /// Where in its protocol the subject is; none for a task by itself.
    pub(crate) step: Option<PlannedStep>,
}

/// A step of a protocol.
pub(crate) struct PlannedStep {
    /// The protocol's sources.
    pub(crate) sources: Sources,
    /// From 0.
    pub(crate) index: u32,
    pub(crate) names: StepNames,
    /// How many trials its graduation looks at.
    pub(crate) looks_back: usize,
}

/// A step of a protocol and the one after it, as the subject file names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StepNames {
    pub(crate) protocol: String,
    pub(crate) this: String,
    pub(crate) next: Option<String>,
}

impl Plan {
    pub(crate) fn of_task(_file: &Path, _parameters: BTreeMap<String, serde_json::Value>) -> Allowed<Plan> {
        Err(Refusal::failed("not yet"))
    }

    pub(crate) fn of_step(
        _file: &Path,
        _step: u32,
        _parameters: BTreeMap<String, serde_json::Value>,
    ) -> Allowed<Plan> {
        Err(Refusal::failed("not yet"))
    }

    /// The task, and the step that it is, for a person.
    pub(crate) fn describe(&self) -> String {
        match &self.step {
            Some(step) => format!("step {} ({})", step.names.this, self.definition.name),
            None => self.definition.name.clone(),
        }
    }
}

/// The name of a protocol's step, from 1.
pub(crate) fn step_name(_file: &Path, _step: u32) -> Allowed<String> {
    Err(Refusal::failed("not yet"))
}

/// The names of the step that a session belongs to.
pub(crate) fn step_names(_graduation: &Graduation) -> Option<StepNames> {
    None
}

/// Does what takes a while, beside everything else.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Allowed<T> + Send + 'static,
) -> Allowed<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Refusal::failed(format!("the terminal made a mistake: {error}"))))
}

/// The task in these sources, where it has no mistakes.
pub(crate) fn definition(_sources: &Sources) -> Option<TaskDefinition> {
    None
}
