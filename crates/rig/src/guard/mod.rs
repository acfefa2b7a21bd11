//! The guard: a process beside the pilot that makes outputs safe when the pilot
//! can't, because it was killed or hangs.
//!
//! It shares the pilot's hold on every output line, so that the lines stay as
//! they are when the pilot is gone, and it has one end of a pair of sockets whose
//! other end the kernel closes with the pilot, however that dies. While a session
//! runs the loop *feeds* the guard; where that stops for longer than the rig's
//! watchdog allows, the outputs are made safe, and the session ends.
//!
//! After its pilot's death the guard holds the lines safe until another pilot
//! asks for them at `guard.sock` in the data folder.

mod armed;
mod guarded;
mod keeper;
mod lines;
mod process;
mod wire;
mod words;

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bramble_value::Span;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::io::Errno;
use thiserror::Error;

use words::{Order, Reply};

pub use armed::Armed;
pub use guarded::Guarded;
pub use process::run;

/// How long a guard may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a guard whose pilot is gone may take to let go.
const LETTING_GO: Duration = Duration::from_secs(2);

/// A pilot that is killed is there for a moment longer.
const DYING: Duration = Duration::from_secs(1);

/// What a guard answers whoever asks for lines that its pilot uses.
const REFUSAL: u8 = b'n';

/// Why there is no guard.
#[derive(Debug, Error)]
pub enum GuardError {
    /// It can't be started.
    #[error("the guard process, which keeps outputs safe, can't be started: {0}")]
    Start(#[source] std::io::Error),
    /// Its socket can't be made.
    #[error(
        "the guard's socket {} can't be made: {source}; choose a data folder that this user may write and whose \
         path is shorter than 90 letters", path.display()
    )]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another program uses the lines.
    #[error(
        "the lines are held by another pilot, or by a command by hand (bramble-pilot set, check, ...), that \
         runs with the data folder {}: end that first, or give this pilot a folder of its own", data.display()
    )]
    Busy {
        /// The folder.
        data: PathBuf,
    },
    /// The guard of an earlier pilot does nothing.
    #[error(
        "the guard of a pilot that died holds the rig's lines and does not let go of them: end it with \
         `kill -9 {pid}`, and mind that the outputs are then no longer held"
    )]
    Stuck {
        /// Its process.
        pid: i32,
    },
    /// It started and ended, or doesn't answer.
    #[error("the guard process, which keeps outputs safe, {what}; what it said is in {}", log.display())]
    Failed {
        /// What it does.
        what: &'static str,
        /// Its log.
        log: PathBuf,
    },
    /// It can't make the outputs safe.
    #[error("the guard process can't keep the outputs safe: {0}")]
    Hold(String),
    /// It was started by a person.
    #[error("the guard is started by a pilot, and by nobody else")]
    NoPilot,
}

/// Why the outputs of a session are no longer guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unguarded {
    /// The guard took the pilot for hanging.
    #[error(
        "the pilot did nothing for longer than {0}, the rig's watchdog, and its guard made the outputs safe"
    )]
    Tripped(Span),
    /// The guard is dead.
    #[error("the guard process, which keeps outputs safe when the pilot dies, is gone")]
    Gone,
    /// The guard doesn't read.
    #[error("the guard process, which keeps outputs safe when the pilot dies, does nothing")]
    Deaf,
}

/// A guard, as its pilot sees it. Dropping it is dying, to the guard: it holds
/// the lines safe until another asks. To end as one should, [`Guard::dismiss`] it.
#[derive(Debug)]
pub struct Guard {
    socket: OwnedFd,
    process: Child,
    log: PathBuf,
    watchdog: Span,
}

impl Guard {
    /// Starts the guard of this data folder with a command that comes to
    /// [`run`] with the same folder. A guard that a dead pilot left is asked to
    /// let go before.
    ///
    /// # Errors
    /// [`GuardError`]
    pub fn start(mut command: Command, data: &Path) -> Result<Guard, GuardError> {
        relieve(data)?;
        let log = data.join("guard.log");
        let says = File::options().create(true).append(true).open(&log).map_err(GuardError::Start)?;
        let (socket, far) = wire::pair().map_err(|error| GuardError::Start(error.into()))?;
        command.stdin(Stdio::from(far)).stdout(Stdio::null()).stderr(says);
        let process = command.spawn().map_err(GuardError::Start)?;
        // It has the guard's end, which only the guard may have.
        drop(command);
        let mut guard = Guard { socket, process, log, watchdog: Span::MAX };
        match guard.answer()? {
            Reply::Ready => Ok(guard),
            _ => Err(guard.failed("says something else than that it is ready")),
        }
    }

