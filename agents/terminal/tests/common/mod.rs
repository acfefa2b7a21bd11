//! A terminal as a user runs it, and a pilot that does what a test says.

pub(crate) mod http;
pub(crate) mod login;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bramble_link::{Dialer, Event, Events, Me, MemoryOutbox, Terms, dial};
use bramble_message::{
    Activity, Answer, Ask, ColumnInfo, Ended, PilotHello, PilotInPassing, PilotToTerminal, Software,
    StartSession, Started, TerminalInPassing, TerminalToPilot, decode, encode,
};
use bramble_value::{
    Ending, Kind, Names, Record, Row, Seed, Source, SourceKind, Sources, Span, Time, Value, ValueType,
};
use jiff::Timestamp;
use tempfile::TempDir;
use uuid::Uuid;

/// As long as a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// `bramble-terminal serve` on a data folder of its own.
pub(crate) struct Terminal {
    pub(crate) folder: TempDir,
    process: Child,
    /// The page's address, as it was printed.
    pub(crate) page: String,
}

impl Terminal {
    pub(crate) fn start() -> Terminal {
        let folder = tempfile::tempdir().unwrap();
        let (process, page) = serve(folder.path());
        Terminal { folder, process, page }
    }

    /// One with a configuration file, after something was done with its data folder.
    pub(crate) fn start_with(config: &str, before: impl FnOnce(&Path)) -> Terminal {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("terminal.toml"), config).unwrap();
        before(&folder.path().join("lab"));
        let (process, page) = serve(folder.path());
        Terminal { folder, process, page }
    }

    /// Starts another process after the first has ended.
    pub(crate) fn restart_after_end(&mut self) {
        (self.process, self.page) = serve(self.folder.path());
    }

    /// Ends the process as the system does, and says its exit status.
    pub(crate) fn end(&mut self) -> Option<i32> {
        let id = nix::unistd::Pid::from_raw(self.process.id().try_into().unwrap());
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM).unwrap();
        self.process.wait().unwrap().code()
    }

    /// Ends the process as a crash does.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("lab")
    }

    /// A file for a test, beside the data folder.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// A command that talks to this terminal.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        bramble_terminal(&self.data()).args(arguments).output().unwrap()
    }

    /// What a command prints, which must go well.
    pub(crate) fn say(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout).trim_end().to_owned()
    }

    /// What a command that must fail says on its way out.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        refusal(&self.run(arguments))
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.say(arguments)).unwrap()
    }

    /// Waits until what a command says in JSON is as it should be.
    pub(crate) fn until(
        &self,
        arguments: &[&str],
        so: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        eventually(|| Some(self.json(arguments)).filter(&so))
    }

    /// A pilot that has called and is known here.
    pub(crate) fn pilot(&self, name: &str, activity: Activity) -> Pilot {
        let pilot = Pilot::dial(self.folder.path(), name, activity, bramble_link::VERSION);
        let here = |status: &serde_json::Value| {
            let pilots = status["pilots"].as_array().unwrap();
            pilots.iter().any(|pilot| pilot["name"] == name && pilot["here"] == true)
        };
        self.until(&["status", "--json"], here);
        pilot
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program, with a data folder.
pub(crate) fn bramble_terminal(data: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("bramble-terminal"));
    command.env("BRAMBLE_DATA", data).env("NO_COLOR", "1").env_remove("BRAMBLE_LOG");
    // Sessions follow each other in a test as fast as they can.
    command.env("BRAMBLE_CONFIRM", "second-today,other-box");
    command
}

