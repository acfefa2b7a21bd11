//! What came of a session, from what its file says alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bramble_rig::calibration::Calibration;
use bramble_rig::{Dose, RigConfig, WaterMeter};
use bramble_subject::{SessionNumber, SubjectError, SubjectFile};
use bramble_task::definition::DeviceKind;
use bramble_value::{Event, Kind, Names, Source, SourceKind, Sources};

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
    let valves = Valves::of(&start.provenance["pilot"], &start.names);
    let task = plan::definition(&Sources { root: start.root, files: start.sources });
    let trials = file.trials(number)?;
    let correct = task.and_then(|task| Score::of_all(&task, &trials));
    let water = match valves {
        // What no valve gives needs no look at the events.
        Some(valves) if valves.is_empty() => Some(0.0),
        Some(valves) => valves.gave(&file.events(number)?),
        None => None,
    };
    Ok(Outcome { correct, water })
}

/// The valves of a session.
struct Valves {
    /// As they were calibrated then; a simulated one gives what its rig says.
    known: WaterMeter,
    /// Of these it isn't known how much they give.
    unknown: BTreeSet<Source>,
}

impl Valves {
    /// The valves of a session; `None` where its pilot, which may be of another kind, doesn't
    /// say what its rig has.
    fn of(pilot: &serde_json::Value, names: &Names) -> Option<Valves> {
        let rig: RigConfig = serde_json::from_value(pilot["rig"]["settings"].clone()).ok()?;
        let calibrations: Vec<Calibration> =
            serde_json::from_value(pilot["calibrations"].clone()).unwrap_or_default();
        let calibrations: BTreeMap<String, Arc<Calibration>> =
            calibrations.into_iter().map(|one| (one.valve().to_string(), Arc::new(one))).collect();
        let mut valves = Valves { known: WaterMeter::default(), unknown: BTreeSet::new() };
        for (source, (kind, name)) in (0..).map(Source).zip(&names.sources) {
            let device = name.split('.').next().filter(|_| *kind == SourceKind::Port);
            let device = rig.devices.iter().find(|(name, _)| Some(name.as_str()) == device);
            let device =
                device.map(|(_, device)| device).filter(|device| device.kind == DeviceKind::Solenoid);
            let calibrated = calibrations.get(name).cloned().map(Dose::Calibrated);
            match (calibrated.or_else(|| device?.flow.map(Dose::Flow)), device) {
                (Some(dose), _) => valves.known.measure(source, dose),
                (None, Some(_)) => drop(valves.unknown.insert(source)),
                (None, None) => {}
            }
        }
        Some(valves)
    }

    fn is_empty(&self) -> bool {
        self.known.is_empty() && self.unknown.is_empty()
    }

    /// How much they gave, in microliters; `None` where one opened that gives nobody knows how
    /// much.
    fn gave(mut self, events: &[Event]) -> Option<f64> {
        for event in events {
            if event.kind == Kind::Output && event.value > 0.0 && self.unknown.contains(&event.source) {
                return None;
            }
            self.known.note(event);
        }
        Some(self.known.microliters())
    }
}

#[cfg(test)]
mod tests {
    use bramble_rig::calibration::{Point, Valve};
    use bramble_value::{Span, Time};
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
        let real = json!({ "kind": "solenoid", "driver": "simulated", "ports": { "left": 3, "right": 4 } });
        let lamp = json!({ "kind": "digital_output", "driver": "simulated" });
        let pilot = json!({
            "rig": { "settings": { "devices": { "spout": simulated, "valve": real, "lamp": lamp } } },
            "calibrations": [calibration],
        });
        let source = |kind, name: &str| (kind, name.to_owned());
        let names = Names {
            sources: vec![
                source(SourceKind::Session, "session"),
                source(SourceKind::Port, "valve.left"),
                source(SourceKind::Port, "spout"),
                source(SourceKind::Port, "valve.right"),
                source(SourceKind::Port, "lamp"),
            ],
        };
        let opened = |valves: &[(u16, i64)]| -> Vec<Event> {
            let both = valves.iter().flat_map(|(valve, ms)| [(*valve, 0, 1.0), (*valve, *ms, 0.0)]);
            let event = |(valve, ms, value)| {
                let (time, source) = (Time::from_ns(ms * 1_000_000), Source(valve));
                Event { time, trial: 1, kind: Kind::Output, source, value }
            };
            both.map(event).collect()
        };
        let gave = |valves: &[(u16, i64)]| Valves::of(&pilot, &names).unwrap().gave(&opened(valves));
        // 4 uL of the calibrated valve, 8 uL of the simulated.
        let known = gave(&[(1, 100), (2, 200), (4, 300)]).unwrap();
        assert!((known - 12.0).abs() < 1e-6, "{known}");
        // What the third valve gives is not known, nor is the sum then.
        assert_eq!(gave(&[(1, 100), (3, 300)]), None);
        assert_eq!(gave(&[]), Some(0.0));
    }

    #[test]
    fn a_session_without_a_valve_gave_nothing_and_one_of_an_unknown_rig_nobody_knows_what() {
        let names = Names { sources: vec![(SourceKind::Port, "lamp".to_owned())] };
        let rig = json!({ "rig": { "settings": { "devices": { "lamp": {
            "kind": "digital_output", "driver": "simulated",
        } } } } });
        assert!(Valves::of(&rig, &names).unwrap().is_empty());
        assert!(Valves::of(&json!(null), &names).is_none());
    }
}
