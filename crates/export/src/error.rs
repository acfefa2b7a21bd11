//! What keeps a session from being exported, said to the person who asked.

use std::io;
use std::path::{Path, PathBuf};

use bramble_subject::SubjectError;
use thiserror::Error;

/// What an export may fail with. Nothing of it is there then.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The subject file can't be read.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// What would be written is there.
    #[error("{} is there already, and was left as it is", .0.display())]
    Exists(PathBuf),
    /// There is something in the folder that would be replaced which wouldn't be there after it.
    #[error(
        "{} is no part of this export and would be gone with what is replaced: move it away; or --out DIR exports into \
         another folder",
        .0.display()
    )]
    Foreign(PathBuf),
    /// Another session is where this one would go.
    #[error(
        "{} has session {number} of {subject}, which another session can't replace: a folder of AIND is named by its \
         subject and the second in which its session ended; --out DIR exports this one into another folder",
        path.display()
    )]
    Other {
        /// The folder.
        path: PathBuf,
        /// Whose session is there.
        subject: String,
        /// Which session that is.
        number: String,
    },
    /// The folder can't be written, or the disk is full.
    #[error("can't write {}: {source}; check that the folder may be written and has room", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The library that writes this form can't.
    #[error("can't write {}: {why}; check that the folder may be written and has room", path.display())]
    Library {
        /// The file.
        path: PathBuf,
        /// What the library says.
        why: String,
    },
    /// The form wants what isn't known of the session.
    #[error("{form} wants what isn't known of session {session} of {subject}:{what}")]
    Unknown {
        /// The form.
        form: &'static str,
        /// The subject.
        subject: String,
        /// The session.
        session: String,
        /// What is wanted, and where it is said: a line each.
        what: String,
    },
}

impl ExportError {
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> ExportError {
        move |source| ExportError::Write { path: path.to_owned(), source }
    }

    pub(crate) fn library<E: std::fmt::Display>(path: &Path) -> impl FnOnce(E) -> ExportError {
        move |error| ExportError::Library { path: path.to_owned(), why: error.to_string() }
    }
}
