//! Why a command for the hand did not do what it should.

use std::path::PathBuf;

use bramble_value::Span;
use miette::Diagnostic;
use thiserror::Error;

use super::names::NameError;

/// Why a command ended without having done what it should.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum HandError {
    /// Something is not called so, or is of another kind.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The pilot, or the rig, will not have it.
    #[error("{0}")]
    Refused(String),
    /// The rig is in use.
    #[error("{0}")]
    Busy(String),
    /// The rig failed; its outputs are safe.
    #[error("the rig was let go, and its outputs are safe: {0}")]
    Failed(String),
    /// The connection to the pilot broke.
    #[error("the pilot that has the rig is gone")]
    #[diagnostic(help(
        "its outputs are at their safe levels; start it again, or run this command without it"
    ))]
    Gone,
    /// A person or the system ended it.
    #[error("ended before it was done; the outputs are at their safe levels")]
    Left,
    /// An output was switched off by the rig.
    #[error("{0}")]
    #[diagnostic(help(
        "`longest_on` in the rig's configuration says how long; what protects the animal is not changed by hand"
    ))]
    Cut(String),
    /// The pilot's socket can't be used.
    #[error("can't use the socket {}: {source}", path.display())]
    #[diagnostic(help(
        "commands must run as the user that the pilot runs as; a data folder with a path of more than 90 \
         characters is too long for a socket: choose another with --data DIR"
    ))]
    Socket {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// This computer gives no connection or thread.
    #[error("this computer has no room for a connection to the rig: {0}")]
    Connection(std::io::Error),
    /// Names and values that don't come in pairs.
    #[error("`{0}` is left over: write each output with its {1}, as in {2}")]
    Odd(String, &'static str, &'static str),
    /// A value that is not one.
    #[error("{0}")]
    Value(String),
    /// A calibration that can't be made, read or kept.
    #[error("{0}")]
    Calibration(String),
    /// A command that should print what a scale shows.
    #[error("the scale can't be read by `{0}`: {1}")]
    #[diagnostic(help("it must print one number, the grams that the scale shows, and end with status 0"))]
    Scale(String, String),
    /// A question, and nobody to answer it.
    #[error("{0}: {1}")]
    Nobody(&'static str, &'static str),
    /// An output that is named twice.
    #[error("`{0}` is named twice: say once what it should do")]
    Twice(String),
    /// Turns that are longer than from one to the next.
    #[error(
        "a turn lasts {length}, and the next would start after {every}: give --every more, or say --pause"
    )]
    Overlap {
        /// How long a turn is.
        length: Span,
        /// From one to the next.
        every: Span,
    },
    /// A file that can't be read or written.
    #[error("can't use {}: {source}", path.display())]
    #[diagnostic(help(
        "run the command as the user that the pilot runs as, or choose a data folder that this user may write, \
         with --data DIR"
    ))]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl HandError {
    pub(super) fn connection(source: std::io::Error) -> HandError {
        HandError::Connection(source)
    }
}
