//! Why a terminal doesn't let somebody join.

use bramble_identity::Role;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a terminal doesn't let somebody join, as it tells it.
///
/// There are no words of the terminal's in it: until it has proven that it knows the
/// code, it may be anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The code's first digit is that of no invitation.
    #[error(
        "the terminal has no open invitation for this code: it holds for ten minutes, once, and for two \
         wrong tries; ask for a new one with `bramble-terminal invite`"
    )]
    NotInvited {},
    /// The code is wrong.
    #[error("{}", wrong_code(*left))]
    WrongCode {
        /// How many tries are left until the invitation is void.
        left: u32,
    },
    /// The code was for an agent of another role.
    #[error("the code is for a {expected}: type `bramble-{expected} join` on that computer, or invite anew")]
    OtherRole {
        /// Whom it was for.
        expected: Role,
    },
    /// The two speak differently.
    #[error(
        "the terminal enrols by version {speaks} of the exchange, and this program by another: install the same version of Bramble on both"
    )]
    OtherVersion {
        /// The terminal's version.
        speaks: u32,
    },
    /// What was sent is no message of the exchange.
    #[error("the terminal did not understand this program: install the same version of Bramble on both")]
    Garbled {},
    /// The terminal could not do what it has to.
    #[error("the terminal could not enrol this agent; the log of `bramble-terminal serve` says why")]
    Failed {},
}

fn wrong_code(left: u32) -> String {
    let wrong = "this is not the code that the terminal gave, or somebody sits between the two";
    match left {
        0 => format!("{wrong}; it is void now: ask for a new one with `bramble-terminal invite`"),
        1 => format!("{wrong}; it can be tried once more"),
        left => format!("{wrong}; it can be tried {left} times more"),
    }
}
