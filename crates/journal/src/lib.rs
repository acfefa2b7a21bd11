//! An append-only durable store of what was observed and not yet acknowledged.
//!
//! A journal is one SQLite file with lanes in it; a lane is a queue of numbered
//! records. Numbers start at 1 and are never used twice, whatever is released
//! and however often the program restarts. When [`Journal::append`] or
//! [`Journal::store`] has returned, the records survive a power cut.
//!
//! Whoever reads what was written last, or lets go of it, waits for no disk: the
//! newest records are in memory too, and what was let go of leaves the disk
//! with the next thing that is written.
//!
//! ```
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("journal.sqlite");
//! use bramble_journal::Journal;
//!
//! let journal = Journal::open(&path)?;
//! assert_eq!(journal.append("terminal", &["poke", "drop of water"])?, 1..=2);
//! let waiting = journal.read("terminal", 0, 100)?; // (1, "poke"), (2, "drop of water")
//! journal.release("terminal", 1); // the terminal has the first
//! assert_eq!(journal.pending("terminal")?, 1);
//! # assert_eq!(waiting.len(), 2);
//! # Ok::<(), bramble_journal::JournalError>(())
//! ```

mod change;
mod error;
mod file;
mod lanes;
mod room;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

pub use change::Change;
pub use error::JournalError;
use file::Lock;
use lanes::{Lanes, Room};
pub use room::{Disk, Share, Shortage};

/// A journal that this process has for itself. Clones are the same journal, and
/// may be used from any thread.
#[derive(Debug, Clone)]
pub struct Journal(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    /// Held while the disk writes.
    connection: Mutex<Connection>,
    /// Never held for long. Taken after the connection, where both are.
    lanes: Mutex<Lanes>,
    /// What the records take after the last change, in bytes.
    size: AtomicU64,
    // Dropped after the connection is closed.
    _lock: Lock,
}

/// The highest number that a lane can begin after.
const HIGHEST: u64 = i64::MAX as u64 - 1;