/// The process, and the page's address.
fn serve(folder: &Path) -> (Child, String) {
    let config = folder.join("terminal.toml");
    let mut process = bramble_terminal(&folder.join("lab"))
        .args(config.exists().then_some([OsStr::new("--config"), config.as_os_str()]).into_iter().flatten())
        .args(["serve", "--seed", "1", "--listen", &format!("ipc://{}/pilots.sock", folder.display())])
        .args(["--web", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
    let ready = said.next().unwrap().unwrap();
    assert!(ready.starts_with("ready: "), "{ready}");
    let page = said.next().unwrap().unwrap();
    let page = page.strip_prefix("page: ").unwrap().to_owned();
    (process, page)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What a command that failed said, without the frame around it.
pub(crate) fn refusal(output: &Output) -> String {
    assert!(!output.status.success(), "it went well: {}", text(&output.stdout));
    assert_eq!(text(&output.stdout), "", "a refusal is no output");
    let lines = text(&output.stderr);
    let lines = lines.lines().map(|line| line.trim().trim_start_matches("× ").to_owned());
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Waits for what must come.
pub(crate) fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "it did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A pilot that does what a test says.
pub(crate) struct Pilot {
    dialer: Dialer,
    events: Events,
}

impl Pilot {
    pub(crate) fn dial(folder: &Path, name: &str, activity: Activity, version: u32) -> Pilot {
        let software = Software {
            program: "bramble-pilot".into(),
            version: "0.1.0".into(),
            host: "pi".into(),
            system: "linux aarch64".into(),
        };
        let hello = encode(&PilotHello { software, rig: Vec::new(), activity });
        let mut me = Me::new(name.parse().unwrap(), "pilot", "terminal").with_detail(hello);
        me.version = version;
        let endpoint: bramble_link::Endpoint =
            format!("ipc://{}/pilots.sock", folder.display()).parse().unwrap();
        let (dialer, events) = dial(endpoint, me, Terms::new(MemoryOutbox::new())).unwrap();
        Pilot { dialer, events }
    }

    pub(crate) fn say(&self, message: &PilotToTerminal) {
        self.dialer.line().send(encode(message)).unwrap();
    }

    /// Says something that may be lost.
    pub(crate) fn say_in_passing(&self, message: &PilotInPassing) {
        self.dialer.line().passing(encode(message)).unwrap();
    }

    /// Answers probes of its link until it is told to stop.
    pub(crate) fn answer_probes(&self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            let heard = self.events.recv_timeout(Duration::from_millis(20)).unwrap();
            let Some(Event::Passing { payload, .. }) = heard else { continue };
            let TerminalInPassing::Probe { probe, answer, .. } = decode(&payload).unwrap() else { continue };
            let filler = vec![0; usize::try_from(answer).unwrap()].into();
            self.say_in_passing(&PilotInPassing::Probed { probe, filler });
        }
    }

    /// Starts nothing that it is asked to, until something is so.
    pub(crate) fn refuse_starts(&self, until: impl Fn() -> bool) {
        while !until() {
            let heard = self.events.recv_timeout(Duration::from_millis(20)).unwrap();
            let Some(Event::Message { at, payload, .. }) = heard else { continue };
            self.dialer.line().taken(at).unwrap();
            if let TerminalToPilot::Command { ask, .. } = decode(&payload).unwrap() {
                self.answer(ask, Err("it is busy"));
            }
        }
    }

    /// The next command.
    pub(crate) fn command(&self) -> (Ask, bramble_message::Command) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(Event::Message { at, payload, .. }) = self.events.recv_timeout(PATIENCE).unwrap() {
                self.dialer.line().taken(at).unwrap();
                let TerminalToPilot::Command { ask, command, .. } = decode(&payload).unwrap() else {
                    continue;
                };
                return (ask, command);
            }
        }
        panic!("no command came");
    }

    /// What the terminal says in passing next.
    pub(crate) fn passing(&self) -> TerminalInPassing {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(Event::Passing { payload, .. }) = self.events.recv_timeout(PATIENCE).unwrap() {
                return decode(&payload).unwrap();
            }
        }
        panic!("nothing came in passing");
    }

    pub(crate) fn answer(&self, ask: Ask, outcome: Result<(), &str>) {
        self.say(&PilotToTerminal::Answer(Answer { ask, outcome: outcome.map_err(str::to_owned) }));
    }

    /// The next command, which is a start.
    pub(crate) fn start(&self) -> (Ask, StartSession) {
        match self.command() {
            (ask, bramble_message::Command::Start(start)) => (ask, *start),
            (_, other) => panic!("not a start: {other:?}"),
        }
    }
}

