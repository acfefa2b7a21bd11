//! What can be typed after `bramble-terminal agents`.

use bramble_value::Name;
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Agents {
    #[command(subcommand)]
    pub(crate) command: Option<AgentsCommand>,
    /// For scripts: everything that is known of them, as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AgentsCommand {
    /// Give a pilot that is here and idle another name
    Rename {
        /// Its name
        #[arg(value_name = "OLD")]
        name: Name,
        /// Its new name
        #[arg(value_name = "NEW")]
        to: Name,
    },
    /// End an agent's rights: it is talked to no more, at once, unless it joins again
    #[command(after_help = "\
A pilot that is in a session finishes it, and keeps what it observed; that comes to the terminal
when the pilot has joined again under the same name.")]
    Revoke {
        /// Which
        name: Name,
    },
}
