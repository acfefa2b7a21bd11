//! Who may no longer talk to anybody.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::agent::Serial;
use crate::error::IdentityError;
use crate::files;

/// The file in the keys' folder: a certificate's number a line.
const FILE: &str = "revoked";

/// The numbers of the certificates that were revoked. Clones share one set, and
/// a number that comes into it holds at once: for handshakes, and for connections
/// that are open.
#[derive(Clone)]
pub struct Revocations {
    revoked: Arc<watch::Sender<BTreeSet<Serial>>>,
    kept: Arc<Mutex<Kept>>,
}

/// What is on disk, and who is writing there.
struct Kept {
    /// In this folder, if anywhere.
    folder: Option<PathBuf>,
    /// There are more of them than are on disk.
    unwritten: bool,
}

impl Revocations {
    /// None so far, and kept in memory only.
    pub fn none() -> Revocations {
        Revocations::with(BTreeSet::new(), None)
    }

    /// Those in a keys' folder, where later ones are kept too.
    ///
    /// # Errors
    /// When the file can't be read, or holds something else.
    pub fn load(folder: &Path) -> Result<Revocations, IdentityError> {
        let path = folder.join(FILE);
        let text = files::read(&path)?.unwrap_or_default();
        let revoked: Result<_, _> = text.lines().map(str::parse).collect();
        let revoked = revoked.map_err(|error| IdentityError::File {
            path,
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, error),
        })?;
        Ok(Revocations::with(revoked, Some(folder.to_owned())))
    }

    fn with(revoked: BTreeSet<Serial>, folder: Option<PathBuf>) -> Revocations {
        let kept = Arc::new(Mutex::new(Kept { folder, unwritten: false }));
        Revocations { revoked: Arc::new(watch::Sender::new(revoked)), kept }
    }

    /// Revokes certificates: from now on, also after a crash. Those that were revoked before and
    /// could not be written down are written with them.
    ///
    /// # Errors
    /// When it can't be written down; then they are revoked only until this
    /// process ends, or until it is written at the next try.
    pub fn revoke(&self, serials: impl IntoIterator<Item = Serial>) -> Result<(), IdentityError> {
        // What is guarded is the order of writing, which a panic doesn't spoil.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.revoked.borrow().len();
        let grows = |revoked: &mut BTreeSet<Serial>| {
            revoked.extend(serials);
            revoked.len() != before
        };
        kept.unwritten |= self.revoked.send_if_modified(grows);
        let Kept { folder: Some(folder), unwritten: true } = &*kept else { return Ok(()) };
        let lines: String = self.revoked.borrow().iter().map(|serial| format!("{serial}\n")).collect();
        files::write(folder, FILE, &lines)?;
        kept.unwritten = false;
        Ok(())
    }

    /// Whether a certificate was revoked.
    pub fn contains(&self, serial: Serial) -> bool {
        self.revoked.borrow().contains(&serial)
    }

    /// All that were revoked.
    pub fn all(&self) -> BTreeSet<Serial> {
        self.revoked.borrow().clone()
    }

    /// Hears of all that were revoked, now and whenever there are more.
    pub fn subscribe(&self) -> watch::Receiver<BTreeSet<Serial>> {
        self.revoked.subscribe()
    }

    /// Waits until a certificate is revoked.
    pub async fn revoked(&self, serial: Serial) {
        let mut changes = self.revoked.subscribe();
        // The sender is here, so that there is always somebody to wait for.
        let _ = changes.wait_for(|revoked| revoked.contains(&serial)).await;
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.revoked.borrow().iter().map(Serial::to_string)).finish()
    }
}