/// A session of a task with one column, `outcome`, as its pilot tells of it.
pub(crate) fn started(request: StartSession) -> PilotToTerminal {
    let choices = ["correct", "error"].map(|name| name.parse().unwrap());
    let outcome = ColumnInfo {
        name: "outcome".parse().unwrap(),
        kind: ValueType::Choice(choices.into()),
        doc: "what came of the trial".into(),
    };
    let software = Software {
        program: "bramble-pilot".into(),
        version: "0.1.0".into(),
        host: "pi".into(),
        system: "linux aarch64".into(),
    };
    PilotToTerminal::Started(Box::new(Started {
        task_name: request.task.root.trim_end_matches(".star").to_owned(),
        request,
        task_doc: String::new(),
        parameters: Vec::new(),
        columns: vec![outcome],
        names: Names {
            sources: vec![(SourceKind::Session, "session".into()), (SourceKind::Port, "valve.left".into())],
        },
        time: Time::ZERO,
        unix_ns: 1_700_000_000_000_000_000,
        software,
        provenance: serde_json::json!({ "rig": { "settings": { "devices": { "valve": {
            "kind": "solenoid", "driver": "simulated", "ports": { "left": 3 }, "flow": "40 uL/s",
        } } } } }),
        texts: Default::default(),
    }))
}

/// A session that nobody here asked for.
pub(crate) fn request(subject: &str) -> StartSession {
    StartSession {
        session: Uuid::from_u128(7),
        subject: subject.parse().unwrap(),
        owner: "alice@desk".parse().unwrap(),
        task: Sources { root: "t.star".into(), files: [("t.star".to_owned(), ONE_COLUMN.to_owned())].into() },
        parameters: Default::default(),
        seed: Seed(1),
        kept: Default::default(),
        graduation: None,
        trials: None,
        paused: false,
        despite_check: false,
        confirmed: Default::default(),
        unix_ns: None,
        origin: Default::default(),
    }
}

/// A task with one column that says what is correct.
pub(crate) const ONE_COLUMN: &str = r#"
reward = param(volume("3 uL"), min = "1 uL", max = "10 uL")
poke = hardware(digital_input, ports = ["left", "right"])
valve = hardware(solenoid, ports = poke.ports)
outcome = column(choice(["correct", "error"]))

task(
    stages = trials(
        body = state("wait", on = {
            poke["left"].rises: [record(outcome = "correct"), valve["left"].open(reward), done],
            poke["right"].rises: [record(outcome = "error"), done],
        }),
    ),
)
"#;

/// Trials of a session, each correct or not.
pub(crate) fn trials(session: Uuid, first: u32, correct: &[bool]) -> PilotToTerminal {
    let row = |(trial, correct): (u32, &bool)| {
        let values = vec![Some(Value::Choice(u16::from(!correct)))];
        Record::Row(Row { trial, start: Time::ZERO, end: Time::ZERO, ending: Ending::Done, values })
    };
    PilotToTerminal::Records { session, records: (first..).zip(correct).map(row).collect() }
}

/// A valve that was open for 100 ms, at 40 uL/s.
pub(crate) fn drop_of_water(session: Uuid) -> PilotToTerminal {
    let output = |ms, value| {
        let time = Time::ZERO + Span::from_ms(ms);
        Record::Event(bramble_value::Event { time, trial: 1, kind: Kind::Output, source: Source(1), value })
    };
    PilotToTerminal::Records { session, records: vec![output(100, 1.0), output(200, 0.0)] }
}

/// The end of a session; where its subject graduated, just now.
pub(crate) fn ended(session: Uuid, graduated: bool) -> PilotToTerminal {
    PilotToTerminal::Ended(Ended {
        session,
        ending: Ending::Done,
        why: if graduated { "graduated".into() } else { String::new() },
        graduated,
        paused: false,
        time: Time::ZERO,
        unix_ns: match graduated {
            true => i64::try_from(Timestamp::now().as_nanosecond()).unwrap(),
            false => 1_700_000_060_000_000_000,
        },
    })
}
