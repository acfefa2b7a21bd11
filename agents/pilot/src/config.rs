//! What a pilot is told when it starts: its configuration file, and the command
//! line, which goes before it.

use std::path::PathBuf;

use bramble_config::{Config, ConfigError};
use bramble_link::Endpoint;
use bramble_rig::RigConfig;
use bramble_rig::driver::lacking;
use bramble_settings::{KEYS, PilotError, PilotFile, Simulation, Speed, data_folder, reachable};
use bramble_value::{Name, Seed};
use clap::{Parser, Subcommand};

use crate::{hand, join};

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
    /// The configuration file; config/pilot.toml is a commented example [default: what
    /// bramble-setup wrote, else config/pilot.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
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

impl Arguments {
    /// The configuration file.
    pub(crate) fn config(&self) -> PathBuf {
        self.config.clone().unwrap_or_else(|| bramble_settings::place::usual("pilot"))
    }
}

/// What else this program does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Become a pilot of a terminal's swarm, by the code of an invitation
    Join(join::Options),
    /// Have what waits for a terminal wait no more, and keep it in a file of its own: for a
    /// terminal that won't come back
    LeaveBehind,
    #[command(flatten)]
    Hand(hand::Command),
    /// Keep a pilot's outputs safe when it can't; pilots start this themselves
    #[command(hide = true)]
    Guard {
        /// The pilot's data folder
        folder: PathBuf,
    },
}

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

impl Settings {
    /// The settings of the file that the arguments name, and of the arguments.
    ///
    /// # Errors
    /// [`PilotError`] where the file can't be read, or says what can't be.
    pub(crate) fn read(arguments: Arguments) -> Result<Settings, PilotError> {
        let (name, data, config) = place(&arguments)?;
        let rig = rig(&config)?;
        let Config { settings: file, text, .. } = config;
        let journal_limit = file.journal_limit();
        let children = arguments.children.or(file.children);
        reachable(&rig, children.as_ref())?;
        let Simulation { speed, animal, seed } = file.simulation;
        Ok(Settings {
            name,
            terminal: arguments.terminal.or(file.terminal).ok_or(PilotError::NoTerminal)?,
            children,
            data,
            journal_limit,
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

/// What `join` and `leave-behind` need of the settings.
#[derive(Debug, Clone)]
pub(crate) struct Dialed {
    /// The pilot's name, as it is written.
    pub(crate) name: Name,
    /// Its data folder.
    pub(crate) data: PathBuf,
    /// Where the terminal listens, as it is written.
    pub(crate) terminal: Option<Endpoint>,
}

impl Dialed {
    /// The settings of the file that the arguments name, and of the arguments.
    ///
    /// # Errors
    /// [`PilotError`] where the file can't be read, or says what can't be.
    pub(crate) fn read(arguments: &Arguments) -> Result<Dialed, PilotError> {
        let (name, data, config) = place(arguments)?;
        let terminal = arguments.terminal.clone().or(config.settings.terminal);
        Ok(Dialed { name, data, terminal })
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
    /// [`PilotError`] where the file can't be read, or says what can't be.
    pub(crate) fn read(arguments: Arguments) -> Result<Workshop, PilotError> {
        let (name, data, config) = place(&arguments)?;
        Ok(Workshop { name, data, rig: rig(&config)?, animal: arguments.animal })
    }
}

/// The configuration, the pilot's name and its data folder.
fn place(arguments: &Arguments) -> Result<(Name, PathBuf, Config<PilotFile>), PilotError> {
    let config: Config<PilotFile> = bramble_config::read(&arguments.config())?;
    let name = arguments.name.clone().unwrap_or_else(|| config.settings.name.clone());
    let data = match &arguments.data {
        Some(data) => data.clone(),
        None => data_folder(&config, &name, config.settings.data.as_deref()),
    };
    Ok((name, data, config))
}

/// The rig, once nothing in it can't be on this computer.
fn rig(config: &Config<PilotFile>) -> Result<RigConfig, ConfigError> {
    let rig = config.settings.rig.clone().read().map_err(|faults| config.mistakes("rig", faults))?;
    match lacking(&rig) {
        none if none.is_empty() => Ok(rig),
        faults => Err(config.mistakes("rig", faults)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use miette::Diagnostic;

    fn read(text: &str, arguments: &[&str]) -> Result<Settings, PilotError> {
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
        assert!(matches!(error, PilotError::NoTerminal));
        let wheel = "[rig.devices.wheel]\nkind = \"encoder\"\ndriver = \"child\"\nchild = \"wheels\"\n";
        let error = read(&format!("{SMALL}{wheel}"), &[]).unwrap_err();
        assert!(error.to_string().contains("`wheel` is on the child wheels"), "{error}");
    }

    #[test]
    fn all_that_can_not_be_of_a_rig_is_shown_at_once_each_at_its_place() {
        let rig = "[rig.devices.light]\nkind = \"digital_output\"\ndriver = \"rppal\"\npin = 17\n\
                   [rig.devices.poke]\nkind = \"digital_input\"\ndriver = \"gpiocdev\"\nchip = \"pinctrl-rp1\"\n\
                   ports = { left = \"header 11\", right = \"header 6\" }\n";
        let Err(PilotError::File(ConfigError::Mistakes { mistakes, .. })) =
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
        let Err(PilotError::File(error)) = read(&format!("{SMALL}{rig}"), &[]) else {
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
