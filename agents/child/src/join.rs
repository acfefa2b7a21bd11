//! `join`: becomes one of a swarm.

use bramble_enrolment::{Code, Failed, Join, Terminal};
use bramble_identity::Role;
use clap::Args;
use miette::{Diagnostic, IntoDiagnostic, Report};
use thiserror::Error;

use crate::config::{Arguments, Joiner};

/// What can be typed after `join`.
#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    after_help = "\
The code comes from `bramble-terminal invite NAME --child`, and holds once. What the child is called then is
the name it was invited by. Its key is made here and never leaves this computer.

Examples:
  bramble-child join lab-desk k7qf-2mxp
  bramble-child join k7qf-2mxp"
)]
pub(crate) struct Options {
    /// The terminal's computer: its name or address, and its port where it isn't 5600; where
    /// it is left out, the terminal is looked for on this network
    terminal: Option<Terminal>,
    /// The code that the terminal printed
    code: Code,
    /// Leave the swarm that this child is of, or replace keys that are damaged
    #[arg(long)]
    replace: bool,
}

/// Why the child did not join.
#[derive(Debug, Error, Diagnostic)]
#[error(transparent)]
struct NotJoined(#[from] Failed);

/// Joins, and says what is to be done then.
pub(crate) fn run(options: Options, arguments: &Arguments) -> Result<(), Report> {
    let Joiner { name: written, keys } = Joiner::read(arguments)?;
    let Options { terminal, code, replace } = options;
    let join = Join { terminal, code, role: Role::Child, keys, replace };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().into_diagnostic()?;
    let joined = runtime.block_on(join.run()).map_err(NotJoined)?;
    println!("{}.", joined.said());
    let name = &joined.identity.agent().name;
    if *name != written {
        println!("Write into {}:\n  name = \"{name}\"", arguments.config().display());
    }
    println!("Then start the child, or start it again.");
    Ok(())
}
