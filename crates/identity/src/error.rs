//! What can go wrong with keys and certificates.

use std::path::PathBuf;

use thiserror::Error;

use crate::agent::Stranger;

/// Keys or certificates that can't be had, or are none.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// A file or folder can't be read or written.
    #[error("{} can't be used: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others may read a secret.
    #[error(
        "{} is a secret, and others can read it: `chmod 600` it; where somebody may have, \
         revoke the agent and let it join again", path.display()
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
    },
    /// A file that isn't what it should be.
    #[error("{} is damaged: {why}; restore it from a backup, or move it away and let the agent join again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: Wrong,
    },
    /// What came from elsewhere isn't what it should be.
    #[error(transparent)]
    Wrong(#[from] Wrong),
    /// No key or certificate could be made.
    #[error("no key or certificate can be made: {0}")]
    Make(rcgen::Error),
}

/// Keys or certificates that don't fit together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Wrong {
    /// There isn't everything that should be.
    #[error("it doesn't have a private key and its certificates")]
    Incomplete,
    /// The key isn't that of the certificate.
    #[error("the certificate is for another key")]
    OtherKey,
    /// The swarm's authority didn't sign the certificate.
    #[error("the certificate is not signed by the swarm's authority")]
    NotSigned,
    /// The certificate says no agent.
    #[error(transparent)]
    Stranger(#[from] Stranger),
    /// The swarm's certificate isn't an authority's.
    #[error("there is no certificate of a swarm's authority in it")]
    NoAuthority,
    /// A request for a certificate isn't one, or isn't signed with its own key.
    #[error("what asks for a certificate is no request for one")]
    NoRequest,
}
