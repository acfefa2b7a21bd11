//! The guard as a process of its own: what becomes of outputs when a pilot is
//! killed or hangs. The pilot is this test program, started again; the output is
//! a byte of a file.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bramble_rig::driver::monotonic;
use bramble_rig::guard::{Guard, GuardError, Guarded, relieve};
use bramble_value::Span;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// As long as a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tells this program that it is the pilot, with this data folder.
const ROLE: &str = "BRAMBLE_TEST_PILOT";

fn guard_of(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bramble-pilot"));
    command.arg("guard").arg(data);
    command
}

fn line(data: &Path) -> File {
    File::options().read(true).write(true).create(true).truncate(false).open(data.join("line")).unwrap()
}

/// A pilot with its one output switched on, in a session that has no end. What
/// ends it, it writes to the file `said`.
#[test]
fn be_the_pilot() {
    let Some(data) = std::env::var_os(ROLE).map(PathBuf::from) else { return };
    let line = line(&data);
    let mut guard = Guard::start(guard_of(&data), &data).unwrap();
    let guarded = Guarded::File { file: line.try_clone().unwrap().into(), place: 0, safe: b'0' };
    guard.hold(vec![guarded], Span::from_s(2)).unwrap();
    let pid = guard.pid();
    let armed = guard.arm();
    line.write_all_at(b"1", 0).unwrap();
    println!("\nguard {pid}");
    let why = loop {
        std::thread::sleep(Duration::from_millis(10));
        if let Err(why) = armed.feed(monotonic()) {
            break why;
        }
    };
    drop(armed);
    // Whole as soon as it is there.
    std::fs::write(data.join("saying"), why.to_string()).unwrap();
    std::fs::rename(data.join("saying"), data.join("said")).unwrap();
    guard.dismiss();
    // What the test harness says now, nobody listens to.
    std::process::exit(0);
}

struct Pilot {
    data: TempDir,
    process: Child,
    guard: i32,
}

impl Pilot {
    /// A pilot whose output is on, and its guard.
    fn start() -> Pilot {
        let data = tempfile::tempdir().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "guard::be_the_pilot", "--nocapture"]).env(ROLE, data.path());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let guard = said.find_map(|line| line.strip_prefix("guard ")?.parse().ok()).unwrap();
        let pilot = Pilot { data, process, guard };
        assert!(pilot.is_on());
        pilot
    }

    fn is_on(&self) -> bool {
        let mut byte = [0];
        line(self.data.path()).read_exact_at(&mut byte, 0).unwrap();
        byte == *b"1"
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.process.id().try_into().unwrap()), signal).unwrap();
    }

    /// How long it takes until the output is off.
    fn until_off(&self) -> Duration {
        let begun = Instant::now();
        eventually("the output is off", || !self.is_on());
        begun.elapsed()
    }

    /// What the pilot says of the end of its session.
    fn said(&self) -> String {
        let said = self.data.path().join("said");
        eventually("the pilot says why", || said.exists());
        std::fs::read_to_string(said).unwrap()
    }

    fn guard_is_there(&self) -> bool {
        kill(Pid::from_raw(self.guard), None).is_ok()
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = relieve(self.data.path());
    }
}

fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "it did not come: {what}");
        std::thread::sleep(Duration::from_micros(100));
    }
}

#[test]
fn outputs_are_safe_soon_after_a_pilot_is_killed_and_held_until_another_asks() {
    let mut pilot = Pilot::start();
    pilot.signal(Signal::SIGKILL);
    println!("off after {:?}", pilot.until_off());
    pilot.process.wait().unwrap();
    assert!(pilot.guard_is_there(), "it holds the line");
    let next = Guard::start(guard_of(pilot.data.path()), pilot.data.path()).unwrap();
    eventually("the first guard ends", || !pilot.guard_is_there());
    next.dismiss();
}

#[test]
fn outputs_are_safe_after_a_pilot_hangs_and_it_is_told_when_it_is_back() {
    let pilot = Pilot::start();
    pilot.signal(Signal::SIGSTOP);
    println!("off after {:?}, with a watchdog of 2 s", pilot.until_off());
    pilot.signal(Signal::SIGCONT);
    assert!(pilot.said().contains("did nothing for longer than 2 s"), "{}", pilot.said());
    eventually("the guard is dismissed", || !pilot.guard_is_there());
}

#[test]
fn a_pilot_notices_that_its_guard_is_gone() {
    let pilot = Pilot::start();
    kill(Pid::from_raw(pilot.guard), Signal::SIGKILL).unwrap();
    assert!(pilot.said().ends_with("is gone"), "{}", pilot.said());
}

#[test]
fn what_ends_programs_does_not_end_a_guard() {
    let pilot = Pilot::start();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        kill(Pid::from_raw(pilot.guard), signal).unwrap();
    }
    pilot.signal(Signal::SIGKILL);
    pilot.until_off();
}

#[test]
fn the_lines_of_a_pilot_that_lives_are_not_given_to_another() {
    let pilot = Pilot::start();
    let refused = Guard::start(guard_of(pilot.data.path()), pilot.data.path()).unwrap_err();
    assert!(matches!(refused, GuardError::Busy { .. }), "{refused}");
    assert!(pilot.is_on());
}

#[test]
fn a_guard_that_nobody_started_says_so() {
    let output = guard_of(Path::new("/nonexistent")).stdin(Stdio::null()).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("started by a pilot"), "{output:?}");
}
