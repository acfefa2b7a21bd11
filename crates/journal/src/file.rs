//! The file of a journal: finding out whether it is one, and having it for oneself.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::JournalError;

/// Marks a SQLite file as ours: "brmJ".
const APPLICATION: i64 = 0x6272_6d4a;
/// What the tables are like; raised when they change.
const FORMAT: i64 = 1;

const TABLES: &str = "
    CREATE TABLE lanes (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        last INTEGER NOT NULL DEFAULT 0,
        released INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE records (
        lane INTEGER NOT NULL REFERENCES lanes (id),
        number INTEGER NOT NULL,
        payload BLOB NOT NULL,
        PRIMARY KEY (lane, number)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE memory (
        key TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// Holds a journal against other processes, by a locked file beside it that says
/// who holds it. The kernel unlocks it whenever the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Opens or makes the journal at `path`.
pub(crate) fn open(path: &Path) -> Result<(Connection, Lock), JournalError> {
    let unopenable =
        |error: std::io::Error| JournalError::Unopenable { path: path.to_owned(), why: error.to_string() };
    let lock = Lock::take(path)?;
    // Only now: closing a second handle of a file undoes the locks that SQLite
    // has on it in the same process.
    let start = match File::open(path) {
        Ok(file) => start_of(file),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let connection = match start {
        Ok(start) if start.is_empty() || start == b"SQLite format 3\0" => connect(path),
        Ok(_) => Err(JournalError::NotAJournal { path: path.to_owned() }),
        Err(error) => Err(unopenable(error)),
    };
    match connection {
        Ok(connection) => Ok((connection, lock)),
        Err(error) => {
            lock.leave_no_trace(path);
            Err(error)
        }
    }
}

fn start_of(file: File) -> std::io::Result<Vec<u8>> {
    let mut start = Vec::new();
    file.take(16).read_to_end(&mut start)?;
    Ok(start)
}

fn connect(path: &Path) -> Result<Connection, JournalError> {
    let error = |error| JournalError::from_sqlite(path, error);
    let mut connection = Connection::open(path).map_err(error)?;
    // Until it is known to be sound, nothing is written to it, at its closing neither.
    let write_at_close = |connection: &Connection, may: bool| {
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !may).map_err(error).map(drop)
    };
    write_at_close(&connection, false)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(error)?;
    let number = |name| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(error)?;
    let application = number("application_id").map_err(error)?;
    let format = number("user_version").map_err(error)?;
    let new = tables == 0 && application == 0;
    if !new && application != APPLICATION {
        return Err(JournalError::NotAJournal { path: path.to_owned() });
    }
    if format > FORMAT {
        return Err(JournalError::Newer { path: path.to_owned(), found: format, known: FORMAT });
    }
    check(&connection, path)?;
    write_at_close(&connection, true)?;
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(error)?;
    debug_assert_eq!(mode, "wal");
    connection.pragma_update(None, "synchronous", "FULL").map_err(error)?;
    // The write-ahead log goes back to this after a burst, in bytes.
    connection.pragma_update(None, "journal_size_limit", 64 << 20).map_err(error)?;
    if new {
        let transaction = connection.transaction().map_err(error)?;
        transaction.execute_batch(TABLES).map_err(error)?;
        transaction.pragma_update(None, "application_id", APPLICATION).map_err(error)?;
        transaction.pragma_update(None, "user_version", FORMAT).map_err(error)?;
        transaction.commit().map_err(error)?;
    }
    Ok(connection)
}

/// Whether all of a journal can be read: what is broken is told when an agent starts, and
/// not in the middle of a session.
fn check(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| JournalError::from_sqlite(path, error))?;
    if found == "ok" { Ok(()) } else { Err(JournalError::Damaged { path: path.to_owned(), why: found }) }
}

impl Lock {
    fn take(journal: &Path) -> Result<Lock, JournalError> {
        let path = beside(journal);
        let unopenable = |error: std::io::Error| JournalError::Unopenable {
            path: journal.to_owned(),
            why: error.to_string(),
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(unopenable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut by = String::new();
                let _ = file.take(200).read_to_string(&mut by);
                let by =
                    if by.trim().is_empty() { "another process".to_owned() } else { by.trim().to_owned() };
                return Err(JournalError::InUse { path: journal.to_owned(), by });
            }
            Err(TryLockError::Error(error)) => return Err(unopenable(error)),
        }
        let program = std::env::args_os().next().map(PathBuf::from);
        let program = program.as_deref().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{program} (process {})", std::process::id()))
            .map_err(unopenable)?;
        Ok(Lock { _file: file })
    }

    /// Removes the lock file again, beside what can't be opened.
    fn leave_no_trace(self, journal: &Path) {
        let _ = std::fs::remove_file(beside(journal));
    }
}

/// The lock file of a journal: `journal.sqlite.lock`.
fn beside(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
