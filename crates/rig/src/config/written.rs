//! A rig as it is written in a file.

use std::collections::BTreeMap;

use bramble_task::definition::DeviceKind;
use bramble_value::{Frequency, Level, Name, Span};
use serde::{Deserialize, Serialize};

use super::quantity::{Age, Written};
use super::{
    Active, DeviceConfig, DriverConfig, Flow, Lines, Pin, Pull, RigConfig, SYNC, SYNC_INPUT, SyncInput,
    SyncOutput,
};
use crate::sync::SyncPattern;

/// The `[rig]` of a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRig {
    #[serde(skip_serializing_if = "Option::is_none")]
    chip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    watchdog: Option<Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    core: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration_age: Option<Written<Age>>,
    #[serde(default)]
    devices: BTreeMap<Name, WrittenDevice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sync_output: Option<WrittenSyncOutput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sync_input: Option<WrittenSyncInput>,
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
    chip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pin: Option<Pin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pins: Option<WrittenPins>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ports: Option<BTreeMap<Name, Pin>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<Active>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pull: Option<Pull>,
    #[serde(skip_serializing_if = "Option::is_none")]
    debounce: Option<Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    safe: Option<Written<Level>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    longest_on: Option<Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency: Option<Written<Frequency>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counts_per_unit: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<Written<Flow>>,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum WrittenDriver {
    Simulated,
    Gpiocdev,
    Rppal,
    Child,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
struct WrittenPins {
    a: Pin,
    b: Pin,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSyncOutput {
    driver: WrittenDriver,
    #[serde(skip_serializing_if = "Option::is_none")]
    chip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pin: Option<Pin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<Active>,
    pattern: WrittenPattern,
    #[serde(skip_serializing_if = "Option::is_none")]
    shortest: Option<Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    longest: Option<Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    every: Option<Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bit: Option<Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<u8>,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum WrittenPattern {
    Random,
    Barcode,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSyncInput {
    driver: WrittenDriver,
    #[serde(skip_serializing_if = "Option::is_none")]
    chip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pin: Option<Pin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<Active>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pull: Option<Pull>,
    #[serde(skip_serializing_if = "Option::is_none")]
    debounce: Option<Written<Span>>,
}

/// The chip of a device that names none, in a rig that names none.
const CHIP: &str = "gpiochip0";

impl TryFrom<WrittenRig> for RigConfig {
    type Error = String;

    fn try_from(written: WrittenRig) -> Result<RigConfig, String> {
        let chip = written.chip.as_deref().unwrap_or(CHIP);
        for (name, is_there) in
            [(SYNC, written.sync_output.is_some()), (SYNC_INPUT, written.sync_input.is_some())]
        {
            if is_there && written.devices.keys().any(|device| device.as_str() == name) {
                return Err(format!("a device can't be called `{name}`: the rig's own line is"));
            }
        }
        let devices = written.devices.into_iter().map(|(name, device)| {
            let device = device.resolve(chip).map_err(|mistake| format!("`{name}`: {mistake}"))?;
            Ok((name, device))
        });
        Ok(RigConfig {
            devices: devices.collect::<Result<_, String>>()?,
            sync: written.sync_output.map(|sync| sync.resolve(chip)).transpose()?,
            sync_input: written.sync_input.map(|sync| sync.resolve(chip)).transpose()?,
            watchdog: written.watchdog.map_or(RigConfig::WATCHDOG, |span| span.0),
            core: written.core,
            calibration_age: written.calibration_age.map_or(RigConfig::CALIBRATION_AGE, |age| age.0.0),
        })
    }
}

fn driver(
    written: WrittenDriver,
    child: Option<Name>,
    chip: Option<String>,
    default_chip: &str,
) -> Result<DriverConfig, String> {
    match (written, child) {
        (WrittenDriver::Simulated, None) => Ok(DriverConfig::Simulated),
        (WrittenDriver::Gpiocdev, None) => {
            Ok(DriverConfig::Gpiocdev { chip: chip.unwrap_or_else(|| default_chip.to_owned()) })
        }
        (WrittenDriver::Rppal, None) => Ok(DriverConfig::Rppal),
        (WrittenDriver::Child, Some(child)) => Ok(DriverConfig::Child(child)),
        (WrittenDriver::Child, None) => {
            Err("driver = \"child\" needs the child's name: child = \"wheel-child\"".into())
        }
        (_, Some(_)) => Err("`child` goes with driver = \"child\"".into()),
    }
}

impl WrittenDevice {
    fn resolve(self, chip: &str) -> Result<DeviceConfig, String> {
        let kind = self.kind;
        let word = kind.word();
        let output =
            matches!(kind, DeviceKind::DigitalOutput | DeviceKind::LevelOutput | DeviceKind::Solenoid);
        let input = matches!(kind, DeviceKind::DigitalInput | DeviceKind::Encoder);
        let measures = matches!(kind, DeviceKind::Encoder | DeviceKind::AnalogInput);
        for (is_there, allowed, what, who) in [
            (self.longest_on.is_some(), output, "longest_on", "an output"),
            (self.safe.is_some(), output, "safe", "an output"),
            (self.pull.is_some(), input, "pull", "a digital input or an encoder"),
            (self.debounce.is_some(), input, "debounce", "a digital input or an encoder"),
            (self.frequency.is_some(), kind == DeviceKind::LevelOutput, "frequency", "a level output"),
            (self.flow.is_some(), kind == DeviceKind::Solenoid, "flow", "a solenoid"),
            (self.counts_per_unit.is_some(), kind == DeviceKind::Encoder, "counts_per_unit", "an encoder"),
            (self.pins.is_some(), kind == DeviceKind::Encoder, "pins", "an encoder"),
            (self.unit.is_some(), measures, "unit", "an encoder or an analog input"),
        ] {
            if is_there && !allowed {
                return Err(format!("`{what}` is for {who}, and this is a {word}: leave it out"));
            }
        }
        let lines = match (self.pin, self.ports, self.pins) {
            (pin, None, None) => Lines::Single(pin),
            (None, None, Some(WrittenPins { a, b })) => Lines::Quadrature { a, b },
            (None, Some(ports), None) if ports.is_empty() => {
                return Err("`ports` is empty: name a port, or leave it out for a single device".into());
            }
            (None, Some(ports), None) => Lines::Ports(ports),
            _ => return Err("give `pin` (one device) or `ports` (a group), not both".into()),
        };
        let safe = self.safe.map(|safe| safe.0).unwrap_or_default();
        if safe.share() > 0.0 && self.longest_on.is_some() {
            return Err("an output that is on when safe can't have a `longest_on`".into());
        }
        Ok(DeviceConfig {
            kind,
            driver: driver(self.driver, self.child, self.chip, chip)?,
            lines,
            active: self.active.unwrap_or_default(),
            pull: self.pull.unwrap_or_default(),
            debounce: self.debounce.map(|span| span.0),
            safe,
            longest_on: self.longest_on.map(|span| span.0),
            frequency: self.frequency.map(|frequency| frequency.0),
            counts_per_unit: self.counts_per_unit,
            unit: self.unit.unwrap_or_default(),
            flow: self.flow.map(|flow| flow.0),
        })
    }
}

impl WrittenSyncOutput {
    fn resolve(self, chip: &str) -> Result<SyncOutput, String> {
        let or = |span: Option<Written<Span>>, default: Span| span.map_or(default, |span| span.0);
        let pattern = match self.pattern {
            WrittenPattern::Random => SyncPattern::Random {
                gap: (or(self.shortest, Span::from_ms(500)), or(self.longest, Span::from_s(5))),
                width: or(self.width, Span::from_ms(50)),
            },
            WrittenPattern::Barcode => SyncPattern::Barcode {
                every: or(self.every, Span::from_s(5)),
                bit: or(self.bit, Span::from_ms(30)),
                bits: self.bits.unwrap_or(32),
            },
        };
        Ok(SyncOutput {
            driver: driver(self.driver, None, self.chip, chip)?,
            pin: self.pin,
            active: self.active.unwrap_or_default(),
            pattern: pattern.check().map_err(|mistake| format!("`sync_output`: {mistake}"))?,
        })
    }
}

impl WrittenSyncInput {
    fn resolve(self, chip: &str) -> Result<SyncInput, String> {
        Ok(SyncInput {
            driver: driver(self.driver, None, self.chip, chip)?,
            pin: self.pin,
            active: self.active.unwrap_or_default(),
            pull: self.pull.unwrap_or_default(),
            debounce: self.debounce.map(|span| span.0),
        })
    }
}

impl From<RigConfig> for WrittenRig {
    fn from(rig: RigConfig) -> WrittenRig {
        WrittenRig {
            chip: None,
            watchdog: Some(Written(rig.watchdog)),
            core: rig.core,
            calibration_age: Some(Written(Age(rig.calibration_age))),
            devices: rig.devices.into_iter().map(|(name, device)| (name, device.into())).collect(),
            sync_output: rig.sync.map(WrittenSyncOutput::from),
            sync_input: rig.sync_input.map(WrittenSyncInput::from),
        }
    }
}

fn written_driver(driver: DriverConfig) -> (WrittenDriver, Option<Name>, Option<String>) {
    match driver {
        DriverConfig::Simulated => (WrittenDriver::Simulated, None, None),
        DriverConfig::Gpiocdev { chip } => (WrittenDriver::Gpiocdev, None, Some(chip)),
        DriverConfig::Rppal => (WrittenDriver::Rppal, None, None),
        DriverConfig::Child(child) => (WrittenDriver::Child, Some(child), None),
    }
}

/// What a file says that differs from what it means where it says nothing.
fn said<T: Default + PartialEq>(value: T) -> Option<T> {
    (value != T::default()).then_some(value)
}

impl From<DeviceConfig> for WrittenDevice {
    fn from(device: DeviceConfig) -> WrittenDevice {
        let (driver, child, chip) = written_driver(device.driver);
        let (pin, pins, ports) = match device.lines {
            Lines::Single(pin) => (pin, None, None),
            Lines::Quadrature { a, b } => (None, Some(WrittenPins { a, b }), None),
            Lines::Ports(ports) => (None, None, Some(ports)),
        };
        WrittenDevice {
            kind: device.kind,
            driver,
            child,
            chip,
            pin,
            pins,
            ports,
            active: said(device.active),
            pull: said(device.pull),
            debounce: device.debounce.map(Written),
            safe: said(device.safe).map(Written),
            longest_on: device.longest_on.map(Written),
            frequency: device.frequency.map(Written),
            counts_per_unit: device.counts_per_unit,
            unit: said(device.unit),
            flow: device.flow.map(Written),
        }
    }
}

impl From<SyncOutput> for WrittenSyncOutput {
    fn from(sync: SyncOutput) -> WrittenSyncOutput {
        let (driver, _, chip) = written_driver(sync.driver);
        let written = |span| Some(Written(span));
        let none = WrittenSyncOutput {
            driver,
            chip,
            pin: sync.pin,
            active: said(sync.active),
            pattern: WrittenPattern::Random,
            shortest: None,
            longest: None,
            width: None,
            every: None,
            bit: None,
            bits: None,
        };
        match sync.pattern {
            SyncPattern::Random { gap: (shortest, longest), width } => WrittenSyncOutput {
                shortest: written(shortest),
                longest: written(longest),
                width: written(width),
                ..none
            },
            SyncPattern::Barcode { every, bit, bits } => WrittenSyncOutput {
                pattern: WrittenPattern::Barcode,
                every: written(every),
                bit: written(bit),
                bits: Some(bits),
                ..none
            },
        }
    }
}

impl From<SyncInput> for WrittenSyncInput {
    fn from(sync: SyncInput) -> WrittenSyncInput {
        let (driver, _, chip) = written_driver(sync.driver);
        WrittenSyncInput {
            driver,
            chip,
            pin: sync.pin,
            active: said(sync.active),
            pull: said(sync.pull),
            debounce: sync.debounce.map(Written),
        }
    }
}
