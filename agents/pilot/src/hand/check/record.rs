//! What a check found, kept for the pilot to look at before it starts sessions.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use bramble_rig::RigConfig;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::error::HandError;
use super::super::protocol::Timing;
pub(crate) use super::super::protocol::{Item, Outcome};

/// The file in the data folder.
const FILE: &str = "check.json";

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Checked {
    /// Of which pilot's rig.
    pub(crate) pilot: String,
    /// The SHA-256 of the rig's configuration: another rig was not checked.
    pub(crate) rig: String,
    /// When.
    pub(crate) made: Timestamp,
    /// Whether nothing failed.
    pub(crate) passed: bool,
    /// Each thing that was looked at.
    pub(crate) items: Vec<Item>,
    /// How late the loop was woken, where that was measured.
    #[serde(default)]
    pub(crate) timing: Option<Timing>,
}

impl Outcome {
    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "FAILED",
            Outcome::Warning => "warning",
            Outcome::Skipped => "skipped",
        }
    }
}

impl Item {
    pub(in crate::hand) fn new(what: impl Into<String>, outcome: Outcome, says: impl Into<String>) -> Item {
        Item { what: what.into(), outcome, says: says.into() }
    }
}

impl Checked {
    /// What came of a check of the rig with this [`identity`], after the `earlier`
    /// one of the same rig: what failed then and was left out now, or wasn't even
    /// there, is still what it was.
    pub(super) fn new(
        pilot: String,
        rig: String,
        made: Timestamp,
        mut items: Vec<Item>,
        timing: Option<Timing>,
        earlier: Option<&Checked>,
    ) -> Checked {
        let earlier = earlier.iter().flat_map(|checked| &checked.items);
        for failed in earlier.filter(|item| item.outcome == Outcome::Failed) {
            let looked_at = |item: &Item| item.what == failed.what && item.outcome != Outcome::Skipped;
            if !items.iter().any(looked_at) {
                items.retain(|item| item.what != failed.what);
                items.push(failed.clone());
            }
        }
        let passed = items.iter().all(|item| item.outcome != Outcome::Failed);
        Checked { pilot, rig, made, passed, items, timing }
    }

    /// The last check of this very rig, if there was one.
    ///
    /// # Errors
    /// Where the file is there and can't be read.
    pub(crate) fn last(data: &Path, rig: &RigConfig) -> Result<Option<Checked>, HandError> {
        let path = data.join(FILE);
        let text = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|source| HandError::File { path: path.clone(), source })?,
        };
        let checked: Checked =
            serde_json::from_slice(&text).map_err(|error| HandError::File { path, source: error.into() })?;
        Ok(Some(checked).filter(|checked| checked.rig == identity(rig)))
    }

    /// Keeps it: the file is the old one or the new one, whatever happens.
    pub(super) fn store(&self, data: &Path) -> Result<PathBuf, HandError> {
        let path = data.join(FILE);
        let store = || {
            std::fs::create_dir_all(data)?;
            // For the pilot too, where another user checked its rig.
            let readable = Permissions::from_mode(0o644);
            let mut file = tempfile::Builder::new().permissions(readable).tempfile_in(data)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.as_file().sync_all()?;
            file.persist(&path).map(drop).map_err(|error| error.error)
        };
        store().map_err(|source| HandError::File { path: path.clone(), source })?;
        Ok(path)
    }

    /// Why no session should start on this rig, if its check failed.
    pub(crate) fn refusal(&self) -> Option<String> {
        if self.passed {
            return None;
        }
        let failed = self.items.iter().filter(|item| item.outcome == Outcome::Failed);
        let failed: Vec<String> = failed.map(|item| format!("{}: {}", item.what, item.says)).collect();
        let when = self.made.strftime("%Y-%m-%d %H:%M UTC");
        Some(format!(
            "the rig of {} failed its check of {when} ({}); see to it, and run `bramble-pilot check` again",
            self.pilot,
            failed.join("; ")
        ))
    }
}

/// What tells one rig's configuration from another.
pub(in crate::hand) fn identity(rig: &RigConfig) -> String {
    let written = serde_json::to_vec(rig).unwrap_or_default();
    Sha256::digest(&written).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Keeps that a rig failed, for the tests of what then happens.
#[cfg(test)]
pub(crate) fn failed_check(data: &Path, rig: &RigConfig) {
    let items = vec![Item::new("lamp", Outcome::Failed, "nobody saw it")];
    let checked = Checked::new("box1".to_owned(), identity(rig), Timestamp::UNIX_EPOCH, items, None, None);
    checked.store(data).expect("the folder can be written");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(items: Vec<Item>, earlier: Option<&Checked>) -> Checked {
        Checked::new(
            "box1".to_owned(),
            identity(&RigConfig::default()),
            Timestamp::UNIX_EPOCH,
            items,
            None,
            earlier,
        )
    }

    #[test]
    fn a_check_is_remembered_for_its_rig_only() {
        let folder = tempfile::tempdir().unwrap();
        let rig = RigConfig::default();
        assert_eq!(Checked::last(folder.path(), &rig).unwrap(), None);
        let failed =
            checked(vec![Item::new("poke.left", Outcome::Failed, "it was not triggered in 30 s")], None);
        failed.store(folder.path()).unwrap();
        assert_eq!(Checked::last(folder.path(), &rig).unwrap(), Some(failed.clone()));
        let refusal = failed.refusal().unwrap();
        assert!(
            refusal.contains("box1 failed its check of 1970-01-01 00:00 UTC (poke.left: it was not"),
            "{refusal}"
        );
        let other = bramble_config::parse(
            "rig",
            "[devices.led]\nkind = \"digital_output\"\ndriver = \"simulated\"\n",
        );
        assert_eq!(Checked::last(folder.path(), &other.unwrap()).unwrap(), None);
    }

    #[test]
    fn leaving_out_what_failed_does_not_make_it_well() {
        let first = checked(vec![Item::new("poke.left", Outcome::Failed, "it was not triggered")], None);
        let skipping = checked(vec![Item::new("poke.left", Outcome::Skipped, "left out")], Some(&first));
        assert!(!skipping.passed);
        let without = vec![Item::new("rig", Outcome::Warning, "left out: the child side is not there")];
        let without = checked(without, Some(&skipping));
        assert!(!without.passed, "what is not there has not been mended");
        let mended = checked(vec![Item::new("poke.left", Outcome::Passed, "triggered")], Some(&without));
        assert!(mended.passed && mended.refusal().is_none());
    }

    #[test]
    fn a_record_that_can_not_be_read_is_an_error_and_not_a_pass() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        let error = Checked::last(folder.path(), &RigConfig::default()).unwrap_err().to_string();
        assert!(error.contains("check.json"), "{error}");
    }
}
