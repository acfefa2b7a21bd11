//! `session ...`: what can be asked of sessions that are recorded.

use std::path::PathBuf;

use bramble_value::SubjectId;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Session {
    /// Check how good a session was, each check with its number and its limit
    #[command(after_help = "\
Everything comes from the subject's file, which keeps the checks that were made when the session
ended. The limits are the same for every task.

Examples:
  bramble-terminal session report M001
  bramble-terminal session report M001 --session 12 --html session12.html")]
    Report(SessionReport),
    /// Move a session that was recorded under the wrong subject; both histories tell it
    #[command(after_help = "\
All of it goes into the other subject's file, where it gets the next number; water and trials count
there then. No other session gets the number that it had. Needs a running terminal.

Example:
  bramble-terminal session move M001 --session 12 --to M002 --why \"M002 was in the box\"")]
    Move(SessionMove),
}

#[derive(Debug, Args)]
pub(crate) struct SessionMove {
    /// The subject that it was recorded under
    pub(crate) subject: SubjectId,
    /// Which session
    #[arg(long, value_name = "N")]
    pub(crate) session: u32,
    /// Whose session it is
    #[arg(long, value_name = "SUBJECT")]
    pub(crate) to: SubjectId,
    /// Why, for both histories
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: String,
}

#[derive(Debug, Args)]
pub(crate) struct SessionReport {
    /// The subject, or the path of its file
    pub(crate) subject: String,
    /// Which session [default: the last one]
    #[arg(long, value_name = "N")]
    pub(crate) session: Option<u32>,
    /// Make the checks anew, instead of showing those that were made when the session ended
    #[arg(long)]
    pub(crate) now: bool,
    /// Write it as a page for a browser, with plots, instead of printing it
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub(crate) html: Option<PathBuf>,
    /// For scripts
    #[arg(long)]
    pub(crate) json: bool,
}
