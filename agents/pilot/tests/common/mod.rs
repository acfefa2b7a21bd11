//! A lab on one machine: a terminal, pilots and children as processes of their
//! own, in a folder that goes away with it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use bramble_subject::{SessionNumber, SubjectFile};
use bramble_value::{Event, Kind, Trials};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// As long as a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the rig of every pilot has, but for the wheel and the lamp.
pub(crate) const RIG: &str = r#"
[rig.devices.poke]
kind = "digital_input"
driver = "simulated"
ports = { left = 17, center = 27, right = 22 }

[rig.devices.light]
kind = "digital_output"
driver = "simulated"
ports = { left = 5, center = 6, right = 13 }

[rig.devices.valve]
kind = "solenoid"
driver = "simulated"
ports = { left = 16, center = 20, right = 21 }
flow = "40 uL/s"
longest_on = "2 s"
"#;

/// A task that loads another file, and has a child's wheel and lamp.
pub(crate) const TURN: &str = r#"
load("lib/turn.star", "far")
wheel = hardware(encoder, unit = "deg")
lamp  = hardware(digital_output)
valve = hardware(solenoid, ports = ["center"])
reward = param(volume("4 uL"))
lots = param(integers(1, 5))
latency = column(duration)
lot = column(integer)

task(stages = trials(
    prepare = lambda trial: {"lot": trial.random.draw(trial.lots)},
    body = states(
        state("run", enter = wheel.zero(), during = lamp.on(),
            on = {wheel.beyond(far): [record(latency = state_time), goto("reward")]}),
        state("reward", enter = valve["center"].open(reward), after = {"500 ms": done}),
    ),
))
"#;

/// What a child offers, for a pilot (on that child) and for the child itself.
fn wheel_and_lamp(driver: &str) -> String {
    format!(
        "[rig.devices.wheel]\nkind = \"encoder\"\n{driver}\nunit = \"deg\"\n\
         [rig.devices.lamp]\nkind = \"digital_output\"\n{driver}\n"
    )
}

/// A lab.
pub(crate) struct Lab {
    pub(crate) folder: TempDir,
    agents: BTreeMap<String, Agent>,
    /// More lines of every pilot's configuration.
    pub(crate) settings: String,
    /// Where agents listen that don't do so on a socket in the lab's folder.
    pub(crate) endpoints: BTreeMap<String, String>,
    /// The network namespaces that agents run in.
    pub(crate) namespaces: BTreeMap<String, String>,
}

