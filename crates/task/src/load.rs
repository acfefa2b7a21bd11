//! Loading a task: from its sources to a definition and the functions beside it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use starlark::values::OwnedFrozenValue;
use thiserror::Error;

use crate::check;
use crate::definition::{Place, Sources, TaskDefinition};
use crate::functions::Functions;
use crate::graph::Sketch;
use crate::language::{Context, globals};
use crate::lower;
use crate::lower::outline::Outline;
use crate::mistake::{Mistake, Mistakes};
use crate::sandbox::{
    Evaluated, Failure, Limits, Places, evaluate_parsed, exhausted, parse_all, resolve, with_stack,
};

/// A task that was loaded and checked.
#[derive(Debug, Clone)]
pub struct Task {
    /// What it is.
    pub definition: Arc<TaskDefinition>,
    /// What it was loaded from.
    pub sources: Arc<Sources>,
    pub(crate) functions: Arc<[Function]>,
    pub(crate) outline: Arc<Outline>,
    pub(crate) places: Places,
    pub(crate) sketches: Arc<[Sketch]>,
}

/// A function of the task file.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) value: OwnedFrozenValue,
    /// Where it is used first.
    pub(crate) place: Place,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The value would print all that the file made.
        f.debug_struct("Function").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Task {
    /// What it is.
    pub fn definition(&self) -> &Arc<TaskDefinition> {
        &self.definition
    }

    /// The task's functions, to be called during one session.
    pub fn functions(&self) -> Functions {
        Functions::new(self)
    }
}

/// Loads a task and checks it. Whatever can be found wrong with it is found
/// here, all of it at once where that is possible.
pub fn load(sources: &Sources) -> Result<Task, Mistakes> {
    with_stack(|| load_here(sources))
}

fn load_here(sources: &Sources) -> Result<Task, Mistakes> {
    let parsed = parse_all(sources).map_err(|mistakes| Mistakes::new(mistakes, sources))?;
    let places = Places::new(&parsed);
    let context = Context::loading(places.clone());
    let evaluated = evaluate_parsed(&parsed, &globals(), Limits::LOAD, &context);
    let (declared, mut mistakes) = context.finish();
    mistakes.extend(check::files(&parsed));
    mistakes.extend(declared.check_names());
    let evaluated = match evaluated {
        Ok(evaluated) => evaluated,
        Err((path, failure)) => {
            let fails = |files: &[_]| {
                let again = Context::loading(Places::new(files));
                evaluate_parsed(files, &globals(), Limits::LOAD, &again).is_err()
            };
            let place = failure.place.clone().or_else(|| exhausted(&parsed, &path, fails));
            let mistake = Failure { place, ..failure }.mistake(&path);
            // What was already found in that line says it better.
            let said = |other: &Mistake| {
                other.place.file == mistake.place.file && other.place.line == mistake.place.line
            };
            if !mistakes.iter().any(said) {
                mistakes.push(mistake);
            }
            return Err(Mistakes::new(mistakes, sources));
        }
    };
    let root = Place { file: sources.root.clone(), line: 1, column: 1, length: 1 };
    let kept = kept(&evaluated);
    let remembered = kept.iter().map(OwnedFrozenValue::value).collect();
    let doc = evaluated.module.documentation().docs;
    let doc = doc
        .map(|doc| [Some(doc.summary), doc.details].into_iter().flatten().collect::<Vec<_>>().join("\n\n"));
    let name = file_stem(&sources.root);
    let lowered = lower::task(declared, remembered, name, &doc.unwrap_or_default(), &places, &root);
    mistakes.extend(lowered.mistakes);
    let functions: Option<Vec<Function>> = lowered
        .functions
        .iter()
        .enumerate()
        .map(|(id, value)| {
            let used = lowered.uses.iter().find(|(function, _)| function.index() == id);
            let place =
                used.and_then(|(_, places)| Some(places.first()?.1.clone())).unwrap_or_else(|| root.clone());
            let frozen = value.unpack_frozen()?;
            // Any value of the evaluation keeps all of its memory alive.
            let value_owner = kept.last()?;
            let name = value.function_name().unwrap_or("a function").to_owned();
            Some(Function { name, value: value_owner.map(|_| frozen), place })
        })
        .collect();
    let functions = functions.unwrap_or_default();
    let mut sketches = Vec::new();
    // What is half lowered would be blamed for what it lacks.
    if mistakes.is_empty() {
        (mistakes, sketches) = check::stages(&parsed, &lowered.definition, &lowered.outline, &functions);
    }
    if !mistakes.is_empty() {
        return Err(Mistakes::new(mistakes, sources));
    }
    Ok(Task {
        definition: Arc::new(lowered.definition),
        sources: Arc::new(sources.clone()),
        functions: functions.into(),
        outline: Arc::new(lowered.outline),
        places,
        sketches: sketches.into(),
    })
}

/// What the modules kept to be looked at again, the root's last.
fn kept(evaluated: &Evaluated) -> Vec<OwnedFrozenValue> {
    let loaded = evaluated.loaded.iter().map(|(_, module)| module);
    loaded.chain([&evaluated.module]).filter_map(|module| module.owned_extra_value()).collect()
}

fn file_stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".star").unwrap_or(name)
}

/// A task file that could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file itself is not there, or not readable.
    #[error("can't read {path}: {error}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is far too long for a task.
    #[error("{path} is not a task file: it is longer than 1 MB")]
    TooLong {
        /// Which file.
        path: PathBuf,
    },
}

/// Reads a file and all that it loads, from the folder that it is in. A file
/// that it loads and that isn't there is left out, for [`load`] to say so with
/// the line that loads it.
pub fn read(path: &Path) -> Result<Sources, ReadError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let root = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut sources = Sources { root: root.clone(), files: Default::default() };
    let mut open = vec![root.clone()];
    while let Some(name) = open.pop() {
        if sources.files.contains_key(&name) || sources.files.len() > MOST_FILES {
            continue;
        }
        let text = match read_text(&folder.join(&name)) {
            Ok(text) => text,
            Err(error) if name == root => return Err(error),
            Err(_) => continue,
        };
        if let Ok(parsed) = with_stack(|| crate::sandbox::parse(&name, &text)) {
            open.extend(parsed.loads().iter().map(|(load, _)| resolve(&name, load)));
        }
        sources.files.insert(name, text);
    }
    Ok(sources)
}

/// More files than any task loads.
const MOST_FILES: usize = 1000;

fn read_text(path: &Path) -> Result<String, ReadError> {
    const LONGEST: u64 = 1 << 20;
    let unreadable = |error| ReadError::Unreadable { path: path.to_owned(), error };
    if std::fs::metadata(path).map_err(unreadable)?.len() > LONGEST {
        return Err(ReadError::TooLong { path: path.to_owned() });
    }
    std::fs::read_to_string(path).map_err(unreadable)
}
