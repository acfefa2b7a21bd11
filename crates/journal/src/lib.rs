//! An append-only durable store of what was observed and not yet acknowledged.
//!
//! A journal is one SQLite file with lanes in it; a lane is a queue of numbered
//! records. Numbers start at 1 and are never used twice, whatever is released
//! and however often the program restarts. When [`Journal::append`] or
//! [`Journal::store`] has returned, the records survive a power cut.
//!
//! ```
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("journal.sqlite");
//! use bramble_journal::Journal;
//!
//! let journal = Journal::open(&path)?;
//! assert_eq!(journal.append("terminal", &["poke", "drop of water"])?, 1..=2);
//! let waiting = journal.read("terminal", 0, 100)?; // (1, "poke"), (2, "drop of water")
//! journal.release("terminal", 1)?; // the terminal has the first
//! assert_eq!(journal.pending("terminal")?, 1);
//! # assert_eq!(waiting.len(), 2);
//! # Ok::<(), bramble_journal::JournalError>(())
//! ```

mod error;
mod file;

use std::cell::Cell;
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

pub use error::JournalError;
use file::Lock;

/// A journal that this process has for itself. Clones are the same journal, and
/// may be used from any thread.
#[derive(Debug, Clone)]
pub struct Journal(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    tables: Mutex<Tables>,
    // Dropped after the connection is closed.
    _lock: Lock,
}

#[derive(Debug)]
struct Tables {
    connection: Connection,
    /// How many records the lanes hold that were asked about, by their ids:
    /// counting reads them all.
    pending: HashMap<i64, u64>,
}

/// The highest number that a lane can begin after.
const HIGHEST: u64 = i64::MAX as u64 - 1;

/// What is known of a lane besides its records.
#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    id: i64,
    last: u64,
    released: u64,
}

