//! The `[rig]` part of a configuration file: what devices there are, what drives
//! them, and what must never happen to them.

mod quantity;

use std::collections::BTreeMap;

use bramble_task::definition::{Device, DeviceKind, TaskDefinition};
use bramble_value::{Level, Name, Span};
use serde::{Deserialize, Serialize};

pub use quantity::Flow;

/// The devices of one machine.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RigConfig {
    /// The devices, by name.
    #[serde(default)]
    pub devices: BTreeMap<Name, DeviceConfig>,
}

/// One device, or a group of like devices told apart by their ports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenDevice", into = "WrittenDevice")]
pub struct DeviceConfig {
    /// What it is.
    pub kind: DeviceKind,
    /// What drives it.
    pub driver: DriverConfig,
    /// Where it is connected.
    pub lines: Lines,
    /// The longest it may be on without a break, whatever a task says.
    pub longest_on: Option<Span>,
    /// The level it is brought to when nothing is running, and when anything fails.
    pub safe: Level,
    /// How fast an open solenoid gives liquid.
    pub flow: Option<Flow>,
    /// The unit of what it measures, for an encoder or an analog input; or empty.
    pub unit: String,
}

/// What drives a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriverConfig {
    /// Nothing real: lines in memory, and a simulated animal.
    Simulated,
    /// Another process, by its name.
    Child(Name),
}

/// Where a device is connected: a line number where its driver has such, for a
/// single device or for each port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lines {
    /// A single device.
    Single(Option<u32>),
    /// A group, by port.
    Ports(BTreeMap<Name, u32>),
}

impl DeviceConfig {
    /// The names of its ports; none for a single device.
    pub fn ports(&self) -> Vec<Name> {
        match &self.lines {
            Lines::Single(_) => Vec::new(),
            Lines::Ports(ports) => ports.keys().cloned().collect(),
        }
    }
}

impl std::fmt::Display for DriverConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DriverConfig::Simulated => f.write_str("simulated"),
            DriverConfig::Child(child) => write!(f, "child {child}"),
        }
    }
}

impl RigConfig {
    /// A simulated rig with exactly the devices that a task wants, for trying it
    /// where no rig was described.
    pub fn simulated(task: &TaskDefinition) -> RigConfig {
        let mut free_lines = 0..;
        let mut device = |device: &Device| DeviceConfig {
            kind: device.kind,
            driver: DriverConfig::Simulated,
            lines: if device.ports.is_empty() {
                Lines::Single(None)
            } else {
                Lines::Ports(device.ports.iter().cloned().zip(&mut free_lines).collect())
            },
            longest_on: None,
            safe: Level::default(),
            flow: (device.kind == DeviceKind::Solenoid).then_some(Flow::TYPICAL),
            unit: device.unit.clone(),
        };
        RigConfig { devices: task.devices.iter().map(|one| (one.name.clone(), device(one))).collect() }
    }
}

/// A device as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDevice {
    kind: DeviceKind,
    driver: WrittenDriver,
    #[serde(skip_serializing_if = "Option::is_none")]
    child: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ports: Option<BTreeMap<Name, u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    longest_on: Option<quantity::Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    safe: Option<quantity::Written<Level>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<quantity::Written<Flow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenDriver {
    Simulated,
    Child,
}

impl TryFrom<WrittenDevice> for DeviceConfig {
    type Error = String;

    fn try_from(written: WrittenDevice) -> Result<DeviceConfig, String> {
        let kind = written.kind;
        let word = kind.word();
        let output =
            matches!(kind, DeviceKind::DigitalOutput | DeviceKind::LevelOutput | DeviceKind::Solenoid);
        let measures = matches!(kind, DeviceKind::Encoder | DeviceKind::AnalogInput);
        for (is_there, allowed, what, who) in [
            (written.longest_on.is_some(), output, "longest_on", "an output"),
            (written.safe.is_some(), output, "safe", "an output"),
            (written.flow.is_some(), kind == DeviceKind::Solenoid, "flow", "a solenoid"),
            (written.unit.is_some(), measures, "unit", "an encoder or an analog input"),
        ] {
            if is_there && !allowed {
                return Err(format!("`{what}` is for {who}, and this is a {word}: leave it out"));
            }
        }
        let driver = match (written.driver, written.child) {
            (WrittenDriver::Simulated, None) => DriverConfig::Simulated,
            (WrittenDriver::Child, Some(child)) => DriverConfig::Child(child),
            (WrittenDriver::Child, None) => {
                return Err("driver = \"child\" needs the child's name: child = \"wheel-child\"".into());
            }
            (_, Some(_)) => return Err("`child` goes with driver = \"child\"".into()),
        };
        let lines = match (written.line, written.ports) {
            (Some(_), Some(_)) => {
                return Err("give `line` (one device) or `ports` (a group), not both".into());
            }
            (_, Some(ports)) if ports.is_empty() => {
                return Err("`ports` is empty: name a port, or leave it out for a single device".into());
            }
            (_, Some(ports)) => Lines::Ports(ports),
            (line, None) => Lines::Single(line),
        };
        let safe = written.safe.map(|safe| safe.0).unwrap_or_default();
        if safe.share() > 0.0 && written.longest_on.is_some() {
            return Err("an output that is on when safe can't have a `longest_on`".into());
        }
        Ok(DeviceConfig {
            kind,
            driver,
            lines,
            longest_on: written.longest_on.map(|span| span.0),
            safe,
            flow: written.flow.map(|flow| flow.0),
            unit: written.unit.unwrap_or_default(),
        })
    }
}

impl From<DeviceConfig> for WrittenDevice {
    fn from(device: DeviceConfig) -> WrittenDevice {
        let (driver, child) = match device.driver {
            DriverConfig::Simulated => (WrittenDriver::Simulated, None),
            DriverConfig::Child(child) => (WrittenDriver::Child, Some(child)),
        };
        let (line, ports) = match device.lines {
            Lines::Single(line) => (line, None),
            Lines::Ports(ports) => (None, Some(ports)),
        };
        WrittenDevice {
            kind: device.kind,
            driver,
            child,
            line,
            ports,
            longest_on: device.longest_on.map(quantity::Written),
            safe: (device.safe != Level::default()).then_some(quantity::Written(device.safe)),
            flow: device.flow.map(quantity::Written),
            unit: (!device.unit.is_empty()).then_some(device.unit),
        }
    }
}

#[cfg(test)]
mod tests;
