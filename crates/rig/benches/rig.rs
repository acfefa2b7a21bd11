//! How fast the loop of a real rig is: `scripts/bench rig`.
//!
//! Its lines are in memory, and another thread raises inputs and spins until
//! outputs answer; each of the two has a core of its own. `rig --gpio DIR --chip CHIP` measures the same loop on lines
//! of the kernel's GPIO simulator instead, beside a bare loop on such lines.

#[path = "rig/gpio.rs"]
mod gpio;
#[path = "rig/idle.rs"]
mod idle;
#[path = "rig/killed.rs"]
mod killed;
#[path = "rig/memory.rs"]
mod memory;
#[path = "rig/stage.rs"]
mod stage;

use std::error::Error;

use bramble_bench::{Goal, Report, median};

fn main() -> Result<(), Box<dyn Error>> {
    killed::if_told()?;
    let mut report = Report::from_arguments("rig");
    let runs = if report.is_quick() { 1 } else { 5 };
    if let Some(gpio) = gpio::Gpio::from_arguments()? {
        gpio.measure(&mut report, runs)?;
        report.print();
        return Ok(());
    }

    // Fewer edges of a line than a storm has: the loop would be so fast.
    let turns = if report.is_quick() { 200 } else { 1_000 };
    let one = memory::reactions(turns, memory::NO_REST, runs)?;
    report.simulated("input to output, p50", one.p50, "us", Some(Goal::Below(30.0)));
    report.simulated("input to output, p99", one.p99, "us", Some(Goal::Below(100.0)));
    let rested = memory::reactions(turns, memory::REST, runs)?;
    report.simulated("input to output of a loop that slept, p50", rested.p50, "us", None);
    report.simulated("input to output of a loop that slept, p99", rested.p99, "us", Some(Goal::Below(100.0)));
    let waking = memory::waking(turns)?;
    report.measured("this machine's waking of any thread, p50", waking, "us", None);

    let many = memory::pairs(turns, memory::REST, runs)?;
    report.simulated("14 at once of a loop that slept, p50", many.p50, "us", None);
    report.simulated("14 at once over one, p50", many.p50 / rested.p50, "times", Some(Goal::Below(2.0)));
    let busy = memory::pairs(turns, memory::NO_REST, runs)?;
    report.simulated("answered edges of 14 inputs", busy.rate, "1/s", Some(Goal::AtLeast(50_000.0)));
    let missed = many.missed + busy.missed;
    report.simulated("edges of 14 inputs that were missed", missed, "edges", Some(Goal::Below(1.0)));

    let periods = if report.is_quick() { 40 } else { 1_000 };
    let beat = memory::beat(periods)?;
    report.simulated("error of a pulse of 10 ms, p99", beat.width_p99, "us", Some(Goal::Below(20.0)));
    let name = format!("drift of a loop of 20 + 30 ms over {periods} periods");
    report.simulated(&name, beat.drift, "us", Some(Goal::Below(20.0)));

    // The script that runs this says where the programs are.
    if let Some(pilot) = std::env::var_os("BRAMBLE_PILOT") {
        let seconds = if report.is_quick() { 1.0 } else { 10.0 };
        let idle = (0..runs.min(3)).map(|_| idle::pilot(&pilot, seconds)).collect::<Result<Vec<_>, _>>()?;
        let middle = |of: fn(&idle::Idle) -> f64| median(idle.iter().map(of).collect());
        report.measured(
            "idle pilot with 14 inputs, of a core",
            middle(|one| one.core),
            "%",
            Some(Goal::Below(0.5)),
        );
        report.measured("idle pilot, resident", middle(|one| one.resident), "MB", Some(Goal::Below(20.0)));
        report.measured("pilot from start to ready", middle(|one| one.start), "s", Some(Goal::Below(0.5)));
        let times = if report.is_quick() { 3 } else { 20 };
        let worst = killed::until_safe(&pilot, times)?.into_iter().fold(0.0, f64::max);
        report.simulated("pilot killed to outputs safe, worst", worst, "ms", Some(Goal::Below(50.0)));
    }
    report.print();
    Ok(())
}
