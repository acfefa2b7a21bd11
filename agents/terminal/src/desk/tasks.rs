//! What is asked of tasks and protocols.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bramble_engine::Settings;
use bramble_simulation::{Limits, named, simulate};
use bramble_task::{Mistakes, Task};
use bramble_training::Protocol;
use bramble_value::{Random, Seed, Span, Time};
use uuid::Uuid;

use super::Desk;
use crate::api::tasks::{
    AssignAll, CheckTask, CheckedTask, EachDone, NewProtocol, ProtocolLine, SimulateTask, SimulatedTask,
    StepLine, TaskLine,
};
use crate::api::types::Assign;
use crate::live::{About, Log};
use crate::plan;
use crate::refusal::{Allowed, Refusal};
use crate::rule;
use crate::tasks::{Folder, Kind};
use crate::web::Caller;
use crate::written;

/// The longest simulation that is run for a page.
const LONGEST: Limits = Limits { trials: Some(1000), time: Some(Span::from_s(6 * 3600)) };
/// How many subjects are assigned at once.
const MOST_SUBJECTS: usize = 500;

impl Desk {
    /// The folder of tasks and protocols.
    pub(crate) fn tasks_folder(&self) -> Folder {
        Folder::new(self.settings.tasks())
    }

    /// The tasks of the folder.
    pub(crate) async fn tasks(&self) -> Allowed<Vec<TaskLine>> {
        let folder = self.tasks_folder();
        let line = |path: PathBuf| match bramble_task::read(&path).map(|sources| bramble_task::load(&sources))
        {
            Ok(Ok(task)) => {
                let (name, doc) = (task.definition.name.clone(), task.definition.doc.clone());
                TaskLine { path, name, doc, problem: None }
            }
            Ok(Err(mistakes)) => TaskLine { problem: first(&mistakes), ..unknown(path) },
            Err(error) => TaskLine { problem: Some(error.to_string()), ..unknown(path) },
        };
        plan::blocking(move || Ok(folder.files(Kind::Task).into_iter().map(line).collect())).await
    }

    /// The protocols of the folder.
    pub(crate) async fn protocols(&self) -> Allowed<Vec<ProtocolLine>> {
        let folder = self.tasks_folder();
        plan::blocking(move || Ok(folder.files(Kind::Protocol).iter().map(|path| protocol(path)).collect()))
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
            Ok(match bramble_task::load(&sources) {
                Ok(task) => CheckedTask { task: Some(task.summary()), mistakes: Vec::new(), text },
                Err(mistakes) => {
                    CheckedTask { task: None, mistakes: mistakes.iter().cloned().collect(), text }
                }
            })
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

    /// Saves a protocol that was filled in in a form. What is not in order is not written, and a
    /// file that is there is left as it is, but where it is to be replaced.
    pub(crate) async fn save_protocol(&self, new: NewProtocol) -> Allowed<ProtocolLine> {
        let folder = self.tasks_folder();
        plan::blocking(move || save(&folder, &new)).await
    }

    /// The file that is meant. Whoever comes by the page may name one of the tasks folder only:
    /// a mistake in a file is told with the line that it is in.
    pub(crate) fn file_for(&self, caller: &Caller, path: PathBuf) -> Allowed<PathBuf> {
        match caller {
            Caller::Socket => Ok(path),
            _ => self.tasks_folder().file(&path),
        }
    }

    /// Puts several subjects on a protocol, as far as that can be done.
    pub(crate) async fn assign_all(&self, all: AssignAll) -> Allowed<Vec<EachDone>> {
        let AssignAll { subjects, protocol, step, who } = all;
        if subjects.len() > MOST_SUBJECTS {
            return Err(Refusal::wrong(format!("at most {MOST_SUBJECTS} subjects are assigned at once")));
        }
        let mut each = Vec::new();
        for subject in subjects {
            let assign = Assign { protocol: protocol.clone(), step, who: who.clone() };
            let (done, refused) = match self.assign(subject.clone(), assign).await {
                Ok(done) => (Some(done.done), None),
                Err(refusal) => (None, Some(refusal.to_string())),
            };
            each.push(EachDone { subject, done, refused });
        }
        Ok(each)
    }
}

fn save(folder: &Folder, new: &NewProtocol) -> Allowed<ProtocolLine> {
    let protocols = folder.path().join("protocols");
    let path = protocols.join(format!("{}.star", new.file));
    let mut names = BTreeMap::new();
    for step in &new.steps {
        let file = folder.file(&step.task)?;
        let inside = file.strip_prefix(folder.path().canonicalize().unwrap_or_default()).unwrap_or(&file);
        names.insert(step.task.clone(), format!("../{}", inside.display()));
    }
    let text = written::text(new, |step| names.get(&step.task).cloned().unwrap_or_default());
    let cannot = |error: std::io::Error| {
        Refusal::failed(format!("{} can't be written: {error}", path.display()))
            .help("see that this user may write into the tasks folder")
    };
    std::fs::create_dir_all(&protocols).map_err(cannot)?;
    // It is loaded from where it will be, by another name, which nobody else has.
    let mut draft = tempfile::Builder::new().suffix(".star").tempfile_in(&protocols).map_err(cannot)?;
    draft.write_all(text.as_bytes()).map_err(cannot)?;
    draft.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(cannot)?;
    let sources = bramble_training::read(draft.path()).map_err(|error| Refusal::failed(error.to_string()))?;
    Protocol::load(&sources).map_err(|mistakes| {
        let mistakes: Vec<_> =
            mistakes.iter().map(|mistake| written::said(mistake, &sources.root, &text, new)).collect();
        Refusal::wrong(format!("the protocol is not in order:\n{}", mistakes.join("\n")))
    })?;
    draft.as_file().sync_all().map_err(cannot)?;
    if new.replace {
        draft.persist(&path).map_err(|error| cannot(error.error))?;
    } else {
        draft.persist_noclobber(&path).map_err(|error| match error.error.kind() {
            std::io::ErrorKind::AlreadyExists => Refusal::conflict(format!(
                "there is a protocol {} already, and nothing was changed",
                path.display()
            ))
            .help("choose another name for the file, or say that it is to be replaced"),
            _ => cannot(error.error),
        })?;
    }
    Ok(protocol(&path))
}

fn unknown(path: PathBuf) -> TaskLine {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    TaskLine { path, name, doc: String::new(), problem: None }
}

fn first(mistakes: &Mistakes) -> Option<String> {
    mistakes.iter().next().map(ToString::to_string)
}

fn protocol(path: &Path) -> ProtocolLine {
    let TaskLine { path, name, doc, .. } = unknown(path.to_owned());
    let with = |problem| ProtocolLine { path: path.clone(), name, doc, problem, steps: Vec::new() };
    let sources = match bramble_training::read(&path) {
        Ok(sources) => sources,
        Err(error) => return with(Some(error.to_string())),
    };
    match Protocol::load(&sources) {
        Err(mistakes) => with(first(&mistakes)),
        Ok(Protocol { name, doc, steps }) => {
            let steps = steps.into_iter().map(|step| {
                let in_form = rule::in_form(&step.graduation);
                StepLine {
                    name: step.name,
                    task: step.task.root,
                    parameters: step.parameters,
                    graduation: rule::words(&step.graduation),
                    by_form: in_form.is_ok(),
                    rule: in_form.ok().flatten(),
                }
            });
            ProtocolLine { path: path.clone(), name, doc, problem: None, steps: steps.collect() }
        }
    }
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
