//! `task ...`: check, graph, simulate.

use crate::cli::Task;

pub(super) fn run(_command: Task) -> miette::Result<()> {
    Err(miette::miette!("not yet"))
}
