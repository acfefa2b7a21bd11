//! Measurements between processes of this computer: the bench is one of them, and starts
//! itself again as the other.

pub(crate) mod pilot;
pub(crate) mod process;

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What ends a measurement.
pub(crate) type Failed = Box<dyn Error>;

/// Tells a bench what to be: `--be WHAT ARGUMENT...`.
const ROLE: &str = "--be";

/// What this process was started as; `None` for the bench itself.
pub(crate) fn role() -> Option<Vec<String>> {
    let mut arguments = std::env::args().skip(1);
    (arguments.next()? == ROLE).then(|| arguments.collect())
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
