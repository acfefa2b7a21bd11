//! What is asked of tasks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bramble_engine::Settings;
use bramble_simulation::{Limits, named, simulate};
use bramble_task::{Mistakes, Task};
use bramble_value::{Random, Seed, Span, Time};
use uuid::Uuid;

use super::Desk;
use crate::api::tasks::{CheckTask, CheckedTask, SimulateTask, SimulatedTask, TaskLine};
use crate::live::{About, Log};
use crate::plan;
use crate::refusal::{Allowed, Refusal};
use crate::tasks::{Folder, Kind};
use crate::web::Caller;

/// The longest simulation that is run for a page.
const LONGEST: Limits = Limits { trials: Some(1000), time: Some(Span::from_s(6 * 3600)) };

impl Desk {
    /// The folder of tasks and protocols.
    pub(crate) fn tasks_folder(&self) -> Folder {
        Folder::new(self.settings.tasks())
    }

    /// The tasks of the folder.
    pub(crate) async fn tasks(&self) -> Allowed<Vec<TaskLine>> {
        let folder = self.tasks_folder();
        plan::blocking(move || {
            let line = |path: PathBuf| {
                let read = bramble_task::read(&path).map(|sources| bramble_task::load(&sources));
                let line = unknown(&folder, path);
                match read {
                    Ok(Ok(task)) => {
                        let (name, doc) = (task.definition.name.clone(), task.definition.doc.clone());
                        TaskLine { name, doc, ..line }
                    }
                    Ok(Err(mistakes)) => TaskLine { problem: first(&mistakes), ..line },
                    Err(error) => TaskLine { problem: Some(error.to_string()), ..line },
                }
            };
            Ok(folder.files(Kind::Task).into_iter().map(line).collect())
        })
        .await
    }

    /// What is right or wrong with a task.
    pub(crate) async fn check_task(&self, check: CheckTask) -> Allowed<CheckedTask> {
        let folder = self.tasks_folder();
        plan::blocking(move || {
            let path = folder.file(&check.path)?;
            let mut sources =
                bramble_task::read(&path).map_err(|error| Refusal::missing(error.to_string()))?;
            if let Some(text) = check.text {
                sources.files.insert(sources.root.clone(), text);
            }
            let text = sources.files.get(&sources.root).cloned().unwrap_or_default();
            let (task, mistakes) = match bramble_task::load(&sources) {
                Ok(task) => (Some(task.summary()), Vec::new()),
                Err(mistakes) => (None, mistakes.iter().cloned().collect()),
            };
            Ok(CheckedTask { task, mistakes, text, root: sources.root })
        })
        .await
    }

    /// A session of a task with a simulated animal.
    pub(crate) async fn simulate_task(&self, wanted: SimulateTask) -> Allowed<SimulatedTask> {
        let _turn = self.simulating.acquire().await;
        let folder = self.tasks_folder();
        plan::blocking(move || {
            let path = folder.file(&wanted.path)?;
            simulated(&path, wanted)
        })
        .await
    }

    /// The file that is meant. Whoever comes by the page may name one of the tasks folder only:
    /// a mistake in a file is told with the line that it is in.
    pub(crate) fn file_for(&self, caller: &Caller, path: PathBuf) -> Allowed<PathBuf> {
        match caller {
            Caller::Socket => Ok(path),
            _ => self.tasks_folder().file(&path),
        }
    }
}

pub(super) fn unknown(folder: &Folder, path: PathBuf) -> TaskLine {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let file = folder.within(&path);
    TaskLine { path, file, name, doc: String::new(), problem: None }
}

pub(super) fn first(mistakes: &Mistakes) -> Option<String> {
    mistakes.iter().next().map(ToString::to_string)
}

fn simulated(path: &Path, wanted: SimulateTask) -> Allowed<SimulatedTask> {
    let SimulateTask { animal, trials, seed, parameters, .. } = wanted;
    let most = LONGEST.trials.unwrap_or(u32::MAX);
    if !(1..=most).contains(&trials) {
        return Err(Refusal::wrong(format!("a page's simulation has 1 to {most} trials, not {trials}"))
            .help("for longer ones: bramble-terminal task simulate"));
    }
    // An animal that is a file might be any file.
    if animal.split(':').next() != Some("learner") {
        return Err(Refusal::wrong(format!("`{animal}` is no animal that a page can simulate with"))
            .help("write learner, or one with a temper, learner:bias=0.3"));
    }
    let wrong = |error: &dyn std::fmt::Display| Refusal::wrong(error.to_string());
    let sources = bramble_task::read(path).map_err(|error| wrong(&error))?;
    let task = bramble_task::load(&sources).map_err(|mistakes| wrong(&mistakes))?;
    let values = task.parameters(&parameters).map_err(|mistakes| wrong(&mistakes))?;
    let seed = Seed(seed);
    // The animal's chances are not those of the task.
    let animal_seed = Seed(Random::new(seed, "animal", 0).below(u64::MAX));
    let animal = named(&animal, animal_seed, "").map_err(|error| wrong(&error))?;
    let about = about(&task, &values);
    let settings = Settings { parameters: values, seed, kept: Vec::new() };
    let limits = Limits { trials: Some(trials), ..LONGEST };
    let definition = Arc::clone(&task.definition);
    let ran = simulate(definition, &mut task.functions(), settings, animal, limits);
    let ran = ran.map_err(|error| wrong(&error))?;
    let mut log = Log::of(about);
    log.safe(&ran.records);
    Ok(SimulatedTask {
        session: log.view(Uuid::nil()),
        trials: ran.summary.trials,
        seconds: ran.summary.duration.seconds(),
        water: ran.summary.water,
        ending: ran.outcome.ending,
        why: ran.outcome.why.to_string(),
    })
}

fn about(task: &Task, values: &[bramble_value::Value]) -> About {
    let definition = &task.definition;
    let parameters = definition.parameters.iter().zip(values);
    About {
        task: Some(Arc::new(task.summary())),
        step: None,
        parameters: parameters.map(|(one, value)| (one.name.to_string(), one.kind.clone(), *value)).collect(),
        columns: (definition.columns.iter())
            .map(|column| (column.name.to_string(), column.kind.clone()))
            .collect(),
        names: definition.names(),
        start: Time::ZERO,
    }
}
