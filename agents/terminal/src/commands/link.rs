//! `test-link`: how fast the links to pilots are.

use super::timing::short;
use super::{print_json, say, table};
use crate::api::client::Client;
use crate::api::link::{LinkReport, LinkResult, TestLink};

pub(super) async fn run(client: &Client, test: TestLink, json: bool) -> miette::Result<()> {
    let report: LinkReport = client.post("/link-test", &test).await?;
    if json {
        return print_json(&report);
    }
    let LinkReport { apart, together } = report;
    say(shown(&apart));
    if !together.is_empty() {
        let all: f64 = together.iter().map(|link| link.to_terminal).sum();
        say(format_args!("\nall at once\n{}\ntogether {} to the terminal", shown(&together), rate(all)));
    }
    Ok(())
}

fn shown(links: &[LinkResult]) -> String {
    let mut table = table(&[
        "pilot",
        "half within",
        "99 % within",
        "worst",
        "to terminal",
        "to pilot",
        "lost",
        "is like",
    ]);
    for LinkResult { pilot, round_trip, to_terminal, to_pilot, lost } in links {
        table.add_row([
            pilot.to_string(),
            short(round_trip.p50),
            short(round_trip.p99),
            short(round_trip.worst),
            rate(*to_terminal),
            rate(*to_pilot),
            lost.to_string(),
            like(*to_terminal).to_owned(),
        ]);
    }
    table.to_string()
}

fn rate(bytes: f64) -> String {
    let megabytes = bytes / 1e6;
    let digits = if megabytes < 10.0 { 2 } else { 0 };
    format!("{megabytes:.digits$} MB/s")
}

/// What carries as much, at about 94 % of what it is called by.
fn like(bytes: f64) -> &'static str {
    match bytes * 8.0 / 1e6 {
        megabits if megabits < 8.0 => "a poor radio link",
        megabits if megabits < 80.0 => "a radio link",
        megabits if megabits < 110.0 => "a 100 Mbit/s cable",
        megabits if megabits < 800.0 => "less than a gigabit cable",
        megabits if megabits < 1_100.0 => "a gigabit cable",
        _ => "this computer",
    }
}
