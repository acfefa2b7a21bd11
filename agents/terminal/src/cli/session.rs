//! `session ...`: what can be asked of sessions that are recorded.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Session {
    /// Check how good a session was, each check with its number and its limit
    #[command(after_help = "\
Everything comes from the subject's file. The limits are the same for every task.

Examples:
  bramble-terminal session report M001
  bramble-terminal session report M001 --session 12 --html session12.html")]
    Report(SessionReport),
}

#[derive(Debug, Args)]
pub(crate) struct SessionReport {
    /// The subject, or the path of its file
    pub(crate) subject: String,
    /// Which session [default: the last one]
    #[arg(long, value_name = "N")]
    pub(crate) session: Option<u32>,
    /// Write it as a page for a browser, with plots, instead of printing it
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub(crate) html: Option<PathBuf>,
    /// For scripts
    #[arg(long)]
    pub(crate) json: bool,
}
