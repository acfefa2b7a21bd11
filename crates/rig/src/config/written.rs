//! A rig as it is written in a file: words, before anybody asked what they mean.

use std::collections::BTreeMap;

use bramble_task::definition::DeviceKind;
use bramble_value::{Frequency, Level, Name, Span};
use serde::{Deserialize, Serialize};

use super::pin::WrittenPin;
use super::quantity::{Age, Written};
use super::{Active, DeviceConfig, DriverConfig, Flow, Lines, Pull, RigConfig, SyncInput, SyncOutput};
use crate::sync::SyncPattern;

/// The `[rig]` of a file; [`WrittenRig::read`] says what it means.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenRig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) chip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) watchdog: Option<Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) core: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) calibration_age: Option<Written<Age>>,
    #[serde(default)]
    pub(super) devices: BTreeMap<Name, WrittenDevice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sync_output: Option<WrittenSyncOutput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sync_input: Option<WrittenSyncInput>,
}

/// A device as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenDevice {
    pub(super) kind: DeviceKind,
    pub(super) driver: WrittenDriver,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) child: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) chip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pin: Option<WrittenPin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pins: Option<WrittenPins>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ports: Option<BTreeMap<Name, WrittenPin>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) active: Option<Active>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pull: Option<Pull>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) debounce: Option<Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) safe: Option<Written<Level>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) longest_on: Option<Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) frequency: Option<Written<Frequency>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) counts_per_unit: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) flow: Option<Written<Flow>>,
}

#[derive(Debug, Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum WrittenDriver {
    Simulated,
    Gpiocdev,
    Rppal,
    Child,
}

#[derive(Debug, Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenPins {
    pub(super) a: WrittenPin,
    pub(super) b: WrittenPin,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenSyncOutput {
    pub(super) driver: WrittenDriver,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) chip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pin: Option<WrittenPin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) active: Option<Active>,
    pub(super) pattern: WrittenPattern,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shortest: Option<Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) longest: Option<Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) width: Option<Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) every: Option<Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bit: Option<Written<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bits: Option<u8>,
}

#[derive(Debug, Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum WrittenPattern {
    Random,
    Barcode,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenSyncInput {
    pub(super) driver: WrittenDriver,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) chip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pin: Option<WrittenPin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) active: Option<Active>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pull: Option<Pull>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) debounce: Option<Written<Span>>,
}

impl TryFrom<WrittenRig> for RigConfig {
    type Error = String;

    fn try_from(written: WrittenRig) -> Result<RigConfig, String> {
        written.read().map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
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
            Lines::Single(pin) => (pin.map(WrittenPin::from), None, None),
            Lines::Quadrature { a, b } => (None, Some(WrittenPins { a: a.into(), b: b.into() }), None),
            Lines::Ports(ports) => {
                (None, None, Some(ports.into_iter().map(|(name, pin)| (name, pin.into())).collect()))
            }
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
            pin: sync.pin.map(WrittenPin::from),
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
            pin: sync.pin.map(WrittenPin::from),
            active: said(sync.active),
            pull: said(sync.pull),
            debounce: sync.debounce.map(Written),
        }
    }
}
