//! The reference of the task language, written from the words themselves.

use std::fmt::Write;

use starlark::docs::{DocItem, DocMember};

use crate::definition::DeviceKind;
use crate::language::{Of, RANDOM_WORDS, TRIAL_WORDS, Verb, WORDS, Word, globals, methods_of, one_kind};

/// Every word of the language with its arguments and what it does, in Markdown.
pub fn reference() -> String {
    let mut out = String::from("# The words of the task language\n");
    section(&mut out, "Declarations", WORDS.iter().filter(|word| word.verb.declares()));
    section(&mut out, "Types", WORDS.iter().filter(|word| is_type(word.verb)));
    section(&mut out, "Kinds of devices", WORDS.iter().filter(|word| word.verb.device_kind().is_some()));
    section(&mut out, "Stages", WORDS.iter().filter(|word| is_stage(word.verb)));
    section(&mut out, "Plots", WORDS.iter().filter(|word| is_plot(word.verb)));
    let others = |word: &&Word| {
        let verb = word.verb;
        !(verb.declares() || is_type(verb) || verb.device_kind().is_some() || is_stage(verb) || is_plot(verb))
    };
    section(&mut out, "Values, actions and transitions", WORDS.iter().filter(others));
    for kind in DeviceKind::ALL {
        section(&mut out, &format!("Of a {}", kind.word()), methods_of(Of::Device(one_kind(*kind))));
    }
    for (title, class) in [
        ("Of an encoder's speed", Of::Speed),
        ("Of a condition", Of::Level),
        ("Of a column", Of::Column),
        ("Of a timer", Of::Timer),
        ("Of a counter", Of::Counter),
        ("Of the event being handled", Of::Event),
    ] {
        section(&mut out, title, methods_of(class));
    }
    functions(&mut out);
    out
}

fn is_type(verb: Verb) -> bool {
    let plain = matches!(verb, Verb::Duration | Verb::Volume | Verb::Frequency | Verb::Level | Verb::Number);
    plain || matches!(verb, Verb::Integer | Verb::Integers | Verb::Boolean | Verb::Choice)
}

fn is_stage(verb: Verb) -> bool {
    verb.is_stage() || matches!(verb, Verb::Record | Verb::Forever | Verb::AllOf | Verb::AnyOf)
}

fn is_plot(verb: Verb) -> bool {
    matches!(verb, Verb::Points | Verb::Line | Verb::RollingMean | Verb::Spans | Verb::Psychometric)
}

// Writing to a `String` never fails.
fn section<'a>(out: &mut String, title: &str, words: impl Iterator<Item = &'a Word>) {
    let _ = writeln!(out, "\n## {title}\n");
    for word in words {
        let dot = if word.of == Of::Nothing { "" } else { "." };
        let _ = writeln!(out, "- `{dot}{}{}`: {}", word.name, arguments(word), word.doc);
    }
}

/// The arguments of a word, those in brackets optional.
fn arguments(word: &Word) -> String {
    if !word.called {
        return String::new();
    }
    let mut shown: Vec<String> = word.rest.map(|rest| format!("*{rest}")).into_iter().collect();
    for param in word.params.iter().filter(|param| !is_shared(word, param.name)) {
        let name = if param.by_name { format!("{} =", param.name) } else { param.name.to_owned() };
        shown.push(if param.required { name } else { format!("[{name}]") });
    }
    shown.extend(word.named.map(|named| format!("{named} = value, ...")));
    if word.verb.is_stage() {
        shown.push("...".to_owned());
    }
    format!("({})", shown.join(", "))
}

/// What every stage can be given is said once.
fn is_shared(word: &Word, name: &str) -> bool {
    const SHARED: &[&str] = &[
        "repeat",
        "repeat_timeout",
        "timeout",
        "skip_if",
        "disabled",
        "during",
        "enter",
        "leave",
        "on",
        "after",
        "then",
    ];
    word.verb.is_stage() && SHARED.contains(&name)
}

fn functions(out: &mut String) {
    let _ = writeln!(out, "\n## Inside functions\n");
    let _ = writeln!(
        out,
        "A function of the trial sees `trial`: its columns, parameters and counters by their names, and {}. \
         `trial.random` has {}.\n",
        TRIAL_WORDS.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        RANDOM_WORDS.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
    );
    let globals = globals();
    let mut natives: Vec<(String, String)> = Vec::new();
    for (name, value) in globals.iter().filter(|(name, _)| !name.starts_with('_')) {
        if let DocItem::Member(DocMember::Function(docs)) = value.to_value().documentation()
            && let Some(summary) = docs.docs.map(|docs| docs.summary)
        {
            natives.push((name.to_owned(), summary));
        }
    }
    natives.sort();
    for (name, summary) in natives {
        let _ =
            writeln!(out, "- `{name}`: {}", summary.trim_end_matches([':', '.']).replace('\n', " ") + ".");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_in_the_reference() {
        let reference = reference();
        for word in WORDS {
            assert!(reference.contains(&format!("- `{}", word.name)), "{}", word.name);
        }
        assert!(reference.contains("- `exp`: e to the power of x."));
    }
}
