//! What a pilot's file says.

use std::path::PathBuf;

use bramble_config::ConfigError;
use bramble_link::Endpoint;
use bramble_rig::RigConfig;
use bramble_rig::config::WrittenRig;
use bramble_value::{Name, Seed};
use bytesize::ByteSize;
use miette::Diagnostic;
use serde::Deserialize;
use thiserror::Error;

use crate::Speed;

/// How much the journal may take where nothing else is said: weeks of sessions.
const USUAL_LIMIT: ByteSize = ByteSize::gb(2);

/// What `config/pilot.toml` says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PilotFile {
    /// The pilot's name.
    pub name: Name,
    /// Where the terminal listens.
    pub terminal: Option<Endpoint>,
    /// Where the pilot listens for its children, if it has any.
    pub children: Option<Endpoint>,
    /// Its data folder, as it is written.
    pub data: Option<PathBuf>,
    /// How much the journal may take of what the terminal does not have yet.
    pub journal_limit: Option<ByteSize>,
    /// How what is simulated behaves.
    #[serde(default)]
    pub simulation: Simulation,
    /// Its devices, as they are written.
    #[serde(default)]
    pub rig: WrittenRig,
}

/// How what is simulated behaves.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Simulation {
    /// How fast time passes.
    pub speed: Speed,
    /// Which animal is in the box.
    pub animal: String,
    /// What the animals' randomness comes from.
    pub seed: Seed,
}

impl Default for Simulation {
    fn default() -> Simulation {
        Simulation { speed: Speed::Times(1.0), animal: "learner".to_owned(), seed: Seed(1) }
    }
}

/// Settings that a pilot can't start with.
#[derive(Debug, Error, Diagnostic)]
pub enum PilotError {
    /// The file is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] ConfigError),
    /// Devices on a child, and nowhere for the child to call.
    #[error("the device `{device}` is on the child {child}, and this pilot listens for no children")]
    #[diagnostic(help(
        "add a line `children = \"ipc:///run/bramble/children.sock\"`, and dial it in the child's configuration"
    ))]
    NoChildren {
        /// The device.
        device: Name,
        /// Its child.
        child: Name,
    },
    /// No command line or file says where the terminal is.
    #[error("nothing says where the terminal is")]
    #[diagnostic(help("add a line `terminal = \"tcp://desktop:5600\"`, or say --terminal ENDPOINT"))]
    NoTerminal,
}

impl PilotFile {
    /// How much the journal may take, in bytes; weeks of sessions where the file doesn't say.
    pub fn journal_limit(&self) -> u64 {
        self.journal_limit.unwrap_or(USUAL_LIMIT).as_u64()
    }
}

/// Sees that this rig's children can come to a pilot that listens for them there.
///
/// # Errors
/// [`PilotError::NoChildren`] where it listens nowhere.
pub fn reachable(rig: &RigConfig, children: Option<&Endpoint>) -> Result<(), PilotError> {
    let on_child = |(device, settings): (&Name, &bramble_rig::config::DeviceConfig)| {
        Some((device.clone(), settings.driver.child()?.clone()))
    };
    match rig.devices.iter().find_map(on_child).filter(|_| children.is_none()) {
        Some((device, child)) => Err(PilotError::NoChildren { device, child }),
        None => Ok(()),
    }
}
