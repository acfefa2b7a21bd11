//! What a task's ports are on this rig: a task held against a rig's devices.

mod standing;
mod volumes;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use bramble_task::TaskDefinition;
use bramble_task::definition::{Device, DeviceId, DeviceKind, ParameterId, PortId};
use bramble_value::{Level, Name, Span, Value, Volume};
use jiff::Timestamp;
use thiserror::Error;

use crate::calibration::{Calibration, Calibrations, Valve};
use crate::config::{DeviceConfig, DriverConfig, Lines, Pin, RigConfig};
use crate::dose::{Dose, DoseError, Opening};
use standing::Standing;
use volumes::{Amount, given};

/// All ports of a task, and what each of them is on the rig.
#[derive(Debug, Clone, PartialEq)]
pub struct Wiring {
    devices: Vec<Vec<Wire>>,
    /// Which parameters are volumes that are given, and where.
    doses: Vec<(ParameterId, PortId)>,
    /// What stands after the task's devices, as a part of every session.
    standing: Standing,
}

/// One port of a task, on the rig.
#[derive(Debug, Clone, PartialEq)]
pub struct Wire {
    /// The device.
    pub device: Name,
    /// Which of its ports; none for a single device.
    pub port: Option<Name>,
    /// What it is.
    pub kind: DeviceKind,
    /// What drives it.
    pub driver: DriverConfig,
    /// The longest it may be on without a break.
    pub longest_on: Option<Span>,
    /// The level it is brought to when nothing runs.
    pub safe: Level,
    /// What it gives while it is open, for a solenoid of which that is known.
    pub dose: Option<Dose>,
    /// Why its calibration doesn't count, for a solenoid that has such a one.
    pub no_dose: Option<String>,
}

/// Why a task can't run on a rig: everything that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the task can't run on the rig of {rig}:{}", listed(missing))]
pub struct Misfit {
    /// Whose rig.
    pub rig: String,
    /// What is missing, a sentence each.
    pub missing: Vec<String>,
}

fn listed(missing: &[String]) -> String {
    missing.iter().fold(String::new(), |mut text, one| {
        // Writing to a string can't fail.
        let _ = write!(text, "\n- {one}");
        text
    })
}

impl Wiring {
    /// Holds `task` against `rig`, which is called `name` in messages, and its
    /// calibrations as they are `now`.
    ///
    /// # Errors
    /// [`Misfit`] with every device and port that the rig lacks or that is of
    /// another kind, and every valve that should give volumes and for which no
    /// calibration tells how.
    pub fn new(
        task: &TaskDefinition,
        rig: &RigConfig,
        calibrations: &Calibrations,
        now: Timestamp,
        name: &str,
    ) -> Result<Wiring, Misfit> {
        let mut missing = Vec::new();
        let devices = task.devices.iter().map(|wanted| wires(wanted, rig, &mut missing)).collect();
        let mut wiring = Wiring { devices, doses: Vec::new(), standing: Standing::default() };
        if missing.is_empty() {
            wiring.calibrate(task, rig, calibrations, now, &mut missing);
            wiring.stand(rig);
        }
        if missing.is_empty() { Ok(wiring) } else { Err(Misfit { rig: name.to_owned(), missing }) }
    }

    /// Whether its valves can give all that these parameters of the task say.
    ///
    /// # Errors
    /// [`DoseError`] for the first volume that a valve can't give.
    pub fn allow(&self, parameters: &[Value]) -> Result<(), DoseError> {
        let chosen = (0..).map(ParameterId).zip(parameters);
        chosen.into_iter().try_for_each(|(parameter, value)| self.allows(parameter, *value))
    }

    /// Whether its valves can give what this parameter would say.
    ///
    /// # Errors
    /// [`DoseError`] where a valve can't give it.
    pub fn allows(&self, parameter: ParameterId, value: Value) -> Result<(), DoseError> {
        let Value::Volume(volume) = value else { return Ok(()) };
        let mut given = self.doses.iter().filter(|(one, _)| *one == parameter);
        given.try_for_each(|(_, port)| self.wire(*port).opening(volume).map(drop))
    }

    /// The calibrations that it goes by, each once.
    pub fn calibrations(&self) -> Vec<Arc<Calibration>> {
        let doses = self.ports().filter_map(|(_, wire)| wire.dose.as_ref());
        doses.filter_map(|dose| dose.calibration().cloned()).collect()
    }

