//! The other process of a measurement: this program, started again.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::{Failed, clock, closed, flow, pilots, stream, turns};

/// Tells this program what to be: `--be WHAT ARGUMENT...`.
const ROLE: &str = "--be";

/// Is the other process, where this program was started as that, until it is done.
pub(crate) fn is_told() -> Result<bool, Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [ROLE, "pilots", load, folder, endpoint] => pilots::be(load, folder, endpoint)?,
        [ROLE, "answering", folder, endpoint] => turns::be(folder, endpoint)?,
        [ROLE, "being-there", folder, endpoint] => clock::be(folder, endpoint)?,
        [ROLE, "closing", folder, endpoint, turns, apart] => closed::be(folder, endpoint, turns, apart)?,
        [ROLE, "flowing", folder, endpoint, each, events] => flow::be(folder, endpoint, each, events)?,
        [ROLE, "telling", folder, endpoint] => stream::be_telling(folder, endpoint)?,
        [ROLE, "streaming", folder, endpoint, rate] => stream::be_streaming(folder, endpoint, rate)?,
        [ROLE, ..] => return Err("there is no such other process".into()),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Says something to the process that started this one.
pub(crate) fn say(line: &str) -> Result<(), Failed> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// What the process that started this one says next; it also says, by ending, that
/// this one is to end.
pub(crate) fn hear() -> Result<String, Failed> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

/// A process that runs, and ends with this.
pub(crate) struct Other {
    process: Child,
    said: BufReader<ChildStdout>,
    told: Option<ChildStdin>,
}

impl Other {
    /// Starts this program again, as something else.
    pub(crate) fn start(arguments: &[&str]) -> Result<Other, Failed> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(ROLE).args(arguments);
        Other::run(command)
    }

    /// Starts another program.
    pub(crate) fn run(mut command: Command) -> Result<Other, Failed> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let said = BufReader::new(process.stdout.take().ok_or("the other process has no output")?);
        let told = process.stdin.take();
        Ok(Other { process, said, told })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for a line that begins so, and returns the rest of it.
    pub(crate) fn wait_for(&mut self, begin: &str) -> Result<String, Failed> {
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        let rest = line.trim_end().strip_prefix(begin);
        rest.map(|rest| rest.trim_start().to_owned())
            .ok_or_else(|| format!("the other process said {line:?} where {begin:?} was waited for").into())
    }

    pub(crate) fn tell(&mut self, line: &str) -> Result<(), Failed> {
        let told = self.told.as_mut().ok_or("the other process hears nothing")?;
        writeln!(told, "{line}")?;
        Ok(told.flush()?)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
