//! Bounded evaluation of Starlark: whatever a file says, evaluating it ends
//! within moments, in bounded memory, and gives the same result everywhere.
//!
//! It knows nothing of tasks. Protocols and simulated animals that are written
//! in Starlark are evaluated by it too, with words of their own.

mod bounded;
mod brackets;
mod edits;
mod failure;
mod math;
mod syntax;

use std::collections::BTreeMap;
use std::sync::Arc;

use starlark::any::AnyLifetime;
use starlark::codemap::FileSpan;
use starlark::environment::{FrozenModule, Globals, GlobalsBuilder, Module};
use starlark::eval::{Evaluator, FileLoader};
use starlark::syntax::ast::StmtP;
use starlark::values::{Heap, OwnedFrozenValue, Value};

use crate::definition::{Place, Sources};
use crate::mistake::{Mistake, Mistakes, did_you_mean};

pub(crate) use failure::PART;
pub use failure::{Failure, Problem};
pub use math::{math, number};
pub(crate) use syntax::{Parsed, parse};

/// How much an evaluation may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Function calls and turns of loops.
    pub ticks: u64,
    /// Bytes.
    pub memory: usize,
    /// Calls within calls.
    pub depth: usize,
}

impl Limits {
    /// For a file when it is loaded.
    pub const LOAD: Limits = Limits { ticks: 1_000_000, memory: 64 << 20, depth: 60 };
    /// For one call of a function during a session.
    pub const CALL: Limits = Limits { ticks: 100_000, memory: 16 << 20, depth: 60 };

    fn apply(&self, eval: &mut Evaluator<'_, '_, '_>) {
        // They refuse only zeros and a second time.
        let _ = eval.set_max_tick_count(self.ticks);
        let _ = eval.set_max_heap_size(self.memory);
        let _ = eval.set_max_callstack_size(self.depth);
    }
}

/// The bounded words of Starlark itself, and exact mathematics: what every
/// language here starts from.
pub fn globals() -> GlobalsBuilder {
    GlobalsBuilder::standard().with(bounded::bounded).with(math)
}

/// What evaluating a file left.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// The root file's module.
    pub module: FrozenModule,
    /// Every other module that was loaded, by its path, each after those it loads.
    pub loaded: Vec<(String, FrozenModule)>,
    /// Where things are.
    pub(crate) places: Places,
}

/// Evaluates the root of `sources` and what it loads. `extra` is what the
/// language's own words find in [`Evaluator::extra`].
pub fn evaluate<'a, 'e: 'a>(
    sources: &Sources,
    globals: &Globals,
    limits: Limits,
    extra: &'a dyn AnyLifetime<'e>,
) -> Result<Evaluated, Mistakes> {
    let parsed = with_stack(|| parse_all(sources)).map_err(|mistakes| Mistakes::new(mistakes, sources))?;
    evaluate_parsed(&parsed, globals, limits, extra)
        .map_err(|(path, failure)| Mistakes::new(vec![failure.mistake(&path)], sources))
}

impl Evaluated {
    /// Where something is that was met during the evaluation.
    pub fn place(&self, span: &FileSpan) -> Place {
        self.places.place(span)
    }

    /// Where in a place, which is a call, `words` first stand; else the place itself.
    pub fn within(&self, place: &Place, words: &str) -> Place {
        self.places.within(place, words)
    }

    /// What to tell a person of an error of a function that the files left.
    pub fn explain(&self, error: &starlark::Error) -> Failure {
        Failure::new(error, &self.places)
    }
}

/// The paths of the files that the root needs, itself the last.
pub fn needed(sources: &Sources) -> Result<Vec<String>, Mistakes> {
    let parsed = parse_all(sources).map_err(|mistakes| Mistakes::new(mistakes, sources))?;
    Ok(parsed.iter().map(|file| file.path.clone()).collect())
}

/// Does something that may recurse as deep as a file nests, on a stack that is
/// large enough for it.
pub(crate) fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    const STACK: usize = 64 << 20;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(done)) => done,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => panic!("no thread can be started to read a file: {error}"),
        }
    })
}

/// Parses the root and all that it loads, in the order in which they must be
/// evaluated: the root last.
pub(crate) fn parse_all(sources: &Sources) -> Result<Vec<Arc<Parsed>>, Vec<Mistake>> {
    let mut found = Vec::new();
    let mut mistakes = Vec::new();
    let root = Place { file: sources.root.clone(), line: 1, column: 1, length: 1 };
    visit(sources, &sources.root, &root, &mut Vec::new(), &mut found, &mut mistakes);
    if mistakes.is_empty() { Ok(found) } else { Err(mistakes) }
}

fn visit(
    sources: &Sources,
    path: &str,
    from: &Place,
    open: &mut Vec<String>,
    found: &mut Vec<Arc<Parsed>>,
    mistakes: &mut Vec<Mistake>,
) {
    if found.iter().any(|parsed| parsed.path == path) {
        return;
    }
    if open.iter().any(|above| above == path) {
        let circle = open.iter().map(String::as_str).chain([path]).collect::<Vec<_>>().join(" -> ");
        mistakes.push(
            Mistake::new(from.clone(), format!("files load each other in a circle: {circle}"))
                .help("move what both need into a third file"),
        );
        return;
    }
    let Some(text) = sources.files.get(path) else {
        let known = sources.files.keys().map(String::as_str);
        mistakes.push(
            Mistake::new(from.clone(), format!("there is no file `{path}`"))
                .maybe_help(did_you_mean(path, known)),
        );
        return;
    };
    match parse(path, text) {
        Err(mistake) => mistakes.push(mistake),
        Ok(parsed) => {
            open.push(path.to_owned());
            for (load, place) in parsed.loads() {
                visit(sources, &resolve(path, &load), &place, open, found, mistakes);
            }
            open.pop();
            found.push(Arc::new(parsed));
        }
    }
}

