//! The file of the alerts, in the data folder.

use std::io::Write;
use std::path::Path;

use bramble_alerts::{Book, News, Outbox};
use serde::{Deserialize, Serialize};

/// Its name.
pub(super) const FILE: &str = "alerts.json";
/// The version of its form.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    #[serde(flatten)]
    book: Book,
    /// What others were not told yet.
    #[serde(default)]
    waiting: Vec<News>,
}

/// The alerts that were on when this terminal ended, and what others were not told yet. What can't be
/// read is worth no refusal: what still is so is found again.
pub(super) fn read(path: &Path) -> (Book, Outbox<News>) {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Default::default(),
        Err(error) => return forgotten(path, &error),
    };
    match serde_json::from_slice::<Written>(&text) {
        Ok(Written { version: VERSION, book, waiting }) => (book, waiting.into_iter().collect()),
        Ok(Written { version, .. }) => forgotten(path, &format!("it has the version {version}")),
        Err(error) => forgotten(path, &error),
    }
}

fn forgotten(path: &Path, why: &dyn std::fmt::Display) -> (Book, Outbox<News>) {
    tracing::warn!("which alerts were on is forgotten: {} can't be read: {why}", path.display());
    Default::default()
}

/// Writes it, as a whole or not at all. No disk is waited for: what a power cut takes of it is found again.
///
/// # Errors
/// What the system says.
pub(super) fn write(path: &Path, book: &Book, outbox: &Outbox<News>) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    let waiting = outbox.waiting().cloned().collect();
    serde_json::to_writer(&mut file, &Written { version: VERSION, book: book.clone(), waiting })?;
    file.write_all(b"\n")?;
    file.persist(path)?;
    Ok(())
}
