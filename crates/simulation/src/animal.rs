//! The animals there are, by name.

use std::path::Path;

use bramble_rig::driver::World;
use bramble_task::did_you_mean;
use bramble_value::{Seed, Sources};
use thiserror::Error;

use crate::learner::{Learner, Temper};
use crate::scripted::{ScriptError, Scripted};
use crate::written::Written;

/// A simulated animal: something around a rig that remembers.
pub trait Animal: World {
    /// What it has learned, for its next session: text that only it understands.
    fn memory(&self) -> String;

    /// The first mistake that it made, if it was written by somebody.
    fn mistake(&self) -> Option<&str> {
        None
    }
}

/// An animal that can't be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AnimalError {
    /// There is none of this name.
    #[error(
        "there is no animal `{name}`{}: write learner, learner:bias=0.3,thirst=1.5mL, scripted:FILE, or a FILE.star",
        suggestion.as_ref().map(|one| format!(" ({one})")).unwrap_or_default()
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        suggestion: Option<String>,
    },
    /// A learner can't be like this.
    #[error("a learner can't have `{setting}`: {why}")]
    Temper {
        /// What was asked for.
        setting: String,
        /// What it may be.
        why: String,
    },
    /// Its file can't be read.
    #[error("can't read the animal `{file}`: {why}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        why: String,
    },
    /// Its script has a mistake.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// Its file in the task language has a mistake.
    #[error("{0}")]
    Written(String),
    /// What it should remember is not from such an animal.
    #[error("this is not what such an animal remembers: {0}")]
    Memory(String),
}

/// The animal that `name` says: `learner`, `learner:bias=0.3`, `scripted:FILE`,
/// `FILE.star`. What it does depends on `seed`, and on what it remembers
/// ([`Animal::memory`]; empty for an animal that never saw a rig).
///
/// # Errors
/// [`AnimalError`] where there is no such animal, or its file is wrong.
pub fn named(name: &str, seed: Seed, memory: &str) -> Result<Box<dyn Animal>, AnimalError> {
    let (kind, rest) = name.split_once(':').unwrap_or((name, ""));
    match kind {
        "learner" => Ok(Box::new(Learner::new(rest.parse::<Temper>()?, seed, memory)?)),
        "scripted" => Ok(Box::new(read(rest)?.parse::<Scripted>()?)),
        _ if name.ends_with(".star") => {
            let sources = Sources { root: name.to_owned(), files: [(name.to_owned(), read(name)?)].into() };
            Ok(Box::new(Written::new(&sources, seed, memory)?))
        }
        _ => Err(AnimalError::Unknown {
            name: name.to_owned(),
            suggestion: did_you_mean(kind, ["learner", "scripted"]),
        }),
    }
}

fn read(file: &str) -> Result<String, AnimalError> {
    std::fs::read_to_string(Path::new(file))
        .map_err(|error| AnimalError::Unreadable { file: file.to_owned(), why: error.to_string() })
}
