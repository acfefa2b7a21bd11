//! What came of a session, from what its file says alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use bramble_rig::calibration::Calibration;
use bramble_rig::{Dose, RigConfig, WaterMeter};
use bramble_subject::{SessionNumber, SubjectError, SubjectFile};
use bramble_value::{Names, Source, SourceKind, Sources};

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
    let mut meter = meter(&start.provenance["pilot"], &start.names);
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
fn meter(pilot: &serde_json::Value, names: &Names) -> WaterMeter {
    // Another kind of pilot may say nothing of its rig, or say it otherwise.
    let rig: RigConfig = serde_json::from_value(pilot["rig"]["settings"].clone()).unwrap_or_default();
    let calibrations: Vec<Calibration> =
        serde_json::from_value(pilot["calibrations"].clone()).unwrap_or_default();
    let calibrations: BTreeMap<String, Arc<Calibration>> =
        calibrations.into_iter().map(|one| (one.valve().to_string(), Arc::new(one))).collect();
    let sources = (0..).map(Source).zip(&names.sources);
    let dose = |(source, (kind, name)): (Source, &(SourceKind, String))| {
        let device = name.split('.').next().filter(|_| *kind == SourceKind::Port)?;
        let calibrated = calibrations.get(name).cloned().map(Dose::Calibrated);
        let flow = || rig.devices.iter().find(|(name, _)| name.as_str() == device)?.1.flow.map(Dose::Flow);
        Some((source, calibrated.or_else(flow)?))
    };
    sources.filter_map(dose).collect()
}

#[cfg(test)]
mod tests {
    use bramble_rig::calibration::{Point, Valve};
    use bramble_value::{Event, Kind, Span, Time};
    use serde_json::json;

    use super::*;

    #[test]
    fn the_water_of_a_session_is_told_by_the_calibrations_that_it_went_by() {
        let valve = Valve { device: "valve".parse().unwrap(), port: Some("left".parse().unwrap()) };
        // 50 uL/s, and 1 uL less each time.
        let point = |ms, microliters| Point { open: Span::from_ms(ms), pulses: 1000, grams: microliters };
        let points = vec![point(40, 1.0), point(100, 4.0)];
        let calibration =
            Calibration::new(valve, "2026-03-01T00:00:00Z".parse().unwrap(), 1.0, points).unwrap();
        let simulated = json!({ "kind": "solenoid", "driver": "simulated", "flow": "40 uL/s" });
        let pilot = json!({
            "rig": { "settings": { "devices": { "spout": simulated } } },
            "calibrations": [calibration],
        });
        let source = |kind, name: &str| (kind, name.to_owned());
        let names = Names {
            sources: vec![
                source(SourceKind::Session, "session"),
                source(SourceKind::Port, "valve.left"),
                source(SourceKind::Port, "spout"),
                source(SourceKind::Port, "valve.right"),
            ],
        };
        let mut meter = meter(&pilot, &names);
        for (valve, ms) in [(1, 100), (2, 200), (3, 300)] {
            for (ms, value) in [(0, 1.0), (ms, 0.0)] {
                let time = Time::from_ns(ms * 1_000_000);
                meter.note(&Event { time, trial: 1, kind: Kind::Output, source: Source(valve), value });
            }
        }
        // 4 uL of the calibrated valve, 8 uL of the simulated, and nothing is
        // known of the third.
        assert!((meter.microliters() - 12.0).abs() < 1e-6, "{}", meter.microliters());
    }
}