impl Journal {
    /// Opens the journal in the file `path`, and makes it where there is none.
    ///
    /// # Errors
    /// When the file is something else than a journal (it is left as it was), is
    /// in use by another process, or can't be made or opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Journal, JournalError> {
        let (connection, lock) = file::open(path.as_ref())?;
        let tables = Mutex::new(Tables { connection, pending: HashMap::new() });
        Ok(Journal(Arc::new(Shared { path: path.as_ref().to_owned(), tables, _lock: lock })))
    }

    /// The file the journal is in.
    pub fn path(&self) -> &Path {
        &self.0.path
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
        self.change(|change| {
            let Lane { id, last, .. } = change.lane_or_new(lane)?;
            for (number, record) in (last + 1..).zip(records) {
                change.insert(id, number, record.as_ref())?;
            }
            let now_last = last + records.len() as u64;
            change.set_last(id, now_last)?;
            Ok(last + 1..=now_last)
        })
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
        self.change(|change| {
            let Lane { id, last: before, .. } = change.lane_or_new(lane)?;
            let mut last = before;
            for (number, record) in records {
                if *number > last + 1 {
                    return Err(JournalError::Gap { lane: lane.to_owned(), last, got: *number });
                }
                if *number == last + 1 {
                    change.insert(id, *number, record.as_ref())?;
                    last = *number;
                }
            }
            change.set_last(id, last)?;
            Ok(before + 1..=last)
        })
    }

    /// Starts a lane after `number`: what a sender let go of before this journal
    /// knew it will never come. Does nothing where the lane is that far already.
    /// A number beyond what a lane can count (2^63 - 2) is taken for that.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn begin_after(&self, lane: &str, number: u64) -> Result<(), JournalError> {
        // SQLite's numbers have a sign; the next number has to be one too.
        let number = number.min(HIGHEST);
        self.change(|change| {
            let Lane { id, last, released } = change.lane_or_new(lane)?;
            if number > last {
                change.set_last(id, number)?;
                if change.is_empty(id)? {
                    change.release(id, released, number)?;
                }
            }
            Ok(())
        })
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
        let connection = &self.tables().connection;
        let read = || {
            let mut query = connection.prepare_cached(
                "SELECT number, payload FROM records WHERE lane = (SELECT id FROM lanes WHERE name = ?1)
                 AND number > ?2 ORDER BY number LIMIT ?3",
            )?;
            let after = i64::try_from(after).unwrap_or(i64::MAX);
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let mut rows = query.query(params![lane, after, most])?;
            let mut records = Vec::new();
            let mut room = bytes;
            while let Some(row) = rows.next()? {
                let payload = Bytes::from(row.get::<_, Vec<u8>>(1)?);
                let size = payload.len() as u64;
                if size > room && !records.is_empty() {
                    break;
                }
                room = room.saturating_sub(size);
                records.push((row.get::<_, i64>(0)? as u64, payload));
            }
            Ok(records)
        };
        read().map_err(|error| self.error(error))
    }

    /// Lets go of everything up to and with number `up_to`; what was let go
    /// before, or never was there, is no error.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn release(&self, lane: &str, up_to: u64) -> Result<(), JournalError> {
        let Lane { released, last, .. } = self.lane(lane)?;
        if up_to.min(last) <= released {
            return Ok(());
        }
        self.change(|change| {
            let Lane { id, last, released } = change.lane_or_new(lane)?;
            change.release(id, released, up_to.min(last))
        })
    }

    /// The highest number that the lane ever had; 0 for a lane that never had any.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn last(&self, lane: &str) -> Result<u64, JournalError> {
        Ok(self.lane(lane)?.last)
    }

    /// The highest number that was released; 0 for none.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn released(&self, lane: &str) -> Result<u64, JournalError> {
        Ok(self.lane(lane)?.released)
    }

    /// How many records of the lane are not released. They are counted when this
    /// is asked first, and remembered from then on.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn pending(&self, lane: &str) -> Result<u64, JournalError> {
        let Tables { connection, pending } = &mut *self.tables();
        let mut count = || {
            let Some(Lane { id, .. }) = find_lane(connection, lane)? else { return Ok(0) };
            if let Some(known) = pending.get(&id) {
                return Ok(*known);
            }
            let counted = count_pending(connection, id)?;
            pending.insert(id, counted);
            Ok(counted)
        };
        count().map_err(|error| self.error(error))
    }

    /// The names of all lanes there ever were, in alphabetical order.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn lanes(&self) -> Result<Vec<String>, JournalError> {
        let connection = &self.tables().connection;
        let read = || {
            let mut query = connection.prepare_cached("SELECT name FROM lanes ORDER BY name")?;
            query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.error(error))
    }

    /// Keeps a small thing under a key, as durably as a record: the session that
    /// an agent is in. What was under the key before is gone.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn remember(&self, key: &str, value: impl AsRef<[u8]>) -> Result<(), JournalError> {
        self.change(|change| {
            change
                .run(
                    "INSERT OR REPLACE INTO memory (key, value) VALUES (?1, ?2)",
                    params![key, value.as_ref()],
                )
                .map(drop)
        })
    }

    /// What [`Journal::remember`] kept under the key.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn recall(&self, key: &str) -> Result<Option<Bytes>, JournalError> {
        let tables = self.tables();
        let value = tables
            .connection
            .prepare_cached("SELECT value FROM memory WHERE key = ?1")
            .and_then(|mut query| query.query_row([key], |row| row.get::<_, Vec<u8>>(0)).optional());
        value.map(|value| value.map(Bytes::from)).map_err(|error| self.error(error))
    }

    /// Removes what was remembered under the key, if anything was.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn forget(&self, key: &str) -> Result<(), JournalError> {
        self.change(|change| change.run("DELETE FROM memory WHERE key = ?1", params![key]).map(drop))
    }

    fn lane(&self, lane: &str) -> Result<Lane, JournalError> {
        find_lane(&self.tables().connection, lane)
            .map(Option::unwrap_or_default)
            .map_err(|error| self.error(error))
    }

    /// Runs `body` in one durable transaction; an error undoes all of it.
    fn change<T>(&self, body: impl FnOnce(&Change) -> Result<T, JournalError>) -> Result<T, JournalError> {
        let Tables { connection, pending } = &mut *self.tables();
        let transaction = connection.transaction().map_err(|error| self.error(error))?;
        let change = Change { transaction, path: &self.0.path, growth: Cell::default() };
        let result = body(&change)?;
        let (lane, growth) = change.growth.get();
        change.transaction.commit().map_err(|error| self.error(error))?;
        pending.entry(lane).and_modify(|count| *count = count.saturating_add_signed(growth));
        Ok(result)
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // A thread that panicked in a transaction has rolled it back.
        self.0.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, error: rusqlite::Error) -> JournalError {
        JournalError::from_sqlite(&self.0.path, error)
    }
}

