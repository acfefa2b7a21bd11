//! What a terminal's file says.

use std::path::PathBuf;

use bramble_link::Endpoint;
use bramble_value::{Lab, Name};
use serde::Deserialize;

use crate::alerts::AlertsFile;
use crate::web::WebFile;

/// Where pilots are listened for where nothing else is said.
const USUAL_ENDPOINT: &str = "tcp://127.0.0.1:5600";

/// What a terminal is called where nothing else is said.
pub const TERMINAL: &str = "terminal";

/// What `config/terminal.toml` says.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TerminalFile {
    /// The data folder, relative to the configuration file; `~/` is the home folder.
    pub data: Option<PathBuf>,
    /// Where pilots are listened for.
    pub listen: Option<Endpoint>,
    /// This terminal's name, as pilots show it.
    pub name: Option<Name>,
    /// Whose data these are, for exports.
    pub lab: Lab,
    /// The page.
    pub web: WebFile,
    /// What people are told of by themselves.
    pub alerts: AlertsFile,
}

impl TerminalFile {
    /// Where pilots are listened for: on this computer only, where the file doesn't say.
    pub fn listen(&self) -> Endpoint {
        self.listen.clone().unwrap_or_else(|| USUAL_ENDPOINT.parse().expect("the usual endpoint is one"))
    }

    /// The terminal's name.
    pub fn name(&self) -> Name {
        self.name.clone().unwrap_or_else(|| TERMINAL.parse().expect("`terminal` is a name"))
    }
}
