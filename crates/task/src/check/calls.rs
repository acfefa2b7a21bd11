//! Words, attributes and arguments inside functions that nobody has called yet.

use std::sync::LazyLock;

use starlark::codemap::Span;
use starlark::docs::{DocFunction, DocItem, DocMember};
use starlark::environment::Globals;
use starlark::syntax::ast::{ArgumentP, AstArgument, AstExpr, DefP, ExprP, ParameterP};

use super::program::{Top, text};
use super::walk::Walk;
use crate::definition::DeviceKind;
use crate::language::{
    EVENT_WORDS, Of, RANDOM_WORDS, TRIAL_WORDS, Verb, WORDS, Word, lacks, methods_of, one_kind, too_many,
    unknown,
};
use crate::mistake::did_you_mean;
use crate::sandbox::Problem;

static NATIVES: LazyLock<Globals> = LazyLock::new(crate::language::globals);

/// What an expression before a dot is.
enum Subject {
    Trial,
    Last,
    Event,
    Random,
    /// A part of the task of this class.
    Part(Of),
}

fn subject(walk: &Walk<'_, '_>, of: &AstExpr) -> Option<Subject> {
    match &of.node {
        ExprP::Identifier(name) if walk.is_trial(&name.node.ident) => Some(Subject::Trial),
        ExprP::Identifier(name) => match walk.top(&name.node.ident)? {
            Top::Declared(Verb::Hardware, Some(kind)) => Some(Subject::Part(device(*kind))),
            Top::Declared(Verb::Column, _) => Some(Subject::Part(Of::Column)),
            Top::Declared(Verb::Timer, _) => Some(Subject::Part(Of::Timer)),
            Top::Declared(Verb::Counter, _) => Some(Subject::Part(Of::Counter)),
            _ => None,
        },
        ExprP::Index(parts) => match &parts.0.node {
            ExprP::Identifier(name) => match walk.top(&name.node.ident)? {
                Top::Declared(Verb::Hardware, Some(kind)) => Some(Subject::Part(device(*kind))),
                _ => None,
            },
            _ => None,
        },
        ExprP::Dot(inner, name) => match (subject(walk, inner)?, name.node.as_str()) {
            (Subject::Trial, "last") => Some(Subject::Last),
            (Subject::Trial, "event") => Some(Subject::Event),
            (Subject::Trial, "random") => Some(Subject::Random),
            (Subject::Part(Of::Device(_)), "speed") => Some(Subject::Part(Of::Speed)),
            (Subject::Part(Of::Device(_)), "high" | "low") => Some(Subject::Part(Of::Level)),
            _ => None,
        },
        _ => None,
    }
}

/// An event or condition, in words.
pub(super) fn condition(walk: &Walk<'_, '_>, expression: &AstExpr) -> Option<String> {
    let (of, name) = match &expression.node {
        ExprP::Dot(of, name) => (of, name),
        ExprP::Call(called, _) => match &called.node {
            ExprP::Dot(of, name) => (of, name),
            _ => return None,
        },
        _ => return None,
    };
    let Subject::Part(class) = subject(walk, of)? else { return None };
    let word = methods_of(class).find(|word| word.name == name.node)?;
    let is_value = matches!(word.verb, Verb::Other | Verb::Last | Verb::Count);
    (!is_value).then(|| format!(".{}", word.name))
}

/// Whether a function wants plain values, and how many other arguments come first.
pub(super) fn plain_values(walk: &Walk<'_, '_>, function: &AstExpr) -> Option<usize> {
    const PLAIN: &[&str] = &[
        "abs", "ceil", "exp", "float", "floor", "int", "len", "log", "max", "min", "range", "round", "sqrt",
        "str", "sum",
    ];
    match &function.node {
        ExprP::Identifier(name) => {
            let name = &name.node.ident;
            let is_plain = PLAIN.contains(&name.as_str()) && !walk.is_local(name);
            (is_plain && walk.top(name).is_none()).then_some(0)
        }
        ExprP::Dot(of, name) => match (subject(walk, of)?, name.node.as_str()) {
            (Subject::Random, "chance" | "choice" | "exponential" | "normal" | "shuffle" | "uniform") => {
                Some(0)
            }
            (Subject::Trial, "past") => Some(1),
            _ => None,
        },
        _ => None,
    }
}

