//! What a rig has in every session, without the task knowing: its sync lines.

use bramble_task::TaskDefinition;
use bramble_task::definition::{DeviceId, DeviceKind, PortId};
use bramble_value::{Level, Name, Names, SourceKind};

use super::{Wire, Wiring};
use crate::config::{DriverConfig, RigConfig, SYNC, SYNC_INPUT};
use crate::sync::SyncPattern;

/// The devices that stand after the task's.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Standing {
    /// How many there are.
    devices: usize,
    sync: Option<(PortId, SyncPattern)>,
}

impl Wiring {
    /// The output that other recordings are aligned by, and what is said on it.
    pub fn sync(&self) -> Option<(PortId, SyncPattern)> {
        self.standing.sync
    }

    /// Whether this port is none of the task's, but one that the rig has in every
    /// session.
    pub fn is_standing(&self, port: PortId) -> bool {
        port.device.index() >= self.first_standing()
    }

    /// It without what stands in every session: all that an animal meets.
    pub fn of_task(&self) -> Wiring {
        let mut wiring = self.clone();
        wiring.devices.truncate(self.first_standing());
        wiring.standing = Standing::default();
        wiring
    }

    /// What the sources of a session's events stand for: what the task declares,
    /// and then what stands in every session.
    pub fn names(&self, task: &TaskDefinition) -> Names {
        let mut names = task.names();
        let standing = &self.devices[self.first_standing()..];
        names.sources.extend(standing.iter().flatten().map(|wire| (SourceKind::Port, wire.to_string())));
        names
    }

    fn first_standing(&self) -> usize {
        self.devices.len() - self.standing.devices
    }

    /// Adds what this rig has in every session.
    pub(super) fn stand(&mut self, rig: &RigConfig) {
        if let Some(sync) = &rig.sync {
            let port = self.stands(SYNC, DeviceKind::DigitalOutput, &sync.driver);
            self.standing.sync = Some((port, sync.pattern));
        }
        if let Some(sync) = &rig.sync_input {
            self.stands(SYNC_INPUT, DeviceKind::DigitalInput, &sync.driver);
        }
    }

    fn stands(&mut self, name: &str, kind: DeviceKind, driver: &DriverConfig) -> PortId {
        let device: Name = name.parse().expect("it is letters and an underscore");
        let (driver, safe) = (driver.clone(), Level::default());
        self.devices.push(vec![Wire {
            device,
            port: None,
            kind,
            driver,
            longest_on: None,
            safe,
            dose: None,
            no_dose: None,
        }]);
        self.standing.devices += 1;
        PortId { device: DeviceId(self.devices.len() as u16 - 1), port: 0 }
    }
}
