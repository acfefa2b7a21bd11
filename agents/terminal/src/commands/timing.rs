//! `timing`: how late pilots and their links are.

use bramble_health::drawn;
use bramble_message::Delays;
use bramble_value::{Name, Span};

use super::{grouped, print_json, say, table};
use crate::api::client::Client;
use crate::api::timing::PilotTiming;

pub(super) async fn run(client: &Client, pilot: Option<Name>, json: bool) -> miette::Result<()> {
    let mut all: Vec<PilotTiming> = client.get("/timing").await?;
    if let Some(pilot) = &pilot {
        all.retain(|timing| timing.pilot == *pilot);
        if all.is_empty() {
            return Err(miette::miette!("no pilot {pilot} is known; bramble-terminal status shows who is"));
        }
    }
    if json {
        return print_json(&all);
    }
    if all.is_empty() {
        say("no pilot has called yet");
        return Ok(());
    }
    let mut table = table(&["pilot", "", "times", "half within", "99 % within", "99.9 % within", "worst"]);
    for timing in &all {
        let reaction = timing.reaction.as_ref().map(|reaction| &reaction.delays);
        for (what, delays) in [("outputs", reaction), ("heartbeats", timing.round_trip.as_ref())] {
            table.add_row(row(&timing.pilot, what, delays));
        }
    }
    say(table);
    for timing in all.iter().filter(|_| pilot.is_some()) {
        let reaction = timing.reaction.as_ref().map(|reaction| &reaction.delays);
        for (what, delays) in [("outputs", reaction), ("heartbeats", timing.round_trip.as_ref())] {
            if let Some(delays) = delays {
                say(format_args!("\n{what}\n{}", drawn(&delays.bars).join("\n")));
            }
        }
    }
    Ok(())
}

fn row(pilot: &Name, what: &str, delays: Option<&Delays>) -> [String; 7] {
    let (pilot, what, none) = (pilot.to_string(), what.to_owned(), || "-".to_owned());
    match delays {
        Some(Delays { count, p50, p99, p99_9, worst, .. }) => {
            [pilot, what, grouped(count), short(*p50), short(*p99), short(*p99_9), short(*worst)]
        }
        None => [pilot, what, none(), none(), none(), none(), none()],
    }
}

/// A time to three digits.
pub(super) fn short(span: Span) -> String {
    let (scale, unit) = match span.ns() {
        ns if ns < 1_000 => (1.0, "ns"),
        ns if ns < 1_000_000 => (1e3, "us"),
        ns if ns < 1_000_000_000 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    let number = span.ns() as f64 / scale;
    let digits = if number < 10.0 { 2 } else { usize::from(number < 100.0) };
    format!("{number:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_three_digits_and_its_unit() {
        let cases = [
            (40, "40.0 ns"),
            (1_234, "1.23 us"),
            (300_400, "300 us"),
            (45_678_000, "45.7 ms"),
            (2_000_000_000, "2.00 s"),
        ];
        for (ns, text) in cases {
            assert_eq!(short(Span::from_ns(ns)), text);
        }
    }
}