fn device(kind: DeviceKind) -> Of {
    Of::Device(one_kind(kind))
}

/// An attribute that there isn't.
pub(super) fn attribute(walk: &mut Walk<'_, '_>, of: &AstExpr, name: &str, span: Span) {
    let Some(subject) = subject(walk, of) else { return };
    let program = walk.program;
    let (known, what): (Vec<&str>, String) = match subject {
        Subject::Trial => (
            program.known.iter().map(String::as_str).chain(TRIAL_WORDS.iter().copied()).collect(),
            "trial".to_owned(),
        ),
        Subject::Last => (program.columns.iter().map(String::as_str).collect(), "trial.last".to_owned()),
        Subject::Event => (EVENT_WORDS.to_vec(), "trial.event".to_owned()),
        Subject::Random => (RANDOM_WORDS.to_vec(), "trial.random".to_owned()),
        Subject::Part(class) => {
            let ports = matches!(class, Of::Device(_)).then_some("ports");
            let what = match class {
                Of::Device([kind]) => format!("a {}", kind.word()),
                Of::Column => "a column".to_owned(),
                Of::Timer => "a timer".to_owned(),
                Of::Counter => "a counter".to_owned(),
                _ => "a condition".to_owned(),
            };
            (methods_of(class).map(|word| word.name).chain(ports).collect(), what)
        }
    };
    if !known.contains(&name) {
        let help = did_you_mean(name, known.iter().copied())
            .unwrap_or_else(|| format!("there are {}", known.join(", ")));
        walk.wrong(span, Problem::new(format!("there is no `{name}` of {what}")).help(help));
    }
}

/// A call with arguments that don't fit.
pub(super) fn call(walk: &mut Walk<'_, '_>, span: Span, function: &AstExpr, arguments: &[AstArgument]) {
    if arguments.iter().any(|argument| matches!(argument.node, ArgumentP::Args(_) | ArgumentP::KwArgs(_))) {
        return;
    }
    match &function.node {
        ExprP::Identifier(name) => {
            let name = &name.node.ident;
            if walk.is_local(name) {
                return;
            }
            match walk.program.top(walk.file, name) {
                Some(Top::Def(def, _)) => defined(walk, span, def, arguments),
                Some(_) => {}
                None => match WORDS.iter().find(|word| word.name == name) {
                    Some(word) => said(walk, span, word, arguments),
                    None => native(walk, span, name, arguments),
                },
            }
        }
        ExprP::Dot(of, name) => {
            if let Some(Subject::Part(class)) = subject(walk, of)
                && let Some(word) = methods_of(class).find(|word| word.name == name.node)
            {
                said(walk, span, word, arguments);
            }
        }
        _ => {}
    }
}

fn positional(arguments: &[AstArgument]) -> usize {
    arguments.iter().filter(|argument| matches!(argument.node, ArgumentP::Positional(_))).count()
}

fn by_name(arguments: &[AstArgument]) -> impl Iterator<Item = (&str, Span)> {
    arguments.iter().filter_map(|argument| match &argument.node {
        ArgumentP::Named(name, _) => Some((name.node.as_str(), name.span)),
        _ => None,
    })
}

