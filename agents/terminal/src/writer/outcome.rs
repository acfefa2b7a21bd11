//! What came of a session, from what its file says alone.

use bramble_rig::{RigConfig, WaterMeter};
use bramble_subject::{SessionNumber, SessionStart, SubjectError, SubjectFile};
use bramble_value::{Source, SourceKind, Sources};

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
    let mut meter = meter(&start);
    let task = plan::definition(&Sources { root: start.root, files: start.sources });
    let trials = file.trials(number)?;
    let correct = task.and_then(|task| Score::of_all(&task, &trials));
    if meter.is_empty() {
        return Ok(Outcome { correct, water: None });
    }
    file.events(number)?.iter().for_each(|event| meter.note(event));
    Ok(Outcome { correct, water: Some(meter.microliters()) })
}

/// Measures the valves of a session whose flow is known.
fn meter(start: &SessionStart) -> WaterMeter {
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
