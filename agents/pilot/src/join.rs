//! `join`: becomes one of a swarm.

use bramble_enrolment::{Code, Failed, Join, Terminal};
use bramble_identity::Role;
use bramble_settings::KEYS;
use clap::Args;
use miette::{Diagnostic, IntoDiagnostic, Report};
use thiserror::Error;

use crate::behind;
use crate::config::{Arguments, Dialed};

/// What can be typed after `join`.
#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    after_help = "\
The code comes from `bramble-terminal invite NAME`, and holds once. What the pilot is called then is
the name it was invited by. Its key is made here and never leaves this computer.

Examples:
  bramble-pilot join lab-desk k7qf-2mxp
  bramble-pilot join k7qf-2mxp"
)]
pub(crate) struct Options {
    /// The terminal's computer: its name or address, and its port where it isn't 5600; where
    /// it is left out, the terminal is looked for on this network
    terminal: Option<Terminal>,
    /// The code that the terminal printed
    code: Code,
    /// Leave the swarm that this pilot is of, or replace keys that are damaged
    #[arg(long)]
    replace: bool,
}

/// Why the pilot did not join.
#[derive(Debug, Error, Diagnostic)]
#[error(transparent)]
struct NotJoined(#[from] Failed);

/// Joins, and says what is to be done then.
pub(crate) fn run(options: Options, arguments: &Arguments) -> Result<(), Report> {
    let Dialed { name: written, data, terminal: dialed } = Dialed::read(arguments)?;
    let Options { terminal, code, replace } = options;
    let endpoint =
        terminal.as_ref().map_or_else(|| "find".to_owned(), |terminal| format!("tcp://{terminal}"));
    let join = Join { terminal, code, role: Role::Pilot, keys: data.join(KEYS), replace };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().into_diagnostic()?;
    let joining = join.run_unless(|prospect| behind::hinders(&data, prospect));
    let joined = runtime.block_on(joining).map_err(NotJoined)?;
    println!("{}.", joined.said());
    let name = &joined.identity.agent().name;
    let mut lines = Vec::new();
    if *name != written {
        lines.push(format!("  name = \"{name}\""));
    }
    if dialed.is_none_or(|dialed| dialed.to_string() != endpoint) {
        lines.push(format!("  terminal = \"{endpoint}\""));
    }
    if !lines.is_empty() {
        println!("Write into {}:\n{}", arguments.config().display(), lines.join("\n"));
    }
    println!("Then start the pilot, or start it again.");
    Ok(())
}
