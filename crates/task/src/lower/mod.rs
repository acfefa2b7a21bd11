//! From the parts that a file built to the task they mean.
//!
//! The same code lowers what a function returns while a session runs.

mod action;
pub(crate) mod distribution;
mod expression;
pub(crate) mod literal;
pub(crate) mod outline;
mod plot;
mod port;
mod returned;
mod stage;
mod task;
mod trigger;

use std::collections::HashMap;

use starlark::values::Value;

use crate::call::Wanted;
use crate::definition::{FunctionId, Place, StageId, TaskDefinition};
use crate::language::Part;
use crate::mistake::Mistake;
use crate::sandbox::{Places, Problem};
use outline::Outline;

pub(crate) use crate::language::shown;
pub(crate) use stage::is_zero;
pub(crate) use task::task;

/// How many parts a task may have, and how deep they may nest.
const MOST_PARTS: usize = 100_000;
const DEEPEST: usize = 100;

/// What is being handled.
#[derive(Debug, Clone)]
enum Handled {
    /// Nothing: a stage is entered or left.
    Nothing,
    /// A time of `after`.
    Time,
    /// An event, if it is one.
    Event(Option<crate::definition::Trigger>),
}

/// Lowering one task, or one result of one of its functions.
pub(crate) struct Lowering<'a, 'v> {
    /// What is declared; its stages may be missing yet.
    pub(crate) task: &'a TaskDefinition,
    pub(crate) outline: &'a Outline,
    /// The functions that were met, while a file is loaded.
    functions: Option<Vec<Value<'v>>>,
    places: &'a Places,
    pub(crate) mistakes: Vec<Mistake>,
    /// The innermost call that is being lowered.
    site: Place,
    /// The stage that is being lowered.
    stage: StageId,
    /// What is being handled by what is being lowered.
    handled: Handled,
    /// How much more may be lowered, and how deep it nests now: a list may be in
    /// itself many times over.
    left: usize,
    depth: usize,
    /// Where each function is used, for what it may lead to.
    pub(crate) uses: HashMap<FunctionId, Vec<(StageId, Place)>>,
}

impl<'a, 'v> Lowering<'a, 'v> {
    /// Lowers what a file built.
    pub(crate) fn loading(
        task: &'a TaskDefinition,
        outline: &'a Outline,
        places: &'a Places,
    ) -> Lowering<'a, 'v> {
        Lowering {
            task,
            outline,
            functions: Some(Vec::new()),
            places,
            mistakes: Vec::new(),
            site: Place::default(),
            stage: TaskDefinition::ROOT,
            handled: Handled::Nothing,
            left: MOST_PARTS,
            depth: 0,
            uses: HashMap::new(),
        }
    }

    /// Lowers what a function of this stage returned.
    pub(crate) fn running(
        task: &'a TaskDefinition,
        outline: &'a Outline,
        places: &'a Places,
        stage: StageId,
    ) -> Lowering<'a, 'v> {
        Lowering { functions: None, stage, ..Lowering::loading(task, outline, places) }
    }

    /// Whether a number without a unit is one of the base unit: what a function
    /// computed has lost its unit, what is written out must have one.
    fn bare(&self) -> bool {
        self.functions.is_none()
    }

    /// Goes into something that may hold more of its kind.
    fn deeper<T>(&mut self, lower: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        if self.depth >= DEEPEST || self.left == 0 {
            self.left = 0;
            return self.wrong(
                Problem::new("this is too much, or nested too deep").help("keep lists short and flat"),
            );
        }
        self.depth += 1;
        let lowered = lower(self);
        self.depth -= 1;
        lowered
    }

    /// Notes what is wrong, at the innermost call.
    fn wrong<T>(&mut self, problem: Problem) -> Option<T> {
        self.wrong_at(problem, self.site.clone())
    }

    /// Notes what is wrong, where `words` stand in the innermost call.
    fn wrong_in<T>(&mut self, problem: Problem, words: &str) -> Option<T> {
        let place = self.places.within(&self.site, words);
        self.wrong_at(problem, place)
    }

