//! The hardware of a rig that has any: opened once, guarded, and held between
//! sessions until the pilot ends.

use std::path::PathBuf;
use std::process::Command;

use bramble_rig::driver::Heartbeat;
use bramble_rig::guard::{Armed, Guard};
use bramble_rig::realtime::RealTimeReport;
use bramble_rig::{DriverError, Real, RealTime, Rig, RigConfig, Wiring};
use bramble_value::Time;
use serde_json::json;

use crate::relay::Bell;

/// The rig's hardware.
pub(crate) struct Hardware {
    config: RigConfig,
    /// The pilot's data folder.
    data: PathBuf,
    guard: Option<Guard>,
    rig: Option<Rig>,
    /// Whether the guard has what the rig is made of.
    guarded: bool,
}

impl Hardware {
    /// That of this rig, not yet opened; `None` where all of it is simulated or
    /// on children.
    pub(crate) fn of(config: &RigConfig, data: PathBuf) -> Option<Hardware> {
        let hardware = Hardware { config: config.clone(), data, guard: None, rig: None, guarded: false };
        config.is_real().then_some(hardware)
    }

    /// A rig in memory that nobody guards.
    #[cfg(test)]
    pub(crate) fn in_memory(config: &RigConfig) -> (Hardware, bramble_rig::driver::Hands) {
        let (rig, hands) = Rig::in_memory(config);
        let hardware = Hardware {
            config: config.clone(),
            data: PathBuf::new(),
            guard: None,
            rig: Some(rig),
            guarded: true,
        };
        (hardware, hands)
    }

    /// Opens what is not open and sees that the rest is still there. What failed
    /// once is tried again each time.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn ready(&mut self) -> Result<(), String> {
        if let Some(rig) = &mut self.rig
            && let Err(error) = rig.make_safe().and_then(|()| rig.levels().map(drop))
        {
            tracing::warn!("the rig's hardware is opened again, since it no longer answers: {error}");
            self.rig = None;
            self.guarded = false;
        }
        if self.guard.as_mut().is_some_and(|guard| !guard.is_there()) {
            tracing::warn!("the guard process was ended by something; another is started");
            self.guard = None;
            self.guarded = false;
        }
        if self.guarded {
            return Ok(());
        }
        let unready = |why: &dyn std::fmt::Display| format!("the rig's hardware can't be used: {why}");
        let (guard, watchdog) = (&mut self.guard, self.config.watchdog);
        let guard = match guard {
            // What it holds can't be opened again.
            Some(guard) => guard.hold(Vec::new(), watchdog).map(|()| guard),
            None => start_guard(&self.data).map(|started| guard.insert(started)),
        };
        let guard = guard.map_err(|error| unready(&error))?;
        let rig = match &mut self.rig {
            Some(rig) => rig,
            none => none.insert(Rig::open(&self.config).map_err(|error| unready(&error))?),
        };
        let guarded = rig.guarded().map_err(|error| unready(&error))?;
        guard.hold(guarded, watchdog).map_err(|error| unready(&error))?;
        self.guarded = true;
        Ok(())
    }

    /// Runs something on the hardware in real time, with the guard armed: a
    /// session of this wiring. `bell` is rung whenever the loop has nothing to do.
    ///
    /// # Errors
    /// A sentence, where the hardware is not ready.
    pub(crate) fn run<T>(
        &mut self,
        wiring: &Wiring,
        bell: Option<&Bell>,
        body: impl FnOnce(&mut Real<'_>, &RealTimeReport) -> T,
    ) -> Result<T, String> {
        self.ready()?;
        let Some(rig) = &mut self.rig else { return Err("the rig is not open".to_owned()) };
        let real_time = RealTime::enter(self.config.core);
        let signs = Signs { armed: self.guard.as_mut().map(Guard::arm), bell };
        let mut real = Real::new(rig, wiring, &signs).map_err(|error| error.to_string())?;
        Ok(body(&mut real, real_time.report()))
    }

    /// What a session's provenance says of it.
    pub(crate) fn provenance(&self) -> serde_json::Value {
        let lines = self.config.lines();
        let line = |line: &bramble_rig::driver::LineSpec| json!({ "owner": line.owner, "driver": line.driver.to_string(), "pin": line.pin.map(|pin| pin.number()) });
        json!({
            "lines": lines.iter().map(line).collect::<Vec<_>>(),
            "guard": self.guard.as_ref().map(|guard| json!({ "process": guard.pid(), "watchdog": self.config.watchdog })),
        })
    }

    /// Lets go of it, outputs safe.
    pub(crate) fn close(mut self) {
        self.rig = None;
        if let Some(guard) = self.guard.take() {
            guard.dismiss();
        }
    }
}

/// This very program, though its file may have been replaced meanwhile.
fn start_guard(data: &std::path::Path) -> Result<Guard, bramble_rig::guard::GuardError> {
    let mut command = Command::new("/proc/self/exe");
    command.arg("guard").arg(data);
    Guard::start(command, data)
}

/// The loop's signs of life, for the guard and for what waits behind the loop.
struct Signs<'a> {
    armed: Option<Armed<'a>>,
    bell: Option<&'a Bell>,
}

impl Heartbeat for Signs<'_> {
    fn beat(&self, now: Time) -> Result<(), DriverError> {
        if let Some(bell) = self.bell {
            bell.ring();
        }
        self.armed.as_ref().map_or(Ok(()), |armed| armed.beat(now))
    }
}
