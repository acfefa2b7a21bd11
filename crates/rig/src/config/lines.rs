//! The lines that a rig's drivers set up.

use bramble_task::definition::DeviceKind;
use bramble_value::{Frequency, Level, Name};

use super::{Active, DeviceConfig, DriverConfig, Lines, Pin, RigConfig, SyncInput, SyncOutput};
use crate::driver::{LineSpec, Purpose};

/// What the line of the sync output is called.
pub(crate) const SYNC: &str = "sync";
/// What the line of the sync input is called.
pub(crate) const SYNC_INPUT: &str = "sync_input";

/// How often a level output switches where a file doesn't say: too fast for
/// any animal's eye, and no burden to the loop.
fn usual_frequency() -> Option<Frequency> {
    Frequency::from_hertz(200.0)
}

impl RigConfig {
    /// Every line that this machine's drivers set up: those of the devices by
    /// name and port, then the sync output's and the sync input's. What a child
    /// drives is not among them, nor what has no lines.
    pub fn lines(&self) -> Vec<LineSpec> {
        let devices = self.devices.iter().flat_map(|(name, device)| device.line_specs(name));
        let sync = self.sync.iter().map(SyncOutput::line_spec);
        let sync_input = self.sync_input.iter().map(SyncInput::line_spec);
        devices.chain(sync).chain(sync_input).collect()
    }
}

impl DeviceConfig {
    fn line_specs(&self, name: &Name) -> Vec<LineSpec> {
        if self.driver.child().is_some() {
            return Vec::new();
        }
        let purpose = match self.kind {
            DeviceKind::DigitalInput | DeviceKind::Encoder => {
                Purpose::Input { pull: self.pull, debounce: self.debounce }
            }
            DeviceKind::DigitalOutput | DeviceKind::Solenoid => {
                Purpose::Output { safe: self.safe, frequency: None }
            }
            DeviceKind::LevelOutput => {
                Purpose::Output { safe: self.safe, frequency: self.frequency.or(usual_frequency()) }
            }
            DeviceKind::AnalogInput | DeviceKind::Display | DeviceKind::Sound | DeviceKind::Camera => {
                return Vec::new();
            }
        };
        let line = |owner: String, port: Option<Name>, pin: Option<Pin>| LineSpec {
            owner,
            device: name.clone(),
            port,
            driver: self.driver.clone(),
            pin,
            active: self.active,
            purpose: purpose.clone(),
        };
        let pair = |a, b| vec![line(format!("{name} a"), None, a), line(format!("{name} b"), None, b)];
        match &self.lines {
            Lines::Single(None) if self.kind == DeviceKind::Encoder => pair(None, None),
            Lines::Single(pin) => vec![line(name.to_string(), None, *pin)],
            Lines::Quadrature { a, b } => pair(Some(*a), Some(*b)),
            Lines::Ports(ports) => {
                let port = |(port, pin): (&Name, &Pin)| {
                    line(format!("{name}.{port}"), Some(port.clone()), Some(*pin))
                };
                ports.iter().map(port).collect()
            }
        }
    }
}

impl SyncOutput {
    fn line_spec(&self) -> LineSpec {
        let purpose = Purpose::Output { safe: Level::default(), frequency: None };
        sync_line(SYNC, &self.driver, self.pin, self.active, purpose)
    }
}

impl SyncInput {
    fn line_spec(&self) -> LineSpec {
        let purpose = Purpose::Input { pull: self.pull, debounce: self.debounce };
        sync_line(SYNC_INPUT, &self.driver, self.pin, self.active, purpose)
    }
}

fn sync_line(
    name: &str,
    driver: &DriverConfig,
    pin: Option<Pin>,
    active: Active,
    purpose: Purpose,
) -> LineSpec {
    LineSpec {
        owner: name.to_owned(),
        device: name.parse().expect("it is letters and an underscore"),
        port: None,
        driver: driver.clone(),
        pin,
        active,
        purpose,
    }
}
