//! A transaction under way.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use bytes::Bytes;
use rusqlite::{Transaction, params};

use crate::lanes::Released;
use crate::{HIGHEST, JournalError, Shared};

/// Several changes of a journal, which are made together or not at all.
#[derive(Debug)]
pub struct Change<'a> {
    transaction: Transaction<'a>,
    shared: &'a Shared,
    lanes: BTreeMap<String, Changed>,
    /// What was let go of before, and leaves the disk with this.
    released: Vec<Released>,
}

/// A lane as it is after the change.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) id: i64,
    pub(crate) last: u64,
    pub(crate) released: u64,
    pub(crate) new: Vec<Bytes>,
}

impl<'a> Change<'a> {
    pub(crate) fn begin(transaction: Transaction<'a>, shared: &'a Shared) -> Result<Self, JournalError> {
        let released = shared.lanes().still_on_disk();
        let change = Change { transaction, shared, lanes: BTreeMap::new(), released };
        for Released { id, up_to, .. } in &change.released {
            change.delete(*id, *up_to)?;
        }
        Ok(change)
    }

    /// As [`Journal::append`](crate::Journal::append).
    ///
    /// # Errors
    /// As there.
    pub fn append(
        &mut self,
        lane: &str,
        records: &[impl AsRef<[u8]>],
    ) -> Result<RangeInclusive<u64>, JournalError> {
        let last = self.lane(lane)?.last;
        for record in records {
            self.insert(lane, record.as_ref())?;
        }
        Ok(last + 1..=last + records.len() as u64)
    }

    /// As [`Journal::store`](crate::Journal::store).
    ///
    /// # Errors
    /// As there.
    pub fn store(
        &mut self,
        lane: &str,
        records: &[(u64, impl AsRef<[u8]>)],
    ) -> Result<RangeInclusive<u64>, JournalError> {
        let before = self.lane(lane)?.last;
        let mut last = before;
        for (number, record) in records {
            if *number > last + 1 {
                return Err(JournalError::Gap { lane: lane.to_owned(), last, got: *number });
            }
            if *number == last + 1 {
                self.insert(lane, record.as_ref())?;
                last = *number;
            }
        }
        Ok(before + 1..=last)
    }

    /// As [`Journal::begin_after`](crate::Journal::begin_after).
    ///
    /// # Errors
    /// As there.
    pub fn begin_after(&mut self, lane: &str, number: u64) -> Result<(), JournalError> {
        // SQLite's numbers have a sign; the next number has to be one too.
        let number = number.min(HIGHEST);
        let &mut Changed { id, last, released, .. } = self.lane(lane)?;
        if number > last {
            let ask = || {
                let sql = "SELECT NOT EXISTS (SELECT 1 FROM records WHERE lane = ?1 AND number > ?2)";
                let mut query = self.transaction.prepare_cached(sql)?;
                query.query_row(params![id, released as i64], |row| row.get(0))
            };
            let is_empty: bool = ask().map_err(|error| self.shared.error(error))?;
            let changed = self.lane(lane)?;
            changed.last = number;
            // What comes next doesn't follow those.
            changed.new.clear();
            if is_empty {
                changed.released = number;
            }
        }
        Ok(())
    }

    /// Lets go of everything up to and with number `up_to`, as durably as the rest
    /// of the change; what was let go before, or never was there, is no error.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn release(&mut self, lane: &str, up_to: u64) -> Result<(), JournalError> {
        let changed = self.lane(lane)?;
        let up_to = up_to.min(changed.last);
        if up_to > changed.released {
            changed.released = up_to;
            let id = changed.id;
            self.delete(id, up_to)?;
        }
        Ok(())
    }

    /// As [`Journal::remember`](crate::Journal::remember).
    ///
    /// # Errors
    /// As there.
    pub fn remember(&mut self, key: &str, value: impl AsRef<[u8]>) -> Result<(), JournalError> {
        let sql = "INSERT OR REPLACE INTO memory (key, value) VALUES (?1, ?2)";
        self.run(sql, params![key, value.as_ref()])
    }

    /// As [`Journal::forget`](crate::Journal::forget).
    ///
    /// # Errors
    /// As there.
    pub fn forget(&mut self, key: &str) -> Result<(), JournalError> {
        self.run("DELETE FROM memory WHERE key = ?1", params![key])
    }

    /// Makes it durable.
    pub(crate) fn commit(self) -> Result<(), JournalError> {
        for lane in self.lanes.values() {
            let values = params![lane.id, lane.last as i64, lane.released as i64];
            self.run("UPDATE lanes SET last = ?2, released = ?3 WHERE id = ?1", values)?;
        }
        for Released { id, up_to, .. } in &self.released {
            let values = params![id, *up_to as i64];
            self.run("UPDATE lanes SET released = max(released, ?2) WHERE id = ?1", values)?;
        }
        let Change { transaction, shared, lanes, released } = self;
        transaction.commit().map_err(|error| shared.error(error))?;
        shared.lanes().committed(lanes, &released);
        Ok(())
    }

    fn run(&self, sql: &str, values: impl rusqlite::Params) -> Result<(), JournalError> {
        let run = || self.transaction.prepare_cached(sql)?.execute(values);
        run().map(drop).map_err(|error| self.shared.error(error))
    }

    /// The lane of this name, which is there from now on.
    fn lane(&mut self, name: &str) -> Result<&mut Changed, JournalError> {
        if !self.lanes.contains_key(name) {
            let known = self.shared.lanes().known(name);
            let changed = match known {
                Some(changed) => changed,
                None => {
                    self.run("INSERT INTO lanes (name) VALUES (?1)", params![name])?;
                    Changed {
                        id: self.transaction.last_insert_rowid(),
                        last: 0,
                        released: 0,
                        new: Vec::new(),
                    }
                }
            };
            self.lanes.insert(name.to_owned(), changed);
        }
        Ok(self.lanes.get_mut(name).expect("the lane was put there just above"))
    }

    /// Puts a record at the end of a lane.
    fn insert(&mut self, lane: &str, payload: &[u8]) -> Result<(), JournalError> {
        let &mut Changed { id, last, .. } = self.lane(lane)?;
        let values = params![id, (last + 1) as i64, payload];
        self.run("INSERT INTO records (lane, number, payload) VALUES (?1, ?2, ?3)", values)?;
        let changed = self.lane(lane)?;
        changed.last += 1;
        changed.new.push(Bytes::copy_from_slice(payload));
        Ok(())
    }

    fn delete(&self, lane: i64, up_to: u64) -> Result<(), JournalError> {
        self.run("DELETE FROM records WHERE lane = ?1 AND number <= ?2", params![lane, up_to as i64])
    }
}