/// A process that is killed when the lab goes away.
struct Agent {
    process: Child,
    log: PathBuf,
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (name, agent) in &self.agents {
                let log = agent.log();
                let last = log.lines().rev().take(30).collect::<Vec<_>>();
                let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
                eprintln!("--- what {name} said last:\n{last}");
            }
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Lab {
    /// A lab with the shipped tasks, the subject M001 and a terminal that runs.
    pub(crate) fn new() -> Lab {
        let mut lab = Lab::unstarted();
        lab.start_terminal();
        lab.say(&["subject", "add", "M001"]);
        lab
    }

    /// A lab with the shipped tasks, where nothing runs.
    pub(crate) fn unstarted() -> Lab {
        let folder = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tasks"), &folder.path().join("tasks"));
        Lab {
            folder,
            agents: BTreeMap::new(),
            settings: String::new(),
            endpoints: BTreeMap::new(),
            namespaces: BTreeMap::new(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file of the lab.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    pub(crate) fn task(&self, name: &str) -> String {
        self.path("tasks").join(name).display().to_string()
    }

    pub(crate) fn start_terminal(&mut self) {
        self.start_terminal_with(&[]);
    }

    /// Starts a terminal that has these environment variables.
    pub(crate) fn start_terminal_with(&mut self, variables: &[(&str, &str)]) {
        let listen = self.endpoint("terminal");
        self.start_terminal_at(&listen, variables);
    }

    /// Starts a terminal that listens there, and has these environment variables.
    pub(crate) fn start_terminal_at(&mut self, listen: &str, variables: &[(&str, &str)]) {
        let data = self.path("lab");
        let mut command = program("bramble-terminal");
        command.args(["serve", "--seed", "1", "--listen", listen]).env("BRAMBLE_DATA", data);
        self.start("terminal", command.envs(variables.iter().copied()));
    }

    /// Starts a pilot and waits until the terminal knows it.
    pub(crate) fn start_pilot(&mut self, name: &str, arguments: &[&str]) {
        self.start_pilot_in(&[], name, arguments);
    }

    /// Starts a pilot that has these environment variables, and waits until the terminal knows it.
    pub(crate) fn start_pilot_in(&mut self, variables: &[(&str, &str)], name: &str, arguments: &[&str]) {
        self.launch_pilot(variables, name, arguments);
        self.until(&["status", "--json"], |status| pilot(status, name)["here"] == true);
    }

    /// Starts a pilot that need not reach the terminal.
    pub(crate) fn start_pilot_alone(&mut self, name: &str, arguments: &[&str]) {
        self.launch_pilot(&[], name, arguments);
    }

    fn launch_pilot(&mut self, variables: &[(&str, &str)], name: &str, arguments: &[&str]) {
        let config = self.pilot_config(name);
        let mut command = program("bramble-pilot");
        command.args(["--config", &config]).args(arguments);
        self.start(name, command.envs(variables.iter().copied()));
    }

    /// Starts a pilot whose rig is written like this, and waits until the terminal
    /// knows it; the path of its configuration.
    pub(crate) fn start_pilot_with(&mut self, name: &str, rig: &str) -> String {
        let terminal = self.endpoint("terminal");
        let text = format!("name = \"{name}\"\nterminal = \"{terminal}\"\ndata = \"{name}\"\n{rig}");
        let config = self.file(&format!("{name}.toml"), &text);
        let mut command = program("bramble-pilot");
        command.args(["--config", &config]);
        self.start(name, &mut command);
        self.until(&["status", "--json"], |status| pilot(status, name)["here"] == true);
        config
    }

    /// Starts the child `wheels` of a pilot, and waits until the terminal knows it.
    pub(crate) fn start_child(&mut self, of: &str) {
        self.start_child_alone(of);
        self.until(&["status", "--json"], |status| pilot(status, of)["children"][0]["here"] == true);
    }

    /// Starts the child `wheels` of a pilot, which need not be there.
    pub(crate) fn start_child_alone(&mut self, of: &str) {
        let driver = "driver = \"simulated\"";
        let pilot_listens = self.endpoint(of);
        let text = format!("name = \"wheels\"\npilot = \"{pilot_listens}\"\n{}", wheel_and_lamp(driver));
        let config = self.file("wheels.toml", &text);
        let mut command = program("bramble-child");
        command.args(["--config", &config]);
        self.start("wheels", &mut command);
    }

    fn pilot_config(&self, name: &str) -> String {
        let (terminal, children) = (self.endpoint("terminal"), self.endpoint(name));
        let driver = "driver = \"child\"\nchild = \"wheels\"";
        let text = format!(
            "name = \"{name}\"\nterminal = \"{terminal}\"\nchildren = \"{children}\"\ndata = \"{name}\"\n\
             {}\n{RIG}\n{}",
            self.settings,
            wheel_and_lamp(driver)
        );
        self.file(&format!("{name}.toml"), &text)
    }

    pub(crate) fn endpoint(&self, name: &str) -> String {
        let socket = || format!("ipc://{}/{name}.sock", self.folder.path().display());
        self.endpoints.get(name).cloned().unwrap_or_else(socket)
    }

    pub(crate) fn start(&mut self, name: &str, command: &mut Command) {
        let log = self.path(&format!("{name}.log"));
        let says = File::options().create(true).append(true).open(&log).unwrap();
        let mut inside;
        let command = match self.namespaces.get(name) {
            Some(namespace) => {
                inside = Command::new("ip");
                inside.args(["netns", "exec", namespace]).arg(command.get_program()).args(command.get_args());
                for (variable, value) in command.get_envs() {
                    match value {
                        Some(value) => inside.env(variable, value),
                        None => inside.env_remove(variable),
                    };
                }
                &mut inside
            }
            None => command,
        };
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(says).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let agent = Agent { process, log };
        assert!(ready.starts_with("ready: "), "{name} is not ready:\n{}", agent.log());
        self.agents.insert(name.to_owned(), agent);
    }

    /// Ends an agent as the system does, and says its exit status.
    pub(crate) fn end(&mut self, name: &str) -> Option<i32> {
        let mut agent = self.agents.remove(name).unwrap();
        kill(Pid::from_raw(agent.process.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        let ended = eventually(&format!("{name} ends"), || agent.process.try_wait().unwrap());
        ended.code()
    }

    /// Kills an agent with no chance to say anything.
    pub(crate) fn kill(&mut self, name: &str) {
        self.agents.remove(name).unwrap();
    }

    /// Sends an agent a signal.
    pub(crate) fn signal(&self, name: &str, signal: Signal) {
        kill(Pid::from_raw(self.process(name).try_into().unwrap()), signal).unwrap();
    }

    /// The process that an agent is.
    pub(crate) fn process(&self, name: &str) -> u32 {
        self.agents[name].process.id()
    }

    /// Whether an agent runs here.
    pub(crate) fn runs(&self, name: &str) -> bool {
        self.agents.contains_key(name)
    }

    /// What an agent logged.
    pub(crate) fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(&format!("{name}.log"))).unwrap()
    }

    /// Runs a command of the terminal.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = program("bramble-terminal");
        command.args(arguments).env("BRAMBLE_DATA", self.path("lab")).output().unwrap()
    }

    /// What a command prints, which must go well.
    pub(crate) fn say(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Starts a session of M001 on box1, of so many trials.
    pub(crate) fn start_session(&self, task: &str, trials: &str, more: &[&str]) {
        let begin = ["start", "M001", "--pilot", "box1", "--task", task, "--trials", trials];
        self.say(&[&begin, more].concat());
    }

    /// What a command that must fail says, on one line.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        refusal(&self.run(arguments))
    }

    /// Waits until what a command says in JSON is as it should be.
    pub(crate) fn until(
        &self,
        arguments: &[&str],
        so: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        eventually(&format!("{arguments:?} is as it should be"), || {
            let output = self.run(arguments);
            // The terminal may be away for a moment.
            let said = serde_json::from_slice(&output.stdout).ok()?;
            Some(said).filter(&so)
        })
    }

    /// Waits until M001 has had this many sessions, all ended, and opens its file.
    pub(crate) fn after_sessions(&self, count: usize) -> SubjectFile {
        self.until(&["subject", "show", "M001", "--json"], |subject| {
            let sessions = subject["sessions"].as_array().unwrap();
            sessions.len() == count && sessions.iter().all(|session| !session["end"].is_null())
        });
        SubjectFile::open_read_only(&self.path("lab/subjects/M001.h5")).unwrap()
    }

    /// Waits until M001's session is this many trials on.
    pub(crate) fn until_trials(&self, trials: u64) {
        self.until(&["status", "--json"], |status| {
            let pilots = status["pilots"].as_array().unwrap();
            pilots.iter().any(|pilot| pilot["session"]["trials"].as_u64() >= Some(trials))
        });
    }
}

impl Agent {
    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// A pilot in what `status --json` says.
pub(crate) fn pilot<'a>(status: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    let pilots = status["pilots"].as_array().unwrap();
    pilots.iter().find(|pilot| pilot["name"] == name).unwrap_or(&serde_json::Value::Null)
}

/// A session's trials and events.
pub(crate) fn session(file: &SubjectFile, number: u32) -> (Trials, Vec<Event>) {
    let number = SessionNumber::new(number);
    (file.trials(number).unwrap(), file.events(number).unwrap())
}

/// The values of the events of one kind from a source of this name, in the first session.
pub(crate) fn values(file: &SubjectFile, kind: Kind, name: &str) -> Vec<f64> {
    let names = file.session(SessionNumber::new(1)).unwrap().names;
    let (_, events) = session(file, 1);
    let of = |event: &&Event| event.kind == kind && names.name(event.source) == name;
    events.iter().filter(of).map(|event| event.value).collect()
}

/// What a program that must not start says on its way out, on one line.
pub(crate) fn refused_to_start(command: &mut Command) -> String {
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while process.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            process.kill().unwrap();
            panic!("it started");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    refusal(&process.wait_with_output().unwrap())
}

/// Waits for what must come.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "it did not come: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A program of Bramble, which cargo puts beside the pilot's.
pub(crate) fn program(name: &str) -> Command {
    let path = Path::new(env!("CARGO_BIN_EXE_bramble-pilot")).with_file_name(name);
    assert!(path.exists(), "{} is not built: run cargo build --workspace first", path.display());
    let mut command = Command::new(path);
    command.env("NO_COLOR", "1").env_remove("BRAMBLE_LOG").env_remove("BRAMBLE_DATA");
    // Sessions follow each other in a test as fast as they can.
    command.env("BRAMBLE_CONFIRM", "second-today,other-box");
    command
}

/// What a command that failed said, on one line.
pub(crate) fn refusal(output: &Output) -> String {
    assert!(!output.status.success(), "it went well: {}", text(&output.stdout));
    let lines = text(&output.stderr);
    let words = lines.split_whitespace().filter(|word| !["×", "│", "help:"].contains(word));
    words.collect::<Vec<_>>().join(" ")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What git says in a folder.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let who = ["-c", "user.name=Ana", "-c", "user.email=ana@lab"];
    let output = Command::new("git").arg("-C").arg(folder).args(who).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
