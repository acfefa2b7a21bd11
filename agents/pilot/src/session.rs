//! The thread that sessions run on: it gets a session ready, runs it, and says
//! how it ended.

mod passing;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use bramble_engine::Settings;
use bramble_message::{Bytes, ColumnInfo, Ended, Origin, RigDevice, StartSession, Started};
use bramble_rig::calibration::{self, Calibrations};
use bramble_rig::driver::{Pace, Simulated};
use bramble_rig::session::{Around, OnThread, Outcome, Recorder, RecorderError, Relay, Session};
use bramble_rig::{Driver, Happening, Hardware, Inbox, Post, Request, RigConfig, Wiring};
use bramble_settings::{Simulation, Speed};
use bramble_simulation::{Animal, named};
use bramble_software::Host;
use bramble_task::TaskDefinition;
use bramble_task::definition::{SourceMap, StageId};
use bramble_training::{Examiner, Graduation, Protocol};
use bramble_value::{Ending, Name, Random, Record, Seed, SubjectId, Time, Trials};
use serde_json::json;
use uuid::Uuid;

use crate::children::{self, Children, Claims};
use crate::desk::{Course, valves};
use crate::hand::{self, Checked};
use crate::judge::{Beside, OnTheSpot};
use crate::reaction::Reactions;
use crate::scribe::{Entry, Pen};
use crate::wall::{Calendar, Clocks};
use crate::watch::Watch;
use passing::show;

/// This program.
pub(crate) const PROGRAM: &str = "bramble-pilot";

/// Something for the thread that owns the rig to do.
#[derive(Debug)]
pub(crate) enum Job {
    /// A session to run.
    Session(Order),
    /// The rig is worked by hand.
    Hand(hand::Job),
}

/// A session to run.
#[derive(Debug)]
pub(crate) struct Order {
    /// What was asked for.
    pub(crate) request: Box<StartSession>,
    /// When that was heard.
    pub(crate) heard: Clocks,
    /// For what happens to it while it runs.
    pub(crate) post: Post,
    /// The other end of `post`.
    pub(crate) inbox: Inbox,
}

/// What became of a job.
#[derive(Debug)]
pub(crate) enum News {
    /// It runs, and is this.
    Started(Box<Course>),
    /// It can't be run, for this reason.
    Refused(String),
    /// It ran, and takes nothing any more.
    Ended(Ending, Arc<str>),
    /// The hand let the rig go.
    HandEnded,
    /// All that was to be done for it is done, and is on its way to the disk.
    Done,
}

/// What sessions run with.
pub(crate) struct Runner {
    pub(crate) pilot: Name,
    pub(crate) rig: RigConfig,
    /// The folder of the valves' calibrations.
    pub(crate) calibrations: PathBuf,
    /// What the pilot is, for the records of sessions.
    pub(crate) origin: Origin,
    pub(crate) simulation: Simulation,
    pub(crate) children: Children,
    /// What of the rig is real; none in a simulated rig.
    pub(crate) hardware: Option<Hardware>,
    /// The pilot's data folder.
    pub(crate) data: PathBuf,
    pub(crate) pen: Pen,
    /// Tells the terminal something in passing.
    pub(crate) live: Arc<dyn Fn(Bytes) + Send + Sync>,
    /// The simulated animals that were in the box, with what they have learned.
    pub(crate) animals: HashMap<SubjectId, Box<dyn Animal>>,
    /// How late outputs are in real time.
    pub(crate) reactions: Reactions,
}

/// A session that can run.
struct Ready {
    request: StartSession,
    /// What it is dated by.
    calendar: Calendar,
    task: bramble_task::Task,
    session: Session,
    settings: Settings,
    wiring: Wiring,
    examiner: Examiner,
    claims: Claims,
    /// The last check of its rig, where that is real.
    check: serde_json::Value,
}

/// When a session began.
#[derive(Debug, Clone, Copy)]
struct Began {
    clocks: Clocks,
    calendar: Calendar,
}