/// The path that `load(target)` in the file `from` means: relative to its folder.
pub fn resolve(from: &str, target: &str) -> String {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Evaluates files, each after those it loads; else which failed, and why.
pub(crate) fn evaluate_parsed<'a, 'e: 'a>(
    parsed: &[Arc<Parsed>],
    globals: &Globals,
    limits: Limits,
    extra: &'a dyn AnyLifetime<'e>,
) -> Result<Evaluated, (String, Failure)> {
    let places = Places::new(parsed);
    let mut loaded: Vec<(String, FrozenModule)> = Vec::new();
    for file in parsed {
        let module = {
            let loader = Loader { from: &file.path, modules: &loaded };
            evaluate_one(file, &loader, globals, limits, extra)
                .map_err(|error| (file.path.clone(), Failure::new(&error, &places)))?
        };
        loaded.push((file.path.clone(), module));
    }
    let (_, module) = loaded.pop().expect("the root was parsed, so it is among them");
    Ok(Evaluated { module, loaded, places })
}

/// Where a file is when it has taken too much: the interpreter doesn't say. It
/// is the first statement up to which the file already does, which `fails` finds
/// out of files to evaluate.
pub(crate) fn exhausted(
    parsed: &[Arc<Parsed>],
    path: &str,
    fails: impl Fn(&[Arc<Parsed>]) -> bool,
) -> Option<Place> {
    let (place, file) = parsed.iter().enumerate().find(|(_, file)| file.path == path)?;
    let spans = match &file.ast.statement().node {
        StmtP::Statements(all) => all.iter().map(|one| one.span).collect(),
        _ => vec![file.ast.statement().span],
    };
    let first = spans.partition_point(|span| {
        let up_to_it = file.text().get(..span.end().get() as usize);
        let Some(Ok(short)) = up_to_it.map(|text| parse(path, text)) else { return true };
        let files: Vec<_> = parsed[..place].iter().cloned().chain([Arc::new(short)]).collect();
        !fails(&files)
    });
    Some(file.place(*spans.get(first)?))
}

fn evaluate_one<'a, 'e: 'a>(
    file: &Parsed,
    loader: &Loader<'_>,
    globals: &Globals,
    limits: Limits,
    extra: &'a dyn AnyLifetime<'e>,
) -> starlark::Result<FrozenModule> {
    Module::with_temp_heap(|module| {
        {
            let mut eval = Evaluator::new(&module);
            limits.apply(&mut eval);
            eval.set_loader(loader);
            eval.extra = Some(extra);
            eval.eval_module(file.bounded()?, globals)?;
        }
        Ok(module.freeze()?)
    })
}

struct Loader<'a> {
    from: &'a str,
    modules: &'a [(String, FrozenModule)],
}

impl FileLoader for Loader<'_> {
    fn load(&self, target: &str) -> starlark::Result<FrozenModule> {
        let path = resolve(self.from, target);
        match self.modules.iter().find(|(known, _)| *known == path) {
            Some((_, module)) => Ok(module.clone()),
            None => Err(Problem::new(format!("there is no file `{path}`")).into()),
        }
    }
}

/// Calls a function that a file left behind. `arguments` makes what it is called
/// with and `result` takes what it returned, both on a heap that is gone afterwards.
pub fn call<'a, 'e: 'a, R, E>(
    function: &OwnedFrozenValue,
    limits: Limits,
    extra: &'a dyn AnyLifetime<'e>,
    arguments: impl for<'v> FnOnce(Heap<'v>) -> Vec<Value<'v>>,
    result: impl for<'v> FnOnce(Value<'v>, Heap<'v>) -> Result<R, E>,
) -> Result<Result<R, E>, starlark::Error> {
    Module::with_temp_heap(|module| {
        let heap = module.heap();
        let function = heap.access_owned_frozen_value(function);
        let arguments = arguments(heap);
        let mut eval = Evaluator::new(&module);
        limits.apply(&mut eval);
        eval.extra = Some(extra);
        let returned = eval.eval_function(function, &arguments, &[])?;
        Ok(result(returned, heap))
    })
}

/// The files of an evaluation, to say where in them something is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    files: Arc<BTreeMap<String, Arc<Parsed>>>,
}

impl Places {
    pub(crate) fn new(parsed: &[Arc<Parsed>]) -> Places {
        Places { files: Arc::new(parsed.iter().map(|one| (one.path.clone(), Arc::clone(one))).collect()) }
    }

    /// The place of a span of the text that was evaluated.
    pub(crate) fn place(&self, span: &starlark::codemap::FileSpan) -> Place {
        match self.files.get(span.filename()) {
            Some(file) => file.evaluated_place(span.span),
            None => Place { file: span.filename().to_owned(), line: 1, column: 1, length: 1 },
        }
    }

    /// Where in the place, which is a call, `words` first stand; else the place itself.
    pub(crate) fn within(&self, place: &Place, words: &str) -> Place {
        self.files
            .get(&place.file)
            .and_then(|file| file.within(place, words))
            .unwrap_or_else(|| place.clone())
    }
}

/// What a language's words meet when they are used: [`Evaluator::extra`] of a type.
pub fn extra<'a, 'e, T: AnyLifetime<'e>>(eval: &Evaluator<'_, 'a, 'e>) -> Option<&'a T> {
    eval.extra.and_then(|extra| extra.downcast_ref::<T>())
}
