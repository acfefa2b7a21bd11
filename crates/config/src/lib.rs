//! Reads an agent's configuration file, and shows where its mistakes are.

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
    folder: PathBuf,
}

impl<T> Config<T> {
    /// A path that the configuration names: from the home folder where it starts
    /// with `~/`, else from the folder that the file is in.
    pub fn path(&self, named: &Path) -> PathBuf {
        match (named.strip_prefix("~"), std::env::home_dir()) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => self.folder.join(named),
        }
    }
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
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    Ok(Config { settings, text, folder })
}

/// Reads a text that is called `file` in messages.
///
/// # Errors
/// [`ConfigError::Mistake`] where it does not say what it should.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        let (line, column) = line_and_column(text, span.start);
        // What serde says of an unknown name lists all that are known; the
        // nearest of them is what was meant.
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        let help = suggestion(&message);
        ConfigError::Mistake(Box::new(Mistake {
            file: file.to_owned(),
            line,
            column,
            message,
            text: NamedSource::new(file, text.to_owned()),
            at: span.into(),
            help,
        }))
    })
}

/// The place of a byte as people count: from 1, the column in characters.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
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