    /// Guards these from now on, and nothing else. They are brought to their safe
    /// levels once, to see that it can be done. In a session the pilot may be
    /// silent for `watchdog`.
    ///
    /// # Errors
    /// [`GuardError`] where it can't make them safe.
    pub fn hold(&mut self, guarded: Vec<Guarded>, watchdog: Span) -> Result<(), GuardError> {
        self.watchdog = watchdog;
        let (lines, fds) = wire::split(guarded);
        if wire::send(self.socket.as_fd(), &Order::Hold { lines, watchdog }, &fds).is_err() {
            return Err(self.failed("does not take the rig's lines"));
        }
        loop {
            match self.answer()? {
                Reply::Held(outcome) => return outcome.map_err(GuardError::Hold),
                Reply::Ready | Reply::Tripped => {}
            }
        }
    }

    /// A session starts: from now on the guard is to be fed.
    pub fn arm(&mut self) -> Armed<'_> {
        Armed::new(self)
    }

    /// Whether it is alive, and still has to do with this pilot.
    pub fn is_there(&mut self) -> bool {
        let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::empty())];
        // That the other end is closed is told without being asked for.
        let is_closed = poll(&mut fds, PollTimeout::ZERO).is_ok_and(|closed| closed > 0);
        !is_closed && self.lives()
    }

    fn lives(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Has it let go of the lines, and end.
    pub fn dismiss(mut self) {
        if wire::send(self.socket.as_fd(), &Order::LetGo, &[]).is_ok() {
            let until = Instant::now() + LETTING_GO;
            while self.lives() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }

    fn answer(&mut self) -> Result<Reply, GuardError> {
        let until = Instant::now() + PATIENCE;
        loop {
            match wire::receive::<Reply>(self.socket.as_fd()) {
                Ok(Some((reply, _))) => return Ok(reply),
                Err(Errno::AGAIN) => {}
                _ => {
                    // Its own end says why, and is near.
                    let _ = self.process.wait();
                    return Err(self.failed("ended at once"));
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.failed("does not answer"));
            }
            let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            // What ended the wait is looked at by receiving.
            let _ = poll(&mut fds, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX));
        }
    }

    fn failed(&self, what: &'static str) -> GuardError {
        GuardError::Failed { what, log: self.log.clone() }
    }
}

/// Asks the guard that a dead pilot left in this data folder to let go of the
/// rig's lines, if there is one.
///
/// # Errors
/// [`GuardError::Busy`] where its pilot is alive, [`GuardError::Stuck`] where it
/// doesn't let go.
pub fn relieve(data: &Path) -> Result<(), GuardError> {
    let path = socket_path(data);
    let until = Instant::now() + DYING;
    loop {
        let mut door = match UnixStream::connect(&path) {
            Ok(door) => door,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                // Nobody is behind it any more.
                let _ = fs::remove_file(&path);
                return Ok(());
            }
            Err(source) => return Err(GuardError::Socket { path, source }),
        };
        let stuck = |door: &UnixStream| {
            let pid =
                rustix::net::sockopt::socket_peercred(door).map_or(0, |peer| peer.pid.as_raw_nonzero().get());
            GuardError::Stuck { pid }
        };
        let _ = door.set_read_timeout(Some(LETTING_GO));
        match door.read(&mut [0]) {
            Ok(0) => return Ok(()),
            Ok(_) if Instant::now() >= until => return Err(GuardError::Busy { data: data.to_owned() }),
            Ok(_) => std::thread::sleep(Duration::from_millis(20)),
            // It ended with the connection unread: it is gone.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
            Err(_) => return Err(stuck(&door)),
        }
    }
}

fn socket_path(data: &Path) -> PathBuf {
    data.join("guard.sock")
}
