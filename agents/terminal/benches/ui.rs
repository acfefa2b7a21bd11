//! How fast the page is: `scripts/bench ui`.
//!
//! The terminal is the program itself, and its page is in Chromium. Its pilots are links in
//! another process, and say what pilots with a session of a real task do.

#[path = "apart/mod.rs"]
mod apart;
#[path = "ui/browser.rs"]
mod browser;
#[path = "ui/pilots.rs"]
mod pilots;

use std::time::Duration;

use bramble_bench::{Goal, Report, quantile};

use apart::{Failed, Other, pilot, process, role};
use browser::Browser;

/// How many pilots there are, each with a session.
const PILOTS: u32 = 80;
/// Events of each in a second.
const RATE: u32 = 20;

fn main() -> Result<(), Failed> {
    if let Some(role) = role() {
        return match role.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["pilots", pilots, folder, endpoint] => pilots::be(pilots.parse()?, folder, endpoint),
            _ => Err("there is no such other process".into()),
        };
    }
    let mut report = Report::from_arguments("ui");
    // The script that runs this says where the programs are.
    let program = std::env::var_os("BRAMBLE_TERMINAL").ok_or("run this with scripts/bench ui")?;
    let (pilots, seconds) = if report.is_quick() { (8, 2) } else { (PILOTS, 20) };

    let folder = tempfile::tempdir()?;
    pilot::lab(folder.path(), pilots)?;
    let (mut terminal, endpoint) = pilot::serve(&program, folder.path(), "127.0.0.1:0")?;
    let address = terminal.wait_for("page:")?;
    let path = folder.path().display().to_string();
    let mut others = Other::start(&["pilots", &pilots.to_string(), &path, &endpoint])?;
    let started = others.wait_for("started")?;

    let before = core(&terminal, seconds)?;
    let mut browser = Browser::open(&address, seconds, &started, pilots)?;
    let first = browser.first()?;
    let mut session = browser.watched()?;
    let lab = browser.watched()?;
    browser.ten()?;
    let ten = core(&terminal, seconds)?;
    browser.close()?;
    // What else the computer did meanwhile is in both.
    let alone = (before + core(&terminal, seconds)?) / 2.0;
    let memory = process::most_memory(terminal.id())?;

    report.measured("first page, transferred", first.kilobytes, "kB", Some(Goal::Below(300.0)));
    report.measured("first page, until all pilots are shown", first.seconds, "s", Some(Goal::Below(1.0)));
    let load = format!("{pilots} pilots, {RATE} events/s each");
    let name = |what: &str| format!("{load}: {what}");
    let (p50, p95) = (quantile(&mut session.delays, 0.5), quantile(&mut session.delays, 0.95));
    report.simulated(&name("event to pixel, p50"), p50, "ms", None);
    report.simulated(&name("event to pixel, p95"), p95, "ms", Some(Goal::Below(150.0)));
    report.simulated(&name("a session's view"), session.frames, "frames/s", Some(Goal::AtLeast(30.0)));
    report.simulated(&name("the lab's page"), lab.frames, "frames/s", None);
    report.simulated(&name("terminal without a page, of a core"), alone, "%", None);
    report.simulated(&name("ten pages more, of a core"), ten - alone, "%", Some(Goal::Below(10.0)));
    report.simulated(&name("terminal, most memory"), memory, "MB", None);
    report.print();
    Ok(())
}

/// The share of a core that a process needs over some seconds, in percent.
fn core(process: &Other, seconds: u32) -> Result<f64, Failed> {
    let before = process::processor_seconds(process.id())?;
    std::thread::sleep(Duration::from_secs(seconds.into()));
    Ok((process::processor_seconds(process.id())? - before) / f64::from(seconds) * 100.0)
}
