//! What a user may do.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a user may do; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UserRole)]
pub(crate) enum Role {
    /// Look
    View,
    /// Run sessions: start, stop, reward, weigh, water, note
    Run,
    /// Manage subjects, protocols and agents
    Manage,
}

impl Role {
    pub(crate) const ALL: [Role; 3] = [Role::View, Role::Run, Role::Manage];

    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Role::View => "view",
            Role::Run => "run",
            Role::Manage => "manage",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        let role = Role::ALL.into_iter().find(|role| role.word() == text);
        role.ok_or_else(|| format!("`{text}` is no role: a user may view, run or manage"))
    }
}
