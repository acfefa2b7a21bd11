//! A command's side of the hand's connection: to the pilot that has the rig, or
//! to the rig itself where no pilot runs.

use std::io::{BufRead, BufReader, ErrorKind, IsTerminal, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::SigSet;

use super::error::HandError;
use super::protocol::{Ask, Opened, Told};
use super::serve::serve;
use super::session::Job;
use crate::config::Workshop;

/// The socket of a running pilot, in its data folder.
const SOCKET: &str = "hand.sock";

/// How long the rig may take to be safe again.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it is waited after a connection that could not be had.
const RESPITE: Duration = Duration::from_millis(100);

/// What a command waits for.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The rig tells.
    Told(Told),
    /// A person typed a line.
    Typed(String),
    /// Nobody types any more.
    TypedAll,
    /// It is to end: ctrl-C, or a signal.
    Leave,
    /// The connection broke.
    Gone,
    /// The time is over.
    Over,
}

/// A rig, as a command has it.
#[derive(Debug)]
pub(crate) struct Bench {
    stream: UnixStream,
    heard: Receiver<Heard>,
    hears: Sender<Heard>,
    /// The rig is in the hand.
    open: bool,
    /// The thread that has the rig, where no pilot does.
    own: Option<JoinHandle<()>>,
}

impl Bench {
    /// The bench of the pilot that runs with this data folder; without one,
    /// whatever `own` makes of its end of the connection.
    pub(crate) fn reach(
        data: &Path,
        own: impl FnOnce(UnixStream) -> Result<JoinHandle<()>, HandError>,
    ) -> Result<Bench, HandError> {
        let (stream, own) = match UnixStream::connect(data.join(SOCKET)) {
            Ok(stream) => (stream, None),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                let (mine, theirs) = UnixStream::pair().map_err(HandError::connection)?;
                (mine, Some(own(theirs)?))
            }
            Err(source) => return Err(HandError::Socket { path: data.join(SOCKET), source }),
        };
        let (hears, heard) = channel();
        let (reading, on_told) = (stream.try_clone().map_err(HandError::connection)?, hears.clone());
        thread("told", move || read(reading, &on_told))?;
        Ok(Bench { stream, heard, hears, open: false, own })
    }

    /// Whether a pilot that runs has the rig.
    pub(crate) fn is_a_pilots(&self) -> bool {
        self.own.is_none()
    }

    /// Hears signals too, which must be blocked in every thread.
    pub(crate) fn hear_signals(&self, signals: SigSet) -> Result<(), HandError> {
        let hears = self.hears.clone();
        thread("signals", move || while signals.wait().is_ok() && hears.send(Heard::Leave).is_ok() {})
            .map(drop)
    }

    /// Hears what a person types too; whether there is anybody.
    pub(crate) fn hear_typing(&self) -> Result<bool, HandError> {
        if !std::io::stdin().is_terminal() {
            return Ok(false);
        }
        let hears = self.hears.clone();
        thread("typed", move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                if hears.send(Heard::Typed(line.trim().to_owned())).is_err() {
                    return;
                }
            }
            // Where nobody listens, it is over anyway.
            let _ = hears.send(Heard::TypedAll);
        })?;
        Ok(true)
    }

    /// Asks for something.
    pub(crate) fn ask(&mut self, ask: &Ask) -> Result<(), HandError> {
        let line = serde_json::to_string(ask).map_err(|error| HandError::connection(error.into()))? + "\n";
        self.stream.write_all(line.as_bytes()).map_err(|_| HandError::Gone)
    }

    /// What is heard next, until then.
    pub(crate) fn next(&self, until: Option<Instant>) -> Heard {
        let heard = match until {
            // This holds a sender itself.
            None => self.heard.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(until) => self.heard.recv_timeout(until.saturating_duration_since(Instant::now())),
        };
        heard.unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => Heard::Over,
            RecvTimeoutError::Disconnected => Heard::Gone,
        })
    }

    /// Takes the rig in the hand.
    pub(crate) fn open(&mut self, what: &str) -> Result<Opened, HandError> {
        self.ask(&Ask::Work { what: what.to_owned() })?;
        loop {
            match self.next(None) {
                Heard::Told(Told::Open(opened)) => {
                    self.open = true;
                    return Ok(opened);
                }
                Heard::Told(Told::Note { text, .. }) => eprintln!("{text}"),
                heard => drop(self.unless_over(heard)?),
            }
        }
    }

    /// Lets the rig go, and waits until it is safe; what failed, if something did.
    pub(crate) fn close(&mut self) -> Result<(), HandError> {
        if !std::mem::take(&mut self.open) {
            return Ok(());
        }
        self.ask(&Ask::Done)?;
        let until = Instant::now() + PATIENCE;
        loop {
            match self.next(Some(until)) {
                Heard::Told(Told::Closed { failed: false, .. }) => return Ok(()),
                Heard::Told(Told::Closed { why, .. }) => return Err(HandError::Failed(why)),
                Heard::Gone | Heard::Over => return Err(HandError::Gone),
                _ => {}
            }
        }
    }

    /// What every command makes of what it doesn't wait for: the rest, unless it
    /// is the end.
    pub(crate) fn unless_over(&mut self, heard: Heard) -> Result<Heard, HandError> {
        match heard {
            Heard::Told(Told::Refused { why, busy: true }) => Err(HandError::Busy(why)),
            Heard::Told(Told::Refused { why, .. }) => Err(HandError::Refused(why)),
            Heard::Told(Told::Closed { why, .. }) => {
                self.open = false;
                Err(HandError::Failed(why))
            }
            Heard::Gone => Err(HandError::Gone),
            Heard::Leave => Err(HandError::Left),
            heard => Ok(heard),
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // It only fails where the other side is gone already.
        let _ = self.stream.shutdown(Shutdown::Both);
        if let Some(own) = self.own.take() {
            // Its panic was said by itself, and the guard makes the rig safe.
            let _ = own.join();
        }
    }
}

