//! Keeping a running pilot from starting a session while it is set up anew.
//!
//! A pilot gives its rig to a session or to a hand, never to both. So who has it in the
//! hand knows that no session runs, and that none begins.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;

/// The socket of a running pilot, in its data folder.
pub(super) const SOCKET: &str = "hand.sock";

/// How long a pilot may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A pilot that is idle, and stays so until this is dropped.
#[derive(Debug)]
pub(crate) struct Hold(UnixStream);

impl Drop for Hold {
    fn drop(&mut self) {
        // A pilot that is gone holds nothing.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// Why a running pilot can't be set up.
#[derive(Debug, Error)]
pub(crate) enum Busy {
    /// It does something.
    #[error("{0}")]
    Busy(String),
    /// It doesn't say what it does.
    #[error(
        "a pilot runs with the data folder {folder} and doesn't say whether it is idle ({why}): end it first"
    )]
    Unknown {
        /// Its data folder.
        folder: String,
        /// What is wrong.
        why: String,
    },
}

impl Hold {
    /// Holds the pilot that runs with this data folder; `None` where none does.
    ///
    /// # Errors
    /// [`Busy`] where it is in a session, or in somebody's hand.
    pub(crate) fn take(data: &Path) -> Result<Option<Hold>, Busy> {
        let unknown = |why: String| Busy::Unknown { folder: data.display().to_string(), why };
        let mut stream = match UnixStream::connect(data.join(SOCKET)) {
            Ok(stream) => stream,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            // A folder that isn't one holds no pilot's socket.
            Err(error) if error.kind() == ErrorKind::NotADirectory => return Ok(None),
            Err(error) => return Err(unknown(error.to_string())),
        };
        let ask = "{\"work\":{\"what\":\"setup\"}}\n";
        let mut asked = || {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(ask.as_bytes())?;
            stream.try_clone()
        };
        let mut answers = BufReader::new(asked().map_err(|error| unknown(error.to_string()))?);
        loop {
            let mut line = String::new();
            match answers.read_line(&mut line) {
                Ok(0) => return Err(unknown("it hung up".to_owned())),
                Ok(_) => {}
                Err(error) => return Err(unknown(error.to_string())),
            }
            match said(&line) {
                Said::Idle => {
                    // A pilot lets go of a hand that listens no more.
                    _ = stream.set_read_timeout(None);
                    std::thread::spawn(move || std::io::copy(&mut answers, &mut std::io::sink()));
                    return Ok(Some(Hold(stream)));
                }
                Said::Busy(why) => return Err(Busy::Busy(why)),
                Said::Other => {}
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Said {
    Idle,
    Busy(String),
    Other,
}

/// What a line of a pilot's answer means.
fn said(line: &str) -> Said {
    let told: Value = serde_json::from_str(line).unwrap_or_default();
    if told.get("open").is_some() {
        return Said::Idle;
    }
    let Some(refused) = told.get("refused") else { return Said::Other };
    match refused.get("busy").and_then(Value::as_bool) {
        // Its rig can't be opened: there is no session on it.
        Some(false) => Said::Idle,
        _ => Said::Busy(refused.get("why").and_then(Value::as_str).unwrap_or("it is busy").to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pilot_holds_nothing_up() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Hold::take(folder.path()).unwrap().is_none());
        drop(std::os::unix::net::UnixListener::bind(folder.path().join(SOCKET)).unwrap());
        assert!(Hold::take(folder.path()).unwrap().is_none(), "one that is dead neither");
    }

    #[test]
    fn a_rig_that_is_broken_has_no_session_and_one_in_use_has() {
        assert_eq!(said("{\"open\":{\"pilot\":\"box1\"}}"), Said::Idle);
        assert_eq!(said("{\"refused\":{\"why\":\"no chip\",\"busy\":false}}"), Said::Idle);
        let busy = "{\"refused\":{\"why\":\"box1 is busy\",\"busy\":true}}";
        assert_eq!(said(busy), Said::Busy("box1 is busy".to_owned()));
        assert_eq!(said("{\"note\":{\"text\":\"x\"}}"), Said::Other);
        assert_eq!(said("nothing"), Said::Other);
    }
}
