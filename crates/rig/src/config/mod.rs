//! The `[rig]` part of a configuration file: what devices there are, what drives
//! them, and what must never happen to them.

pub mod board;
mod check;
mod lines;
mod pin;
mod quantity;
mod read;
mod written;

use std::collections::BTreeMap;

use bramble_task::definition::{Device, DeviceKind, TaskDefinition};
use bramble_value::{Frequency, Level, Name, Span};
use serde::{Deserialize, Serialize};

use crate::sync::SyncPattern;
pub(crate) use board::header_chips;
pub(crate) use lines::{SYNC, SYNC_INPUT};
pub use pin::{Active, Pin, Pull};
pub(crate) use quantity::Written;
pub use quantity::{Age, Flow};
pub use written::WrittenRig;

/// The devices of one machine, and how they are looked after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenRig", into = "WrittenRig")]
pub struct RigConfig {
    /// The devices, by name.
    pub devices: BTreeMap<Name, DeviceConfig>,
    /// A line that tells other recordings what time it is here.
    pub sync: Option<SyncOutput>,
    /// A line on which another recording tells its time.
    pub sync_input: Option<SyncInput>,
    /// How long the loop may give no sign of life before the outputs are made safe.
    pub watchdog: Span,
    /// The processor core that the loop has for itself, if one was set aside.
    pub core: Option<usize>,
    /// How old the calibration of a valve may be.
    pub calibration_age: Span,
}

/// One device, or a group of like devices told apart by their ports.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceConfig {
    /// What it is.
    pub kind: DeviceKind,
    /// What drives it.
    pub driver: DriverConfig,
    /// Where it is connected.
    pub lines: Lines,
    /// Which level is on.
    pub active: Active,
    /// What holds its lines while nothing drives them, for an input.
    pub pull: Pull,
    /// How long a level of an input must last to count.
    pub debounce: Option<Span>,
    /// The level it is brought to when nothing is running, and when anything fails.
    pub safe: Level,
    /// The longest it may be on without a break, whatever a task says.
    pub longest_on: Option<Span>,
    /// How often a level output that is neither off nor fully on switches.
    pub frequency: Option<Frequency>,
    /// An encoder's counts (four for each period of its lines) in one of its
    /// unit; negative where it counts the wrong way round.
    pub counts_per_unit: Option<f64>,
    /// The unit of what it measures, for an encoder or an analog input; or empty.
    pub unit: String,
    /// How fast a simulated valve gives liquid; a real one is calibrated.
    pub flow: Option<Flow>,
}

/// What drives a device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DriverConfig {
    /// Nothing real: lines in memory, and a simulated animal.
    Simulated,
    /// The kernel's GPIO character device, on any Linux board.
    Gpiocdev {
        /// The chip: `gpiochip0`, `/dev/gpiochip0`, or its label, `pinctrl-bcm2711`.
        chip: String,
    },
    /// A Raspberry Pi's own registers; outputs only.
    Rppal,
    /// Another process, by its name.
    Child(Name),
}

/// Where a device is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lines {
    /// A single device: its pin, where its driver has such.
    Single(Option<Pin>),
    /// A group, by port.
    Ports(BTreeMap<Name, Pin>),
    /// The two lines of an encoder.
    Quadrature {
        /// The one that leads where the position grows.
        a: Pin,
        /// The one that follows.
        b: Pin,
    },
}

/// A line that tells other recordings what time it is here.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncOutput {
    /// What drives it.
    pub driver: DriverConfig,
    /// Where it is connected, where its driver has such.
    pub pin: Option<Pin>,
    /// Which level is on.
    pub active: Active,
    /// What it says.
    pub pattern: SyncPattern,
}

/// A line on which another recording tells its time.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncInput {
    /// What drives it.
    pub driver: DriverConfig,
    /// Where it is connected, where its driver has such.
    pub pin: Option<Pin>,
    /// Which level is on.
    pub active: Active,
    /// What holds it while nothing drives it.
    pub pull: Pull,
    /// How long a level must last to count.
    pub debounce: Option<Span>,
}

impl DriverConfig {
    /// Whether it drives pins that something is connected to.
    pub fn is_real(&self) -> bool {
        matches!(self, DriverConfig::Gpiocdev { .. } | DriverConfig::Rppal)
    }

    /// The child it stands for, if for one.
    pub fn child(&self) -> Option<&Name> {
        match self {
            DriverConfig::Child(child) => Some(child),
            _ => None,
        }
    }
}

impl std::fmt::Display for DriverConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DriverConfig::Simulated => f.write_str("simulated"),
            DriverConfig::Gpiocdev { chip } => write!(f, "gpiocdev {chip}"),
            DriverConfig::Rppal => f.write_str("rppal"),
            DriverConfig::Child(child) => write!(f, "child {child}"),
        }
    }
}

impl DeviceConfig {
    /// A device of this kind and driver, otherwise as a file that says no more
    /// would have it.
    pub fn new(kind: DeviceKind, driver: DriverConfig, lines: Lines) -> DeviceConfig {
        DeviceConfig {
            kind,
            driver,
            lines,
            active: Active::default(),
            pull: Pull::default(),
            debounce: None,
            safe: Level::default(),
            longest_on: None,
            frequency: None,
            counts_per_unit: None,
            unit: String::new(),
            flow: None,
        }
    }

    /// The names of its ports; none for a single device.
    pub fn ports(&self) -> Vec<Name> {
        match &self.lines {
            Lines::Single(_) | Lines::Quadrature { .. } => Vec::new(),
            Lines::Ports(ports) => ports.keys().cloned().collect(),
        }
    }
}

impl Default for RigConfig {
    fn default() -> RigConfig {
        RigConfig {
            devices: BTreeMap::new(),
            sync: None,
            sync_input: None,
            watchdog: RigConfig::WATCHDOG,
            core: None,
            calibration_age: RigConfig::CALIBRATION_AGE,
        }
    }
}

impl RigConfig {
    /// How long the loop may give no sign of life, where a file doesn't say.
    pub const WATCHDOG: Span = Span::from_ms(250);
    /// How old a calibration may be, where a file doesn't say: 60 days.
    pub const CALIBRATION_AGE: Span = Span::from_s(60 * 24 * 3600);

    /// Whether anything in it is real: sessions then run in real time, without a
    /// simulated animal.
    pub fn is_real(&self) -> bool {
        let devices = self.devices.values().map(|device| &device.driver);
        let sync = self.sync.iter().map(|sync| &sync.driver);
        let sync_input = self.sync_input.iter().map(|sync| &sync.driver);
        devices.chain(sync).chain(sync_input).any(DriverConfig::is_real)
    }

    /// A simulated rig with exactly the devices that a task wants, for trying it
    /// where no rig was described.
    pub fn simulated(task: &TaskDefinition) -> RigConfig {
        let mut free = (0..).map(Pin::new);
        let mut device = |device: &Device| {
            let lines = if device.ports.is_empty() {
                Lines::Single(None)
            } else {
                Lines::Ports(device.ports.iter().cloned().zip(&mut free).collect())
            };
            DeviceConfig {
                flow: (device.kind == DeviceKind::Solenoid).then_some(Flow::TYPICAL),
                unit: device.unit.clone(),
                ..DeviceConfig::new(device.kind, DriverConfig::Simulated, lines)
            }
        };
        let devices = task.devices.iter().map(|one| (one.name.clone(), device(one))).collect();
        RigConfig { devices, ..RigConfig::default() }
    }
}

#[cfg(test)]
mod tests;
