//! `alerts`.

use bramble_value::Span;
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Alerts {
    #[command(subcommand)]
    pub(crate) command: Option<AlertsCommand>,
    /// Also those that are over, as far back as is remembered
    #[arg(long)]
    pub(crate) past: bool,
    /// For scripts
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// Say that you have seen alerts: nobody is reminded of them
    Seen {
        /// Their numbers
        #[arg(required = true)]
        ids: Vec<u64>,
    },
    /// Have nobody be told of an alert for a time
    Silence {
        /// Its number
        id: u64,
        /// For how long, as in 2h; 0s ends a silence
        #[arg(default_value = "8h")]
        time: Span,
    },
    /// Tell others something that is no alert, and print what they answered
    Test,
}
