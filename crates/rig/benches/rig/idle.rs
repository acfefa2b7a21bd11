//! A pilot that has nothing to do.

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What it needs.
#[derive(Debug)]
pub(crate) struct Idle {
    /// The share of a core, in percent.
    pub(crate) core: f64,
    /// In megabytes.
    pub(crate) resident: f64,
    /// From its start until it says that it is ready, in seconds.
    pub(crate) start: f64,
}

/// Ends the pilot however this is left.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a pilot with 14 inputs, and watches it for so many seconds.
pub(crate) fn pilot(program: &OsStr, seconds: f64) -> Result<Idle, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("pilot.toml");
    let ports: Vec<String> = (2..16).map(|pin| format!("p{pin} = {pin}")).collect();
    let data = folder.path().join("data");
    fs::write(
        &config,
        format!(
            "name = \"idle\"\nterminal = \"ipc://{}\"\ndata = \"{}\"\n[rig.devices.poke]\n\
             kind = \"digital_input\"\ndriver = \"simulated\"\nports = {{ {} }}\n",
            folder.path().join("terminal.sock").display(),
            data.display(),
            ports.join(", ")
        ),
    )?;
    let begin = Instant::now();
    let mut pilot = Command::new(program);
    pilot.arg("--config").arg(&config).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut running = Running(pilot.spawn()?);
    let mut line = String::new();
    let stdout = running.0.stdout.take().ok_or("the pilot has no output")?;
    BufReader::new(stdout).read_line(&mut line)?;
    let start = begin.elapsed().as_secs_f64();
    if !line.starts_with("ready") {
        return Err(format!("the pilot is not ready: {line:?}").into());
    }
    let process = format!("/proc/{}", running.0.id());
    let before = processor_seconds(&process)?;
    std::thread::sleep(Duration::from_secs_f64(seconds));
    let used = processor_seconds(&process)? - before;
    Ok(Idle { core: used / seconds * 100.0, resident: resident(&process)?, start })
}

/// How long it has used a processor, from all its threads' exact times.
fn processor_seconds(process: &str) -> Result<f64, Box<dyn Error>> {
    let mut ns = 0;
    for thread in fs::read_dir(format!("{process}/task"))? {
        let used = fs::read_to_string(thread?.path().join("schedstat"))?;
        ns += used.split_whitespace().next().ok_or("no processor time")?.parse::<u64>()?;
    }
    Ok(ns as f64 / 1e9)
}

fn resident(process: &str) -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string(format!("{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no resident memory")?;
    let kilobytes: f64 = line.split_whitespace().next().ok_or("no resident memory")?.parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}
