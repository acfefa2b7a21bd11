//! What a pilot is told when it starts: its configuration file, and the command
//! line, which goes before it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use bramble_config::{Config, ConfigError};
use bramble_link::Endpoint;
use bramble_rig::RigConfig;
use bramble_rig::config::WrittenRig;
use bramble_rig::driver::lacking;
use bramble_value::{Name, Seed};
use bytesize::ByteSize;
use clap::{Parser, Subcommand};
use miette::Diagnostic;
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use crate::{hand, join};

/// How much the journal may take where nothing else is said: weeks of sessions.
const USUAL_LIMIT: ByteSize = ByteSize::gb(2);

/// Runs sessions beside an animal, on this computer's rig.
///
/// A pilot takes its commands from a terminal (bramble-terminal serve) and goes
/// on with its session when the terminal or the network is gone. What it
/// observes is kept in its data folder until the terminal has it.
///
/// Without a command it is the pilot itself. With one, a person works the rig by
/// hand: through the pilot where it runs, and else without it. Run it as the user
/// that the pilot runs as.
#[derive(Debug, Parser)]
#[command(name = "bramble-pilot", version, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// The configuration file; config/pilot.toml is a commented example
    #[arg(long, global = true, value_name = "FILE", default_value = "config/pilot.toml")]
    pub(crate) config: PathBuf,
    /// This pilot's name, as the terminal shows it
    #[arg(long, global = true)]
    name: Option<Name>,
    /// Where the terminal listens: tcp://desktop:5600, or on its computer the
    /// ipc:///path/to/swarm.sock in its data folder
    #[arg(long, value_name = "ENDPOINT")]
    terminal: Option<Endpoint>,
    /// Where this pilot listens for its children: ipc:///path/to.sock, or
    /// tcp://0.0.0.0:5601 for those on other computers
    #[arg(long, value_name = "ENDPOINT")]
    children: Option<Endpoint>,
    /// The folder of what the terminal doesn't have yet, and of calibrations
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How fast a simulated session runs: 1 is real time, 20 is twenty times
    /// faster, max is as fast as the computer can
    #[arg(long, value_name = "N|max")]
    speed: Option<Speed>,
    /// The animal in a simulated rig: learner, learner:bias=0.3, scripted:FILE or
    /// FILE.star
    #[arg(long, global = true)]
    animal: Option<String>,
    /// What the simulated animals' randomness comes from
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// The folder of the keys in the data folder.
const KEYS: &str = "keys";

/// What else this program does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Become a pilot of a terminal's swarm, by the code of an invitation
    Join(join::Options),
    #[command(flatten)]
    Hand(hand::Command),
    /// Keep a pilot's outputs safe when it can't; pilots start this themselves
    #[command(hide = true)]
    Guard {
        /// The pilot's data folder
        folder: PathBuf,
    },
}

/// What `config/pilot.toml` says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Name,
    terminal: Option<Endpoint>,
    children: Option<Endpoint>,
    data: Option<PathBuf>,
    journal_limit: Option<ByteSize>,
    #[serde(default)]
    simulation: Simulation,
    #[serde(default)]
    rig: WrittenRig,
}

/// How what is simulated behaves.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Simulation {
    /// How fast time passes.
    pub(crate) speed: Speed,
    /// Which animal is in the box.
    pub(crate) animal: String,
    /// What the animals' randomness comes from.
    pub(crate) seed: Seed,
}

impl Default for Simulation {
    fn default() -> Simulation {
        Simulation { speed: Speed::Times(1.0), animal: "learner".to_owned(), seed: Seed(1) }
    }
}

/// How fast simulated time passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Speed {
    /// As many times faster than real time; positive and finite.
    Times(f64),
    /// As fast as the computer can.
    Max,
}

/// A speed that is not one.
#[derive(Debug, Error)]
#[error("`{0}` is not a speed: write 1 for real time, 20 for twenty times faster, or max")]
pub(crate) struct SpeedError(String);

/// Everything that is settled before the pilot starts.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Its name.
    pub(crate) name: Name,
    /// Where the terminal listens.
    pub(crate) terminal: Endpoint,
    /// Where it listens for its children, if it has any.
    pub(crate) children: Option<Endpoint>,
    /// Its data folder.
    pub(crate) data: PathBuf,
    /// How much the journal may take of what the terminal does not have yet, in bytes.
    pub(crate) journal_limit: u64,
    /// How what is simulated behaves.
    pub(crate) simulation: Simulation,
    /// What devices there are.
    pub(crate) rig: RigConfig,
    /// The configuration file's text, for provenance.
    pub(crate) text: String,
}

/// What a person's hand needs of the settings: the rig, and where it is kept what
/// was found out about it.
#[derive(Debug, Clone)]
pub(crate) struct Workshop {
    /// The pilot's name.
    pub(crate) name: Name,
    /// Its data folder.
    pub(crate) data: PathBuf,
    /// What devices there are.
    pub(crate) rig: RigConfig,
    /// Who works the inputs of a simulated rig, where the command line says so.
    pub(crate) animal: Option<String>,
}

