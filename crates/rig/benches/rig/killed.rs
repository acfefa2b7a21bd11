//! A pilot that is killed while an output is on. It is this program, started
//! again; its output is a byte of a file.

use std::error::Error;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bramble_rig::driver::monotonic;
use bramble_rig::guard::{Guard, Guarded, relieve};
use bramble_value::Span;

/// Tells this program that it is the pilot: `--be-killed GUARD DATA`.
const ROLE: &str = "--be-killed";

/// After so long it is not safe at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// Is the pilot, until it is killed, where this program was started as that.
pub(crate) fn if_told() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().collect();
    let [_, role, program, data] = arguments.as_slice() else { return Ok(()) };
    if role != ROLE {
        return Ok(());
    }
    let data = Path::new(data);
    let line = line(data)?;
    let mut command = Command::new(program);
    command.arg("guard").arg(data);
    let mut guard = Guard::start(command, data)?;
    let file = line.try_clone()?.into();
    guard.hold(vec![Guarded::File { file, place: 0, safe: b'0' }], Span::from_ms(250))?;
    let armed = guard.arm();
    line.write_all_at(b"1", 0)?;
    println!("on");
    loop {
        std::thread::sleep(Duration::from_millis(10));
        armed.feed(monotonic())?;
    }
}

/// How long it takes until the output is safe, in milliseconds, each of so many
/// times. `program` is the pilot's, which has the guard in it.
pub(crate) fn until_safe(program: &OsStr, times: usize) -> Result<Vec<f64>, Box<dyn Error>> {
    (0..times).map(|_| once(program)).collect()
}

fn once(program: &OsStr) -> Result<f64, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let line = line(folder.path())?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(ROLE).arg(program).arg(folder.path());
    let mut pilot = Pilot { process: command.stdout(Stdio::piped()).spawn()?, data: folder.path() };
    let mut said = String::new();
    BufReader::new(pilot.process.stdout.take().ok_or("the pilot has no output")?).read_line(&mut said)?;
    if !said.starts_with("on") || !is_on(&line)? {
        return Err("the pilot did not switch its output on".into());
    }
    let begin = Instant::now();
    pilot.process.kill()?;
    while is_on(&line)? {
        if begin.elapsed() > PATIENCE {
            return Err("the guard of a killed pilot left an output on".into());
        }
        std::thread::sleep(Duration::from_micros(50));
    }
    Ok(begin.elapsed().as_secs_f64() * 1e3)
}

/// Leaves neither the pilot nor its guard behind.
struct Pilot<'a> {
    process: Child,
    data: &'a Path,
}

impl Drop for Pilot<'_> {
    fn drop(&mut self) {
        // What is gone already is as it should be.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = relieve(self.data);
    }
}

fn line(data: &Path) -> std::io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(data.join("line"))
}

fn is_on(line: &File) -> std::io::Result<bool> {
    let mut byte = [0];
    line.read_exact_at(&mut byte, 0)?;
    Ok(byte == *b"1")
}
