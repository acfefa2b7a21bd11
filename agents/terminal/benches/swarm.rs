//! How fast the swarm is: `scripts/bench swarm`.
//!
//! Each measurement is between two processes of this computer: this program is
//! one of them, and starts itself again as the other.

#[path = "swarm/other.rs"]
mod other;
#[path = "swarm/pilots.rs"]
mod pilots;
#[path = "swarm/process.rs"]
mod process;
#[path = "swarm/written.rs"]
mod written;

use std::error::Error;

use bramble_bench::{Goal, Report};

/// What ends a measurement.
type Failed = Box<dyn Error>;

fn main() -> Result<(), Failed> {
    if other::is_told()? {
        return Ok(());
    }
    let mut report = Report::from_arguments("swarm");
    pilots(&mut report)?;
    report.print();
    Ok(())
}

/// A terminal with very many pilots.
fn pilots(report: &mut Report) -> Result<(), Failed> {
    // The script that runs this says where the programs are.
    let Some(terminal) = std::env::var_os("BRAMBLE_TERMINAL") else { return Ok(()) };
    let load = if report.is_quick() { pilots::QUICK } else { pilots::FULL };
    let terminal = pilots::measure(&terminal, load)?;
    let pilots::Load { pilots, seconds, .. } = load;
    let name = |what: &str| format!("{pilots} pilots, 20 events/s each for {seconds} s: {what}");
    report.simulated(&name("lost or doubled"), terminal.wrong, "events", Some(Goal::Below(1.0)));
    report.simulated(&name("event to subject file, p50"), terminal.p50, "ms", None);
    report.simulated(&name("event to subject file, p99"), terminal.p99, "ms", Some(Goal::Below(1000.0)));
    report.simulated(&name("terminal, of a core"), terminal.core, "%", Some(Goal::Below(100.0)));
    report.simulated(&name("terminal, most memory"), terminal.memory, "MB", Some(Goal::Below(1000.0)));
    Ok(())
}

/// The value that this share of the others is below; 0 of none.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * share) as usize;
    values.get(place.min(values.len().saturating_sub(1))).copied().unwrap_or_default()
}