/// Settings that a pilot can't start with.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum SettingsError {
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

impl Settings {
    /// The settings of the file that the arguments name, and of the arguments.
    ///
    /// # Errors
    /// [`SettingsError`] where the file can't be read, or says what can't be.
    pub(crate) fn read(arguments: Arguments) -> Result<Settings, SettingsError> {
        let (name, data, config) = place(&arguments)?;
        let rig = rig(&config)?;
        let Config { settings: file, text, .. } = config;
        let children = arguments.children.or(file.children);
        if children.is_none() {
            let on_child = rig
                .devices
                .iter()
                .find_map(|(device, settings)| Some((device.clone(), settings.driver.child()?.clone())));
            if let Some((device, child)) = on_child {
                return Err(SettingsError::NoChildren { device, child });
            }
        }
        let Simulation { speed, animal, seed } = file.simulation;
        Ok(Settings {
            name,
            terminal: arguments.terminal.or(file.terminal).ok_or(SettingsError::NoTerminal)?,
            children,
            data,
            journal_limit: file.journal_limit.unwrap_or(USUAL_LIMIT).as_u64(),
            simulation: Simulation {
                speed: arguments.speed.unwrap_or(speed),
                animal: arguments.animal.unwrap_or(animal),
                seed: arguments.seed.map_or(seed, Seed),
            },
            rig,
            text,
        })
    }
}

/// What `join` needs of the settings.
#[derive(Debug, Clone)]
pub(crate) struct Dialed {
    /// The pilot's name, as it is written.
    pub(crate) name: Name,
    /// The folder of its keys.
    pub(crate) keys: PathBuf,
    /// Where the terminal listens, as it is written.
    pub(crate) terminal: Option<Endpoint>,
}

impl Dialed {
    /// The settings of the file that the arguments name, and of the arguments.
    ///
    /// # Errors
    /// [`SettingsError`] where the file can't be read, or says what can't be.
    pub(crate) fn read(arguments: &Arguments) -> Result<Dialed, SettingsError> {
        let (name, data, config) = place(arguments)?;
        let terminal = arguments.terminal.clone().or(config.settings.terminal);
        Ok(Dialed { name, keys: data.join(KEYS), terminal })
    }
}

impl Settings {
    /// The folder of its keys.
    pub(crate) fn keys(&self) -> PathBuf {
        self.data.join(KEYS)
    }
}

impl Workshop {
    /// The settings of the file that the arguments name, and of the arguments.
    ///
    /// # Errors
    /// [`SettingsError`] where the file can't be read, or says what can't be.
    pub(crate) fn read(arguments: Arguments) -> Result<Workshop, SettingsError> {
        let (name, data, config) = place(&arguments)?;
        Ok(Workshop { name, data, rig: rig(&config)?, animal: arguments.animal })
    }
}

/// The configuration, the pilot's name and its data folder.
fn place(arguments: &Arguments) -> Result<(Name, PathBuf, Config<File>), SettingsError> {
    let config: Config<File> = bramble_config::read(&arguments.config)?;
    let name = arguments.name.clone().unwrap_or_else(|| config.settings.name.clone());
    let data = match (&arguments.data, &config.settings.data) {
        (Some(data), _) => data.clone(),
        (None, Some(data)) => config.path(data),
        (None, None) => config.path(&PathBuf::from(format!("~/bramble-{name}"))),
    };
    Ok((name, data, config))
}

/// The rig, once nothing in it can't be on this computer.
fn rig(config: &Config<File>) -> Result<RigConfig, ConfigError> {
    let rig = config.settings.rig.clone().read().map_err(|faults| config.mistakes("rig", faults))?;
    match lacking(&rig) {
        none if none.is_empty() => Ok(rig),
        faults => Err(config.mistakes("rig", faults)),
    }
}

impl Speed {
    fn from_times(times: f64) -> Option<Speed> {
        (times.is_finite() && times > 0.0).then_some(Speed::Times(times))
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Speed::Times(times) => times.fmt(f),
            Speed::Max => f.write_str("max"),
        }
    }
}

impl FromStr for Speed {
    type Err = SpeedError;

    fn from_str(text: &str) -> Result<Speed, SpeedError> {
        let wrong = || SpeedError(text.to_owned());
        match text {
            "max" => Ok(Speed::Max),
            number => number.parse().ok().and_then(Speed::from_times).ok_or_else(wrong),
        }
    }
}

impl<'de> Deserialize<'de> for Speed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Speed, D::Error> {
        struct Written;

