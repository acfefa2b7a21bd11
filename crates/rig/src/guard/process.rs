//! The guard's own process.

use std::fs;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use bramble_value::Time;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::time::TimeSpec;
use rustix::mm::{MlockAllFlags, mlockall};
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

use super::keeper::{Deed, Input, Keeper};
use super::lines::Held;
use super::wire;
use super::words::{Line, Order, Reply};
use super::{GuardError, REFUSAL, socket_path};
use crate::driver::monotonic;

/// One above the loop's, so that it runs when the loop doesn't let go.
const PRIORITY: u8 = 81;

/// Runs the guard of the pilot with this data folder. The pilot is at the other
/// end of the standard input, and starts this itself.
///
/// # Errors
/// [`GuardError`] where nobody is there, or the folder can't be used.
pub fn run(data: &Path) -> Result<(), GuardError> {
    apart();
    let pilot = std::io::stdin().as_fd().try_clone_to_owned().map_err(GuardError::Start)?;
    if matches!(wire::receive::<Order>(pilot.as_fd()), Err(error) if error != rustix::io::Errno::AGAIN) {
        return Err(GuardError::NoPilot);
    }
    let socket = socket_path(data);
    // Whoever had it is gone: the pilot asked it before it started this.
    let _ = fs::remove_file(&socket);
    let door =
        UnixListener::bind(&socket).map_err(|source| GuardError::Socket { path: socket.clone(), source })?;
    wire::send(pilot.as_fd(), &Reply::Ready, &[]).map_err(|_| GuardError::NoPilot)?;
    Process { pilot: Some(pilot), door, socket, keeper: Keeper::new(), held: Vec::new(), asker: None }
        .watch();
    Ok(())
}

/// Nothing that ends or slows the pilot is to end or slow the guard. What this
/// may not have, it does without.
fn apart() {
    let _ = SigSet::from_iter([
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
        Signal::SIGTSTP,
    ])
    .thread_block();
    let _ = nix::unistd::setsid();
    let _ = prctl::set_name(c"bramble-guard");
    let _ = fs::write("/proc/self/oom_score_adj", "-1000");
    let _ = mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT);
    if let Ok(priority) = ThreadPriorityValue::try_from(PRIORITY) {
        let first = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
        let priority = ThreadPriority::Crossplatform(priority);
        let _ = set_thread_priority_and_policy(thread_native_id(), priority, first);
    }
}

struct Process {
    /// Its pilot, until that is gone.
    pilot: Option<OwnedFd>,
    /// Where another pilot asks for the lines.
    door: UnixListener,
    socket: PathBuf,
    keeper: Keeper,
    held: Vec<Held>,
    /// Who asks just now.
    asker: Option<UnixStream>,
}

/// Whether the guard goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goes {
    On,
    Away,
}

impl Process {
    fn watch(&mut self) {
        loop {
            let asked = self.wait();
            // What the pilot says comes before what time says of its silence.
            if self.hear() == Goes::Away
                || (asked && self.open() == Goes::Away)
                || self.handle(Input::Time) == Goes::Away
            {
                return;
            }
        }
    }

    /// Waits until there is something to do; whether someone is at the door.
    fn wait(&self) -> bool {
        let left = |due: Time| {
            TimeSpec::from_duration(std::time::Duration::from_nanos(
                due.since(monotonic()).ns().unsigned_abs(),
            ))
        };
        let mut fds = vec![PollFd::new(self.door.as_fd(), PollFlags::POLLIN)];
        fds.extend(self.pilot.as_ref().map(|pilot| PollFd::new(pilot.as_fd(), PollFlags::POLLIN)));
        match ppoll(&mut fds, self.keeper.deadline().map(left), None) {
            Ok(_) => fds[0].any() == Some(true),
            Err(Errno::EINTR) => false,
            Err(error) => {
                log(&format!("can't wait: {error}"));
                false
            }
        }
    }

