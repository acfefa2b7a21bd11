//! The texts that a task or a protocol is made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Source files: paths as written, with `/`, relative to one folder, and their
/// texts. All of it travels with a session and is kept in the subject file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sources {
    /// The path of the file that is the task (or protocol) itself.
    pub root: String,
    /// Every file that was loaded, by its path; the root among them.
    pub files: BTreeMap<String, String>,
}
