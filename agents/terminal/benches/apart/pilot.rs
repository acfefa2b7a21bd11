//! Pilots that are links alone, and say what pilots with a session do; and the terminal, which
//! is the program itself.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bramble_identity::{Agent, Authority, Identity, Role};
use bramble_link::{Dialer, Endpoint, Event, Events, Line, Me, MemoryOutbox, Place, Terms, dial};
use bramble_message::{
    Activity, PilotHello, PilotInPassing, PilotToTerminal, Software, StartSession, Started, encode,
};
use bramble_subject::{Biography, By, Subjects};
use bramble_value::{Name, Names, Record, Seed, Sources, SubjectId, Time};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Failed, Other};

/// As long as a pilot waits for its last acknowledgement.
const PATIENCE: Duration = Duration::from_secs(30);

/// The subject of the pilot in this place.
pub(crate) fn subject(place: u32) -> SubjectId {
    format!("S{place:04}").parse().expect("a letter and digits are a subject's name")
}

/// The name of the pilot in this place.
pub(crate) fn name(place: u32) -> Name {
    format!("box{place}").parse().expect("letters and digits are a name")
}

/// Makes a lab in `folder`: a subject for each pilot, and everybody's keys. Its data folder is
/// `lab` in it.
pub(crate) fn lab(folder: &Path, pilots: u32) -> Result<Subjects, Failed> {
    let data = folder.join("lab");
    let subjects = Subjects::in_folder(&data)?;
    let by = By { who: "bench".into(), when: Timestamp::now() };
    for place in 0..pilots {
        subjects.create(&subject(place), &Biography::default(), &by)?;
    }
    // The terminal finds the swarm's keys, and the pilots theirs.
    let authority = Authority::open(&data.join("keys"))?;
    for place in 0..pilots {
        let pilot = Agent::new(Role::Pilot, name(place));
        authority.enrol(&pilot)?.save(&folder.join(pilot.name.as_str()))?;
    }
    Ok(subjects)
}

/// Starts the terminal `program` in such a lab, and says where it listens. Its page is at `web`.
pub(crate) fn serve(program: &OsStr, folder: &Path, web: &str) -> Result<(Other, String), Failed> {
    let mut terminal = Command::new(program);
    terminal.args(["serve", "--listen", "tcp://127.0.0.1:0", "--web", web, "--data"]);
    terminal.arg(folder.join("lab")).stderr(Stdio::null());
    let mut terminal = Other::run(terminal)?;
    let ready = terminal.wait_for("ready")?;
    let endpoint = ready.rsplit(' ').next().ok_or("the terminal doesn't say where it listens")?;
    Ok((terminal, endpoint.to_owned()))
}

/// One pilot, which has a session of its own subject.
pub(crate) struct Pilot {
    place: u32,
    dialer: Dialer,
    events: Events,
    pub(crate) line: Line,
}

impl Pilot {
    /// Calls the terminal, with the keys that the lab has for it.
    pub(crate) fn dial(place: u32, folder: &str, endpoint: &str) -> Result<Pilot, Failed> {
        let hello = PilotHello { software: software(), rig: Vec::new(), activity: Activity::Idle };
        let me = Me::new(name(place), "pilot", "terminal").with_detail(encode(&hello));
        let identity = Identity::load(&Path::new(folder).join(me.name.as_str()))?;
        let place_of_it = Place::from(endpoint.parse::<Endpoint>()?).with_identity(identity);
        let (dialer, events) = dial(place_of_it, me, Terms::new(MemoryOutbox::new()))?;
        let line = dialer.line();
        Ok(Pilot { place, dialer, events, line })
    }

    pub(crate) fn wait_until_up(&self) -> Result<(), Failed> {
        while !matches!(self.events.recv()?, Event::Up { .. }) {}
        Ok(())
    }

    /// Ends, once all that it said is acknowledged, or after a while.
    pub(crate) fn close(self) {
        self.dialer.close(PATIENCE);
    }

    pub(crate) fn session(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.place) + 1)
    }

    /// Says that its session started, now, of a task of which nothing more is known.
    pub(crate) fn started(&self, task: Sources, task_name: &str, now: Time) -> Started {
        let request = StartSession {
            session: self.session(),
            subject: subject(self.place),
            task,
            parameters: Default::default(),
            seed: Seed(1),
            kept: Default::default(),
            graduation: None,
            trials: None,
            owner: "bench@here".parse().expect("somebody at a place is a person"),
            paused: false,
            despite_check: false,
            confirmed: Default::default(),
            unix_ns: None,
            origin: Default::default(),
        };
        Started {
            request,
            task_name: task_name.into(),
            task_doc: String::new(),
            parameters: Vec::new(),
            columns: Vec::new(),
            names: Names::default(),
            time: now,
            unix_ns: 1_700_000_000_000_000_000,
            software: software(),
            provenance: serde_json::Value::Null,
            texts: Default::default(),
        }
    }

    /// Shows records, and sends them, as a pilot does.
    pub(crate) fn tell(&self, records: Vec<Record>) -> Result<(), Failed> {
        let (session, live) = (self.session(), records.clone());
        self.line.passing(encode(&PilotInPassing::Live { session, records: live }))?;
        Ok(self.line.send(encode(&PilotToTerminal::Records { session, records }))?)
    }
}

fn software() -> Software {
    let text = String::new;
    Software { program: "bench".into(), version: text(), host: text(), system: text() }
}
