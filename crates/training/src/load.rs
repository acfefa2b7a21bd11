//! From a protocol's file to its checked steps.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bramble_task::definition::{Place, TaskDefinition};
use bramble_task::sandbox::{self, Evaluated, Limits, Problem, evaluate, resolve};
use bramble_task::{Mistake, Mistakes, ReadError, did_you_mean};
use bramble_value::{Sources, Span, ValueType};
use starlark::environment::Globals;
use starlark::values::dict::DictRef;
use starlark::values::float::UnpackFloat;
use starlark::values::list::ListRef;
use starlark::values::tuple::TupleRef;
use starlark::values::{OwnedFrozenValue, UnpackValue, Value};

use crate::graduation::{Function, Graduation, Wanted};
use crate::protocol::{Protocol, Step};
use crate::words::{Notes, field, shown, words};

fn globals() -> Globals {
    let mut globals = sandbox::globals().with(words);
    globals.set("never", starlark::values::none::NoneType);
    globals.build()
}

/// Loads and checks a protocol.
pub(crate) fn load(sources: &Sources) -> Result<Protocol, Mistakes> {
    let (evaluated, notes) = evaluated(sources)?;
    let mut loading =
        Loading { sources, files: Arc::new(evaluated), notes, tasks: BTreeMap::new(), found: Vec::new() };
    let protocol = loading.protocol();
    match (protocol, loading.found) {
        (Some(protocol), found) if found.is_empty() => Ok(protocol),
        (_, found) => Err(Mistakes::new(found, sources)),
    }
}

fn evaluated(sources: &Sources) -> Result<(Evaluated, Notes), Mistakes> {
    let notes = Notes::default();
    let evaluated = evaluate(sources, &globals(), Limits::LOAD, &notes)?;
    Ok((evaluated, notes))
}

/// Reads a protocol, its tasks and all that they load, from the folder that it
/// is in. A file that is named in them and isn't there is left out, for
/// [`Protocol::load`] to say so with the line that names it.
///
/// # Errors
/// Where the protocol's own file can't be read.
pub fn read(path: &Path) -> Result<Sources, ReadError> {
    let mut sources = bramble_task::read(path)?;
    // What is wrong with it is said when it is loaded.
    let Ok((evaluated, _)) = evaluated(&sources) else { return Ok(sources) };
    let folder = path.parent().unwrap_or(Path::new(""));
    for task in tasks_named(&evaluated) {
        let task = resolve(&sources.root, &task);
        let Ok(read) = bramble_task::read(&folder.join(&task)) else { continue };
        for (file, text) in read.files {
            sources.files.insert(resolve(&task, &file), text);
        }
    }
    Ok(sources)
}

fn tasks_named(evaluated: &Evaluated) -> Vec<String> {
    let Some(root) = evaluated.module.owned_extra_value() else { return Vec::new() };
    let steps = field(root.value(), "steps").map(items).unwrap_or_default();
    steps.into_iter().filter_map(|step| Some(field(step, "task")?.unpack_str()?.to_owned())).collect()
}

fn items<'v>(value: Value<'v>) -> Vec<Value<'v>> {
    match (ListRef::from_value(value), TupleRef::from_value(value)) {
        (Some(list), _) => list.iter().collect(),
        (_, Some(tuple)) => tuple.iter().collect(),
        _ => Vec::new(),
    }
}

fn number(made: Value<'_>, name: &str) -> f64 {
    field(made, name).and_then(unpack_number).unwrap_or_default()
}

fn unpack_number(value: Value<'_>) -> Option<f64> {
    UnpackFloat::unpack_value(value).ok().flatten().map(|number| number.0)
}

fn text(made: Value<'_>, name: &str) -> String {
    field(made, name).and_then(|value| value.unpack_str()).unwrap_or_default().to_owned()
}

/// A protocol that is being loaded.
struct Loading<'a> {
    sources: &'a Sources,
    files: Arc<Evaluated>,
    notes: Notes,
    /// The tasks that were loaded, without mistakes or not.
    tasks: BTreeMap<String, Option<Arc<TaskDefinition>>>,
    found: Vec<Mistake>,
}

