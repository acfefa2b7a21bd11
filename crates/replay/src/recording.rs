//! Everything that a session was recorded with.

use std::collections::BTreeMap;
use std::sync::Arc;

use bramble_engine::{Settings, SettingsError};
use bramble_rig::calibration::Calibration;
use bramble_rig::{Misfit, RigConfig, Wiring};
use bramble_subject::{SessionEnd, SessionNumber, SessionStart, SubjectError, SubjectFile};
use bramble_task::{Mistakes, Task};
use bramble_training::{Examiner, Graduation, Protocol};
use bramble_value::{Ending, Event, Kind, Names, Row, Sources, Trials, Value};
use serde_json::Value as Json;
use thiserror::Error;

/// A recorded session, ready to be run again.
pub struct Recording {
    /// The task, from its own sources.
    pub task: Task,
    /// What it was started with.
    pub settings: Settings,
    /// What its ports were on the rig.
    pub wiring: Wiring,
    /// What ended it between two trials.
    pub examiner: Examiner,
    /// Whether its time was a clock's, and not computed.
    pub real: bool,
    /// Everything that happened, in order.
    pub events: Vec<Event>,
    /// Its trials.
    pub rows: Vec<Row>,
    /// What the small integers of events stand for.
    pub names: Names,
    /// How and why it ended, where that is known.
    pub end: Option<(Ending, String)>,
}

/// A session that can't be run again from its file.
#[derive(Debug, Error)]
pub enum UnreadableRecording {
    /// The file can't be read.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// What was loaded then doesn't load now.
    #[error("the task doesn't load from the sources in the file: {0}")]
    Task(Mistakes),
    /// The protocol doesn't load.
    #[error("the protocol doesn't load from the sources in the file: {0}")]
    Protocol(String),
    /// The rig isn't one for the task.
    #[error("the task doesn't fit the rig that the file tells of: {0}")]
    Rig(#[from] Misfit),
    /// The parameters aren't the task's.
    #[error("the parameters in the file are not those of the task in the file: {0}")]
    Settings(#[from] SettingsError),
    /// The file doesn't say what is needed.
    #[error("the file doesn't say {what}: {why}")]
    Missing {
        /// What is not there.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// An older version recorded it.
    #[error(
        "it was recorded in real time by a version of Bramble that did not note when outputs were decided, so it \
         can't be run again bit for bit"
    )]
    Older,
}

impl Recording {
    /// Reads a session.
    ///
    /// # Errors
    /// [`UnreadableRecording`] where the file, or something in it, can't be read.
    pub fn read(file: &SubjectFile, number: SessionNumber) -> Result<Recording, UnreadableRecording> {
        let start = file.session(number)?;
        let end = file.summary(number)?.end;
        let (events, rows) = (file.events(number)?, file.trials(number)?.rows);
        Recording::new(start, end, events, rows)
    }

    /// A session that started from this and in which that happened.
    ///
    /// # Errors
    /// [`UnreadableRecording`] where something in it is not what it should be.
    pub fn new(
        start: SessionStart,
        end: Option<SessionEnd>,
        events: Vec<Event>,
        rows: Vec<Row>,
    ) -> Result<Recording, UnreadableRecording> {
        let sources = Sources { root: start.root.clone(), files: start.sources.clone() };
        let task = bramble_task::load(&sources).map_err(UnreadableRecording::Task)?;
        let (pilot, request) = (&start.provenance["pilot"], &start.provenance["request"]);
        let real = pilot["real_time"].is_object();
        let decided = events.iter().any(|event| event.kind == Kind::Moment);
        if real && !decided && events.iter().any(|event| event.kind == Kind::Output) {
            return Err(UnreadableRecording::Older);
        }
        let kept: BTreeMap<String, Value> = field(request, "kept", "what the columns kept")?;
        let columns = task.definition.columns.iter();
        let settings = Settings {
            parameters: start.parameters.iter().map(|parameter| parameter.value).collect(),
            seed: start.seed,
            kept: columns.clone().map(|column| kept.get(column.name.as_str()).copied()).collect(),
        };
        let columns = columns.map(|column| (column.name.to_string(), column.kind.clone())).collect();
        let rule = graduation(&start, &request["graduation"])?;
        // Where a function decides, a session in real time doesn't wait: it is asked to stop.
        let rule = rule.filter(|(rule, _)| !(real && rule.asks_function()));
        let limit = field(request, "trials", "after how many trials it ends")?;
        Ok(Recording {
            wiring: wiring(&task, &start, pilot)?,
            examiner: Examiner::new(columns, limit, rule),
            task,
            settings,
            real,
            events,
            rows,
            names: start.names,
            end: end.map(|end| (end.ending, end.why)),
        })
    }
}

/// A field of the provenance; a default where there is none.
fn field<T: serde::de::DeserializeOwned + Default>(
    json: &Json,
    name: &str,
    what: &'static str,
) -> Result<T, UnreadableRecording> {
    match &json[name] {
        Json::Null => Ok(T::default()),
        value => serde_json::from_value(value.clone())
            .map_err(|error| UnreadableRecording::Missing { what, why: error.to_string() }),
    }
}

fn wiring(task: &Task, start: &SessionStart, pilot: &Json) -> Result<Wiring, UnreadableRecording> {
    let definition = &task.definition;
    if pilot["rig"]["settings"].is_null() {
        // A pilot that tells nothing of its rig has one that fits.
        return Ok(Wiring::simulated(definition)?);
    }
    let rig: RigConfig = field(&pilot["rig"], "settings", "what its rig was")?;
    let calibrations: Vec<Calibration> = field(pilot, "calibrations", "how its valves were calibrated")?;
    Ok(Wiring::new(definition, &rig, &calibrations.into_iter().collect(), start.started, &start.pilot)?)
}

/// When the subject graduated from the step, and the step's trials before.
fn graduation(
    start: &SessionStart,
    wanted: &Json,
) -> Result<Option<(Graduation, Trials)>, UnreadableRecording> {
    if wanted.is_null() {
        return Ok(None);
    }
    let what = "when the subject graduates";
    let root: String = field(wanted, "protocol", what)?;
    let step: u32 = field(wanted, "step", what)?;
    let earlier: Trials = field(wanted, "earlier", what)?;
    let mut files = start.sources.clone();
    // Where the task and the protocol had different files of one name.
    for (path, text) in &start.sources {
        if let Some(path) = path.strip_prefix("protocol/") {
            files.insert(path.to_owned(), text.clone());
        }
    }
    let protocol = Protocol::load(&Sources { root, files })
        .map_err(|mistakes| UnreadableRecording::Protocol(mistakes.to_string()))?;
    let step = protocol.step(step).map_err(|error| UnreadableRecording::Protocol(error.to_string()))?;
    Ok(Some((step.graduation, earlier)))
}

impl Recording {
    /// The task's definition.
    pub(crate) fn definition(&self) -> &Arc<bramble_task::TaskDefinition> {
        &self.task.definition
    }
}
