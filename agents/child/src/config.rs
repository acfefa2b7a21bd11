//! What a child is told when it starts: its configuration file, and the command
//! line, which goes before it.

use std::path::PathBuf;

use bramble_config::Config;
use bramble_link::Endpoint;
use bramble_rig::RigConfig;
use bramble_rig::driver::lacking;
use bramble_settings::{ChildError, ChildFile, KEYS, data_folder, offerable};
use bramble_value::Name;
use clap::{Parser, Subcommand};

use crate::join;

/// Has a part of a pilot's hardware, on this computer or another.
///
/// A child offers its devices to one pilot, which uses them as its own. When the
/// pilot goes away, the child's outputs go to their safe states, and it waits
/// for the pilot to come back.
#[derive(Debug, Parser)]
#[command(name = "bramble-child", version)]
pub(crate) struct Arguments {
    /// The configuration file; config/child.toml is a commented example [default: what
    /// bramble-setup wrote, else config/child.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// This child's name, as the pilot's configuration says it
    #[arg(long)]
    name: Option<Name>,
    /// Where the pilot listens for its children: ipc:///path/to.sock or tcp://box1:5601
    #[arg(long, value_name = "ENDPOINT")]
    pilot: Option<Endpoint>,
    /// The folder of its keys, and of what keeps its outputs safe
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

impl Arguments {
    /// The configuration file.
    pub(crate) fn config(&self) -> PathBuf {
        self.config.clone().unwrap_or_else(|| bramble_settings::place::usual("child"))
    }
}

/// What else this program does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Become a child of a terminal's swarm, by the code of an invitation
    Join(join::Options),
    /// The process that makes outputs safe when the child can't
    #[command(hide = true)]
    Guard {
        /// The child's data folder
        data: PathBuf,
    },
}

/// Everything that is settled before the child starts.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Its name.
    pub(crate) name: Name,
    /// Where its pilot listens.
    pub(crate) pilot: Endpoint,
    /// Its data folder.
    pub(crate) data: PathBuf,
    /// The devices that it offers.
    pub(crate) rig: RigConfig,
    /// The configuration file's text, for the records of sessions.
    pub(crate) text: String,
}

/// The child's name, as it is written, and its data folder.
fn place(arguments: &Arguments, config: &Config<ChildFile>) -> (Name, PathBuf) {
    let name = arguments.name.clone().unwrap_or_else(|| config.settings.name.clone());
    let data = match &arguments.data {
        Some(data) => data.clone(),
        None => data_folder(config, &name, config.settings.data.as_deref()),
    };
    (name, data)
}

/// What `join` needs of the settings.
#[derive(Debug, Clone)]
pub(crate) struct Joiner {
    /// The child's name, as it is written.
    pub(crate) name: Name,
    /// The folder of its keys.
    pub(crate) keys: PathBuf,
}

impl Joiner {
    /// The settings of the file that the arguments name, and of the arguments.
    ///
    /// # Errors
    /// [`ChildError`] where the file can't be read, or says what can't be.
    pub(crate) fn read(arguments: &Arguments) -> Result<Joiner, ChildError> {
        let config = bramble_config::read(&arguments.config())?;
        let (name, data) = place(arguments, &config);
        Ok(Joiner { name, keys: data.join(KEYS) })
    }
}

impl Settings {
    /// The settings of the file that the arguments name, and of the arguments.
    ///
    /// # Errors
    /// [`ChildError`] where the file can't be read, or says what can't be.
    pub(crate) fn read(arguments: Arguments) -> Result<Settings, ChildError> {
        let config: Config<ChildFile> = bramble_config::read(&arguments.config())?;
        let rig = config.settings.rig.clone().read().map_err(|faults| config.mistakes("rig", faults))?;
        let faults = lacking(&rig);
        if !faults.is_empty() {
            return Err(config.mistakes("rig", faults).into());
        }
        let (name, data) = place(&arguments, &config);
        let Config { settings: file, text, .. } = config;
        offerable(&rig)?;
        Ok(Settings {
            name,
            data,
            pilot: arguments.pilot.or(file.pilot).ok_or(ChildError::NoPilot)?,
            rig,
            text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, ChildError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("child.toml");
        std::fs::write(&path, text).unwrap();
        Settings::read(Arguments::parse_from(["bramble-child", "--config", path.to_str().unwrap()]))
    }

    #[test]
    fn a_child_that_can_not_work_says_why() {
        let wheel = "[rig.devices.wheel]\nkind = \"encoder\"\n";
        let error = |text: &str| read(text).unwrap_err().to_string();
        let named = "name = \"wheels\"\npilot = \"ipc:///tmp/box1.sock\"\n";
        assert!(error(named).contains("has no devices"));
        let others = format!("{named}{wheel}driver = \"child\"\nchild = \"other\"\n");
        assert!(error(&others).contains("`wheel` is on another child"));
        let nowhere = format!("name = \"wheels\"\n{wheel}driver = \"simulated\"\n");
        assert!(error(&nowhere).contains("where the pilot is"));
        let wrong = format!("nmae = \"wheels\"\n{wheel}driver = \"simulated\"\n");
        assert!(error(&wrong).contains("child.toml:1:1: unknown field `nmae`"), "{}", error(&wrong));
    }

    #[test]
    fn the_shipped_configuration_is_one() {
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/child.toml");
        let settings = Settings::read(Arguments::parse_from(["bramble-child", "--config", shipped])).unwrap();
        assert_eq!(settings.rig.devices.len(), 2);
    }
}
