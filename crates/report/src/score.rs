//! How many of the checks are fine.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Check, Verdict};

/// How many of the checks are fine, of those that the session has something to tell by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Score {
    /// So many are fine.
    pub fine: usize,
    /// So many were made.
    pub of: usize,
}

impl Score {
    /// The score of these checks.
    pub fn of(checks: &[Check]) -> Score {
        let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
        let fine = count(Verdict::Fine);
        Score { fine, of: fine + count(Verdict::Look) }
    }

    /// How many a person should look at.
    pub fn to_look_at(self) -> usize {
        self.of.saturating_sub(self.fine)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} checks are fine", self.fine, self.of)?;
        match self.to_look_at() {
            0 => write!(f, ", nothing to look at"),
            many => write!(f, ", {many} to look at"),
        }
    }
}
