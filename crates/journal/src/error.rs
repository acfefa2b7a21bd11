//! What can go wrong with a journal, and what to do then.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;

/// A journal that can't be opened, read or written.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The file holds something else.
    #[error(
        "{} is not a journal of Bramble: nothing was changed in it; move it away, or name another file",
        path.display()
    )]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// The file was a journal, and parts of it are broken: cut off, or written over.
    #[error(
        "{} is damaged ({why}): nothing was changed in it; move it away, and the files beside it that begin \
         with its name, and start again with a new one (what of it can still be read, `sqlite3 FILE .recover` \
         reads)",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        why: String,
    },
    /// A later Bramble made the file.
    #[error(
        "{} is a journal of format {found}, and this Bramble knows formats up to {known}: install the newer Bramble that made it",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format it is in.
        found: i64,
        /// The highest format known here.
        known: i64,
    },
    /// Another process, or another part of this one, has the journal.
    #[error("{} is in use by {by}: stop that first, or name another file", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
        /// The process: its program and number, as far as known.
        by: String,
    },
    /// The file can't be made or opened.
    #[error(
        "can't open the journal {}: {why}; check that its folder exists and that this user may write there",
        path.display()
    )]
    Unopenable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// There is no room to write.
    #[error("the disk is full: can't write to the journal {}; free some space", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// A number is missing.
    #[error("record {got} can't be stored in lane `{lane}`, whose last is {last}: {} is missing", last + 1)]
    Gap {
        /// The lane.
        lane: String,
        /// The last number it has.
        last: u64,
        /// The number that was to be stored.
        got: u64,
    },
    /// SQLite or the disk failed otherwise.
    #[error(
        "can't read or write the journal {}: {source}; check the disk, and keep a copy of the file",
        path.display()
    )]
    Failed {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl JournalError {
    pub(crate) fn from_sqlite(path: &Path, error: rusqlite::Error) -> JournalError {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => JournalError::DiskFull { path },
            Some(ErrorCode::NotADatabase) => JournalError::NotAJournal { path },
            Some(ErrorCode::DatabaseCorrupt) => JournalError::Damaged { path, why: error.to_string() },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                JournalError::InUse { path, by: "another process".to_owned() }
            }
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                JournalError::Unopenable { path, why: error.to_string() }
            }
            _ => JournalError::Failed { path, source: error },
        }
    }
}
