//! `protocol ...`: check.

use crate::cli::Protocol;

pub(super) fn run(_command: Protocol) -> miette::Result<()> {
    Err(miette::miette!("not yet"))
}
