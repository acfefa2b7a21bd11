//! What came of a session, from what its file says alone.

use std::collections::BTreeMap;

use bramble_rig::config::{Flow, RigConfig};
use bramble_subject::{SessionNumber, SessionStart, SubjectError, SubjectFile};
use bramble_value::{Event, Kind, Source, SourceKind, Sources, Time};

use crate::plan;
use crate::score::Score;

/// What a person wants to know of a session that is over.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Outcome {
    /// The share of its trials that were correct.
    pub(super) correct: Option<f64>,
    /// How much water was given, in microliters.
    pub(super) water: Option<f64>,
}

/// What came of a session whose records are all in the file.
///
/// # Errors
/// Where the file can't be read.
pub(super) fn outcome(file: &SubjectFile, number: SessionNumber) -> Result<Outcome, SubjectError> {
    let start = file.session(number)?;
    let valves = valves(&start);
    let task = plan::definition(&Sources { root: start.root, files: start.sources });
    let trials = file.trials(number)?;
    let correct = task.and_then(|task| Score::of_all(&task, &trials));
    let water = if valves.is_empty() { None } else { Some(given(&valves, &file.events(number)?)) };
    Ok(Outcome { correct, water })
}

/// The valves of a session whose flow is known, by the source of their events.
fn valves(start: &SessionStart) -> BTreeMap<Source, Flow> {
    let rig = &start.provenance["pilot"]["rig"]["settings"];
    // Another kind of pilot may say nothing of its rig, or say it otherwise.
    let rig: RigConfig = serde_json::from_value(rig.clone()).unwrap_or_default();
    let sources = (0..).map(Source).zip(&start.names.sources);
    let flow = |(source, (kind, name)): (Source, &(SourceKind, String))| {
        let device = name.split('.').next().filter(|_| *kind == SourceKind::Port)?;
        let (_, found) = rig.devices.iter().find(|(name, _)| name.as_str() == device)?;
        Some((source, found.flow?))
    };
    sources.filter_map(flow).collect()
}

/// What flowed while valves were open, in microliters.
fn given(valves: &BTreeMap<Source, Flow>, events: &[Event]) -> f64 {
    let mut open: BTreeMap<Source, Time> = BTreeMap::new();
    let mut given = 0.0;
    for Event { time, source, value, .. } in events.iter().filter(|event| event.kind == Kind::Output) {
        let Some(flow) = valves.get(source) else { continue };
        if *value > 0.0 {
            open.entry(*source).or_insert(*time);
        } else if let Some(since) = open.remove(source) {
            given += flow.volume_of(time.since(since));
        }
    }
    given
}