impl Runner {
    /// Does one job after the other, until no more can come.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>, tell: impl Fn(News)) {
        if let Some(hardware) = &mut self.hardware
            && let Err(why) = hardware.ready()
        {
            tracing::error!("{why}; this is tried again whenever a session starts");
        }
        while let Ok(job) = jobs.recv() {
            match job {
                Job::Session(order) => {
                    if let Err(why) = self.order(order, &tell) {
                        tell(News::Refused(why));
                    }
                }
                Job::Hand(job) => {
                    let last = self.hands().run(job);
                    // First, so that the desk is free for what the hand asks next.
                    tell(News::HandEnded);
                    last.tell();
                }
            }
            tell(News::Done);
        }
        if let Some(hardware) = self.hardware.take() {
            hardware.close();
        }
    }

    fn hands(&mut self) -> hand::Hands<'_> {
        let (pilot, rig, children) = (&self.pilot, &self.rig, &self.children);
        let (calibrations, hardware) = (self.calibrations.as_path(), self.hardware.as_mut());
        hand::Hands { pilot, rig, children, calibrations, hardware, animal: None }
    }

    fn order(&mut self, order: Order, tell: &impl Fn(News)) -> Result<(), String> {
        let Order { request, heard, post, inbox } = order;
        let calendar = Calendar::of(heard, request.unix_ns);
        let ready = self.prepare(*request, calendar, &post)?;
        if ready.request.paused {
            post.request(Request::Pause { why: "it starts paused, as the step before it was".into() });
        }
        match self.hardware.take() {
            Some(hardware) => self.real(hardware, ready, post, &inbox, tell),
            // What is real is on a child.
            None if ready.claims.real_time => {
                let (mut memory, _) = Hardware::in_memory(&self.rig);
                self.real_on(&mut memory, ready, post, &inbox, tell)
            }
            None => {
                // Only others hold the post now: a session that nobody can reach
                // any more knows it.
                drop(post);
                self.simulated(ready, &inbox, tell)
            }
        }
    }

    fn prepare(&mut self, request: StartSession, calendar: Calendar, post: &Post) -> Result<Ready, String> {
        let task = bramble_task::load(&request.task).map_err(|mistakes| mistakes.to_string())?;
        let definition = &task.definition;
        let parameters = task.parameters(&request.parameters).map_err(|mistakes| mistakes.to_string())?;
        let kept = definition.columns.iter().map(|column| request.kept.get(column.name.as_str()).copied());
        let settings = Settings { parameters, seed: request.seed, kept: kept.collect() };
        let calibrations = Calibrations::read(&self.calibrations).map_err(|error| error.to_string())?;
        let now = jiff::Timestamp::now();
        let wiring = Wiring::new(definition, &self.rig, &calibrations, now, self.pilot.as_str())
            .map_err(|misfit| misfit.to_string())?;
        wiring.allow(&settings.parameters).map_err(|outside| outside.to_string())?;
        let rule = request.graduation.as_ref().map(graduation).transpose()?;
        let columns = definition.columns.iter().map(|column| (column.name.to_string(), column.kind.clone()));
        let examiner = Examiner::new(columns.collect(), request.trials, rule);
        let claims = self.children.claim(&wiring, request.session, self.hardware.is_some(), post)?;
        let check = if claims.real_time { self.check(request.despite_check)? } else { json!(null) };
        let session = Session::new(Arc::clone(definition), settings.clone(), wiring.clone());
        let session = session.map_err(|error| error.to_string())?;
        Ok(Ready { request, calendar, task, session, settings, wiring, examiner, claims, check })
    }

    /// The last check of this real rig, for provenance.
    ///
    /// # Errors
    /// A sentence where it failed, or its record can't be read, and the session is
    /// not to start `despite` that.
    fn check(&self, despite: bool) -> Result<serde_json::Value, String> {
        let last = Checked::last(&self.data, &self.rig);
        let why = match &last {
            Ok(checked) => checked.as_ref().and_then(Checked::refusal),
            Err(error) => Some(format!("what the last check of the rig found is not known: {error}")),
        };
        match (why, despite) {
            (Some(why), false) => Err(format!("{why}, or start it all the same with --despite-check")),
            (why, _) => Ok(json!({ "last": last.ok().flatten(), "despite": despite, "refusal": why })),
        }
    }

    /// The subject's animal: the one that was here before, if it was.
    fn animal(&mut self, subject: &SubjectId) -> Result<Box<dyn Animal>, String> {
        if let Some(animal) = self.animals.remove(subject) {
            return Ok(animal);
        }
        let mut random = Random::new(self.simulation.seed, &format!("animal {subject}"), 0);
        let seed = Seed(random.below(u64::MAX));
        named(&self.simulation.animal, seed, "").map_err(|error| error.to_string())
    }

    /// Runs a session in simulated time, with an animal.
    fn simulated(&mut self, ready: Ready, inbox: &Inbox, tell: &impl Fn(News)) -> Result<(), String> {
        let animal = self.animal(&ready.request.subject)?;
        let pace = match self.simulation.speed {
            Speed::Max => Pace::Free,
            Speed::Times(times) => Pace::Times(times),
        };
        let mut driver = Simulated::new(&ready.wiring, animal, pace);
        let Origin { mut provenance, texts } = self.origin(&ready);
        provenance["simulation"] = json!({
            "animal": self.simulation.animal,
            "seed": self.simulation.seed,
            "speed": self.simulation.speed.to_string(),
        });
        let began = self.begin(&ready, Origin { provenance, texts }, driver.now(), tell);

        let Ready { request, task, session, examiner, mut claims, .. } = ready;
        let mut judge = OnTheSpot(examiner);
        let mut functions = task.functions();
        let mut recorder = ToPen { pen: &self.pen, session: request.session };
        let outcome = session.run(Around {
            driver: &mut driver,
            remotes: &mut claims.remotes,
            inbox,
            functions: &mut functions,
            recorder: &mut recorder,
            judge: &mut judge,
        });
        tell(News::Ended(outcome.ending, Arc::clone(&outcome.why)));
        self.animals.insert(request.subject, driver.into_world());
        drop(claims);
        self.end(request.session, began, &outcome, judge.0.graduated(), inbox);
        Ok(())
    }

    /// Runs a session in real time, on hardware. Whatever may take its time has a
    /// thread of its own, which is there before this one is a real-time thread.
    fn real(
        &mut self,
        mut hardware: Hardware,
        ready: Ready,
        post: Post,
        inbox: &Inbox,
        tell: &impl Fn(News),
    ) -> Result<(), String> {
        let ran = self.real_on(&mut hardware, ready, post, inbox, tell);
        // Where the session cost the pilot its guard, there is soon another.
        if let Err(why) = hardware.ready() {
            tracing::error!("{why}; this is tried again whenever a session starts");
        }
        self.hardware = Some(hardware);
        ran
    }

    fn real_on(
        &self,
        hardware: &mut Hardware,
        mut ready: Ready,
        post: Post,
        inbox: &Inbox,
        tell: &impl Fn(News),
    ) -> Result<(), String> {
        let no_thread = |error: std::io::Error| format!("the session can't have its threads: {error}");
        hardware.ready()?;
        let Origin { mut provenance, texts } = self.origin(&ready);
        provenance["hardware"] = json!(hardware.report());
        provenance["check"] = ready.check.clone();
        let (pen, session) = (self.pen.clone(), ready.request.session);
        let (live, reactions) = (Arc::clone(&self.live), self.reactions.clone());
        reactions.begin(session);
        let keep = move |records: Vec<Record>| {
            reactions.note(&records);
            let records = show(session, records, &*live);
            records.into_iter().for_each(|record| pen.write(Entry::Record(session, record)));
        };
        let (relay, mut ring, bell) = Relay::start(keep).map_err(no_thread)?;
        let mut functions = OnThread::start(ready.task.functions(), post.clone());
        ready.claims = ready.claims.in_real_time(&post).map_err(no_thread)?;
        let mut judge = Beside::new(std::mem::take(&mut ready.examiner), post).map_err(no_thread)?;
        let wiring = ready.wiring.clone();
        let ran = hardware.run(&wiring, Some(&bell), |driver, real_time| {
            let time = driver.now();
            provenance["real_time"] = json!(real_time);
            let began = self.begin(&ready, Origin { provenance, texts }, time, tell);
            for text in real_time.shortfalls.clone() {
                // The ring is empty: there is room.
                let _ = ring.record(Record::Note { time, text });
            }
            let Ready { request, session, mut claims, .. } = ready;
            let outcome = session.run(Around {
                driver,
                remotes: &mut claims.remotes,
                inbox,
                functions: &mut functions,
                recorder: &mut ring,
                judge: &mut judge,
            });
            tell(News::Ended(outcome.ending, Arc::clone(&outcome.why)));
            (request.session, began, outcome, claims)
        });
        drop(ring);
        relay.finish();
        // A child that doesn't answer any more is not waited for in real time.
        let (session, began, outcome, claims) = ran?;
        drop(claims);
        self.end(session, began, &outcome, judge.graduated(), inbox);
        Ok(())
    }

    /// Says that a session has started, and when that was.
    fn begin(
        &self,
        ready: &Ready,
        Origin { provenance, texts }: Origin,
        time: Time,
        tell: &impl Fn(News),
    ) -> Began {
        let clocks = Clocks::now();
        let Ready { request, task, settings, wiring, .. } = ready;
        let definition = &task.definition;
        let parameters = definition.parameters.iter().zip(&settings.parameters);
        let columns = definition.columns.iter().map(|column| ColumnInfo {
            name: column.name.clone(),
            kind: column.kind.clone(),
            doc: column.doc.clone(),
        });
        let started = Started {
            task_name: definition.name.clone(),
            task_doc: definition.doc.clone(),
            parameters: parameters
                .map(|(one, value)| (one.name.to_string(), one.kind.clone(), *value))
                .collect(),
            columns: columns.collect(),
            names: wiring.names(definition),
            time,
            unix_ns: ready.calendar.at(clocks),
            software: bramble_software::software(PROGRAM),
            provenance,
            texts,
            request: request.clone(),
        };
        let watch = watch(request, definition, wiring, time);
        self.pen.write(Entry::Started(Box::new(started), Box::new(watch)));
        if let Some(text) = ready.calendar.differs() {
            tracing::warn!("{text}");
            self.pen.write(Entry::Record(request.session, Record::Note { time, text }));
        }
        let (task, wiring) = (Arc::clone(definition), wiring.clone());
        tell(News::Started(Box::new(Course { task, wiring })));
        Began { clocks, calendar: ready.calendar }
    }

    /// Writes down that a session has ended. Whoever could ask for something has been told
    /// so before: what is in the inbox came too late.
    fn end(&self, session: Uuid, began: Began, outcome: &Outcome, graduated: bool, inbox: &Inbox) {
        let now = Clocks::now();
        let step = now.step_since(began.clocks).inspect(|text| tracing::warn!("{text}"));
        for text in step.into_iter().chain(too_late(inbox)) {
            self.pen.write(Entry::Record(session, Record::Note { time: outcome.end, text }));
        }
        self.pen.write(Entry::Ended(Ended {
            session,
            ending: outcome.ending,
            why: outcome.why.to_string(),
            graduated,
            paused: outcome.paused,
            time: outcome.end,
            unix_ns: began.calendar.at(now),
        }));
    }

    /// What a session's record says of all that takes part but the terminal: as text
    /// configurations, calibrations, locks. The request comes with some already, and agents share
    /// some; nothing is in it twice.
    fn origin(&self, ready: &Ready) -> Origin {
        let Origin { mut provenance, mut texts } = self.origin.clone();
        // Its governor may be another by now.
        provenance["host"] = json!(Host::look());
        provenance["build"]["link_version"] = json!(bramble_link::VERSION);
        provenance["rig"] = json!({ "devices": devices(&self.rig), "settings": self.rig });
        provenance["calibrations"] = json!(ready.wiring.calibrations());
        let mut told_by = serde_json::Map::new();
        for (child, origin) in ready.claims.origins() {
            told_by.insert(child.to_string(), origin.provenance);
            children::keep_texts(child, origin.texts, &mut texts);
        }
        provenance["children"] = told_by.into();
        for calibration in ready.wiring.calibrations() {
            match calibration::text(&calibration) {
                Ok((path, text)) => drop(texts.insert(format!("calibrations/{path}"), text)),
                // Its numbers are in the provenance all the same.
                Err(error) => tracing::warn!("{error}"),
            }
        }
        let told = &ready.request.origin.texts;
        texts.retain(|path, text| told.get(path) != Some(text));
        Origin { provenance, texts }
    }
}

