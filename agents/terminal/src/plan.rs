//! What a session will run: a task and its parameters, read from files and
//! checked before anything starts.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bramble_message::Graduation;
use bramble_task::{Mistakes, Task, TaskDefinition};
use bramble_training::{Protocol, Step};
use bramble_value::{Sources, SubjectId, Value};
use serde::{Deserialize, Serialize};

use crate::api::types::Training;
use crate::assignment::label;
use crate::refusal::{Allowed, Refusal};

/// Parameters by name, as a person or a protocol writes them.
pub(crate) type Parameters = BTreeMap<String, serde_json::Value>;

/// What a person chose for a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chosen {
    pub(crate) parameters: Parameters,
    /// What columns with `keep` are to begin with.
    pub(crate) keep: Parameters,
}

/// A task that was checked, with its parameters.
pub(crate) struct Plan {
    pub(crate) task: Sources,
    pub(crate) definition: Arc<TaskDefinition>,
    pub(crate) parameters: Parameters,
    /// What columns are to begin with, whatever the subject's file says.
    pub(crate) keep: BTreeMap<String, Value>,
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
    /// One task by itself.
    ///
    /// # Errors
    /// Where the file is gone or has mistakes, or what was chosen is not its.
    pub(crate) fn of_task(file: &Path, chosen: Chosen) -> Allowed<Plan> {
        let sources = bramble_task::read(file)
            .map_err(|error| Refusal::missing(format!("the task's file is gone: {error}")))?;
        Plan::of_sources(sources, chosen)
    }

    /// The step that a subject is at, and where that is in its protocol as that is now; parameters
    /// that were chosen go before those of the step.
    ///
    /// # Errors
    /// Where a file is gone or has mistakes, the protocol has no such step any more, or what was
    /// chosen is not its task's.
    pub(crate) fn of_training(
        subject: &SubjectId,
        training: &Training,
        chosen: Chosen,
    ) -> Allowed<(Plan, Training)> {
        let file = &training.protocol;
        let (sources, protocol) = protocol(file)?;
        let training = training.now(subject, &protocol)?;
        let index = training.step.saturating_sub(1);
        let Step { task, mut parameters, graduation, .. } = at(&protocol, file, training.step)?;
        parameters.extend(chosen.parameters);
        let names = names(&protocol, index);
        let step = PlannedStep { sources, index, names, looks_back: graduation.looks_back() };
        let plan = Plan { step: Some(step), ..Plan::of_sources(task, Chosen { parameters, ..chosen })? };
        Ok((plan, training))
    }

    fn of_sources(sources: Sources, Chosen { parameters, keep }: Chosen) -> Allowed<Plan> {
        let task = bramble_task::load(&sources).map_err(|mistakes| mistaken("the task", &mistakes))?;
        task.parameters(&parameters).map_err(|mistakes| mistaken("the choice of parameters", &mistakes))?;
        let keep =
            task.kept(&keep).map_err(|mistakes| mistaken("what columns are to begin with", &mistakes))?;
        let definition = Arc::clone(&task.definition);
        Ok(Plan { task: sources, definition, parameters, keep, step: None })
    }

    /// The task, and the step that it is, for a person.
    pub(crate) fn describe(&self) -> String {
        match &self.step {
            Some(step) => format!("step {} ({})", step.names.this, self.definition.name),
            None => self.definition.name.clone(),
        }
    }
}

/// Protocols as they are now, each read once.
#[derive(Default)]
pub(crate) struct AsTheyAre(HashMap<PathBuf, Allowed<Protocol>>);

impl AsTheyAre {
    /// Where a subject is as a start would find it, or why it could not be started.
    pub(crate) fn place(&mut self, subject: &SubjectId, training: Training) -> Training {
        if training.finished {
            return training;
        }
        let file = training.protocol.clone();
        let known = self.0.entry(file).or_insert_with_key(|file| protocol(file).map(|(_, known)| known));
        match known.as_ref().map_err(Clone::clone).and_then(|known| training.now(subject, known)) {
            Ok(now) => now,
            Err(refusal) => Training { problem: Some(refusal.message), ..training },
        }
    }
}

/// The label of a protocol's step, from 1.
///
/// # Errors
/// Where a file is gone or has mistakes, or there is no such step.
pub(crate) fn step_label(file: &Path, step: u32) -> Allowed<String> {
    let (_, protocol) = protocol(file)?;
    at(&protocol, file, step).map(|found| label(step, &found.name))
}

/// The names of the step that a session belongs to, from what its pilot has.
pub(crate) fn step_names(graduation: &Graduation) -> Option<StepNames> {
    names_of(&graduation.protocol, graduation.step)
}

/// The names of a step of the protocol in these sources, counted from 0, where it has that.
pub(crate) fn names_of(protocol: &Sources, step: u32) -> Option<StepNames> {
    let protocol = Protocol::load(protocol).ok()?;
    protocol.step(step).ok()?;
    Some(names(&protocol, step))
}

/// The task in these sources, where it has no mistakes.
pub(crate) fn definition(sources: &Sources) -> Option<Arc<TaskDefinition>> {
    bramble_task::load(sources).ok().map(|Task { definition, .. }| definition)
}

/// Does what takes a while, beside everything else.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Allowed<T> + Send + 'static,
) -> Allowed<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Refusal::failed(format!("the terminal made a mistake: {error}"))))
}

fn protocol(file: &Path) -> Allowed<(Sources, Protocol)> {
    let sources = bramble_training::read(file).map_err(|error| {
        Refusal::missing(format!("the protocol's file is gone: {error}"))
            .help("put it back, or assign another protocol: bramble-terminal subject assign SUBJECT PROTOCOL")
    })?;
    let protocol = Protocol::load(&sources).map_err(|mistakes| mistaken("the protocol", &mistakes))?;
    Ok((sources, protocol))
}

fn at(protocol: &Protocol, file: &Path, step: u32) -> Allowed<Step> {
    let found = match step.checked_sub(1) {
        Some(index) => protocol.step(index).map_err(|error| error.to_string()),
        None => Err(format!("protocol {} has no step 0", protocol.name)),
    };
    found.map_err(|why| {
        Refusal::conflict(format!("{why} ({})", file.display())).help("steps are counted from 1")
    })
}

fn names(protocol: &Protocol, index: u32) -> StepNames {
    let name = |index: u32| protocol.steps.get(index as usize).map(|step| label(index + 1, &step.name));
    let next = name(index + 1);
    StepNames { protocol: protocol.name.clone(), this: name(index).unwrap_or_default(), next }
}

fn mistaken(what: &str, mistakes: &Mistakes) -> Refusal {
    let count = mistakes.count();
    let some = if count == 1 { "a mistake".to_owned() } else { format!("{count} mistakes") };
    Refusal::wrong(format!("{what} has {some}:\n{mistakes}"))
}