impl Loading<'_> {
    fn protocol(&mut self) -> Option<Protocol> {
        for (call, words, problem) in self.notes.problems.take() {
            self.mistake(self.call(call), &words, problem);
        }
        let Some(root) = self.files.module.owned_extra_value() else {
            let start = Place { file: self.sources.root.clone(), line: 1, column: 1, length: 1 };
            let problem = Problem::new("there is no protocol in this file");
            self.mistake(start, "", problem.help("write protocol(name = ..., steps = [...])"));
            return None;
        };
        let mut steps: Vec<Step> = Vec::new();
        for made in field(root.value(), "steps").map(items).unwrap_or_default() {
            let Some(step) = self.step(made, &root) else { continue };
            if steps.iter().any(|other| other.name == step.name) {
                let problem = Problem::new(format!("there are two steps `{}`", step.name));
                self.mistake(self.place(made), &step.name, problem.help("give one of them another name"));
            }
            steps.push(step);
        }
        let doc = self.files.module.documentation().docs;
        let doc = doc.map(|doc| [Some(doc.summary), doc.details].into_iter().flatten().collect::<Vec<_>>());
        Some(Protocol { name: text(root.value(), "name"), doc: doc.unwrap_or_default().join("\n\n"), steps })
    }

    fn step(&mut self, made: Value<'_>, root: &OwnedFrozenValue) -> Option<Step> {
        if text(made, "word") != "step" {
            let problem = Problem::new(format!("{} is no step", shown(made)));
            self.mistake(
                self.place(root.value()),
                "steps",
                problem.help("write step(\"name\", task = \"...\")"),
            );
            return None;
        }
        let (name, path) = (text(made, "name"), text(made, "task"));
        let place = self.place(made);
        let (task, definition) = self.task(&place, &path)?;
        let parameters = self.parameters(made, &definition);
        let graduate = field(made, "graduate").unwrap_or(Value::new_none());
        if !graduate.is_none() && definition.trials().is_none() {
            let problem = Problem::new(format!("task {} has no trials to graduate on", definition.name));
            self.mistake(
                place.clone(),
                "graduate",
                problem.help("leave `graduate` out, or give the task `trials`"),
            );
        }
        let graduation = self.rule(graduate, &place, &definition, root);
        Some(Step { name, task, parameters, graduation })
    }

    /// A step's task and its definition, loaded once.
    fn task(&mut self, place: &Place, path: &str) -> Option<(Sources, Arc<TaskDefinition>)> {
        if path.is_empty() {
            return None;
        }
        let root = resolve(&place.file, path);
        let all = Sources { root: root.clone(), files: self.sources.files.clone() };
        if !self.sources.files.contains_key(&root) {
            let known = self.sources.files.keys().filter(|file| **file != self.sources.root);
            let help = did_you_mean(&root, known.map(String::as_str));
            self.mistake(
                place.clone(),
                path,
                Problem::new(format!("there is no file `{root}`")).maybe_help(help),
            );
            return None;
        }
        let files = sandbox::needed(&all).unwrap_or_default();
        let files = files.into_iter().filter_map(|file| all.files.get_key_value(&file));
        let task = Sources {
            root: root.clone(),
            files: files.map(|(path, text)| (path.clone(), text.clone())).collect(),
        };
        if !self.tasks.contains_key(&root) {
            let loaded =
                bramble_task::load(&all).map_err(|mistakes| self.found.extend(mistakes.iter().cloned()));
            self.tasks.insert(root.clone(), loaded.ok().map(|task| task.definition));
        }
        Some((task, self.tasks.get(&root).cloned().flatten()?))
    }

    fn parameters(&mut self, made: Value<'_>, task: &TaskDefinition) -> BTreeMap<String, serde_json::Value> {
        let mut parameters = BTreeMap::new();
        let given = field(made, "params").and_then(DictRef::from_value);
        for (name, value) in given.iter().flat_map(|given| given.iter()) {
            let shown_name = name.unpack_str().map_or_else(|| name.to_str(), str::to_owned);
            let problem = match (task.parameter(&shown_name), value.to_json_value()) {
                (None, _) => {
                    let known: Vec<&str> = task.parameters.iter().map(|one| one.name.as_str()).collect();
                    let help = did_you_mean(&shown_name, known.iter().copied())
                        .unwrap_or_else(|| format!("its parameters are {}", known.join(", ")));
                    Some(
                        Problem::new(format!("task {} has no parameter `{shown_name}`", task.name))
                            .help(help),
                    )
                }
                (Some(_), Err(_)) => {
                    Some(Problem::new(format!("parameter `{shown_name}` can't be {}", shown(value))))
                }
                (Some((_, parameter)), Ok(json)) => {
                    let checked = bramble_task::parameter_value(parameter, &json);
                    parameters.insert(shown_name.clone(), json);
                    checked.err().map(|why| Problem::new(format!("parameter `{shown_name}`: {why}")))
                }
            };
            if let Some(problem) = problem {
                self.mistake(self.place(made), &format!("\"{shown_name}\""), problem);
            }
        }
        parameters
    }

    fn rule(
        &mut self,
        made: Value<'_>,
        step: &Place,
        task: &TaskDefinition,
        root: &OwnedFrozenValue,
    ) -> Graduation {
        if made.is_none() {
            return Graduation::Never;
        }
        if made.get_type() == "function"
            && let Some(value) = made.unpack_frozen()
        {
            if made.parameters_spec().is_none_or(|spec| spec.len() != 1) {
                let problem =
                    Problem::new("the function of `graduate` takes the recent trials, and nothing else");
                self.mistake(step.clone(), "graduate", problem.help("write lambda trials: ..."));
                return Graduation::Never;
            }
            // Any part of a frozen module keeps all of it.
            let function = Function { value: root.map(|_| value), files: Arc::clone(&self.files) };
            self.try_out(&function, step, task);
            return Graduation::Function(function);
        }
        let place = self.place(made);
        match text(made, "word").as_str() {
            "trials" => Graduation::Trials(number(made, "count") as u32),
            "accuracy" => Graduation::Accuracy {
                column: text(made, "column"),
                of: self.wanted(made, &place, task),
                at_least: number(made, "at_least"),
                window: number(made, "window") as u32,
                least: number(made, "least") as u32,
            },
            "rate" => {
                let span = |name| Span::from_seconds(number(made, name)).unwrap_or(Span::ZERO);
                Graduation::Rate {
                    at_least: number(made, "at_least"),
                    per: span("per"),
                    window: span("window"),
                }
            }
            word @ ("all_of" | "any_of") => {
                let rules = field(made, "rules").map(items).unwrap_or_default();
                let rules = rules.into_iter().map(|rule| self.rule(rule, &place, task, root)).collect();
                if word == "all_of" { Graduation::AllOf(rules) } else { Graduation::AnyOf(rules) }
            }
            _ => {
                let problem = Problem::new(format!("a step can't graduate on {}", shown(made)));
                let help = "write trials(60), accuracy(...), rate(...), all_of(...), any_of(...) or a function of the trials";
                self.mistake(step.clone(), "graduate", problem.help(help));
                Graduation::Never
            }
        }
    }

    /// The value that `accuracy` counts, held against its column.
    fn wanted(&mut self, made: Value<'_>, place: &Place, task: &TaskDefinition) -> Wanted {
        let (column, of) = (text(made, "column"), field(made, "of").unwrap_or(Value::new_none()));
        let wanted = match (of.unpack_str(), of.unpack_bool(), unpack_number(of)) {
            (Some(name), ..) => Wanted::Name(name.to_owned()),
            (_, Some(flag), _) => Wanted::Boolean(flag),
            (.., number) => Wanted::Number(number.unwrap_or(f64::NAN)),
        };
        let problem = match (task.column(&column), &wanted) {
            _ if column.is_empty() => None,
            (None, _) => {
                let known: Vec<&str> = task.columns.iter().map(|one| one.name.as_str()).collect();
                let help = did_you_mean(&column, known.iter().copied())
                    .unwrap_or_else(|| format!("its columns are {}", known.join(", ")));
                Some((
                    column.clone(),
                    Problem::new(format!("task {} has no column `{column}`", task.name)).help(help),
                ))
            }
            (Some((_, declared)), wanted) => misfit(&declared.kind, wanted, of)
                .map(|problem| (format!("\"{}\"", of.unpack_str().unwrap_or(&column)), problem)),
        };
        if let Some((words, problem)) = problem {
            self.mistake(place.clone(), &words, problem);
        }
        wanted
    }

    /// Calls a function with trials as they might be, so that what is wrong
    /// with it is known before an animal is in the box.
    fn try_out(&mut self, function: &Function, step: &Place, task: &TaskDefinition) {
        for count in [1, 100] {
            let trials = crate::recent::possible(task, count);
            if let Err(error) = function.call(&trials) {
                let mistake = match error {
                    crate::GraduationError::Function(failure) => Mistake {
                        message: failure.message,
                        place: failure.place.unwrap_or_else(|| step.clone()),
                        help: failure.help,
                    },
                    other => Mistake::new(self.files.within(step, "graduate"), other.to_string()),
                };
                self.found.push(mistake);
                return;
            }
        }
    }

    fn place(&self, made: Value<'_>) -> Place {
        self.call(number(made, "at") as usize)
    }

    fn call(&self, at: usize) -> Place {
        self.notes.calls.borrow().get(at).map(|span| self.files.place(span)).unwrap_or_default()
    }

    fn mistake(&mut self, place: Place, words: &str, problem: Problem) {
        let place = if words.is_empty() { place } else { self.files.within(&place, words) };
        self.found.push(Mistake { message: problem.message, place, help: problem.help });
    }
}

/// What is wrong with counting a value in a column of this type.
fn misfit(kind: &ValueType, wanted: &Wanted, of: Value<'_>) -> Option<Problem> {
    let message = format!("a column of {kind} is never {}", shown(of));
    match (kind, wanted) {
        (ValueType::Choice(_), Wanted::Name(name)) if kind.choice(name).is_some() => None,
        (ValueType::Choice(names), Wanted::Name(name)) => {
            let help = did_you_mean(name, names.iter().map(|name| name.as_str()));
            Some(Problem::new(message).maybe_help(help))
        }
        (ValueType::Choice(names), _) => {
            let example = names.first().map(|name| format!("write of = \"{name}\""));
            Some(Problem::new(message).maybe_help(example))
        }
        (ValueType::Boolean, Wanted::Boolean(_)) => None,
        (ValueType::Integer | ValueType::Number, Wanted::Number(number)) if number.is_finite() => None,
        (ValueType::Boolean, _) => Some(Problem::new(message).help("write of = True or of = False")),
        (ValueType::Integer | ValueType::Number, _) => {
            Some(Problem::new(message).help("write of = a number"))
        }
        _ => Some(Problem::new(message).help("use a function of the trials")),
    }
}
