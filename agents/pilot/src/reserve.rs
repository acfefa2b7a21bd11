//! Room on the disk that is kept for the end of a session.

use std::fs::File;
use std::path::{Path, PathBuf};

/// As much is kept, in bytes: some thousands of records.
const SIZE: i64 = 2 << 20;

/// A file that takes up room until it is needed.
#[derive(Debug, Clone)]
pub(crate) struct Reserve(PathBuf);

impl Reserve {
    /// The reserve in a pilot's data folder.
    pub(crate) fn in_folder(data: &Path) -> Reserve {
        Reserve(data.join("reserve"))
    }

    /// Takes the room, where it is not taken.
    pub(crate) fn hold(&self) {
        if self.0.exists() {
            return;
        }
        let taken = File::create(&self.0).and_then(|file| Ok(nix::fcntl::posix_fallocate(&file, 0, SIZE)?));
        if let Err(error) = taken {
            tracing::debug!("no room is kept in reserve: {error}");
            self.give();
        }
    }

    /// Gives the room to whoever writes next.
    pub(crate) fn give(&self) {
        // Where there is none, there is none to give.
        let _ = std::fs::remove_file(&self.0);
    }
}
