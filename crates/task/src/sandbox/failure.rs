//! From what Starlark says of an error to what a person is told.

use std::fmt;

use starlark::ErrorKind;

use super::Places;
use crate::definition::Place;
use crate::mistake::{Mistake, did_you_mean};

/// An error that one of our own words raises while a file is evaluated.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Problem {
    /// A problem without advice.
    pub fn new(message: impl Into<String>) -> Problem {
        Problem { message: message.into(), help: None }
    }

    /// The same problem with advice.
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// The same problem with advice, if there is any.
    pub fn maybe_help(mut self, help: Option<String>) -> Problem {
        self.help = help;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl From<Problem> for starlark::Error {
    fn from(problem: Problem) -> starlark::Error {
        starlark::Error::new_native(problem)
    }
}

/// Why an evaluation ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where, where that is known.
    pub place: Option<Place>,
}

impl Failure {
    pub(crate) fn new(error: &starlark::Error, places: &Places) -> Failure {
        let frames = error.call_stack().clone().into_frames();
        let calls = || frames.iter().rev().filter_map(|frame| frame.location.as_ref());
        let shows = error.span().or_else(|| calls().next());
        let (message, help) = explain(error.kind());
        // What a function of a loaded file can't do is a mistake of who called it.
        let file = calls().next_back().map(|began| began.filename());
        let caller = calls().find(|call| Some(call.filename()) == file);
        match (shows, caller) {
            (Some(shows), Some(caller)) if shows.filename() != caller.filename() => {
                let Place { file, line, .. } = places.place(shows);
                let within = format!("it shows in {file}, line {line}");
                let help = help.map_or(within.clone(), |help| format!("{help}; {within}"));
                Failure { message, help: Some(help), place: Some(places.place(caller)) }
            }
            (shows, _) => Failure { message, help, place: shows.map(|span| places.place(span)) },
        }
    }

    /// The failure as a mistake of the file at `path`.
    pub(crate) fn mistake(self, path: &str) -> Mistake {
        let start = || Place { file: path.to_owned(), line: 1, column: 1, length: 1 };
        Mistake { message: self.message, place: self.place.unwrap_or_else(start), help: self.help }
    }
}

fn explain(kind: &ErrorKind) -> (String, Option<String>) {
    let inner = match kind {
        ErrorKind::Fail(inner)
        | ErrorKind::StackOverflow(inner)
        | ErrorKind::Value(inner)
        | ErrorKind::Function(inner)
        | ErrorKind::Scope(inner)
        | ErrorKind::Parser(inner)
        | ErrorKind::Freeze(inner)
        | ErrorKind::Internal(inner)
        | ErrorKind::Native(inner)
        | ErrorKind::Other(inner) => inner,
        _ => return (kind.to_string(), None),
    };
    if let Some(problem) = inner.downcast_ref::<Problem>() {
        return (problem.message.clone(), problem.help.clone());
    }
    match kind {
        ErrorKind::Fail(inner) => (inner.to_string().trim().to_owned(), None),
        ErrorKind::StackOverflow(_) => (
            "calls go too deep".to_owned(),
            Some("a function calls itself without end: use a loop".to_owned()),
        ),
        ErrorKind::Parser(inner) => parser(&inner.to_string()),
        _ => reword(&inner.to_string()),
    }
}

/// Syntax errors, in the words of somebody who writes Python.
fn parser(text: &str) -> (String, Option<String>) {
    let text = text.strip_prefix("Parse error: ").unwrap_or(text);
    let message = lower_first(text.trim_end());
    let help = if message.contains("f-string") {
        Some("inside { } of an f-string only names may stand".to_owned())
    } else if message.contains("keyword `is`") {
        Some("write == None, or != None".to_owned())
    } else if message.contains("`class`") || message.contains("`import`") || message.contains("`while`") {
        Some("the language is Starlark: Python without classes, imports and while".to_owned())
    } else if message.contains("reserved keyword") {
        Some("Python has this word, Starlark has not: do without it".to_owned())
    } else if message.starts_with("unexpected identifier") || message.starts_with("unexpected string") {
        Some("is a comma or a bracket lacking before it?".to_owned())
    } else {
        None
    };
    (message, help)
}

/// The interpreter's messages that a person is likely to meet.
fn reword(text: &str) -> (String, Option<String>) {
    let text = text.trim_end();
    if text.contains("ticks has been exceeded") {
        return (
            "this takes too long: too many calls or turns of a loop".to_owned(),
            Some("it must end within moments: is there a loop that should be shorter?".to_owned()),
        );
    }
    if text.starts_with("Heap memory limit") {
        return (
            "this takes too much memory".to_owned(),
            Some("does a list or text grow without end?".to_owned()),
        );
    }
    if let Some((name, tail)) = text.strip_prefix("Variable `").and_then(|rest| rest.split_once('`')) {
        if name == "trial" {
            let help = "only a function has a trial: give the function by its name alone, and it is called";
            return ("there is no `trial` here".to_owned(), Some(help.to_owned()));
        }
        let help = suggestion(tail).filter(|help| {
            let word = help.split('`').nth(1).unwrap_or_default();
            did_you_mean(name, [word]).is_some()
        });
        return (format!("there is no `{name}`"), help.or(Some("is it declared above?".to_owned())));
    }
    let attribute =
        text.strip_prefix("Object of type `").and_then(|rest| rest.split_once("` has no attribute `"));
    if let Some((kind, tail)) = attribute {
        let (name, tail) = tail.split_once('`').unwrap_or((tail, ""));
        let of = if kind == PART { String::new() } else { format!(" of a {kind}") };
        return (format!("there is no `{name}`{of} here"), suggestion(tail));
    }
    if text.contains(&format!("`{PART}`"))
        && (text.starts_with("Operation ") || text.contains("not supported"))
    {
        return (
            "a declared value can't be computed with here: it is known only while a session runs".to_owned(),
            Some("compute it in a function of the trial, with `trial.` before the name".to_owned()),
        );
    }
    if text.contains("`NoneType`") && text.contains("not supported") {
        return (
            "this is computed with a value that is missing (None)".to_owned(),
            Some("a column that was not written is None, and so is `trial.last.` of all on the first trial: ask `if ... == None` first".to_owned()),
        );
    }
    if text.starts_with("Dictionary key repeated") {
        return (
            "the same thing stands twice in { }: only one of them could count".to_owned(),
            Some("put what it does into one list".to_owned()),
        );
    }
    let first = text.lines().next().unwrap_or(text);
    match first.split_once(", did you mean ") {
        Some((message, word)) => (lower_first(message), Some(format!("did you mean {word}"))),
        None => (lower_first(first), None),
    }
}

/// What Starlark calls the values that stand for something known later.
pub(crate) const PART: &str = "part of a task";

fn suggestion(tail: &str) -> Option<String> {
    let (_, word) = tail.split_once("did you mean ")?;
    Some(format!("did you mean {}", word.trim_end_matches('?').to_owned() + "?"))
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if !letters.clone().next().is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}