    fn wrong_at<T>(&mut self, problem: Problem, place: Place) -> Option<T> {
        self.mistakes.push(Mistake { message: problem.message, place, help: problem.help });
        None
    }

    /// Notes what is wrong with a value, where it stands if it can be found.
    fn wrong_value<T>(&mut self, problem: Problem, value: Value<'v>) -> Option<T> {
        match value.unpack_str() {
            Some(text) => self.wrong_in(problem, &format!("\"{text}\"")),
            None if matches!(value.get_type(), "int" | "float" | "bool") => {
                self.wrong_in(problem, &value.to_str())
            }
            None => self.wrong(problem),
        }
    }

    /// Lowers something at the call that made the part; what was declared
    /// elsewhere is looked at where it is used.
    fn at<T>(&mut self, part: &Part<'v>, lower: impl FnOnce(&mut Self) -> T) -> T {
        if part.verb().declares() { lower(self) } else { self.in_declaration(part, lower) }
    }

    /// Lowers something at the call that made the part, be it a declaration.
    fn in_declaration<T>(&mut self, part: &Part<'v>, lower: impl FnOnce(&mut Self) -> T) -> T {
        let Some(site) = &part.said.site else { return lower(self) };
        let outer = std::mem::replace(&mut self.site, self.places.place(site));
        let lowered = lower(self);
        self.site = outer;
        lowered
    }

    fn is_function(value: Value<'v>) -> bool {
        value.get_type() == "function"
    }

    /// Keeps a function of one argument, to be called during the session.
    fn function(&mut self, value: Value<'v>) -> Option<FunctionId> {
        let Some(functions) = &mut self.functions else {
            let help = "let it compute the value itself";
            return self
                .wrong(Problem::new("what a function returns can't hold another function").help(help));
        };
        let place = functions.iter().position(|known| known.ptr_eq(value)).unwrap_or_else(|| {
            functions.push(value);
            functions.len() - 1
        });
        let id = FunctionId(place as u16);
        self.uses.entry(id).or_default().push((self.stage, self.site.clone()));
        if let Some(problem) = wrong_arity(value) {
            return self.wrong(problem);
        }
        Some(id)
    }

    /// A word that should have been called.
    fn uncalled<T>(&mut self, part: &Part<'v>) -> Option<T> {
        let word = part.said.word;
        let first = word.params.first().map_or("", |param| param.name);
        let problem = Problem::new(format!("`{}` lacks its parentheses", word.name));
        self.wrong(problem.help(format!("{}({first})", word.name)))
    }
}

/// What is wrong with a function that is to be called with one argument.
fn wrong_arity(function: Value<'_>) -> Option<Problem> {
    use starlark::docs::{DocItem, DocMember};
    let DocItem::Member(DocMember::Function(docs)) = function.documentation() else { return None };
    let params = docs.params;
    let positional = || params.pos_only.iter().chain(&params.pos_or_named);
    let required =
        positional().chain(&params.named_only).filter(|param| param.default_value.is_none()).count();
    let takes_one = positional().next().is_some() || params.args.is_some();
    if takes_one && required <= 1 {
        return None;
    }
    let name = function.function_name().unwrap_or("this function");
    let problem = Problem::new(format!("`{name}` must take one argument, the trial"));
    Some(problem.help(if required == 0 { "def f(trial): ..." } else { "give the others default values" }))
}

/// What a place wants, in a sentence.
fn wanted_words(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Column(_) => "a value of the column",
        Wanted::Duration => "a duration",
        Wanted::Amount => "a volume or a duration",
        Wanted::Integer => "a whole number",
        Wanted::Number => "a number",
        Wanted::Level => "a level",
        Wanted::Frequency => "a frequency",
        Wanted::Boolean => "True or False",
        Wanted::Port(_) => "the name of a port",
        Wanted::Side => "left or right",
    }
}