/// A transaction under way.
struct Change<'a> {
    transaction: Transaction<'a>,
    path: &'a Path,
    /// The lane that is changed, and how many records more it has then.
    growth: Cell<(i64, i64)>,
}

impl Change<'_> {
    /// Runs a statement, and says how many rows it changed.
    fn run(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, JournalError> {
        let run = || self.transaction.prepare_cached(sql)?.execute(values);
        run().map_err(|error| JournalError::from_sqlite(self.path, error))
    }

    fn grows(&self, lane: i64, by: i64) {
        self.growth.set((lane, self.growth.get().1 + by));
    }

    fn lane_or_new(&self, name: &str) -> Result<Lane, JournalError> {
        let find = || find_lane(&self.transaction, name);
        if let Some(lane) = find().map_err(|error| JournalError::from_sqlite(self.path, error))? {
            return Ok(lane);
        }
        self.run("INSERT INTO lanes (name) VALUES (?1)", params![name])?;
        Ok(Lane { id: self.transaction.last_insert_rowid(), ..Lane::default() })
    }

    fn insert(&self, lane: i64, number: u64, payload: &[u8]) -> Result<(), JournalError> {
        let values = params![lane, number as i64, payload];
        self.run("INSERT INTO records (lane, number, payload) VALUES (?1, ?2, ?3)", values)?;
        self.grows(lane, 1);
        Ok(())
    }

    fn is_empty(&self, lane: i64) -> Result<bool, JournalError> {
        let ask = || {
            let sql = "SELECT NOT EXISTS (SELECT 1 FROM records WHERE lane = ?1)";
            self.transaction.prepare_cached(sql)?.query_row([lane], |row| row.get(0))
        };
        ask().map_err(|error| JournalError::from_sqlite(self.path, error))
    }

    fn set_last(&self, lane: i64, last: u64) -> Result<(), JournalError> {
        self.run("UPDATE lanes SET last = ?2 WHERE id = ?1", params![lane, last as i64]).map(drop)
    }

    fn release(&self, lane: i64, after: u64, up_to: u64) -> Result<(), JournalError> {
        let values = params![lane, after as i64, up_to as i64];
        let gone =
            self.run("DELETE FROM records WHERE lane = ?1 AND number > ?2 AND number <= ?3", values)?;
        self.grows(lane, -(gone as i64));
        self.run("UPDATE lanes SET released = ?2 WHERE id = ?1", params![lane, up_to as i64]).map(drop)
    }
}

fn count_pending(connection: &Connection, lane: i64) -> rusqlite::Result<u64> {
    let count: i64 = connection
        .prepare_cached("SELECT count(*) FROM records WHERE lane = ?1")?
        .query_row([lane], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

fn find_lane(connection: &Connection, name: &str) -> rusqlite::Result<Option<Lane>> {
    connection
        .prepare_cached("SELECT id, last, released FROM lanes WHERE name = ?1")?
        .query_row([name], |row| {
            let (last, released): (i64, i64) = (row.get(1)?, row.get(2)?);
            Ok(Lane { id: row.get(0)?, last: last as u64, released: released as u64 })
        })
        .optional()
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
        journal.tables().connection.pragma_update(None, "max_page_count", 20).unwrap();
        let error = journal.append("terminal", &[vec![0u8; 1000], vec![0u8; 1_000_000]]).unwrap_err();
        assert!(matches!(error, JournalError::DiskFull { .. }), "{error}");
        assert!(error.to_string().contains("the disk is full"), "{error}");
        assert_eq!(journal.read("terminal", 0, 10).unwrap(), [(1, "before".into())]);
        assert_eq!(journal.last("terminal").unwrap(), 1);
    }
}
