//! What can be wrong with a subject file, said to the person at the terminal.

use std::io;
use std::path::{Path, PathBuf};

use bramble_value::SubjectId;
use thiserror::Error;

use crate::SessionNumber;

/// What every operation on a subject file may fail with.
#[derive(Debug, Error)]
pub enum SubjectError {
    /// No file for this subject.
    #[error("there is no subject file {}: add the subject, look for a misspelt name, or put the file back", .0.display())]
    NoSuchFile(PathBuf),
    /// A subject of this name is there already.
    #[error("{} exists already: choose another name, nothing was changed", .0.display())]
    Exists(PathBuf),
    /// Another handle has the file.
    #[error(
        "{} is open in another program: close it there (a notebook, a viewer, another terminal) and try again",
        .0.display()
    )]
    InUse(PathBuf),
    /// It is not a file that HDF5 can read.
    #[error("{} can't be opened ({why}): it was left as it is; set it aside and restore a copy", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What HDF5 says.
        why: String,
    },
    /// It is HDF5, but not a subject file.
    #[error("{} is not a subject file of Bramble: it was left as it is", .0.display())]
    NotASubject(PathBuf),
    /// It was written by a later version.
    #[error("{} has format {format}, and this Bramble reads up to {ours}: update Bramble", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u64,
        /// The latest format known here.
        ours: u64,
    },
    /// Something inside is not as it was written.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        what: String,
    },
    /// The folder can't be used.
    #[error("can't {doing} {}: {source}; check that the folder exists, may be written and has room", path.display())]
    Folder {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// HDF5 could not read or write.
    #[error(
        "can't {doing} {}: {}; {}", path.display(), why(source), what_to_do(source)
    )]
    Hdf5 {
        /// What was tried.
        doing: String,
        /// The file.
        path: PathBuf,
        /// What HDF5 says.
        source: hdf5::Error,
    },
    /// The file was opened for reading.
    #[error("{} was opened for reading only", .0.display())]
    ReadOnly(PathBuf),
    /// No session of this number.
    #[error("{} has no session {number}", path.display())]
    NoSession {
        /// The file.
        path: PathBuf,
        /// The number asked for.
        number: SessionNumber,
    },
    /// The session is being written by another handle.
    #[error("session {number} of {} runs: try again when it has ended", path.display())]
    Runs {
        /// The subject's file.
        path: PathBuf,
        /// The number asked for.
        number: SessionNumber,
    },
    /// The session was moved to another subject.
    #[error("session {number} of {} was moved: it is session {there} of {to}", path.display())]
    Moved {
        /// The file it was in.
        path: PathBuf,
        /// The number it had.
        number: SessionNumber,
        /// Whose it is now.
        to: SubjectId,
        /// Its number there, when it was moved.
        there: SessionNumber,
    },
    /// No source text of this hash.
    #[error("{} holds no source {hash}", path.display())]
    NoSource {
        /// The file.
        path: PathBuf,
        /// The SHA-256 asked for.
        hash: String,
    },
    /// A row whose values are not what the columns say.
    #[error(
        "trial {trial} does not fit the columns of session {number}: {why}; nothing of its batch was written"
    )]
    Row {
        /// The session.
        number: SessionNumber,
        /// The trial.
        trial: u32,
        /// What does not fit.
        why: String,
    },
    /// A column whose type no table can hold.
    #[error("column `{column}` is a {kind}, which a trial table can't hold: use integer for one number")]
    Column {
        /// The column.
        column: String,
        /// Its type.
        kind: String,
    },
}

/// What went wrong inside the file, before the file's name is added.
#[derive(Debug)]
pub(crate) enum Fault {
    Hdf5(String, hdf5::Error),
    Damaged(String),
}

impl Fault {
    pub(crate) fn in_file(self, path: &Path) -> SubjectError {
        let path = path.to_owned();
        match self {
            Fault::Hdf5(doing, source) => SubjectError::Hdf5 { doing, path, source },
            Fault::Damaged(what) => SubjectError::Damaged { path, what },
        }
    }
}

/// Says what was being done when HDF5 failed.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Fault>;
}

impl<T> Doing<T> for Result<T, hdf5::Error> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Fault> {
        self.map_err(|source| Fault::Hdf5(what(), source))
    }
}

const FULL: &str = "the disk is full";

/// What a person can do where HDF5 says this.
fn what_to_do(error: &hdf5::Error) -> &'static str {
    if why(error) == FULL {
        "free some space there, and try again"
    } else {
        "see that its disk has room: if so the file is damaged, set it aside and restore a copy"
    }
}

/// What HDF5 says without what is another each time it says it: when, and where in its memory.
fn why(error: &hdf5::Error) -> String {
    let text = error.to_string();
    let of_the_system = text.split_once("error message = '").and_then(|(_, rest)| rest.split_once('\''));
    match of_the_system {
        Some(("No space left on device", _)) => FULL.to_owned(),
        Some((message, _)) => message.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hdf5_says_of_one_failure_is_the_same_each_time() {
        let said = |buf: &str, message: &str| {
            why(&hdf5::Error::from(format!(
                "H5C__flush_single_entry(): Can't write image to file: file write failed: time = Fri Nov 27 \
                 17:13:51 2026\n, filename = 'M001.h5', file descriptor = 25, errno = 28, error message = \
                 '{message}', buf = {buf}, total write size = 57344"
            )))
        };
        assert_eq!(said("0x7f7f", "No space left on device"), "the disk is full");
        assert_eq!(said("0x7f7f", "Input/output error"), said("0x1234", "Input/output error"));
        assert_eq!(why(&hdf5::Error::from("H5Dopen2(): no such object")), "H5Dopen2(): no such object");
    }
}
