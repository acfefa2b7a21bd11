//! Why a connection to a gate ended, or never began.

use bramble_identity::{Agent, Stranger};
use thiserror::Error;

use crate::guard::Unwelcome;

/// Why somebody isn't let in, or has to go.
#[derive(Debug, Error)]
pub enum Refused {
    /// It didn't prove itself in time.
    #[error("it didn't say who it is in time")]
    Slow,
    /// Others came while it hadn't proven itself.
    #[error("too many others tried before it had said who it is")]
    Crowded,
    /// It doesn't speak TLS as agents do.
    #[error("it doesn't speak as an agent does: {0}")]
    Tls(std::io::Error),
    /// The swarm's authority didn't sign its certificate.
    #[error("it is of another swarm")]
    OtherSwarm,
    /// Its certificate is none of an agent that is talked to here.
    #[error(transparent)]
    Stranger(#[from] Stranger),
    /// Its certificate was revoked.
    #[error("it was revoked")]
    Revoked,
    /// It wants to be enrolled, and nobody invited it.
    #[error("it wants to join, and no invitation is open")]
    NotInvited,
    /// It has too many connections.
    #[error("the {0} made another connection in place of this one")]
    Replaced(Agent),
    /// There are too many connections.
    #[error("agents have {} connections already", crate::MOST_CONNECTED)]
    Full,
    /// It sent what isn't let through.
    #[error(transparent)]
    Unwelcome(#[from] Unwelcome),
    /// Nothing was heard of it.
    #[error("nothing was heard of it for {} s", crate::QUIET.as_secs())]
    Quiet,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(std::io::Error),
}

impl Refused {
    /// Whether it is no more than the end of a connection.
    pub(crate) fn is_usual(&self) -> bool {
        matches!(self, Refused::Broken(_) | Refused::Quiet | Refused::Replaced(_))
    }
}