        impl Visitor<'_> for Written {
            type Value = Speed;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number above 0 or \"max\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Speed, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_f64<E: serde::de::Error>(self, times: f64) -> Result<Speed, E> {
                Speed::from_times(times).ok_or_else(|| E::custom(SpeedError(times.to_string())))
            }
            fn visit_i64<E: serde::de::Error>(self, times: i64) -> Result<Speed, E> {
                self.visit_f64(times as f64)
            }
        }

        deserializer.deserialize_any(Written).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, arguments: &[&str]) -> Result<Settings, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pilot.toml");
        std::fs::write(&path, text).unwrap();
        let config = path.to_str().unwrap();
        let all = ["bramble-pilot", "--config", config].into_iter().chain(arguments.iter().copied());
        Settings::read(Arguments::parse_from(all))
    }

    const SMALL: &str = "name = \"box1\"\nterminal = \"tcp://127.0.0.1:5600\"\n";

    #[test]
    fn the_command_line_goes_before_the_file() {
        let text = format!("{SMALL}[simulation]\nspeed = 2\nseed = 7\n");
        let settings = read(&text, &["--name", "box2", "--speed", "max", "--data", "/data"]).unwrap();
        assert_eq!(settings.name.as_str(), "box2");
        assert_eq!(settings.simulation.speed, Speed::Max);
        assert_eq!(settings.simulation.seed, Seed(7));
        assert_eq!(settings.data, PathBuf::from("/data"));
    }

    #[test]
    fn mistakes_are_shown_at_their_place() {
        for (text, says) in [
            ("name = \"box 1\"\n", ":1:8: `box 1` can't be a name"),
            (
                "name = \"box1\"\nterminal = \"tcp://10.0.0.2\"\n",
                ":2:12: `tcp://10.0.0.2` is not an endpoint",
            ),
            ("name = \"box1\"\n[simulation]\nspeed = 0\n", ":3:9: `0` is not a speed"),
            ("name = \"box1\"\njournal_limit = \"much\"\n", ":2:17: "),
            ("name = \"box1\"\n[simulation]\nspeed = \"fast\"\n", ":3:9: `fast` is not a speed"),
            (
                "name = \"box1\"\n[rig.devices.poke]\nkind = \"digital_inptu\"\ndriver = \"simulated\"\n",
                ":3:8: ",
            ),
        ] {
            let error = read(text, &[]).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn a_pilot_without_a_terminal_or_a_place_for_its_child_does_not_start() {
        let error = read("name = \"box1\"\n", &[]).unwrap_err();
        assert!(matches!(error, SettingsError::NoTerminal));
        let wheel = "[rig.devices.wheel]\nkind = \"encoder\"\ndriver = \"child\"\nchild = \"wheels\"\n";
        let error = read(&format!("{SMALL}{wheel}"), &[]).unwrap_err();
        assert!(error.to_string().contains("`wheel` is on the child wheels"), "{error}");
    }

    #[test]
    fn all_that_can_not_be_of_a_rig_is_shown_at_once_each_at_its_place() {
        let rig = "[rig.devices.light]\nkind = \"digital_output\"\ndriver = \"rppal\"\npin = 17\n\
                   [rig.devices.poke]\nkind = \"digital_input\"\ndriver = \"gpiocdev\"\nchip = \"pinctrl-rp1\"\n\
                   ports = { left = \"header 11\", right = \"header 6\" }\n";
        let Err(SettingsError::File(ConfigError::Mistakes { mistakes, .. })) =
            read(&format!("{SMALL}{rig}"), &[])
        else {
            panic!("two pins are wrong")
        };
        let said: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert!(said[0].ends_with(":11:18: pin 17 is given to both light and poke.left"), "{said:?}");
        assert!(said[1].ends_with(":11:39: header 6 is ground"), "{said:?}");
    }

    #[test]
    fn an_unknown_driver_is_told_with_the_one_that_was_meant() {
        let rig = "[rig.devices.light]\nkind = \"digital_output\"\ndriver = \"gpiocdv\"\npin = 17\n";
        let Err(SettingsError::File(error)) = read(&format!("{SMALL}{rig}"), &[]) else {
            panic!("there is no such driver")
        };
        assert!(error.to_string().contains(":5:10: unknown variant `gpiocdv`"), "{error}");
        assert_eq!(error.help().unwrap().to_string(), "did you mean `gpiocdev`?");
    }

    #[test]
    fn the_example_of_a_box_on_a_pi_is_one() {
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/pilot-pi.toml");
        let settings = Settings::read(Arguments::parse_from(["bramble-pilot", "--config", shipped])).unwrap();
        assert!(settings.rig.is_real() && settings.rig.sync.is_some());
    }

    #[test]
    fn the_shipped_configuration_is_one() {
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/pilot.toml");
        let settings = Settings::read(Arguments::parse_from(["bramble-pilot", "--config", shipped])).unwrap();
        assert_eq!(settings.name.as_str(), "box1");
        assert!(settings.rig.devices.len() > 3);
    }
}