    /// Gives its valves their doses, and says what is missing of those by which
    /// the task gives volumes.
    fn calibrate(
        &mut self,
        task: &TaskDefinition,
        rig: &RigConfig,
        calibrations: &Calibrations,
        now: Timestamp,
        missing: &mut Vec<String>,
    ) {
        let given = given(task);
        for (device, wires) in self.devices.iter_mut().enumerate() {
            for (port, wire) in wires.iter_mut().enumerate() {
                if wire.kind != DeviceKind::Solenoid || wire.dose.is_some() {
                    continue;
                }
                let port = PortId { device: DeviceId(device as u16), port: port as u16 };
                match newest(wire, rig, calibrations, now) {
                    Some(Ok(calibration)) => wire.dose = Some(Dose::Calibrated(calibration)),
                    Some(Err(why)) => wire.no_dose = Some(why),
                    None => {}
                }
                // What is never given by volume needs no calibration.
                if wire.dose.is_none() && given.iter().any(|(to, _)| *to == port) {
                    missing.push(format!("its valve {}", uncalibrated(wire)));
                }
            }
        }
        for (port, amount) in given {
            match amount {
                Amount::Known(volume) => {
                    let wire = self.wire(port);
                    // That there is no dose was said above.
                    let refused = wire.dose.as_ref().and_then(|_| wire.opening(volume).err());
                    missing.extend(refused.map(|why| format!("its valve {why}")));
                }
                Amount::Parameter(parameter) => self.doses.push((parameter, port)),
                Amount::Later => {}
            }
        }
        missing.dedup();
    }

    /// The wiring of a simulated rig that has just what `task` wants.
    ///
    /// # Errors
    /// [`Misfit`] where no rig could have it.
    pub fn simulated(task: &TaskDefinition) -> Result<Wiring, Misfit> {
        // A simulated valve's flow is known: nothing can be too old.
        let now = Timestamp::UNIX_EPOCH;
        Wiring::new(task, &RigConfig::simulated(task), &Calibrations::default(), now, "this simulation")
    }

    /// Devices without ports, in this order.
    #[cfg(test)]
    pub(crate) fn of_singles(wires: Vec<Wire>) -> Wiring {
        Wiring {
            devices: wires.into_iter().map(|wire| vec![wire]).collect(),
            doses: Vec::new(),
            standing: Standing::default(),
        }
    }

    /// What this port is.
    pub fn wire(&self, port: PortId) -> &Wire {
        &self.devices[port.device.index()][usize::from(port.port)]
    }

    /// Every port of the task, and then those of what stands in every session.
    pub fn ports(&self) -> impl Iterator<Item = (PortId, &Wire)> {
        self.devices.iter().enumerate().flat_map(|(device, wires)| {
            wires.iter().enumerate().map(move |(port, wire)| {
                (PortId { device: DeviceId(device as u16), port: port as u16 }, wire)
            })
        })
    }

    /// The port of this name: `poke` and `left`, or `beam` and none.
    pub fn find(&self, device: &str, port: Option<&str>) -> Option<PortId> {
        self.ports()
            .find(|(_, wire)| wire.device.as_str() == device && wire.port.as_ref().map(Name::as_str) == port)
            .map(|(id, _)| id)
    }
}

impl Wire {
    /// It as a valve that can be calibrated.
    pub fn valve(&self) -> Valve {
        Valve { device: self.device.clone(), port: self.port.clone() }
    }

    /// The opening that gives this much.
    pub(crate) fn opening(&self, volume: Volume) -> Result<Opening, DoseError> {
        let opening = match (&self.dose, &self.no_dose) {
            (Some(dose), _) => dose.opening(volume)?,
            (None, Some(why)) => return Err(DoseError::Unusable(why.clone())),
            (None, None) => return Err(DoseError::Uncalibrated { valve: self.valve() }),
        };
        match self.longest_on {
            Some(longest) if opening.length > longest => {
                Err(DoseError::TooLong { valve: self.valve(), volume, open: opening.length, longest })
            }
            _ => Ok(opening),
        }
    }

    /// Whether it is something that is written, rather than read.
    pub fn is_output(&self) -> bool {
        !matches!(self.kind, DeviceKind::DigitalInput | DeviceKind::AnalogInput | DeviceKind::Encoder)
    }

    /// The child it belongs to, if to one.
    pub fn child(&self) -> Option<&Name> {
        self.driver.child()
    }
}

impl std::fmt::Display for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.port {
            Some(port) => write!(f, "{}.{port}", self.device),
            None => self.device.fmt(f),
        }
    }
}