impl Journal {
    /// Opens the journal in the file `path`, and makes it where there is none.
    ///
    /// # Errors
    /// When the file is something else than a journal (it is left as it was), is
    /// in use by another process, or can't be made or opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Journal, JournalError> {
        let path = path.as_ref();
        let (connection, lock) = file::open(path)?;
        let failed = |error| JournalError::from_sqlite(path, error);
        let lanes = Lanes::load(&connection).map_err(failed)?;
        let size = AtomicU64::new(room::size(&connection).map_err(failed)?);
        Ok(Journal(Arc::new(Shared {
            path: path.to_owned(),
            connection: Mutex::new(connection),
            lanes: Mutex::new(lanes),
            size,
            _lock: lock,
        })))
    }

    /// The file the journal is in.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Makes several changes in one durable transaction: all of them or, where
    /// `body` fails, none. The disk is waited for once.
    ///
    /// # Errors
    /// Those of `body`, and when the disk doesn't take it, above all because it is full.
    pub fn change<T>(
        &self,
        body: impl FnOnce(&mut Change) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        self.0.change(body)
    }

    /// Writes down what was let go of, which is else written with the next change, or when nobody has the
    /// journal open any more.
    ///
    /// # Errors
    /// When the disk doesn't take it.
    pub fn settle(&self) -> Result<(), JournalError> {
        self.change(|_| Ok(()))
    }

    /// Puts `records` at the end of a lane, all of them or none, and says which
    /// numbers they got. The range is empty where there were none.
    ///
    /// # Errors
    /// When they can't be written, above all because the disk is full.
    pub fn append(
        &self,
        lane: &str,
        records: &[impl AsRef<[u8]>],
    ) -> Result<RangeInclusive<u64>, JournalError> {
        self.change(|change| change.append(lane, records))
    }

    /// Puts what a sender numbered into a lane under the sender's numbers, all of
    /// it or nothing. Numbers that the lane has or had are passed over; the
    /// range says which were new.
    ///
    /// # Errors
    /// When a number is missing between the lane's last and these
    /// ([`JournalError::Gap`]), or they can't be written.
    pub fn store(
        &self,
        lane: &str,
        records: &[(u64, impl AsRef<[u8]>)],
    ) -> Result<RangeInclusive<u64>, JournalError> {
        self.change(|change| change.store(lane, records))
    }

    /// Starts a lane after `number`: what a sender let go of before this journal
    /// knew it will never come. Does nothing where the lane is that far already.
    /// A number beyond what a lane can count (2^63 - 2) is taken for that.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn begin_after(&self, lane: &str, number: u64) -> Result<(), JournalError> {
        self.change(|change| change.begin_after(lane, number))
    }

    /// The records after number `after`, in their order, at most `most` of them.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn read(&self, lane: &str, after: u64, most: usize) -> Result<Vec<(u64, Bytes)>, JournalError> {
        self.read_up_to(lane, after, most, u64::MAX)
    }

    /// The records after number `after`, in their order, at most `most` of them
    /// and, beyond the first, no more than `bytes` of payload together.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn read_up_to(
        &self,
        lane: &str,
        after: u64,
        most: usize,
        bytes: u64,
    ) -> Result<Vec<(u64, Bytes)>, JournalError> {
        let room = Room { records: most, bytes };
        let after = match self.0.lanes().read(lane, after, room) {
            Ok(records) => return Ok(records),
            Err(lanes::OnDisk { after }) => after,
        };
        let connection = self.0.connection();
        let read = || {
            let mut query = connection.prepare_cached(
                "SELECT number, payload FROM records WHERE lane = (SELECT id FROM lanes WHERE name = ?1)
                 AND number > ?2 ORDER BY number LIMIT ?3",
            )?;
            let after = i64::try_from(after).unwrap_or(i64::MAX);
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let rows = query.query_map(params![lane, after, most], |row| {
                Ok((row.get::<_, i64>(0)? as u64, Bytes::from(row.get::<_, Vec<u8>>(1)?)))
            })?;
            room.fill(rows)
        };
        read().map_err(|error| self.0.error(error))
    }

    /// Lets go of everything up to and with number `up_to`; what was let go
    /// before, or never was there, is no error. It doesn't wait for the disk,
    /// which follows with the next change, or when the journal is closed: after
    /// a crash before that, the records are there again. Where that
    /// mustn't be, there is [`Change::release`].
    pub fn release(&self, lane: &str, up_to: u64) {
        self.0.lanes().release(lane, up_to);
    }

    /// Keeps what a lane has up to and with a number on the disk alone: it is not
    /// expected to be read again.
    pub fn spare_memory(&self, lane: &str, up_to: u64) {
        self.0.lanes().spare_memory(lane, up_to);
    }

    /// The highest number that the lane ever had; 0 for a lane that never had any.
    pub fn last(&self, lane: &str) -> u64 {
        self.0.lanes().last(lane)
    }

    /// The highest number that was released; 0 for none.
    pub fn released(&self, lane: &str) -> u64 {
        self.0.lanes().released(lane)
    }

    /// How many records of the lane are not released. They are counted when this
    /// is asked first, and remembered from then on.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn pending(&self, lane: &str) -> Result<u64, JournalError> {
        if let Some(known) = self.0.lanes().pending(lane) {
            return Ok(known);
        }
        // Held, so that nothing is written while they are counted.
        let connection = self.0.connection();
        let mut lanes = self.0.lanes();
        let count = connection
            .prepare_cached(
                "SELECT count(*) FROM records WHERE lane = (SELECT id FROM lanes WHERE name = ?1) AND number > ?2",
            )
            .and_then(|mut query| {
                let released = lanes.released(lane) as i64;
                query.query_row(params![lane, released], |row| row.get::<_, i64>(0))
            })
            .map_err(|error| self.0.error(error))?;
        Ok(lanes.counted(lane, count.unsigned_abs()))
    }

    /// The names of all lanes there ever were, in alphabetical order.
    pub fn lanes(&self) -> Vec<String> {
        self.0.lanes().names()
    }

    /// Keeps a small thing under a key, as durably as a record: the session that
    /// an agent is in. What was under the key before is gone.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn remember(&self, key: &str, value: impl AsRef<[u8]>) -> Result<(), JournalError> {
        self.change(|change| change.remember(key, value))
    }

    /// What [`Journal::remember`] kept under the key.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn recall(&self, key: &str) -> Result<Option<Bytes>, JournalError> {
        let connection = self.0.connection();
        let value = connection
            .prepare_cached("SELECT value FROM memory WHERE key = ?1")
            .and_then(|mut query| query.query_row([key], |row| row.get::<_, Vec<u8>>(0)).optional());
        value.map(|value| value.map(Bytes::from)).map_err(|error| self.0.error(error))
    }

    /// Removes what was remembered under the key, if anything was.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn forget(&self, key: &str) -> Result<(), JournalError> {
        self.change(|change| change.forget(key))
    }
}

impl Shared {
    fn change<T>(
        &self,
        body: impl FnOnce(&mut Change) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut connection = self.connection();
        let result = self.transact(&mut connection, body);
        if let Err(JournalError::DiskFull { .. }) = result {
            // What was let go of gives room, once it is gone by itself.
            let _ = self.transact(&mut connection, |_| Ok(()));
        }
        result
    }

    fn transact<T>(
        &self,
        connection: &mut Connection,
        body: impl FnOnce(&mut Change) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let transaction = connection.transaction().map_err(|error| self.error(error))?;
        let mut change = Change::begin(transaction, self)?;
        let result = body(&mut change)?;
        change.commit()?;
        // It is done all the same where this can't be asked.
        if let Ok(size) = room::size(connection) {
            self.size.store(size, Ordering::Relaxed);
        }
        Ok(result)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A thread that panicked in a transaction has rolled it back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        // Nothing that is done under the lock can leave it half changed.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, error: rusqlite::Error) -> JournalError {
        JournalError::from_sqlite(&self.path, error)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // What can't be written now is let go of again by whoever did so before.
        let _ = self.change(|_| Ok(()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_said_so_and_nothing_is_half_written() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path().join("journal.sqlite")).unwrap();
        journal.append("terminal", &["before"]).unwrap();
        // SQLite's own limit gives the error that a full disk does.
        journal.0.connection().pragma_update(None, "max_page_count", 20).unwrap();
        let error = journal.append("terminal", &[vec![0u8; 1000], vec![0u8; 1_000_000]]).unwrap_err();
        assert!(matches!(error, JournalError::DiskFull { .. }), "{error}");
        assert!(error.to_string().contains("the disk is full"), "{error}");
        assert_eq!(journal.read("terminal", 0, 10).unwrap(), [(1, "before".into())]);
        assert_eq!(journal.last("terminal"), 1);
    }
}
