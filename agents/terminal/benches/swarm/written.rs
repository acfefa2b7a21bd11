//! How far a subject file is, as any other program sees it: the session's
//! attribute `written`, read where it lies in the file. Opening the file would
//! need the lock that the terminal has on it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::Failed;

/// The attribute's four numbers: the last record's number, then trials, events, notes.
const WIDTH: usize = 32;

/// The place of a session's `written` in a file.
pub(crate) struct Written {
    file: File,
    at: u64,
}

impl Written {
    /// Finds it by what it says now, which must be in the file once; `None` while
    /// it isn't there.
    pub(crate) fn find(path: &Path, now: [u64; 4]) -> Result<Option<Written>, Failed> {
        let bytes = std::fs::read(path)?;
        let wanted: Vec<u8> = now.iter().flat_map(|number| number.to_le_bytes()).collect();
        let mut found = bytes.windows(WIDTH).enumerate().filter(|(_, window)| *window == wanted);
        match (found.next(), found.next()) {
            (Some((at, _)), None) => Ok(Some(Written { file: File::open(path)?, at: at as u64 })),
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(format!("{} says it twice", path.display()).into()),
        }
    }

    /// The number of the last record that is in the file.
    pub(crate) fn up_to(&self) -> Result<u64, Failed> {
        let mut number = [0; 8];
        self.file.read_exact_at(&mut number, self.at)?;
        Ok(u64::from_le_bytes(number))
    }
}
