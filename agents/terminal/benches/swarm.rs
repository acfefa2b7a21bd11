//! How fast the swarm is: `scripts/bench swarm`.
//!
//! Each measurement is between two processes of this computer: this program is
//! one of them, and starts itself again as the other.

#[path = "swarm/absence.rs"]
mod absence;
#[path = "apart/mod.rs"]
mod apart;
#[path = "swarm/clock.rs"]
mod clock;
#[path = "swarm/closed.rs"]
mod closed;
#[path = "swarm/ends.rs"]
mod ends;
#[path = "swarm/flow.rs"]
mod flow;
#[path = "swarm/hostile.rs"]
mod hostile;
#[path = "swarm/other.rs"]
mod other;
#[path = "swarm/pilots.rs"]
mod pilots;
#[path = "swarm/stream.rs"]
mod stream;
#[path = "swarm/turns.rs"]
mod turns;
#[path = "swarm/written.rs"]
mod written;

use std::time::Duration;

use bramble_bench::{Goal, Report};

use apart::Failed;

fn main() -> Result<(), Failed> {
    if other::is_told()? {
        return Ok(());
    }
    let mut report = Report::from_arguments("swarm");
    turns(&mut report)?;
    strangers(&mut report)?;
    flow(&mut report)?;
    streams(&mut report)?;
    clock(&mut report)?;
    absence(&mut report)?;
    pilots(&mut report)?;
    report.print();
    Ok(())
}

/// What goes to a pilot and comes back.
fn turns(report: &mut Report) -> Result<(), Failed> {
    let turns = if report.is_quick() { 50 } else { 5_000 };
    let one = turns::measure(turns, Duration::ZERO)?;
    // Autopilot needs 632 us, unencrypted, and PyMoa 830 us.
    report.measured("command and answer, p50", one.p50, "us", Some(Goal::Below(100.0)));
    report.measured("command and answer, p99", one.p99, "us", None);
    let turns = if report.is_quick() { 20 } else { 2_000 };
    let rest = Duration::from_millis(1);
    let rested = turns::measure(turns, rest)?;
    report.measured("command and answer after a rest, p50", rested.p50, "us", None);
    report.measured("command and answer after a rest, p99", rested.p99, "us", None);
    // LabNet needs 256 to 321 us. The client hears on its link's own thread, and is awake
    // where one loop follows the other at once.
    let name = |when: &str, which: &str| format!("input to client to output, {when}, {which}");
    let closed = closed::measure(turns, Duration::ZERO)?;
    report.simulated(&name("back to back", "p50"), closed.p50, "us", Some(Goal::Below(150.0)));
    report.simulated(&name("back to back", "p99"), closed.p99, "us", None);
    let closed = closed::measure(turns, rest)?;
    report.simulated(&name("1 ms after the last", "p50"), closed.p50, "us", None);
    report.simulated(&name("1 ms after the last", "p99"), closed.p99, "us", None);
    Ok(())
}

/// What goes to a pilot and comes back while strangers are at the door.
fn strangers(report: &mut Report) -> Result<(), Failed> {
    let turns = if report.is_quick() { 50 } else { 5_000 };
    let (alone, beside, came) = hostile::measure(turns)?;
    let name = |what: &str| format!("command and answer beside strangers, {what}");
    report.measured(&name("p50"), beside.p50, "us", None);
    report.measured(&name("p99"), beside.p99, "us", None);
    report.measured(&name("p50, of that without"), beside.p50 / alone.p50, "times", Some(Goal::Below(2.0)));
    report.measured("strangers that came, 500 of them silent at any time", came as f64, "", None);
    Ok(())
}

/// Events in one direction.
fn flow(report: &mut Report) -> Result<(), Failed> {
    let events = if report.is_quick() { 20_000 } else { 2_000_000 };
    // Autopilot has 2,400 a second, and no journal.
    let batched = flow::measure(512, events)?;
    report.measured("events, journalled at both ends", batched, "1/s", Some(Goal::AtLeast(100_000.0)));
    let single = flow::measure(1, events / 10)?;
    report.measured("events, journalled, each a message of its own", single, "1/s", None);
    Ok(())
}

/// Streams, and events beside one.
fn streams(report: &mut Report) -> Result<(), Failed> {
    const RATE: u32 = 500;
    let flood = stream::flood(report.is_quick())?;
    report.measured("stream of blocks of 32 KiB", flood, "MB/s", Some(Goal::AtLeast(f64::from(RATE))));
    let events = if report.is_quick() { 50 } else { 5_000 };
    let (alone, beside, rate) = stream::measure(events, RATE)?;
    report.measured("event to client, p50", alone.p50, "us", None);
    report.measured("event to client, p99", alone.p99, "us", None);
    let beside_it = format!("beside a stream of {RATE} MB/s");
    report.measured(&format!("event to client {beside_it}, p50"), beside.p50, "us", None);
    report.measured(&format!("event to client {beside_it}, p99"), beside.p99, "us", None);
    let times = beside.p50 / alone.p50;
    report.measured(
        &format!("event to client {beside_it}, p50, of that alone"),
        times,
        "times",
        Some(Goal::Below(1.5)),
    );
    report.measured("what came of that stream", rate, "MB/s", None);
    Ok(())
}

/// The other's clock, which is the same one.
fn clock(report: &mut Report) -> Result<(), Failed> {
    let estimates = if report.is_quick() { 2 } else { 20 };
    let worst = clock::measure(estimates)?;
    report.measured("error of the other's clock, worst", worst, "us", Some(Goal::Below(50.0)));
    Ok(())
}

/// A terminal that is away for a day.
fn absence(report: &mut Report) -> Result<(), Failed> {
    let hours = if report.is_quick() { 1 } else { 24 };
    let kept = absence::measure(Duration::from_secs(hours * 3600))?;
    let name = |what: &str| format!("terminal away for {hours} h, 20 events/s: {what}");
    // What a pilot may keep where its configuration says nothing else.
    report.measured(&name("the pilot's journal"), kept.size, "MB", Some(Goal::Below(2000.0)));
    report.measured(&name("opened and checked in"), kept.open, "ms", None);
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
