//! What a task's ports are on this rig: a task held against a rig's devices.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bramble_task::TaskDefinition;
use bramble_task::definition::{
    Action, Command, Device, DeviceId, DeviceKind, Expression, Handlers, PortId, Reaction, Stage, What,
};
use bramble_value::{Level, Name, Span, Value, ValueType};
use thiserror::Error;

use crate::config::{DeviceConfig, DriverConfig, Flow, Lines, Pin, RigConfig};

/// All ports of a task, and what each of them is on the rig.
#[derive(Debug, Clone, PartialEq)]
pub struct Wiring {
    devices: Vec<Vec<Wire>>,
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
    /// How fast it gives liquid, for a solenoid that was calibrated.
    pub flow: Option<Flow>,
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
    /// Holds `task` against `rig`, which is called `name` in messages.
    ///
    /// # Errors
    /// [`Misfit`] with every device and port that the rig lacks or that is of
    /// another kind, every valve that should give a volume and has no flow, and
    /// every line that two devices claim.
    pub fn new(task: &TaskDefinition, rig: &RigConfig, name: &str) -> Result<Wiring, Misfit> {
        let mut missing = shared_lines(rig);
        let devices = task.devices.iter().enumerate().map(|(place, wanted)| {
            let by_volume = gives_volumes(task, DeviceId(place as u16));
            wires(wanted, by_volume, rig, &mut missing)
        });
        let devices = devices.collect();
        if missing.is_empty() {
            Ok(Wiring { devices })
        } else {
            Err(Misfit { rig: name.to_owned(), missing })
        }
    }

    /// Devices without ports, in this order.
    #[cfg(test)]
    pub(crate) fn of_singles(wires: Vec<Wire>) -> Wiring {
        Wiring { devices: wires.into_iter().map(|wire| vec![wire]).collect() }
    }

    /// What this port of the task is.
    pub fn wire(&self, port: PortId) -> &Wire {
        &self.devices[port.device.index()][usize::from(port.port)]
    }

    /// Every port of the task.
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

fn wires(wanted: &Device, by_volume: bool, rig: &RigConfig, missing: &mut Vec<String>) -> Vec<Wire> {
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
    if by_volume && found.flow.is_none() {
        missing.push(format!(
            "its valve `{name}` gives volumes in this task and was not calibrated: add flow = \"40 uL/s\", \
             as measured, or open it for a duration"
        ));
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
        flow: found.flow,
    }
}

fn joined<'a>(names: impl IntoIterator<Item = &'a Name>) -> String {
    names.into_iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

/// A line belongs to one port of one device.
fn shared_lines(rig: &RigConfig) -> Vec<String> {
    let mut owners: BTreeMap<(DriverConfig, Pin), String> = BTreeMap::new();
    let mut shared = Vec::new();
    for line in rig.lines() {
        let Some(pin) = line.pin else { continue };
        let owner = line.owner.clone();
        if let Some(first) = owners.insert((line.driver, pin), line.owner) {
            shared.push(format!("its pin {pin} is given to both {first} and {owner}: give each its own"));
        }
    }
    shared
}

/// Whether a device is opened for a volume anywhere in the stage tree. What
/// functions return is only known when they run.
fn gives_volumes(task: &TaskDefinition, device: DeviceId) -> bool {
    let is_volume = |amount: &Expression| match amount {
        Expression::Value(value) => matches!(value, Value::Volume(_)),
        Expression::Parameter(one) => task.parameters[one.index()].kind == ValueType::Volume,
        Expression::Column(one) | Expression::Other(one) | Expression::Last(one) => {
            task.columns[one.index()].kind == ValueType::Volume
        }
        _ => false,
    };
    task.stages.iter().flat_map(written_actions).any(|action| {
        matches!(action, Action::Device(to, Command::Open(amount)) if to.device == device && is_volume(amount))
    })
}

fn written_actions(stage: &Stage) -> impl Iterator<Item = &Action> {
    fn of_reaction(reaction: &Reaction) -> &[Action] {
        match reaction {
            Reaction::Actions(actions) => actions,
            Reaction::Function(_) => &[],
        }
    }
    fn of_what(what: &What) -> &[Action] {
        match what {
            What::Response(response) => &response.actions,
            What::Function(_) => &[],
        }
    }
    let handlers = match &stage.on {
        Handlers::Listed(handlers) => handlers.as_slice(),
        Handlers::Function(_) => &[],
    };
    let responses = handlers.iter().map(|one| &one.what).chain(stage.after.iter().map(|(_, what)| what));
    stage
        .during
        .iter()
        .chain(of_reaction(&stage.enter))
        .chain(of_reaction(&stage.leave))
        .chain(responses.flat_map(of_what))
}

#[cfg(test)]
mod tests;
