//! Devices of this rig that live in another process, a *child*.

use std::collections::BTreeMap;

use bramble_task::definition::DeviceKind;
use bramble_value::{Name, Time};
use thiserror::Error;

use crate::config::{Lines, RigConfig};
use crate::signal::Reading;
use crate::wiring::Wire;

/// The children of a session, by name.
pub type Remotes = BTreeMap<Name, Box<dyn Remote>>;

/// One child, as the loop sees it. Its inputs come by themselves in real time
/// (the link posts them to the session's inbox, stamped on the pilot's clock).
/// In a simulated session nothing comes by itself: time stands still while the
/// child is asked, so that a session doesn't depend on how fast it answers.
pub trait Remote: Send {
    /// A simulated animal does this to an input of the child; the input that
    /// came of it, as the child stamped it.
    ///
    /// # Errors
    /// [`RemoteError`] where the child is gone or has no such input. The session ends.
    fn touch(&mut self, wire: &Wire, reading: Reading, at: Time) -> Result<(Reading, Time), RemoteError>;

    /// Writes an output of the child. In a simulated session it returns when the
    /// child has written it, in real time when it is on its way.
    ///
    /// # Errors
    /// [`RemoteError`] where the child is gone or has no such output. The session ends.
    fn write(&mut self, wire: &Wire, level: f64, at: Time) -> Result<(), RemoteError>;
}

/// A child that doesn't do what it should.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RemoteError(pub String);

/// What a child does with its devices: a simulated rig in which everything is
/// as it was last left.
#[derive(Debug, Clone)]
pub struct Offered {
    rig: RigConfig,
    readings: BTreeMap<(Name, Option<Name>), Reading>,
    levels: BTreeMap<(Name, Option<Name>), f64>,
}

impl Offered {
    /// These devices, all as they are when nobody touches them.
    pub fn new(rig: RigConfig) -> Offered {
        Offered { rig, readings: BTreeMap::new(), levels: BTreeMap::new() }
    }

    /// Something is done to an input: the input that comes of it.
    ///
    /// # Errors
    /// [`RemoteError`] where there is no such input, or it reads something else.
    pub fn touch(
        &mut self,
        device: &Name,
        port: Option<&Name>,
        reading: Reading,
        at: Time,
    ) -> Result<(Reading, Time), RemoteError> {
        let kind = self.kind(device, port)?;
        let fits = match reading {
            Reading::Digital(_) => kind == DeviceKind::DigitalInput,
            Reading::Analog(value) => kind == DeviceKind::AnalogInput && value.is_finite(),
            Reading::Position(value) => kind == DeviceKind::Encoder && value.is_finite(),
        };
        if !fits {
            return Err(RemoteError(format!("its `{device}` is a {}, which can't read that", kind.word())));
        }
        self.readings.insert((device.clone(), port.cloned()), reading);
        Ok((reading, at))
    }

    /// Writes an output.
    ///
    /// # Errors
    /// [`RemoteError`] where there is no such output, or no such level.
    pub fn write(&mut self, device: &Name, port: Option<&Name>, level: f64) -> Result<(), RemoteError> {
        let kind = self.kind(device, port)?;
        if !matches!(kind, DeviceKind::DigitalOutput | DeviceKind::LevelOutput | DeviceKind::Solenoid) {
            return Err(RemoteError(format!("its `{device}` is a {}, which can't be written", kind.word())));
        }
        if !(0.0..=1.0).contains(&level) {
            return Err(RemoteError(format!("{level} is no level for `{device}`: from 0 to 1, please")));
        }
        self.levels.insert((device.clone(), port.cloned()), level);
        Ok(())
    }

    /// The level of an output.
    pub fn level(&self, device: &Name, port: Option<&Name>) -> f64 {
        let safe = self.rig.devices.get(device).map_or(0.0, |device| device.safe.share());
        self.levels.get(&(device.clone(), port.cloned())).copied().unwrap_or(safe)
    }

    /// Brings every output to its safe state: when a session is over, and when
    /// the pilot is gone.
    pub fn make_safe(&mut self) {
        self.levels.clear();
    }

    fn kind(&self, device: &Name, port: Option<&Name>) -> Result<DeviceKind, RemoteError> {
        let found = self.rig.devices.get(device);
        let found = found.ok_or_else(|| RemoteError(format!("it has no device `{device}`")))?;
        let is_there = match (&found.lines, port) {
            (Lines::Single(_) | Lines::Quadrature { .. }, None) => true,
            (Lines::Ports(ports), Some(port)) => ports.contains_key(port),
            _ => false,
        };
        match (is_there, port) {
            (true, _) => Ok(found.kind),
            (false, Some(port)) => Err(RemoteError(format!("its `{device}` has no port `{port}`"))),
            (false, None) => Err(RemoteError(format!("its `{device}` has ports: one must be named"))),
        }
    }
}

/// A child in the same process.
impl Remote for Offered {
    fn touch(&mut self, wire: &Wire, reading: Reading, at: Time) -> Result<(Reading, Time), RemoteError> {
        Offered::touch(self, &wire.device, wire.port.as_ref(), reading, at)
    }

    fn write(&mut self, wire: &Wire, level: f64, _: Time) -> Result<(), RemoteError> {
        Offered::write(self, &wire.device, wire.port.as_ref(), level)
    }
}