fn wires(wanted: &Device, rig: &RigConfig, missing: &mut Vec<String>) -> Vec<Wire> {
    let name = &wanted.name;
    let Some(found) = rig.devices.get(name) else {
        let has: Vec<&str> = rig.devices.keys().map(Name::as_str).collect();
        let has = if has.is_empty() { "no devices".to_owned() } else { has.join(", ") };
        missing.push(format!("it has no {} `{name}`; it has {has}", wanted.kind.word()));
        return Vec::new();
    };
    let before = missing.len();
    let dimmable = (wanted.kind, found.kind) == (DeviceKind::DigitalOutput, DeviceKind::LevelOutput);
    if found.kind != wanted.kind && !dimmable {
        let (is, wants) = (found.kind.word(), wanted.kind.word());
        missing.push(format!("its `{name}` is of kind {is}, and the task wants {wants}"));
    }
    if !wanted.unit.is_empty() && !found.unit.is_empty() && wanted.unit != found.unit {
        let (is, wants) = (&found.unit, &wanted.unit);
        missing.push(format!("its `{name}` measures in {is}, and the task in {wants}"));
    }
    if found.driver.child().is_some()
        && matches!(found.kind, DeviceKind::Display | DeviceKind::Sound | DeviceKind::Camera)
    {
        missing.push(format!("its `{name}` is on a child, and a {} can't be", found.kind.word()));
    }
    let ports = match (&found.lines, wanted.ports.is_empty()) {
        (Lines::Single(_) | Lines::Quadrature { .. }, true) => vec![None],
        (Lines::Ports(ports), false) => wanted_ports(wanted, ports, missing),
        (Lines::Single(_) | Lines::Quadrature { .. }, false) => {
            missing.push(format!("its `{name}` has no ports, and the task wants {}", joined(&wanted.ports)));
            Vec::new()
        }
        (Lines::Ports(ports), true) => {
            let has = joined(ports.keys());
            missing.push(format!(
                "its `{name}` has ports ({has}), and the task has one `{name}` without: say \
                 hardware({}, ports = [...])",
                wanted.kind.word()
            ));
            Vec::new()
        }
    };
    if missing.len() > before {
        return Vec::new();
    }
    ports.into_iter().map(|port| wire(name, found, port)).collect()
}

/// The newest calibration of a valve, if it has any, or why that doesn't count:
/// a sentence that begins with the valve.
fn newest(
    wire: &Wire,
    rig: &RigConfig,
    calibrations: &Calibrations,
    now: Timestamp,
) -> Option<Result<Arc<Calibration>, String>> {
    let valve = wire.valve();
    let calibration = match calibrations.of(&valve)? {
        Ok(calibration) => calibration,
        Err(why) => return Some(Err(format!("`{valve}` has no calibration that can be used: {why}"))),
    };
    if calibration.is_simulated() && wire.driver.is_real() {
        return Some(Err(format!(
            "`{valve}` was simulated when its newest calibration was made, which says nothing of a real one: \
             run `{}`",
            valve.command()
        )));
    }
    let age = calibration.age(now);
    if age > rig.calibration_age {
        let (days, allowed) = (days(age), days(rig.calibration_age));
        return Some(Err(format!(
            "`{valve}` was calibrated {days:.0} days ago, and the rig's `calibration_age` is {allowed} d: run `{}`",
            valve.command()
        )));
    }
    Some(Ok(calibration.clone()))
}

/// What to do about a valve that should give volumes, of which it isn't known how.
fn uncalibrated(wire: &Wire) -> String {
    let valve = wire.valve();
    let run = format!("run `{}`", valve.command());
    let flow = format!("add flow = \"40 uL/s\" to `{}`", wire.device);
    let help = match (&wire.no_dose, &wire.driver) {
        (Some(why), _) => return why.clone(),
        (None, DriverConfig::Simulated) => flow,
        (None, DriverConfig::Child(_)) => format!("{run}, or {flow} where the child only simulates it"),
        (None, _) => run,
    };
    format!("`{valve}` gives volumes in this task and is not calibrated: {help}, or open it for a duration")
}

fn days(span: Span) -> f64 {
    span.seconds() / (24.0 * 3600.0)
}

fn wanted_ports(
    wanted: &Device,
    ports: &BTreeMap<Name, Pin>,
    missing: &mut Vec<String>,
) -> Vec<Option<Name>> {
    for port in wanted.ports.iter().filter(|port| !ports.contains_key(*port)) {
        missing.push(format!(
            "it has no port `{port}` of `{}`; it has {}",
            wanted.name,
            joined(ports.keys())
        ));
    }
    wanted.ports.iter().cloned().map(Some).collect()
}

fn wire(device: &Name, found: &DeviceConfig, port: Option<Name>) -> Wire {
    Wire {
        device: device.clone(),
        port,
        kind: found.kind,
        driver: found.driver.clone(),
        longest_on: found.longest_on,
        safe: found.safe,
        dose: found.flow.map(Dose::Flow),
        no_dose: None,
    }
}

fn joined<'a>(names: impl IntoIterator<Item = &'a Name>) -> String {
    names.into_iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