/// What is to be said of what was asked for in the moment that a session ended.
fn too_late(inbox: &Inbox) -> Vec<String> {
    let left = std::iter::from_fn(|| inbox.look().ok().flatten());
    let text = |happening| match happening {
        Happening::Request(Request::Note { text }) => Some(text),
        Happening::Request(Request::Water { volume, .. }) => {
            Some(format!("{volume} by hand came too late: the session had ended, and none was given"))
        }
        Happening::Request(Request::Message { .. }) => {
            Some("a message came too late: the session had ended".to_owned())
        }
        Happening::Request(Request::Parameter { .. }) => {
            Some("a parameter was changed too late: the session had ended".to_owned())
        }
        // It is as these want it, or they are of no one.
        _ => None,
    };
    left.filter_map(text).collect()
}

/// What a rig has, as others are told.
pub(crate) fn devices(rig: &RigConfig) -> Vec<RigDevice> {
    let device = |(name, device): (&Name, &bramble_rig::config::DeviceConfig)| RigDevice {
        name: name.clone(),
        kind: device.kind.word().to_owned(),
        ports: device.ports(),
        driver: device.driver.to_string(),
    };
    rig.devices.iter().map(device).collect()
}

/// The rule of a protocol's step, and the trials before this session.
fn graduation(wanted: &bramble_message::Graduation) -> Result<(Graduation, Trials), String> {
    let protocol = Protocol::load(&wanted.protocol).map_err(|mistakes| mistakes.to_string())?;
    let step = protocol.step(wanted.step).map_err(|error| error.to_string())?;
    Ok((step.graduation, wanted.earlier.clone()))
}

fn watch(request: &StartSession, task: &TaskDefinition, wiring: &Wiring, start: Time) -> Watch {
    let sources = SourceMap::new(task);
    let mut watch = Watch::new(request, task.name.clone(), start);
    for (place, stage) in (0..).zip(&task.stages) {
        watch.has_stage(sources.stage(StageId(place)), stage.path.clone());
    }
    for (port, name) in valves(task) {
        watch.has_valve(sources.port(port), name, wiring.wire(port).dose.clone());
    }
    watch
}

/// Hands a session's records to the scribe.
struct ToPen<'a> {
    pen: &'a Pen,
    session: Uuid,
}

impl Recorder for ToPen<'_> {
    fn record(&mut self, record: Record) -> Result<(), RecorderError> {
        self.pen.write(Entry::Record(self.session, record));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