/// A word of the language.
fn said(walk: &mut Walk<'_, '_>, span: Span, word: &'static Word, arguments: &[AstArgument]) {
    if word.verb.declares() || word.verb.is_stage() {
        // Only a function that is called while the file is loaded may use it.
        return;
    }
    if !word.called {
        return walk.wrong(
            span,
            Problem::new(format!("`{}` is not called", word.name)).help("leave out the parentheses"),
        );
    }
    let given = positional(arguments);
    let places = word.params.iter().filter(|param| !param.by_name).count();
    if given > places && word.rest.is_none() {
        walk.wrong(span, too_many(word, given - places));
    }
    for (name, at) in by_name(arguments) {
        let known = word.params.iter().any(|param| param.name == name);
        match word.named {
            None if !known => walk.wrong(at, unknown(word, name)),
            Some("column") if !walk.program.columns.iter().any(|column| column == name) => {
                let columns = walk.program.columns.iter().map(String::as_str);
                let help = did_you_mean(name, columns)
                    .unwrap_or_else(|| format!("declare it: {name} = column(...)"));
                walk.wrong(at, Problem::new(format!("there is no column `{name}`")).help(help));
            }
            _ => {}
        }
    }
    let missing = word.params.iter().enumerate().find(|(place, param)| {
        param.required && *place >= given && !by_name(arguments).any(|(name, _)| name == param.name)
    });
    if let Some((_, param)) = missing.filter(|_| word.rest.is_none()) {
        walk.wrong(span, lacks(word, param.name));
    }
}

/// A function of the files.
fn defined(
    walk: &mut Walk<'_, '_>,
    span: Span,
    def: &DefP<starlark::syntax::ast::AstNoPayload>,
    arguments: &[AstArgument],
) {
    let mut names: Vec<(&str, bool)> = Vec::new();
    let (mut places, mut any, mut any_named, mut only_named) = (0, false, false, false);
    for param in &def.params {
        match &param.node {
            ParameterP::Normal(name, _, default) => {
                names.push((&name.node.ident, default.is_none()));
                places += usize::from(!only_named);
            }
            ParameterP::Args(..) => (any, only_named) = (true, true),
            ParameterP::NoArgs => only_named = true,
            ParameterP::KwArgs(..) => any_named = true,
            ParameterP::Slash => {}
        }
    }
    let called = &def.name.node.ident;
    check(walk, span, called, &names, (places, any, any_named), arguments);
}

/// A function of Starlark, or of ours beside it.
fn native(walk: &mut Walk<'_, '_>, span: Span, name: &str, arguments: &[AstArgument]) {
    let Some((_, value)) = NATIVES.iter().find(|(known, _)| *known == name) else { return };
    let DocItem::Member(DocMember::Function(docs)) = value.to_value().documentation() else { return };
    let DocFunction { params, .. } = docs;
    let known = params.pos_only.iter().chain(&params.pos_or_named).chain(&params.named_only);
    let names: Vec<(&str, bool)> =
        known.map(|param| (param.name.as_str(), param.default_value.is_none())).collect();
    let places = params.pos_only.len() + params.pos_or_named.len();
    check(walk, span, name, &names, (places, params.args.is_some(), params.kwargs.is_some()), arguments);
}

fn check(
    walk: &mut Walk<'_, '_>,
    span: Span,
    called: &str,
    names: &[(&str, bool)],
    (places, any, any_named): (usize, bool, bool),
    arguments: &[AstArgument],
) {
    let given = positional(arguments);
    if given > places && !any {
        let plural = if places == 1 { "argument" } else { "arguments" };
        return walk.wrong(span, Problem::new(format!("`{called}` takes {places} {plural}, not {given}")));
    }
    for (name, at) in by_name(arguments) {
        if !any_named && !names.iter().any(|(known, _)| *known == name) {
            let problem = Problem::new(format!("`{called}` takes no `{name}`"));
            walk.wrong(at, problem.maybe_help(did_you_mean(name, names.iter().map(|(known, _)| *known))));
        }
    }
    let missing = names.iter().enumerate().find(|(place, (name, required))| {
        *required && *place >= given && !by_name(arguments).any(|(given, _)| given == *name)
    });
    if let Some((_, (name, _))) = missing {
        walk.wrong(span, Problem::new(format!("`{called}` needs `{name}`")));
    }
}

/// The names of states that the argument of a `goto` may be; `None` where it is computed.
pub(super) fn goto_names(argument: &AstExpr) -> Option<Vec<(&str, Span)>> {
    if let Some(name) = text(argument) {
        return Some(vec![(name, argument.span)]);
    }
    match &argument.node {
        ExprP::If(parts) => {
            let mut names = goto_names(&parts.1)?;
            names.extend(goto_names(&parts.2)?);
            Some(names)
        }
        _ => None,
    }
}
