//! What is known of the lanes without asking the disk.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use bytes::Bytes;
use rusqlite::Connection;

use crate::change::Changed;

/// The most bytes of records that are kept in memory beside the disk.
const MOST_IN_MEMORY: usize = 32 << 20;

/// All lanes.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    by_name: HashMap<String, Lane>,
    /// Those that let go of something that is still on the disk.
    behind: BTreeSet<String>,
    /// The bytes of all records that are kept in memory.
    in_memory: usize,
}

#[derive(Debug, Default)]
struct Lane {
    id: i64,
    last: u64,
    released: u64,
    /// How many records are not released, where it is known.
    pending: Option<u64>,
    /// The last records, up to and with number `last`, as far as there is room.
    newest: VecDeque<Bytes>,
}

/// What a lane let go of.
#[derive(Debug)]
pub(crate) struct Released {
    name: String,
    pub(crate) id: i64,
    pub(crate) up_to: u64,
}

/// The records are on the disk alone, after this number.
#[derive(Debug)]
pub(crate) struct OnDisk {
    pub(crate) after: u64,
}

/// How much is read at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) records: usize,
    /// Of payload. The first record has room whatever its length.
    pub(crate) bytes: u64,
}

impl Room {
    /// As many of the records as there is room for.
    pub(crate) fn fill<E>(
        self,
        records: impl Iterator<Item = Result<(u64, Bytes), E>>,
    ) -> Result<Vec<(u64, Bytes)>, E> {
        let mut filled = Vec::new();
        let mut bytes = self.bytes;
        for record in records.take(self.records) {
            let (number, payload) = record?;
            let size = payload.len() as u64;
            if size > bytes && !filled.is_empty() {
                break;
            }
            bytes = bytes.saturating_sub(size);
            filled.push((number, payload));
        }
        Ok(filled)
    }
}

impl Lanes {
    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Lanes> {
        let mut query = connection.prepare("SELECT name, id, last, released FROM lanes")?;
        let rows = query.query_map([], |row| {
            let (last, released): (i64, i64) = (row.get(2)?, row.get(3)?);
            let lane =
                Lane { id: row.get(1)?, last: last as u64, released: released as u64, ..Lane::default() };
            Ok((row.get(0)?, lane))
        })?;
        Ok(Lanes { by_name: rows.collect::<rusqlite::Result<_>>()?, ..Lanes::default() })
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.by_name.keys().cloned().collect();
        names.sort();
        names
    }

    pub(crate) fn last(&self, name: &str) -> u64 {
        self.by_name.get(name).map_or(0, |lane| lane.last)
    }

    pub(crate) fn released(&self, name: &str) -> u64 {
        self.by_name.get(name).map_or(0, |lane| lane.released)
    }

    pub(crate) fn pending(&self, name: &str) -> Option<u64> {
        self.by_name.get(name).map_or(Some(0), |lane| lane.pending)
    }

    /// The records were counted.
    pub(crate) fn counted(&mut self, name: &str, count: u64) -> u64 {
        if let Some(lane) = self.by_name.get_mut(name) {
            lane.pending = Some(count);
        }
        count
    }

    /// As [`Journal::read`](crate::Journal::read), where memory has them all.
    pub(crate) fn read(&self, name: &str, after: u64, room: Room) -> Result<Vec<(u64, Bytes)>, OnDisk> {
        let Some(lane) = self.by_name.get(name) else { return Ok(Vec::new()) };
        let after = after.max(lane.released).min(lane.last);
        let before = lane.last - lane.newest.len() as u64;
        let Some(skip) = after.checked_sub(before) else { return Err(OnDisk { after }) };
        let records = lane.newest.iter().skip(usize::try_from(skip).unwrap_or(usize::MAX)).cloned();
        room.fill((after + 1..).zip(records).map(Ok))
    }

    /// Lets go of everything up to a number; the disk follows.
    pub(crate) fn release(&mut self, name: &str, up_to: u64) {
        let Some(lane) = self.by_name.get_mut(name) else { return };
        if lane.let_go(up_to, &mut self.in_memory) {
            self.behind.insert(name.to_owned());
        }
    }

    /// Keeps everything up to a number on the disk alone.
    pub(crate) fn spare_memory(&mut self, name: &str, up_to: u64) {
        if let Some(lane) = self.by_name.get_mut(name) {
            lane.spare_memory(up_to.min(lane.last), &mut self.in_memory);
        }
    }

    /// What was let go of and is still on the disk.
    pub(crate) fn still_on_disk(&self) -> Vec<Released> {
        let behind = self.behind.iter().filter_map(|name| {
            let lane = self.by_name.get(name)?;
            Some(Released { name: name.clone(), id: lane.id, up_to: lane.released })
        });
        behind.collect()
    }

    /// The lane as a change finds it.
    pub(crate) fn known(&self, name: &str) -> Option<Changed> {
        let Lane { id, last, released, .. } = *self.by_name.get(name)?;
        Some(Changed { id, last, released, new: Vec::new() })
    }

    /// A change is on the disk.
    pub(crate) fn committed(&mut self, lanes: BTreeMap<String, Changed>, released: &[Released]) {
        for Released { name, up_to, .. } in released {
            // Meanwhile it may have let go of more.
            if self.released(name) == *up_to {
                self.behind.remove(name);
            }
        }
        for (name, changed) in lanes {
            let lane = self.by_name.entry(name).or_insert_with(|| Lane {
                id: changed.id,
                pending: Some(0),
                ..Lane::default()
            });
            lane.grow(changed, &mut self.in_memory);
        }
    }
}

impl Lane {
    fn grow(&mut self, changed: Changed, in_memory: &mut usize) {
        let new = changed.new.len() as u64;
        if self.last + new != changed.last {
            // It began anew after a number: before that are others, on the disk alone.
            *in_memory -= self.newest.drain(..).map(|record| record.len()).sum::<usize>();
            self.pending = (changed.released >= changed.last - new).then_some(new);
        } else {
            self.pending = self.pending.map(|pending| pending + new);
        }
        self.last = changed.last;
        for record in changed.new {
            *in_memory += record.len();
            self.newest.push_back(record);
            while *in_memory > MOST_IN_MEMORY
                && let Some(oldest) = self.newest.pop_front()
            {
                *in_memory -= oldest.len();
            }
        }
        self.let_go(changed.released, in_memory);
    }

    /// Says whether there was something to let go of.
    fn let_go(&mut self, up_to: u64, in_memory: &mut usize) -> bool {
        let up_to = up_to.min(self.last);
        if up_to <= self.released {
            return false;
        }
        // Where numbers are missing, the rest has to be counted again.
        self.pending = self.pending.filter(|pending| *pending == self.last - self.released);
        self.pending = self.pending.map(|_| self.last - up_to);
        self.released = up_to;
        self.spare_memory(up_to, in_memory);
        true
    }

    fn spare_memory(&mut self, up_to: u64, in_memory: &mut usize) {
        while self.last - (self.newest.len() as u64) < up_to
            && let Some(oldest) = self.newest.pop_front()
        {
            *in_memory -= oldest.len();
        }
    }
}
