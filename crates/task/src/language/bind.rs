//! Binding a word to the arguments it is called with.

use starlark::eval::{Arguments, Evaluator};
use starlark::values::Value;

use super::declare::Context;
use super::part::{Given, Part};
use super::words::Word;
use crate::mistake::did_you_mean;
use crate::sandbox::Problem;

/// The arguments in the word's order. Where a file is loaded a wrong name is
/// noted and left out, so that what else is wrong is found too.
pub(crate) fn bind<'v>(
    word: &Word,
    args: &Arguments<'v, '_>,
    context: &Context,
    eval: &Evaluator<'v, '_, '_>,
) -> starlark::Result<Given<'v>> {
    let mut given = Given { arguments: vec![None; word.params.len()], ..Given::default() };
    let mut places =
        word.params.iter().enumerate().filter(|(_, param)| !param.by_name).map(|(place, _)| place);
    let mut extra = 0;
    for value in args.positions(eval.heap())? {
        match places.next() {
            Some(place) if word.rest.is_none() => given.arguments[place] = Some(value),
            _ if word.rest.is_some() => given.rest.push(value),
            _ => extra += 1,
        }
    }
    if extra > 0 {
        return Err(too_many(word, extra).into());
    }
    for (name, value) in args.names_map()? {
        let name = name.as_str();
        match word.params.iter().position(|param| param.name == name) {
            Some(place) if given.arguments[place].is_some() => {
                return Err(Problem::new(format!("`{}` is given `{name}` twice", word.name)).into());
            }
            Some(place) => given.arguments[place] = Some(value),
            None if word.named.is_some() => given.named.push((name.into(), value)),
            None => {
                let problem = unknown(word, name);
                if !context.note(&problem, name, eval) {
                    return Err(problem.into());
                }
            }
        }
    }
    let missing =
        word.params.iter().zip(&given.arguments).find(|(param, value)| param.required && value.is_none());
    match missing {
        Some((param, _)) => Err(lacks(word, param.name).into()),
        None => Ok(given),
    }
}

/// The word is given an argument of a name that it doesn't take.
pub(crate) fn unknown(word: &Word, name: &str) -> Problem {
    let known: Vec<&str> = word.params.iter().map(|param| param.name).collect();
    let listed = if known.is_empty() {
        "it takes nothing by name".to_owned()
    } else {
        format!("it takes {}", known.join(", "))
    };
    Problem::new(format!("`{}` takes no `{name}`", word.name))
        .help(did_you_mean(name, known).unwrap_or(listed))
}

/// The word is given more than it takes.
pub(crate) fn too_many(word: &Word, extra: usize) -> Problem {
    let takes = word.params.iter().filter(|param| !param.by_name).count();
    let plural = |count: usize| if count == 1 { "argument" } else { "arguments" };
    let message = format!("`{}` takes {takes} {}, not {}", word.name, plural(takes), takes + extra);
    let by_name: Vec<&str> =
        word.params.iter().filter(|param| param.by_name).map(|param| param.name).collect();
    match by_name.first() {
        Some(first) => Problem::new(message).help(format!("give the others by name: {first} = ...")),
        None => Problem::new(message),
    }
}

/// The word needs something that it isn't given.
pub(crate) fn lacks(word: &Word, name: &str) -> Problem {
    Problem::new(format!("`{}` needs `{name}`", word.name)).help(first_sentence(word.doc))
}

fn first_sentence(doc: &str) -> String {
    doc.split_once(". ").map_or(doc, |(first, _)| first).trim_end_matches('.').to_owned()
}

/// A value in a sentence.
pub(crate) fn shown(value: Value<'_>) -> String {
    match value.unpack_str() {
        Some(text) if text.len() <= 40 => format!("\"{text}\""),
        Some(_) => "a long text".to_owned(),
        None if value.is_none() => "None".to_owned(),
        None => match value.get_type() {
            "int" | "float" | "bool" => value.to_str(),
            crate::sandbox::PART => Part::from_value(value).map_or_else(String::new, Part::shown),
            "function" => "a function".to_owned(),
            kind => format!("a {kind}"),
        },
    }
}
