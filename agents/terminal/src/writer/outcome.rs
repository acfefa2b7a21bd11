//! What came of a session, from what its file says alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use bramble_rig::calibration::Calibration;
use bramble_rig::{Dose, RigConfig, WaterMeter};
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

/// Measures the valves of a session, as they were calibrated then; a simulated
/// one gives what its rig says.
fn meter(start: &SessionStart) -> WaterMeter {
    let pilot = &start.provenance["pilot"];
    // Another kind of pilot may say nothing of its rig, or say it otherwise.
    let rig: RigConfig = serde_json::from_value(pilot["rig"]["settings"].clone()).unwrap_or_default();
    let calibrations: Vec<Calibration> =
        serde_json::from_value(pilot["calibrations"].clone()).unwrap_or_default();
    let calibrations: BTreeMap<String, Arc<Calibration>> =
        calibrations.into_iter().map(|one| (one.valve().to_string(), Arc::new(one))).collect();
    let sources = (0..).map(Source).zip(&start.names.sources);
    let dose = |(source, (kind, name)): (Source, &(SourceKind, String))| {
        let device = name.split('.').next().filter(|_| *kind == SourceKind::Port)?;
        let calibrated = calibrations.get(name).cloned().map(Dose::Calibrated);
        let flow = || rig.devices.iter().find(|(name, _)| name.as_str() == device)?.1.flow.map(Dose::Flow);
        Some((source, calibrated.or_else(flow)?))
    };
    sources.filter_map(dose).collect()
}
