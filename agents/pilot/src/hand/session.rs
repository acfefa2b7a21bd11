//! A by-hand session, on the thread that owns the rig: a session like any other,
//! of a task that only waits.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};

use bramble_engine::Settings;
use bramble_rig::calibration::Calibrations;
use bramble_rig::config::DriverConfig;
use bramble_rig::driver::{Pace, Simulated, World, monotonic};
use bramble_rig::session::{Around, Recorder, RecorderError, Session};
use bramble_rig::{Driver, Hardware, Inbox, Post, RigConfig, Wiring};
use bramble_simulation::named;
use bramble_value::{Ending, Kind, Name, Person, Record, Seed, Span, Time};
use jiff::Timestamp;
use uuid::Uuid;

use super::check::identity;
use super::protocol::{Opened, Part, Told};
use super::serve::Got;
use super::task::Workpiece;
use super::timing;
use crate::children::{Children, Claims};
use crate::wall::unix_ns;

/// Something for the thread that owns the rig to do for a hand.
#[derive(Debug)]
pub(crate) struct Job {
    /// What.
    pub(crate) want: Want,
    /// Who wants it, where it is somebody at a page; none for a command on this computer.
    pub(crate) who: Option<Person>,
    /// For what is asked while it is done.
    pub(crate) post: Post,
    /// The other end of `post`.
    pub(crate) inbox: Inbox,
    /// Where it is told what happens.
    pub(crate) tell: Tell,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Want {
    /// Have the rig in hand until it is let go.
    Work {
        /// What for.
        what: String,
    },
    /// Measure how late the loop is woken.
    Measure {
        /// How often it is woken.
        wakes: u32,
        /// After how long each time.
        every: Span,
    },
}

impl Job {
    /// What someone works the rig for.
    pub(crate) fn what(&self) -> &str {
        match &self.want {
            Want::Work { what } => what,
            Want::Measure { .. } => "check",
        }
    }

    /// Says that it can't be done now.
    pub(crate) fn refuse(&self, why: String) {
        self.tell.last(Told::Refused { why, busy: true });
    }

    /// Says something that a person should read first.
    pub(crate) fn note(&self, text: String) {
        // Where nobody reads it, nobody works the rig either.
        let _ = self.tell.at_once(Told::Note { text, time_ns: monotonic() });
    }
}

/// The way to whoever asked.
#[derive(Debug, Clone)]
pub(crate) struct Tell(pub(super) SyncSender<Got>);

impl Tell {
    /// Tells this without waiting.
    fn at_once(&self, told: Told) -> Result<(), RecorderError> {
        self.0.try_send(Got::Told(told)).map_err(|error| match error {
            TrySendError::Full(_) => RecorderError("nobody reads it".to_owned()),
            TrySendError::Disconnected(_) => RecorderError("nobody is there any more".to_owned()),
        })
    }

    /// Tells how it ended. Where much waits to be read this waits for it, but not
    /// for a reader that stands still: the other side gives up on that one.
    fn last(&self, told: Told) {
        // Nobody is left to be told.
        let _ = self.0.send(Got::Told(told));
    }
}

/// How a job ended, for whoever asked for it.
#[derive(Debug)]
pub(crate) struct Last {
    tell: Tell,
    told: Told,
}

impl Last {
    /// Tells it: who hears it takes the rig for free.
    pub(crate) fn tell(self) {
        self.tell.last(self.told);
    }
}

/// What a by-hand session runs with.
pub(crate) struct Hands<'a> {
    pub(crate) pilot: &'a Name,
    pub(crate) rig: &'a RigConfig,
    pub(crate) children: &'a Children,
    /// The folder of its valves' calibrations.
    pub(crate) calibrations: &'a Path,
    /// What of the rig is real; none in a simulated rig.
    pub(crate) hardware: Option<&'a mut Hardware>,
    /// Who works the inputs of a simulated rig; nobody where none is named.
    pub(crate) animal: Option<&'a str>,
}

