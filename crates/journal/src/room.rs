//! How much room there is for what is observed: on a folder's disk, and in a journal
//! that may only grow so far.

use std::path::Path;
use std::sync::atomic::Ordering;

use rusqlite::Connection;

use crate::Journal;

/// How little room is left, the least pressing first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Shortage {
    /// There is room.
    #[default]
    None,
    /// A person should see to it: a journal is at 80 % of its limit, or its disk has
    /// less than 20 % or 2 GB left.
    Low,
    /// Nothing new should begin: 95 %, or less than 8 % or 500 MB.
    Nearly,
    /// What runs should end while that can still be written: 100 %, or less than 3 % or
    /// 100 MB.
    Full,
}

/// The disk that a folder is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// All of it, in bytes.
    pub total: u64,
    /// What this user may still write, in bytes.
    pub free: u64,
}

const MB: u64 = 1_000_000;

impl Disk {
    /// The disk that a folder is on.
    ///
    /// # Errors
    /// What the system says, where it can't be asked.
    pub fn of(folder: &Path) -> std::io::Result<Disk> {
        let disk = nix::sys::statvfs::statvfs(folder)?;
        let bytes = |blocks: u64| blocks.saturating_mul(disk.fragment_size());
        Ok(Disk { total: bytes(disk.blocks()), free: bytes(disk.blocks_available()) })
    }

    /// How little is left: the lesser of a share of the disk and of a number of bytes
    /// counts, so that a large disk is of use to its end and a small one is of use.
    pub fn shortage(self) -> Shortage {
        let less_than = |percent: u64, bytes: u64| self.free < (self.total / 100 * percent).min(bytes);
        match () {
            () if less_than(3, 100 * MB) => Shortage::Full,
            () if less_than(8, 500 * MB) => Shortage::Nearly,
            () if less_than(20, 2000 * MB) => Shortage::Low,
            () => Shortage::None,
        }
    }
}

/// How much of its limit a journal takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// What its records take, in bytes.
    pub used: u64,
    /// What they may take, in bytes.
    pub limit: u64,
}

impl Share {
    /// How little is left.
    pub fn shortage(self) -> Shortage {
        let from = |percent: u64| self.used >= self.limit / 100 * percent;
        match () {
            () if from(100) => Shortage::Full,
            () if from(95) => Shortage::Nearly,
            () if from(80) => Shortage::Low,
            () => Shortage::None,
        }
    }
}

impl Journal {
    /// How much room its records take, in bytes, after the last change. What was released
    /// takes none, though the file stays as large: it is used again.
    pub fn size(&self) -> u64 {
        self.0.size.load(Ordering::Relaxed)
    }
}

/// How much room the tables take, in bytes.
pub(crate) fn size(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT (page_count - freelist_count) * page_size
               FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
    let size: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(size.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_disk_is_of_use_to_its_last_gigabytes_and_a_small_one_is_of_use() {
        let shortage = |total: u64, free: u64| Disk { total: total * MB, free: free * MB }.shortage();
        assert_eq!(shortage(2_000_000, 2100), Shortage::None, "2 TB");
        assert_eq!(shortage(2_000_000, 1900), Shortage::Low);
        assert_eq!(shortage(2_000_000, 400), Shortage::Nearly);
        assert_eq!(shortage(2_000_000, 90), Shortage::Full);
        assert_eq!(shortage(100, 30), Shortage::None, "100 MB");
        assert_eq!(shortage(100, 15), Shortage::Low);
        assert_eq!(shortage(100, 7), Shortage::Nearly);
        assert_eq!(shortage(100, 2), Shortage::Full);
    }

    #[test]
    fn a_limit_is_announced_before_it_is_reached() {
        let shortage = |used| Share { used, limit: 1000 }.shortage();
        assert_eq!(
            [790, 800, 950, 1000].map(shortage),
            [Shortage::None, Shortage::Low, Shortage::Nearly, Shortage::Full]
        );
    }

    #[test]
    fn a_journal_grows_with_its_records_and_shrinks_as_they_are_released() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path().join("journal.sqlite")).unwrap();
        let size = || journal.size();
        let empty = size();
        journal.append("terminal", &[vec![0; 1_000_000]]).unwrap();
        assert!(size() > empty + 1_000_000);
        journal.release("terminal", 1);
        journal.change(|_| Ok(())).unwrap();
        assert_eq!(size(), empty);
        assert!(Disk::of(folder.path()).unwrap().total > 0);
    }
}