/// Tells everything until the connection ends.
fn read(stream: UnixStream, hears: &Sender<Heard>) {
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        match serde_json::from_str(&line) {
            Ok(told) => {
                if hears.send(Heard::Told(told)).is_err() {
                    return;
                }
            }
            // A pilot of another version may tell what this one doesn't know.
            Err(error) => tracing::warn!("what the pilot told can't be read ({error}): {line}"),
        }
    }
    // Where nobody listens, it is over anyway.
    let _ = hears.send(Heard::Gone);
}

/// The bench of a running pilot, for the commands on its computer.
#[derive(Debug)]
pub(crate) struct Socket(PathBuf);

impl Socket {
    /// Opens it. `start` has a job done; `false` where nobody does jobs any more.
    pub(crate) fn open(
        workshop: Arc<Workshop>,
        start: impl Fn(Job) -> bool + Clone + Send + 'static,
    ) -> Result<Socket, HandError> {
        let path = workshop.data.join(SOCKET);
        let unusable = |source| HandError::Socket { path: path.clone(), source };
        // The journal in this folder is this pilot's alone: whoever left the
        // socket here is gone.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(unusable(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(unusable)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(unusable)?;
        thread("hands", move || {
            for stream in listener.incoming() {
                let (start, workshop) = (start.clone(), Arc::clone(&workshop));
                let served = stream
                    .map_err(HandError::connection)
                    .and_then(|stream| thread("hand", move || serve(stream, workshop, start)));
                if let Err(error) = served {
                    tracing::error!("{error}");
                    // It may be out of files for a while.
                    std::thread::sleep(RESPITE);
                }
            }
        })?;
        Ok(Socket(path))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // The next pilot removes it too.
        let _ = std::fs::remove_file(&self.0);
    }
}

pub(super) fn thread(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, HandError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(body).map_err(HandError::connection)
}
