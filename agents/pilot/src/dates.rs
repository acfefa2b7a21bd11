//! How old the calibrations of the rig's valves are, as the terminal is told.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bramble_message::{Calibrated, PilotInPassing, PortName};
use bramble_rig::RigConfig;
use bramble_rig::calibration::{Calibrations, Valve};
use bramble_task::definition::DeviceKind;
use bramble_value::Span;

/// How often they are told, and looked at: one may be made by hand at any time.
const EVERY: Duration = Duration::from_secs(60);

/// The calibrations that sessions on this rig go by.
#[derive(Debug)]
pub(crate) struct Dates {
    folder: PathBuf,
    valves: Vec<PortName>,
    age: Span,
    next: Instant,
}

impl Dates {
    /// Of the valves of this rig that aren't simulated, whose calibrations are in this folder.
    pub(crate) fn new(rig: &RigConfig, folder: PathBuf) -> Dates {
        let real = rig.devices.iter().filter(|(_, device)| {
            let real = device.driver.is_real() || device.driver.child().is_some();
            device.kind == DeviceKind::Solenoid && real && device.flow.is_none()
        });
        let valves = real.flat_map(|(name, device)| {
            let ports = device.ports();
            let none = ports.is_empty().then_some(None);
            let ports = none.into_iter().chain(ports.into_iter().map(Some));
            ports.map(move |port| PortName { device: name.clone(), port })
        });
        Dates { folder, valves: valves.collect(), age: rig.calibration_age, next: Instant::now() }
    }

    /// They are told at the next occasion: the terminal doesn't know them, or there may be another.
    pub(crate) fn again(&mut self) {
        self.next = Instant::now();
    }

    /// What the terminal is told now, where it is time to. Some small files are read.
    pub(crate) fn due(&mut self) -> Option<PilotInPassing> {
        if Instant::now() < self.next {
            return None;
        }
        self.next = Instant::now() + EVERY;
        // Of a folder that can't be read nothing is said; a session says why when it starts.
        let calibrations = match self.valves.is_empty() {
            true => Calibrations::default(),
            false => Calibrations::read(&self.folder).ok()?,
        };
        Some(PilotInPassing::Calibrated(self.of(&calibrations)))
    }

    fn of(&self, calibrations: &Calibrations) -> Vec<Calibrated> {
        let date = |valve: &PortName| {
            let PortName { device, port } = valve.clone();
            let calibration = calibrations.of(&Valve { device, port })?.as_ref().ok()?;
            (!calibration.is_simulated()).then(|| Calibrated {
                valve: valve.clone(),
                made_unix_s: calibration.made().as_second(),
                age: self.age,
            })
        };
        self.valves.iter().filter_map(date).collect()
    }
}

#[cfg(test)]
mod tests {
    use bramble_rig::calibration::{Calibration, Point, WATER};

    use super::*;

    #[test]
    fn the_calibrations_of_real_valves_are_told_with_their_dates() {
        let rig: RigConfig = serde_json::from_value(serde_json::json!({
            "calibration_age": "14 d",
            "devices": {
                "valve": { "kind": "solenoid", "driver": "gpiocdev", "ports": { "left": 17, "right": 27 }, "longest_on": "1 s" },
                "spout": { "kind": "solenoid", "driver": "simulated" },
            },
        }))
        .unwrap();
        let port =
            |port: &str| PortName { device: "valve".parse().unwrap(), port: Some(port.parse().unwrap()) };
        let dates = Dates::new(&rig, PathBuf::new());
        assert_eq!(dates.valves, [port("left"), port("right")]);
        let of = |valve: PortName, made: &str| {
            let PortName { device, port } = valve;
            let point = |ms, grams| Point { open: Span::from_ms(ms), pulses: 100, grams };
            let points = vec![point(20, 0.1), point(60, 0.3)];
            Calibration::new(Valve { device, port }, made.parse().unwrap(), WATER, points).unwrap()
        };
        let left = of(port("left"), "2026-03-01T00:00:00Z");
        let right = of(port("right"), "2026-03-02T00:00:00Z").of_simulated();
        let told = dates.of(&[left, right].into_iter().collect());
        let age = Span::from_s(14 * 24 * 3600);
        assert_eq!(told, [Calibrated { valve: port("left"), made_unix_s: 1_772_323_200, age }]);
    }
}
