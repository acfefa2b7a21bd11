//! What is wrong with a task file: where, and what to write instead.

use std::fmt;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::definition::{Place, Sources};

/// One thing that is wrong, and how to put it right.
///
/// It shows as one line: `task.star:3:10: what is wrong (what to do)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Mistake {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub place: Place,
    /// What to do, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Mistake {
    /// A mistake without advice.
    pub fn new(place: Place, message: impl Into<String>) -> Mistake {
        Mistake { message: message.into(), place, help: None }
    }

    /// The same mistake with advice.
    pub fn help(mut self, help: impl Into<String>) -> Mistake {
        self.help = Some(help.into());
        self
    }

    /// The same mistake with advice, if there is any.
    pub fn maybe_help(mut self, help: Option<String>) -> Mistake {
        self.help = help;
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, line, column, .. } = &self.place;
        write!(f, "{file}:{line}:{column}: {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// All that was found wrong with a task, in the order of the files; never empty.
///
/// As a [`Diagnostic`] it shows the lines of the sources below, with carets.
#[derive(Debug, Clone, Error)]
pub struct Mistakes {
    reports: Vec<Report>,
}

impl Mistakes {
    /// The mistakes in these sources: in order, each once. There must be one.
    pub fn new(mut mistakes: Vec<Mistake>, sources: &Sources) -> Mistakes {
        let key =
            |m: &Mistake| (m.place.file != sources.root, m.place.file.clone(), m.place.line, m.place.column);
        mistakes.sort_by_key(key);
        mistakes.dedup();
        let reports = mistakes.into_iter().map(|mistake| Report::new(mistake, sources)).collect();
        Mistakes { reports }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.reports.iter().map(|report| &report.mistake)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.reports.len()
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, mistake) in self.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

impl Serialize for Mistakes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl Diagnostic for Mistakes {
    // What is wrong and what to do stand in the message, once.

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.reports.first()?.text.as_deref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let file = &self.reports.first()?.mistake.place.file;
        let shown = self.reports.iter().filter(move |report| report.mistake.place.file == *file);
        Some(Box::new(shown.map(Report::label)))
    }
}

/// A mistake with the source it is in.
#[derive(Debug, Clone)]
struct Report {
    mistake: Mistake,
    text: Option<Arc<NamedSource<String>>>,
    offset: usize,
}

impl Report {
    fn new(mistake: Mistake, sources: &Sources) -> Report {
        let text = sources.files.get(&mistake.place.file);
        let offset = text.map_or(0, |text| offset(text, mistake.place.line, mistake.place.column));
        let text = text.map(|text| Arc::new(NamedSource::new(&mistake.place.file, text.clone())));
        Report { mistake, text, offset }
    }

    fn label(&self) -> LabeledSpan {
        let length = (self.mistake.place.length as usize).max(1);
        LabeledSpan::new(Some("here".to_owned()), self.offset, length)
    }
}

/// The byte at which a line and column (both from 1, in characters) are.
fn offset(text: &str, line: u32, column: u32) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1) as usize).map(str::len).sum();
    let rest = &text[start..];
    start + rest.chars().take(column.saturating_sub(1) as usize).map(char::len_utf8).sum::<usize>()
}

/// The one of `known` that `word` was most likely meant to be.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let lower = word.to_lowercase();
    known
        .into_iter()
        .filter(|known| !known.is_empty())
        .map(|known| (strsim::damerau_levenshtein(&lower, &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= (known.len().max(word.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| format!("did you mean `{known}`?"))
}

/// A list of words in a sentence: `a, b or c`; "nothing" where it is empty.
pub(crate) fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
