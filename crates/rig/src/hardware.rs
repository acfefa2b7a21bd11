//! The hardware of a rig that has any: opened once, guarded, and held between
//! sessions until its agent ends.

use std::path::{Path, PathBuf};
use std::process::Command;

use bramble_value::{Span, Time};
use serde::Serialize;

use crate::config::RigConfig;
use crate::driver::{DriverError, Hands, Heartbeat, Real, Rig};
use crate::guard::{Armed, Guard, GuardError};
use crate::realtime::{RealTime, RealTimeReport};
use crate::session::Bell;
use crate::wiring::Wiring;

/// The rig's hardware.
pub struct Hardware {
    config: RigConfig,
    /// The agent's data folder.
    data: PathBuf,
    guard: Option<Guard>,
    rig: Option<Rig>,
    /// Whether the guard has what the rig is made of.
    guarded: bool,
}

impl Hardware {
    /// That of this rig, not yet opened; `None` where all of it is simulated or
    /// on children.
    pub fn of(config: &RigConfig, data: PathBuf) -> Option<Hardware> {
        let hardware = Hardware { config: config.clone(), data, guard: None, rig: None, guarded: false };
        config.is_real().then_some(hardware)
    }

    /// A rig in memory that nobody guards, for trying what runs on it.
    pub fn in_memory(config: &RigConfig) -> (Hardware, Hands) {
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
    pub fn ready(&mut self) -> Result<(), String> {
        if let Some(rig) = &mut self.rig
            && let Some(error) = rig.let_go_of_lost()
        {
            tracing::warn!("hardware of the rig is opened again, since it no longer answers: {error}");
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
        let guard = match &mut self.guard {
            Some(guard) => guard,
            none => none.insert(start_guard(&self.data).map_err(|error| unready(&error))?),
        };
        let mut hold = |rig: &Rig| {
            let guarded = rig.guarded().map_err(|error| unready(&error))?;
            guard.hold(guarded, self.config.watchdog).map_err(|error| unready(&error))
        };
        let rig = match &mut self.rig {
            Some(rig) => {
                // What the guard holds can't be opened again; what is there it keeps
                // holding, however long the rest is gone.
                hold(rig)?;
                rig.reopen().map_err(|error| unready(&error))?;
                rig
            }
            none => none.insert(Rig::open(&self.config).map_err(|error| unready(&error))?),
        };
        hold(rig)?;
        self.guarded = true;
        Ok(())
    }

    /// Runs something on the hardware in real time, with the guard armed: a
    /// session of this wiring. `bell` is rung whenever the loop has nothing to do.
    ///
    /// # Errors
    /// A sentence, where the hardware is not ready.
    pub fn run<T>(
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
    pub fn report(&self) -> HardwareReport {
        let lines = self.config.lines();
        let line = |line: crate::driver::LineSpec| LineReport {
            owner: line.owner,
            driver: line.driver.to_string(),
            pin: line.pin.map(|pin| pin.number()),
        };
        let watchdog = self.config.watchdog;
        HardwareReport {
            lines: lines.into_iter().map(line).collect(),
            guard: self.guard.as_ref().map(|guard| GuardReport { process: guard.pid(), watchdog }),
        }
    }

    /// Lets go of it, outputs safe.
    pub fn close(mut self) {
        self.rig = None;
        if let Some(guard) = self.guard.take() {
            guard.dismiss();
        }
    }
}

/// What there is of hardware, for a session's record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HardwareReport {
    lines: Vec<LineReport>,
    guard: Option<GuardReport>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct LineReport {
    owner: String,
    driver: String,
    pin: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct GuardReport {
    process: u32,
    watchdog: Span,
}

/// This very program, though its file may have been replaced meanwhile.
fn start_guard(data: &Path) -> Result<Guard, GuardError> {
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
