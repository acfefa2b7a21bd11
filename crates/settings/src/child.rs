//! What a child's file says.

use std::path::PathBuf;

use bramble_config::ConfigError;
use bramble_link::Endpoint;
use bramble_rig::RigConfig;
use bramble_rig::config::WrittenRig;
use bramble_value::Name;
use miette::Diagnostic;
use serde::Deserialize;
use thiserror::Error;

/// What `config/child.toml` says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChildFile {
    /// The child's name.
    pub name: Name,
    /// Where its pilot listens.
    pub pilot: Option<Endpoint>,
    /// Its data folder, as it is written.
    pub data: Option<PathBuf>,
    /// The devices that it offers, as they are written.
    #[serde(default)]
    pub rig: WrittenRig,
}

/// Settings that a child can't start with.
#[derive(Debug, Error, Diagnostic)]
pub enum ChildError {
    /// The file is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] ConfigError),
    /// Nothing says where the pilot is.
    #[error("nothing says where the pilot is")]
    #[diagnostic(help(
        "add a line `pilot = \"ipc:///run/bramble/children.sock\"`, as its configuration says under `children`"
    ))]
    NoPilot,
    /// It has nothing to offer.
    #[error("this child has no devices")]
    #[diagnostic(help(
        "describe them in the configuration, under [rig.devices.NAME]; config/child.toml shows how"
    ))]
    NoDevices,
    /// A child has no children.
    #[error("the device `{0}` is on another child, and a child has none")]
    #[diagnostic(help("describe it in that child's configuration"))]
    OfAnother(Name),
}

/// Sees that a child can offer this rig.
///
/// # Errors
/// [`ChildError::NoDevices`] and [`ChildError::OfAnother`] where it can't.
pub fn offerable(rig: &RigConfig) -> Result<(), ChildError> {
    if let Some((device, _)) = rig.devices.iter().find(|(_, device)| device.driver.child().is_some()) {
        return Err(ChildError::OfAnother(device.clone()));
    }
    if rig.devices.is_empty() { Err(ChildError::NoDevices) } else { Ok(()) }
}
