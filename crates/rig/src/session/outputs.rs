//! The drivers and children that outputs are written to.

use bramble_task::definition::{ParameterId, PortId};
use bramble_value::{Name, Time, Value};

use super::WriteError;
use crate::dose::DoseError;
use crate::driver::Driver;
use crate::driver::simulated::safe_signal;
use crate::remote::{RemoteError, Remotes};
use crate::signal::{Reading, Signal};
use crate::wiring::{Wire, Wiring};

/// Everything that outputs are written to. Whatever way a session is left, its
/// outputs are safe afterwards.
pub(super) struct Outputs<'a> {
    wiring: Wiring,
    pub(super) driver: &'a mut dyn Driver,
    remotes: &'a mut Remotes,
    /// Nothing was written since all was made safe.
    safe: bool,
}

impl<'a> Outputs<'a> {
    pub(super) fn new(wiring: Wiring, driver: &'a mut dyn Driver, remotes: &'a mut Remotes) -> Outputs<'a> {
        Outputs { wiring, driver, remotes, safe: false }
    }

    /// Writes an output, and says when that was.
    pub(super) fn write(&mut self, port: PortId, signal: &Signal) -> Result<Time, WriteError> {
        self.safe = false;
        let wire = self.wiring.wire(port);
        if let (Some(child), Signal::Level(level)) = (wire.child(), signal) {
            let failed = |source| WriteError::Remote { child: child.clone(), source };
            let remote = self.remotes.get_mut(child).ok_or_else(|| failed(not_there()))?;
            remote.write(wire, *level, self.driver.now()).map_err(failed)?;
        }
        Ok(self.driver.write(port, signal)?)
    }

    pub(super) fn wire(&self, port: PortId) -> &Wire {
        self.wiring.wire(port)
    }

    /// Whether the valves can give what this parameter would say.
    pub(super) fn allows(&self, parameter: ParameterId, value: Value) -> Result<(), DoseError> {
        self.wiring.allows(parameter, value)
    }

    /// Whether this port is the rig's own, and none of the task's.
    pub(super) fn is_standing(&self, port: PortId) -> bool {
        self.wiring.is_standing(port)
    }

    /// Asks a child what comes of touching one of its inputs.
    pub(super) fn touch(
        &mut self,
        port: PortId,
        reading: Reading,
        at: Time,
    ) -> Result<(Reading, Time), WriteError> {
        let wire = self.wiring.wire(port);
        let Some(child) = wire.child() else { return Ok((reading, at)) };
        let failed = |source| WriteError::Remote { child: Name::clone(child), source };
        let remote = self.remotes.get_mut(child).ok_or_else(|| failed(not_there()))?;
        remote.touch(wire, reading, at).map_err(failed)
    }

    /// Brings every output to its safe state, those after one that fails too;
    /// the first failure.
    pub(super) fn make_safe(&mut self) -> Result<(), WriteError> {
        if self.safe {
            return Ok(());
        }
        let safe: Vec<(PortId, Signal)> =
            self.wiring.ports().filter_map(|(port, wire)| Some((port, safe_signal(wire)?))).collect();
        let mut outcome = Ok(());
        for (port, signal) in safe {
            outcome = outcome.and(self.write(port, &signal).map(|_| ()));
        }
        self.safe = true;
        outcome
    }
}

impl Drop for Outputs<'_> {
    fn drop(&mut self) {
        // Nobody is left to be told that this failed.
        let _ = self.make_safe();
    }
}

fn not_there() -> RemoteError {
    RemoteError("it has not come up".into())
}

/// What is recorded of a signal as an output's level; commands that are not a
/// level are recorded as such.
pub(super) fn recorded_level(signal: &Signal) -> Option<f64> {
    match signal {
        Signal::Level(level) => Some(*level),
        Signal::Play(_) | Signal::Show(_) | Signal::Film(true) => Some(1.0),
        Signal::Silence | Signal::Clear | Signal::Film(false) => Some(0.0),
        Signal::Follow(..) | Signal::Center | Signal::Freeze => None,
    }
}
