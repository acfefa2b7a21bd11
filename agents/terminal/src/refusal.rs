//! What a person is told when something can't be done: what is wrong, and what to do.

use std::fmt;

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::unusual::Unusual;

/// Why something was not done. It travels as JSON from `serve` to its clients,
/// and a client shows it as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Refusal {
    /// Whose doing it is, for the status of the HTTP answer.
    pub(crate) reason: Reason,
    /// What is wrong, and where.
    pub(crate) message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) help: Option<String>,
    /// What a person may confirm, and ask again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) confirm: Vec<Unusual>,
}

/// The kinds of reasons why something is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// What was asked for is wrong in itself.
    Wrong,
    /// What was asked about isn't there.
    Missing,
    /// It can't be done now.
    Conflict,
    /// Nobody has logged in.
    Login,
    /// Whoever asks may not.
    Forbidden,
    /// There is more of it than is taken.
    TooLarge,
    /// It was asked for too often.
    TooOften,
    /// The terminal itself has a problem.
    Failed,
}

/// What comes of something that may be refused.
pub(crate) type Allowed<T> = Result<T, Refusal>;

impl Refusal {
    pub(crate) fn wrong(message: impl Into<String>) -> Refusal {
        Refusal::new(Reason::Wrong, message)
    }

    pub(crate) fn missing(message: impl Into<String>) -> Refusal {
        Refusal::new(Reason::Missing, message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Refusal {
        Refusal::new(Reason::Conflict, message)
    }

    pub(crate) fn login(message: impl Into<String>) -> Refusal {
        Refusal::new(Reason::Login, message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Refusal {
        Refusal::new(Reason::Forbidden, message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Refusal {
        Refusal::new(Reason::TooLarge, message)
    }

    pub(crate) fn too_often(message: impl Into<String>) -> Refusal {
        Refusal::new(Reason::TooOften, message)
    }

    pub(crate) fn failed(message: impl Into<String>) -> Refusal {
        Refusal::new(Reason::Failed, message)
    }

    fn new(reason: Reason, message: impl Into<String>) -> Refusal {
        Refusal { reason, message: message.into(), help: None, confirm: Vec::new() }
    }

    /// Whether it can't be done now.
    pub(crate) fn is_conflict(&self) -> bool {
        self.reason == Reason::Conflict
    }

    /// The same, with what to do about it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Refusal {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

impl Diagnostic for Refusal {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }
}