impl Hands<'_> {
    /// Does a job to its end; whoever asked is yet to be told so.
    #[must_use = "whoever asked waits for it"]
    pub(crate) fn run(&mut self, job: Job) -> Last {
        let Job { want, who: _, post, inbox, tell } = job;
        let done = match want {
            Want::Work { .. } => self.work(post, &inbox, &tell),
            Want::Measure { wakes, every } => {
                timing::measure(wakes, every, self.rig.core, &inbox).map(Told::Measured)
            }
        };
        Last { tell, told: done.unwrap_or_else(|why| Told::Refused { why, busy: false }) }
    }

    fn work(&mut self, post: Post, inbox: &Inbox, tell: &Tell) -> Result<Told, String> {
        let (rig, left_out) = self.reachable();
        let mut piece = Workpiece::new(&rig)?;
        // One that can't be read is none here: by hand a valve also opens for a time.
        let calibrations = Calibrations::read(self.calibrations).unwrap_or_default();
        let wiring = wire(&piece, &rig, &calibrations, self.pilot.as_str())?;
        piece.wired(&rig, &wiring, |port, wire| match wire.child() {
            Some(child) => !self.children.has_real(child, &[(port, wire)]),
            None => wire.driver == DriverConfig::Simulated,
        });
        let mut claims = self.children.claim(&wiring, Uuid::new_v4(), self.hardware.is_some(), &post)?;
        let real = claims.real_time;
        if real {
            claims = claims
                .in_real_time(&post)
                .map_err(|error| format!("there can't be another thread: {error}"))?;
        }
        // Only others hold it now: a session that nobody can reach any more ends.
        drop(post);
        let opened = Opened {
            pilot: self.pilot.to_string(),
            rig: identity(self.rig),
            parts: Vec::new(),
            left_out,
            real,
            time_ns: Time::ZERO,
            unix_ns: 0,
        };
        let mut at_work = AtWork { piece, claims, inbox, tell };
        match &mut self.hardware {
            Some(hardware) => {
                hardware.run(&wiring, None, |driver, _| at_work.run(driver, &wiring, opened))?
            }
            // What is real is on a child.
            None if real => {
                let (mut memory, _) = Hardware::in_memory(&rig);
                memory.run(&wiring, None, |driver, _| at_work.run(driver, &wiring, opened))?
            }
            None => {
                let world: Box<dyn World> = match self.animal {
                    Some(animal) => named(animal, Seed(0), "").map_err(|error| error.to_string())?,
                    None => Box::new(()),
                };
                at_work.run(&mut Simulated::new(&wiring, world, Pace::Times(1.0)), &wiring, opened)
            }
        }
    }

    /// The rig without what is on children that are not there.
    fn reachable(&self) -> (RigConfig, Vec<String>) {
        let mut rig = self.rig.clone();
        let mut left_out = Vec::new();
        let present = self.children.presence();
        rig.devices.retain(|name, device| {
            let Some(child) = device.driver.child() else { return true };
            let is_there = present.iter().any(|known| known.name == *child && known.here);
            if !is_there {
                left_out.push(format!("`{name}` is on the child {child}, which is not at this pilot"));
            }
            is_there
        });
        (rig, left_out)
    }
}

/// A workpiece with everything that its session runs with, but for the driver.
struct AtWork<'a> {
    piece: Workpiece,
    claims: Claims,
    inbox: &'a Inbox,
    tell: &'a Tell,
}

impl AtWork<'_> {
    fn run(&mut self, driver: &mut dyn Driver, wiring: &Wiring, opened: Opened) -> Result<Told, String> {
        let AtWork { piece, claims, inbox, tell } = self;
        let settings = Settings { parameters: Vec::new(), seed: Seed(0), kept: Vec::new() };
        let session = Session::new(Arc::clone(&piece.task.definition), settings, wiring.clone())
            .map_err(|error| error.to_string())?;
        piece.read(&driver.initial().map_err(|error| error.to_string())?);
        let parts = piece.parts.iter().map(|(_, part)| part.clone()).collect();
        let opened = Opened { parts, time_ns: driver.now(), unix_ns: unix_ns(), ..opened };
        let ports = piece.parts.iter().map(|(port, _)| *port).collect();
        // Where nobody is left, the first record says so.
        let _ = tell.0.send(Got::Open(opened, ports, Box::new(wiring.clone())));
        let mut functions = piece.task.functions();
        let outcome = session.run(Around {
            driver,
            remotes: &mut claims.remotes,
            inbox,
            functions: &mut functions,
            recorder: &mut Teller { piece, tell, started: false },
            judge: &mut (),
        });
        Ok(Told::Closed { why: outcome.why.to_string(), failed: outcome.ending == Ending::Error })
    }
}

/// The wiring of a workpiece.
pub(super) fn wire(
    piece: &Workpiece,
    rig: &RigConfig,
    calibrations: &Calibrations,
    pilot: &str,
) -> Result<Wiring, String> {
    Wiring::new(&piece.task.definition, rig, calibrations, Timestamp::now(), pilot)
        .map_err(|misfit| misfit.to_string())
}

/// Tells what is recorded, as far as it is of the rig and news.
struct Teller<'a> {
    piece: &'a Workpiece,
    tell: &'a Tell,
    /// The session has started; before, it records what the inputs read, which is
    /// told already.
    started: bool,
}

impl Recorder for Teller<'_> {
    fn record(&mut self, record: Record) -> Result<(), RecorderError> {
        let told = match record {
            Record::Event(event) => match self.piece.part(event.source) {
                Some(part) if !self.started && part.reads == Some(event.value) => return Ok(()),
                Some(Part { name, .. }) => Told::Event {
                    device: name.clone(),
                    kind: event.kind,
                    value: event.value,
                    time_ns: event.time,
                },
                None => {
                    self.started |= event.kind == Kind::SessionStart;
                    return Ok(());
                }
            },
            Record::Note { time, text } => Told::Note { text, time_ns: time },
            Record::Row(_) => return Ok(()),
        };
        self.tell.at_once(told)
    }
}
