//! Reads an agent's configuration file, and shows where its mistakes are.

mod place;

use std::ops::Range;
use std::path::{Path, PathBuf};

use miette::{Diagnostic, NamedSource, SourceSpan};
use serde::de::DeserializeOwned;
use thiserror::Error;

/// A configuration that can't be used.
#[derive(Debug, Error, Diagnostic)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("can't read the configuration {}: {source}", path.display())]
    #[diagnostic(help("say which file with --config FILE; Bramble's config folder has commented examples"))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is a mistake in it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Mistake(Box<Mistake>),
    /// There are several.
    #[error("{file} has {} mistakes", mistakes.len())]
    Mistakes {
        /// The file.
        file: String,
        /// All of them, in the order of their places.
        #[related]
        mistakes: Vec<Mistake>,
    },
}

impl ConfigError {
    /// The mistakes that are in the text; none where there is no text.
    pub fn mistakes(&self) -> &[Mistake] {
        match self {
            ConfigError::Unreadable { .. } => &[],
            ConfigError::Mistake(only) => std::slice::from_ref(only),
            ConfigError::Mistakes { mistakes, .. } => mistakes,
        }
    }
}

/// Something in a configuration that can't be, as whoever knows what it means
/// says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key that it is about, from the root: `rig`, `devices`, `poke`, `pin`.
    pub path: Vec<String>,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to write instead, where that can be said.
    pub help: Option<String>,
}

/// A mistake in a configuration, and where it is.
#[derive(Debug, Error, Diagnostic)]
#[error("{file}:{line}:{column}: {message}")]
pub struct Mistake {
    file: String,
    line: usize,
    column: usize,
    message: String,
    #[source_code]
    text: NamedSource<String>,
    #[label("here")]
    at: SourceSpan,
    #[help]
    help: Option<String>,
}

/// A configuration, and the text it was read from.
#[derive(Debug, Clone)]
pub struct Config<T> {
    /// What it says.
    pub settings: T,
    /// The text itself, for a session's provenance.
    pub text: String,
    file: PathBuf,
}

impl<T> Config<T> {
    /// A path that the configuration names: from the home folder where it starts
    /// with `~/`, else from the folder that the file is in.
    pub fn path(&self, named: &Path) -> PathBuf {
        match (named.strip_prefix("~"), std::env::home_dir()) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => self.file.parent().unwrap_or(Path::new("")).join(named),
        }
    }

    /// Shows where in the text these faults of its table `table` are; a fault of
    /// something that is not there is shown at what should have it.
    pub fn mistakes(&self, table: &str, faults: Vec<Fault>) -> ConfigError {
        let faults = faults.into_iter().map(|fault| fault.within(table)).collect();
        mistakes(&self.file.display().to_string(), &self.text, faults)
    }
}

/// Shows where in the text of `file` these faults are.
pub fn mistakes(file: &str, text: &str, faults: Vec<Fault>) -> ConfigError {
    let placed = faults.into_iter().map(|fault| (place::of(text, &fault.path), fault));
    let mut placed: Vec<_> = placed.collect();
    placed.sort_by_key(|(place, _)| place.start);
    let mut mistakes: Vec<Mistake> = placed
        .into_iter()
        .map(|(at, fault)| Mistake::new(file, text, at, fault.message, fault.help))
        .collect();
    match mistakes.pop() {
        Some(only) if mistakes.is_empty() => ConfigError::Mistake(Box::new(only)),
        last => {
            mistakes.extend(last);
            ConfigError::Mistakes { file: file.to_owned(), mistakes }
        }
    }
}

impl Fault {
    /// A fault of the key at `path`.
    pub fn new(path: &[&str], message: impl Into<String>) -> Fault {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        Fault { path, message: message.into(), help: None }
    }

    /// Says what to write instead.
    pub fn help(self, help: impl Into<String>) -> Fault {
        Fault { help: Some(help.into()), ..self }
    }

