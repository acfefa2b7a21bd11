//! The thread that sessions run on: it gets a session ready, runs it, and says
//! how it ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::SystemTime;

use bramble_engine::Settings;
use bramble_message::{ColumnInfo, Ended, RigDevice, StartSession, Started};
use bramble_rig::driver::{Pace, Simulated};
use bramble_rig::session::{Around, Recorder, RecorderError, Session};
use bramble_rig::{Inbox, Post, RigConfig, Wiring};
use bramble_simulation::{Animal, named};
use bramble_task::TaskDefinition;
use bramble_task::definition::{SourceMap, StageId};
use bramble_training::{Graduation, Protocol};
use bramble_value::{Name, Random, Record, Seed, SubjectId, Time, Trials};
use serde_json::json;
use uuid::Uuid;

use crate::children::{Children, Claims};
use crate::config::{Simulation, Speed};
use crate::desk::valves;
use crate::host;
use crate::judge::Examiner;
use crate::scribe::{Entry, Pen};
use crate::watch::Watch;

/// A session to run.
#[derive(Debug)]
pub(crate) struct Job {
    /// What was asked for.
    pub(crate) request: Box<StartSession>,
    /// For what happens to it while it runs.
    pub(crate) post: Post,
    /// The other end of `post`.
    pub(crate) inbox: Inbox,
}

/// What became of a job.
#[derive(Debug)]
pub(crate) enum News {
    /// It runs, and is this task.
    Started(Arc<TaskDefinition>),
    /// It can't be run, for this reason.
    Refused(String),
    /// It ran, and has ended.
    Ended(Ended),
}

/// What sessions run with.
pub(crate) struct Runner {
    pub(crate) pilot: Name,
    pub(crate) rig: RigConfig,
    /// The configuration's text, for provenance.
    pub(crate) configuration: String,
    pub(crate) simulation: Simulation,
    pub(crate) children: Children,
    pub(crate) pen: Pen,
    /// The simulated animals that were in the box, with what they have learned.
    pub(crate) animals: HashMap<SubjectId, Box<dyn Animal>>,
}

/// A session that can run.
struct Ready {
    task: bramble_task::Task,
    session: Session,
    settings: Settings,
    wiring: Wiring,
    examiner: Examiner,
    animal: Box<dyn Animal>,
    claims: Claims,
}