    /// Takes all that the pilot has said.
    fn hear(&mut self) -> Goes {
        while let Some(pilot) = &self.pilot {
            let input = match wire::receive::<Order>(pilot.as_fd()) {
                Err(rustix::io::Errno::AGAIN) => return Goes::On,
                // A pilot that can't be understood is no pilot. Where it lives, it is
                // to know at once; the standard input would keep the socket open.
                Err(_) | Ok(None) => {
                    let _ = rustix::net::shutdown(pilot, rustix::net::Shutdown::Both);
                    self.pilot = None;
                    Input::Gone
                }
                Ok(Some((Order::Hold { lines, watchdog }, fds))) => {
                    let held = self.hold(lines, fds).and_then(|()| self.make_safe());
                    self.say(&Reply::Held(held));
                    Input::Hold { any: !self.held.is_empty(), watchdog }
                }
                Ok(Some((Order::Arm, _))) => Input::Arm,
                Ok(Some((Order::Feed, _))) => Input::Feed,
                Ok(Some((Order::Disarm, _))) => Input::Disarm,
                Ok(Some((Order::LetGo, _))) => Input::LetGo,
            };
            if self.handle(input) == Goes::Away {
                return Goes::Away;
            }
        }
        Goes::On
    }

    fn hold(&mut self, lines: Vec<Line>, fds: Vec<OwnedFd>) -> Result<(), String> {
        self.held.clear();
        let guarded = wire::join(lines, fds).ok_or("file descriptors were lost on the way")?;
        for one in guarded {
            self.held.push(Held::open(one)?);
        }
        Ok(())
    }

    fn open(&mut self) -> Goes {
        match self.door.accept() {
            Ok((asker, _)) => self.asker = Some(asker),
            Err(_) => return Goes::On,
        }
        let goes = self.handle(Input::Asked);
        self.asker = None;
        goes
    }

    fn handle(&mut self, input: Input) -> Goes {
        let mut goes = Goes::On;
        for deed in self.keeper.handle(input, monotonic()) {
            match deed {
                Deed::MakeSafe => {
                    if let Err(why) = self.make_safe() {
                        log(&why);
                    }
                }
                Deed::Log(text) => log(text),
                Deed::Tell => self.say(&Reply::Tripped),
                Deed::Refuse => {
                    if let Some(asker) = &mut self.asker {
                        // Whoever doesn't wait for the answer needs none.
                        let _ = asker.write_all(&[REFUSAL]);
                    }
                }
                Deed::LetGo => {
                    self.held.clear();
                    let _ = fs::remove_file(&self.socket);
                    goes = Goes::Away;
                }
            }
        }
        goes
    }

    /// All of them, those after one that fails too; the first failure.
    fn make_safe(&mut self) -> Result<(), String> {
        let mut outcome = Ok(());
        for held in &mut self.held {
            outcome = outcome.and(held.make_safe());
        }
        outcome
    }

    fn say(&self, reply: &Reply) {
        if let Some(pilot) = &self.pilot {
            // A pilot that doesn't hear it is heard no more either.
            let _ = wire::send(pilot.as_fd(), reply, &[]);
        }
    }
}

/// To the guard's log, which is its standard error.
fn log(text: &str) {
    // Nobody could be told that the log can't be written.
    let _ = writeln!(std::io::stderr(), "{} guard {}: {text}", jiff::Timestamp::now(), std::process::id());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Guard;
    use bramble_value::Span;

    #[test]
    fn a_pilot_that_its_guard_gives_up_knows_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let socket = socket_path(folder.path());
        let (near, stdin) = wire::pair().unwrap();
        let mut guard = Process {
            pilot: Some(stdin.try_clone().unwrap()),
            door: UnixListener::bind(&socket).unwrap(),
            socket,
            keeper: Keeper::new(),
            held: Vec::new(),
            asker: None,
        };
        let process = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let mut its_own = Guard { socket: near, process, log: PathBuf::new(), watchdog: Span::MAX };
        assert!(its_own.is_there());

        wire::send(its_own.socket.as_fd(), &"nothing that a pilot says", &[]).unwrap();
        guard.hear();
        assert!(matches!(wire::receive::<Reply>(its_own.socket.as_fd()), Ok(None)));
        assert!(!its_own.is_there(), "though its process lives");
        its_own.process.kill().unwrap();
        its_own.process.wait().unwrap();
    }
}