    /// The same fault, of a part of the file that is at the key `outer`.
    pub fn within(mut self, outer: &str) -> Fault {
        self.path.insert(0, outer.to_owned());
        self
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path.join("."), self.message)?;
        self.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

impl Mistake {
    /// What is wrong, in a sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to write instead, where that can be said.
    pub fn what_to_do(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The line that it is in, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Where it starts in the text, in bytes.
    pub fn start(&self) -> usize {
        self.at.offset()
    }

    fn new(file: &str, text: &str, at: Range<usize>, message: String, help: Option<String>) -> Mistake {
        let (line, column) = place::line_and_column(text, at.start);
        Mistake {
            file: file.to_owned(),
            line,
            column,
            message,
            text: NamedSource::new(file, text.to_owned()),
            at: at.into(),
            help,
        }
    }
}

/// The bytes of the value at the key `path` of a text, or of the name of a table. Where
/// there is no such key, those of the last one on the way that is there.
pub fn place(text: &str, path: &[String]) -> Range<usize> {
    place::of(text, path)
}

/// Reads a file.
///
/// # Errors
/// [`ConfigError::Unreadable`] where there is no such file, and
/// [`ConfigError::Mistake`] where it does not say what it should.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Config<T>, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    let settings = parse(&path.display().to_string(), &text)?;
    Ok(Config { settings, text, file: path.to_owned() })
}

/// Reads a text that is called `file` in messages.
///
/// # Errors
/// [`ConfigError::Mistake`] where it does not say what it should.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| {
        // What serde says of an unknown name lists all that are known; the
        // nearest of them is what was meant.
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        let help = suggestion(&message);
        let at = error.span().unwrap_or(0..0);
        ConfigError::Mistake(Box::new(Mistake::new(file, text, at, message, help)))
    })
}

fn suggestion(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let wrong = quoted.next()?;
    if message.starts_with("missing field") {
        return Some(format!("add a line `{wrong} = ...`"));
    }
    if !message.starts_with("unknown ") {
        return None;
    }
    let distance = |known: &&str| strsim::damerau_levenshtein(wrong, known);
    let nearest = quoted.min_by_key(distance)?;
    let close = distance(&nearest) <= wrong.len().max(3) / 2;
    close.then(|| format!("did you mean `{nearest}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Agent {
        name: String,
        #[serde(default)]
        speed: f64,
    }

    #[test]
    fn a_right_file_is_read() {
        let agent: Agent = parse("box.toml", "name = \"box1\"\n").unwrap();
        assert_eq!((agent.name.as_str(), agent.speed), ("box1", 0.0));
    }

    fn mistake(text: &str) -> (String, Option<String>) {
        let error = parse::<Agent>("box.toml", text).unwrap_err();
        (error.to_string(), error.help().map(|help| help.to_string()))
    }

    #[test]
    fn a_misspelt_setting_is_shown_at_its_line_with_the_one_that_was_meant() {
        let (message, help) = mistake("# a comment\nname = \"box1\"\n  sped = 2\n");
        assert!(message.starts_with("box.toml:3:3: unknown field `sped`"), "{message}");
        assert_eq!(help.as_deref(), Some("did you mean `speed`?"));
    }

    #[test]
    fn a_missing_setting_a_wrong_type_and_broken_toml_are_told_apart() {
        let (message, help) = mistake("speed = 1.0\n");
        assert!(message.contains("missing field `name`"), "{message}");
        assert_eq!(help.as_deref(), Some("add a line `name = ...`"));
        assert!(mistake("name = 3\n").0.starts_with("box.toml:1:8: invalid type"));
        assert!(mistake("name = \"box\nspeed = 1\n").0.starts_with("box.toml:1:"));
    }

    #[test]
    fn faults_are_shown_at_their_keys_in_the_order_of_the_file() {
        let text = "name = \"box1\"\n[rig.devices.poke]\npins = { a = 1, b = 1 }\n";
        let faults = vec![
            Fault::new(&["rig", "devices", "poke", "pins", "b"], "it is a's pin too").help("take another"),
            Fault::new(&["name"], "it is taken"),
        ];
        let ConfigError::Mistakes { mistakes, .. } = mistakes("box.toml", text, faults) else {
            panic!("there are two")
        };
        assert_eq!(mistakes[0].to_string(), "box.toml:1:8: it is taken");
        assert_eq!(mistakes[1].to_string(), "box.toml:3:21: it is a's pin too");
        assert_eq!(mistakes[1].help().unwrap().to_string(), "take another");
    }

    #[test]
    fn a_single_fault_is_a_mistake_like_any_other() {
        let error = mistakes("box.toml", "name = 1\n", vec![Fault::new(&["name"], "it is a number")]);
        assert_eq!(error.to_string(), "box.toml:1:8: it is a number");
    }

    #[test]
    fn a_path_is_meant_from_the_file_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pilot.toml");
        std::fs::write(&path, "name = \"box1\"\n").unwrap();
        let config = read::<Agent>(&path).unwrap();
        assert_eq!(config.path(Path::new("data")), folder.path().join("data"));
        assert_eq!(config.path(Path::new("/data")), Path::new("/data"));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pilot.toml");
        let error = read::<Agent>(&path).unwrap_err();
        assert!(error.to_string().contains("pilot.toml"));
    }
}
