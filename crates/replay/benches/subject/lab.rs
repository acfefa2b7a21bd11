//! What a person waits for at a terminal whose subject has a large file, and at one whose
//! subject has an empty one: the programs themselves, from the command to its prompt.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bramble_bench::{Goal, Report, median, seconds};
use bramble_value::SubjectId;

/// Where the programs are, by the script that runs this.
const TERMINAL: &str = "BRAMBLE_TERMINAL";
const PILOT: &str = "BRAMBLE_PILOT";
/// Whatever is unusual about a start is all right here.
const CONFIRMED: &str = "second-today,other-box,unweighed,underweight,behind";

/// Measures starts, ends and history of these subjects, whose files are in the data folder.
pub(crate) fn waited(
    report: &mut Report,
    data: &Path,
    task: &Path,
    large: &SubjectId,
    empty: &SubjectId,
) -> Result<(), Box<dyn Error>> {
    let (Some(terminal), Some(pilot)) = (std::env::var_os(TERMINAL), std::env::var_os(PILOT)) else {
        return Ok(());
    };
    let lab = Lab::open(terminal.into(), Path::new(&pilot), data)?;
    let runs = if report.is_quick() { 1 } else { 5 };
    let (mut more, mut histories, mut ends, mut empty_ends) = (vec![], vec![], vec![], vec![]);
    for _ in 0..runs {
        let (start, end) = lab.session(large, task)?;
        let (start_of_empty, end_of_empty) = lab.session(empty, task)?;
        more.push(start - start_of_empty);
        ends.push(end);
        empty_ends.push(end_of_empty);
        histories.push(lab.takes(&["subject", "history", large.as_str()])?);
    }
    report.measured("`subject history` of it", median(histories), "s", Some(Goal::Below(0.3)));
    let name = "`start` of a session on it, more than on an empty file";
    report.measured(name, median(more), "s", Some(Goal::Below(0.2)));
    report.measured("from `stop` until its session is packed in it", median(ends), "s", None);
    report.measured("from `stop` until one is packed in an empty file", median(empty_ends), "s", None);
    Ok(())
}

/// A terminal and a pilot.
struct Lab {
    terminal: PathBuf,
    data: PathBuf,
    agents: Vec<Child>,
}

impl Lab {
    fn open(terminal: PathBuf, pilot: &Path, data: &Path) -> Result<Lab, Box<dyn Error>> {
        let socket = |name: &str| format!("ipc://{}", data.join(name).display());
        let mut lab = Lab { terminal, data: data.to_owned(), agents: Vec::new() };
        let mut serve = lab.command();
        serve.args(["serve", "--web", "off", "--listen", &socket("swarm.sock")]);
        lab.run(serve)?;
        let mut box1 = Command::new(pilot);
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/pilot.toml");
        box1.arg("--config").arg(config).args(["--name", "box1", "--terminal", &socket("swarm.sock")]);
        box1.args(["--children", &socket("children.sock"), "--data"]).arg(data.join("box1"));
        lab.run(box1)?;
        while lab.says(&["status", "--json"])?.matches("\"here\": true").count() == 0 {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        Ok(lab)
    }

    /// Starts an agent, and waits until it is ready.
    fn run(&mut self, mut agent: Command) -> Result<(), Box<dyn Error>> {
        let mut agent = agent.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let said = agent.stdout.take().ok_or("its output is not piped")?;
        self.agents.push(agent);
        let mut lines = BufReader::new(said).lines();
        while !lines.next().ok_or("an agent ended before it was ready")??.contains("ready") {}
        // What else it says is read, so that it never waits for that.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.terminal);
        command.env("BRAMBLE_DATA", &self.data).env("BRAMBLE_CONFIRM", CONFIRMED);
        command
    }

    /// What a command prints.
    fn says(&self, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
        let output = self.command().args(arguments).output()?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("{}: {why}", arguments.join(" ")).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// How long a command takes, in seconds.
    fn takes(&self, arguments: &[&str]) -> Result<f64, Box<dyn Error>> {
        let mut said = Ok(String::new());
        let took = seconds(|| said = self.says(arguments));
        said.map(|_| took)
    }

    /// Has a short session, and says how long its start took, and then its end until the
    /// subject's file has it.
    fn session(&self, subject: &SubjectId, task: &Path) -> Result<(f64, f64), Box<dyn Error>> {
        let (subject, task) = (subject.as_str(), task.to_str().ok_or("the folder's name is no text")?);
        let start = self.takes(&["start", subject, "--pilot", "box1", "--task", task])?;
        let stop = self.takes(&["stop", subject])?;
        // Answered once all that came before is in the files.
        Ok((start, stop + self.takes(&["subject", "show", subject])?))
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for agent in &mut self.agents {
            // It may have ended by itself.
            let _ = agent.kill();
            let _ = agent.wait();
        }
    }
}
