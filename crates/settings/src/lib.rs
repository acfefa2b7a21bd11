//! What the configuration file of each agent says.

mod alerts;
mod child;
mod pilot;
pub mod place;
mod speed;
mod terminal;
mod web;

use std::path::{Path, PathBuf};

use bramble_config::Config;
use bramble_value::Name;

pub use alerts::{AlertsFile, WebhookFile, WebhookForm};
pub use child::{ChildError, ChildFile, offerable};
pub use pilot::{PilotError, PilotFile, Simulation, reachable};
pub use speed::{Speed, SpeedError};
pub use terminal::{TERMINAL, TerminalFile};
pub use web::{WEB_PORT, WebAddress, WebAddressError, WebFile};

/// The folder of the keys, in the data folder of any agent.
pub const KEYS: &str = "keys";

/// The data folder of the pilot or child of this name, where its file says `written`.
pub fn data_folder<T>(config: &Config<T>, name: &Name, written: Option<&Path>) -> PathBuf {
    match written {
        Some(data) => config.path(data),
        None => config.path(&PathBuf::from(format!("~/bramble-{name}"))),
    }
}
