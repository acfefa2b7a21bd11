//! What is asked of protocols.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bramble_training::{Protocol, Step};
use jiff::Zoned;

use super::Desk;
use super::tasks::{first, unknown};
use crate::api::tasks::{AssignAll, EachDone, NewProtocol, OnProtocol, ProtocolLine, StepLine, TaskLine};
use crate::api::types::{Assign, SubjectLine};
use crate::plan;
use crate::refusal::{Allowed, Refusal};
use crate::rule;
use crate::tasks::{Folder, Kind};
use crate::written;

/// How many subjects are assigned at once.
const MOST_SUBJECTS: usize = 500;

impl Desk {
    /// The protocols of the folder, with the subjects that are on them.
    pub(crate) async fn protocols(&self) -> Allowed<Vec<ProtocolLine>> {
        let folder = self.tasks_folder();
        let subjects = self.subjects().await?;
        plan::blocking(move || {
            let on = on_protocols(subjects);
            let line = |path: &PathBuf| {
                let subjects = on.get(&true_path(path)).cloned().unwrap_or_default();
                ProtocolLine { subjects, ..protocol(&folder, path) }
            };
            Ok(folder.files(Kind::Protocol).iter().map(line).collect())
        })
        .await
    }

    /// Saves a protocol that was filled in in a form. What is not in order is not written, and
    /// what was there is replaced only where that is said, and then kept beside it.
    pub(crate) async fn save_protocol(&self, new: NewProtocol) -> Allowed<ProtocolLine> {
        let folder = self.tasks_folder();
        plan::blocking(move || save(&folder, &new, &Zoned::now())).await
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

/// Who is on which protocol, by the file that its path leads to.
fn on_protocols(subjects: Vec<SubjectLine>) -> BTreeMap<PathBuf, Vec<OnProtocol>> {
    let mut on: BTreeMap<PathBuf, Vec<OnProtocol>> = BTreeMap::new();
    for SubjectLine { id, training, .. } in subjects {
        if let Some(training) = training.filter(|training| !training.finished) {
            let step = training.name().unwrap_or_default().to_owned();
            on.entry(true_path(&training.protocol)).or_default().push(OnProtocol { id, step });
        }
    }
    on
}

fn true_path(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn save(folder: &Folder, new: &NewProtocol, now: &Zoned) -> Allowed<ProtocolLine> {
    let path = match (&new.change, &new.file) {
        (Some(change), _) => folder.protocol(&change.path)?,
        (None, Some(file)) => folder.path().join("protocols").join(format!("{file}.star")),
        (None, None) => return Err(Refusal::wrong("say how the protocol's file is to be called")),
    };
    let cannot = |error: io::Error| {
        Refusal::failed(format!("{} can't be written: {error}", path.display()))
            .help("see that this user may write into the tasks folder")
    };
    let home = path.parent().unwrap_or(folder.path());
    fs::create_dir_all(home).map_err(cannot)?;
    let from = home.canonicalize().map_err(cannot)?;
    let mut names = BTreeMap::new();
    for step in &new.steps {
        names.insert(step.task.clone(), relative(&from, &folder.file(&step.task)?));
    }
    let text = written::text(new, |step| names.get(&step.task).cloned().unwrap_or_default());
    // It is loaded from where it will be, by another name, which nobody else has.
    let mut draft = tempfile::Builder::new().suffix(".star").tempfile_in(home).map_err(cannot)?;
    draft.write_all(text.as_bytes()).map_err(cannot)?;
    let mode = fs::metadata(&path).map_or(0o644, |before| before.permissions().mode());
    draft.as_file().set_permissions(Permissions::from_mode(mode)).map_err(cannot)?;
    let sources = bramble_training::read(draft.path()).map_err(|error| Refusal::failed(error.to_string()))?;
    Protocol::load(&sources).map_err(|mistakes| {
        let mistakes: Vec<_> =
            mistakes.iter().map(|mistake| written::said(mistake, &sources.root, &text, new)).collect();
        Refusal::wrong(format!("the protocol is not in order:\n{}", mistakes.join("\n")))
    })?;
    draft.as_file().sync_all().map_err(cannot)?;
    let mut kept = None;
    if let Some(change) = &new.change
        && fs::read_to_string(&path).map_err(cannot)? != change.text
    {
        return Err(Refusal::conflict(format!(
            "{} was changed meanwhile, and nothing was written",
            path.display()
        ))
        .help("close the form, and change the protocol as it is now"));
    }
    if new.change.is_some() || new.replace {
        kept = keep(&path, &text, now).map_err(cannot)?;
        draft.persist(&path).map_err(|error| cannot(error.error))?;
    } else {
        draft.persist_noclobber(&path).map_err(|error| match error.error.kind() {
            ErrorKind::AlreadyExists => Refusal::conflict(format!(
                "there is a protocol {} already, and nothing was changed",
                path.display()
            ))
            .help("choose another name for the file, or say that it is to be replaced"),
            _ => cannot(error.error),
        })?;
    }
    Ok(ProtocolLine { kept, ..protocol(folder, &path) })
}

/// Keeps what a file says before something else takes its place, beside it and by a name with the
/// time in it, which is no protocol's; where it says that already, or isn't there, nothing is kept.
fn keep(path: &Path, text: &str, now: &Zoned) -> io::Result<Option<PathBuf>> {
    let before = match fs::read(path) {
        Ok(before) if before == text.as_bytes() => return Ok(None),
        Ok(before) => before,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let stem = format!("{}.{}", path.display(), now.strftime("%Y-%m-%dT%H%M%S"));
    let names = std::iter::once(stem.clone()).chain((2_u64..).map(|number| format!("{stem}-{number}")));
    for copy in names.map(PathBuf::from) {
        match File::create_new(&copy) {
            Ok(mut file) => {
                file.write_all(&before)?;
                file.sync_all()?;
                return Ok(Some(copy));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The way from a folder to a file, of which both are known in full.
fn relative(folder: &Path, file: &Path) -> String {
    let common = folder.components().zip(file.components()).take_while(|(one, other)| one == other).count();
    let mut way: PathBuf = std::iter::repeat_n("..", folder.components().count() - common).collect();
    way.extend(file.components().skip(common));
    way.display().to_string()
}

fn protocol(folder: &Folder, path: &Path) -> ProtocolLine {
    let listed = folder.listed(path).unwrap_or_else(|| path.to_owned());
    let TaskLine { path, file, name, doc, .. } = unknown(folder, listed);
    let line = ProtocolLine {
        path: path.clone(),
        file,
        name,
        doc,
        problem: None,
        steps: Vec::new(),
        text: String::new(),
        subjects: Vec::new(),
        kept: None,
    };
    let sources = match bramble_training::read(&path) {
        Ok(sources) => sources,
        Err(error) => return ProtocolLine { problem: Some(error.to_string()), ..line },
    };
    let text = sources.files.get(&sources.root).cloned().unwrap_or_default();
    let line = ProtocolLine { text, ..line };
    match Protocol::load(&sources) {
        Err(mistakes) => ProtocolLine { problem: first(&mistakes), ..line },
        Ok(Protocol { name, doc, steps }) => {
            let home = path.parent().unwrap_or(Path::new(""));
            let steps = steps.into_iter().map(|step| step_line(folder, home, step)).collect();
            ProtocolLine { name, doc, steps, ..line }
        }
    }
}

/// A step of a protocol that lies in this folder.
fn step_line(folder: &Folder, home: &Path, step: Step) -> StepLine {
    let in_form = rule::in_form(&step.graduation);
    // A form has the tasks of the folder, and no others.
    let path = folder.listed(&home.join(&step.task.root));
    StepLine {
        name: step.name,
        task: step.task.root,
        by_form: in_form.is_ok() && path.is_some(),
        path,
        parameters: step.parameters,
        graduation: rule::words(&step.graduation),
        rule: in_form.ok().flatten(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TASK: &str = "\"\"\"T.\"\"\"\npoke = hardware(digital_input)\n\
        task(stages = trials(body = state(\"wait\", on = {poke.rises: [done]})))\n";
    const ONE: &str = "protocol(name = \"three\", steps = [step(\"cued\", task = \"../free.star\")])\n";

    fn now() -> Zoned {
        "2026-11-27T09:30:00[UTC]".parse().unwrap()
    }

    /// Two protocols of one file name in different folders, and a task of one file name in each.
    fn folder() -> (tempfile::TempDir, Folder) {
        let outer = tempfile::tempdir().unwrap();
        for inner in ["tasks", "tasks/mine"] {
            let inner = outer.path().join(inner);
            fs::create_dir_all(inner.join("protocols")).unwrap();
            fs::write(inner.join("free.star"), TASK).unwrap();
            fs::write(inner.join("protocols/three.star"), ONE).unwrap();
        }
        fs::create_dir(outer.path().join("conf")).unwrap();
        // As a configuration names it that lies in the folder beside.
        let folder = Folder::new(outer.path().join("conf/../tasks"));
        (outer, folder)
    }

    fn form(of: serde_json::Value, task: &Path) -> NewProtocol {
        let mut form = json!({ "name": "new", "steps": [{ "name": "cued", "task": task }] });
        form.as_object_mut().unwrap().extend(of.as_object().unwrap().clone());
        serde_json::from_value(form).unwrap()
    }

    #[test]
    fn a_protocol_is_changed_where_it_is_and_what_it_was_is_kept_each_time() {
        let (_outer, folder) = folder();
        let mine = folder.path().join("mine/protocols/three.star");
        let task = folder.path().join("mine/free.star");
        let change = || json!({ "change": { "path": mine, "text": fs::read_to_string(&mine).unwrap() } });
        let saved = save(&folder, &form(change(), &task), &now()).unwrap();
        assert_eq!((saved.path, saved.name.as_str()), (mine.clone(), "new"));
        assert_eq!(saved.steps[0].task, "../free.star", "the task that was meant, not the other");
        assert_eq!(saved.steps[0].path, Some(task.clone()), "as the list of tasks has it");
        assert_eq!(fs::read_to_string(folder.path().join("protocols/three.star")).unwrap(), ONE);
        let copy = saved.kept.unwrap();
        assert!(copy.ends_with("mine/protocols/three.star.2026-11-27T093000"), "{copy:?}");
        assert_eq!(fs::read_to_string(copy).unwrap(), ONE);

        let same = save(&folder, &form(change(), &task), &now()).unwrap();
        assert_eq!(same.kept, None, "it said that already");
        let other = folder.path().join("free.star");
        let second = save(&folder, &form(change(), &other), &now()).unwrap();
        assert_eq!(second.steps[0].task, "../../free.star");
        assert!(second.kept.unwrap().ends_with("three.star.2026-11-27T093000-2"));
        assert_eq!(folder.files(Kind::Protocol).len(), 2, "a copy is no protocol");
    }

    #[test]
    fn a_new_protocol_takes_no_others_place_unless_that_is_said_and_then_keeps_it() {
        let (_outer, folder) = folder();
        let task = folder.path().join("free.star");
        let refused = save(&folder, &form(json!({ "file": "three" }), &task), &now()).unwrap_err();
        assert!(refused.is_conflict(), "{refused}");
        let saved = save(&folder, &form(json!({ "file": "three", "replace": true }), &task), &now()).unwrap();
        assert_eq!(fs::read_to_string(saved.kept.unwrap()).unwrap(), ONE);
        assert_eq!(save(&folder, &form(json!({ "file": "four" }), &task), &now()).unwrap().kept, None);
        assert!(save(&folder, &form(json!({}), &task), &now()).is_err(), "it must have a name");
    }

    #[test]
    fn nothing_but_a_protocol_of_the_folder_is_changed() {
        let (outer, folder) = folder();
        let task = folder.path().join("free.star");
        let outside = outer.path().join("conf/three.star");
        fs::write(&outside, ONE).unwrap();
        std::os::unix::fs::symlink(&outside, folder.path().join("protocols/link.star")).unwrap();
        let elsewhere =
            ["conf/three.star", "tasks/protocols/link.star", "tasks/protocols/gone.star", "tasks/free.star"];
        for path in elsewhere.map(|path| outer.path().join(path)) {
            let said =
                save(&folder, &form(json!({ "change": { "path": path, "text": ONE } }), &task), &now());
            assert!(said.is_err(), "{path:?}");
        }
        assert_eq!(fs::read_to_string(outside).unwrap(), ONE);
        assert_eq!(fs::read_to_string(task).unwrap(), TASK);
    }

    #[test]
    fn what_another_wrote_meanwhile_is_not_replaced() {
        let (_outer, folder) = folder();
        let (path, task) = (folder.path().join("protocols/three.star"), folder.path().join("free.star"));
        let begun = form(json!({ "change": { "path": path, "text": ONE } }), &task);
        let other = ONE.replace("cued", "other");
        fs::write(&path, &other).unwrap();
        let said = save(&folder, &begun, &now()).unwrap_err();
        assert!(said.is_conflict() && said.to_string().contains("was changed meanwhile"), "{said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), other);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_step_whose_task_is_outside_of_the_folder_is_for_no_form() {
        let (outer, folder) = folder();
        fs::write(outer.path().join("free.star"), TASK).unwrap();
        let path = folder.path().join("protocols/three.star");
        assert!(protocol(&folder, &path).steps[0].by_form);
        fs::write(&path, ONE.replace("../free", "../../free")).unwrap();
        let line = protocol(&folder, &path);
        assert_eq!((line.problem, line.steps[0].by_form), (None, false));
    }
}