impl Runner {
    /// Runs one job after the other, until no more can come.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>, tell: impl Fn(News)) {
        while let Ok(Job { request, post, inbox }) = jobs.recv() {
            match self.prepare(&request, &post) {
                Ok(ready) => {
                    // Only others hold the post now: a session that nobody can
                    // reach any more knows it.
                    drop(post);
                    let ended = self.session(*request, ready, &inbox, &tell);
                    tell(News::Ended(ended));
                }
                Err(why) => tell(News::Refused(why)),
            }
        }
    }

    fn prepare(&mut self, request: &StartSession, post: &Post) -> Result<Ready, String> {
        let task = bramble_task::load(&request.task).map_err(|mistakes| mistakes.to_string())?;
        let definition = &task.definition;
        let parameters = task.parameters(&request.parameters).map_err(|mistakes| mistakes.to_string())?;
        let kept = definition.columns.iter().map(|column| request.kept.get(column.name.as_str()).copied());
        let settings = Settings { parameters, seed: request.seed, kept: kept.collect() };
        let wiring =
            Wiring::new(definition, &self.rig, self.pilot.as_str()).map_err(|misfit| misfit.to_string())?;
        let rule = request.graduation.as_ref().map(graduation).transpose()?;
        let columns = definition.columns.iter().map(|column| (column.name.to_string(), column.kind.clone()));
        let examiner = Examiner::new(columns.collect(), request.trials, rule);
        let claims = self.children.claim(&wiring, request.session, post)?;
        let session = Session::new(Arc::clone(definition), settings.clone(), wiring.clone());
        let session = session.map_err(|error| error.to_string())?;
        let animal = self.animal(&request.subject)?;
        Ok(Ready { task, session, settings, wiring, examiner, animal, claims })
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

    fn session(&mut self, request: StartSession, ready: Ready, inbox: &Inbox, tell: &impl Fn(News)) -> Ended {
        let Ready { task, session: runs, settings, wiring, mut examiner, animal, mut claims } = ready;
        let (session, subject) = (request.session, request.subject.clone());
        let definition = Arc::clone(&task.definition);
        let pace = match self.simulation.speed {
            Speed::Max => Pace::Free,
            Speed::Times(times) => Pace::Times(times),
        };
        let mut driver = Simulated::new(&wiring, animal, pace);
        let watch = watch(&request, &definition, &wiring);
        let started = self.started(request, &definition, &settings);
        self.pen.write(Entry::Started(Box::new(started), Box::new(watch)));
        tell(News::Started(definition));

        let mut functions = task.functions();
        let mut recorder = ToPen { pen: &self.pen, session };
        let outcome = runs.run(Around {
            driver: &mut driver,
            remotes: &mut claims.remotes,
            inbox,
            functions: &mut functions,
            recorder: &mut recorder,
            judge: &mut examiner,
        });
        let ended = Ended {
            session,
            ending: outcome.ending,
            why: outcome.why.to_string(),
            graduated: examiner.graduated(),
            time: outcome.end,
            unix_ns: unix_ns(),
        };
        self.animals.insert(subject, driver.into_world());
        drop(claims);
        self.pen.write(Entry::Ended(ended.clone()));
        ended
    }

    fn started(&self, request: StartSession, task: &TaskDefinition, settings: &Settings) -> Started {
        let parameters = task.parameters.iter().zip(&settings.parameters);
        let columns = task.columns.iter().map(|column| ColumnInfo {
            name: column.name.clone(),
            kind: column.kind.clone(),
            doc: column.doc.clone(),
        });
        Started {
            task_name: task.name.clone(),
            task_doc: task.doc.clone(),
            parameters: parameters
                .map(|(one, value)| (one.name.to_string(), one.kind.clone(), *value))
                .collect(),
            columns: columns.collect(),
            names: task.names(),
            time: Time::ZERO,
            unix_ns: unix_ns(),
            software: host::software(),
            provenance: self.provenance(),
            request,
        }
    }

    fn provenance(&self) -> serde_json::Value {
        let mut provenance = host::provenance();
        provenance["name"] = json!(self.pilot);
        provenance["rig"] = json!({
            "configuration": self.configuration,
            "devices": devices(&self.rig),
            "settings": self.rig,
        });
        provenance["simulation"] = json!({
            "animal": self.simulation.animal,
            "seed": self.simulation.seed,
            "speed": self.simulation.speed.to_string(),
        });
        provenance
    }
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

/// The time by this computer's wall clock: nanoseconds since 1970, UTC.
pub(crate) fn unix_ns() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// The rule of a protocol's step, and the trials before this session.
fn graduation(wanted: &bramble_message::Graduation) -> Result<(Graduation, Trials), String> {
    let protocol = Protocol::load(&wanted.protocol).map_err(|mistakes| mistakes.to_string())?;
    let step = protocol.step(wanted.step).map_err(|error| error.to_string())?;
    Ok((step.graduation, wanted.earlier.clone()))
}

fn watch(request: &StartSession, task: &TaskDefinition, wiring: &Wiring) -> Watch {
    let sources = SourceMap::new(task);
    let mut watch = Watch::new(request.session, request.subject.clone(), task.name.clone(), Time::ZERO);
    for (place, stage) in (0..).zip(&task.stages) {
        watch.has_stage(sources.stage(StageId(place)), stage.path.clone());
    }
    for (port, name) in valves(task) {
        watch.has_valve(sources.port(port), name, wiring.wire(port).flow);
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
