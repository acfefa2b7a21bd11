//! The second table: how each pilot and child fares.

use bramble_message::{Health, Power, Quality};

use super::super::table as new_table;
use super::{about, bytes, grouped};
use crate::api::types::PilotStatus;

/// A line for each pilot, and below it for each of its children. What nobody tells has no
/// column.
pub(super) fn table(pilots: &[PilotStatus]) -> String {
    let header = ["agent", "", "round trip", "clock", "wall", "to come", "disk", "temp", "supply"];
    let mut lines: Vec<[String; 9]> = Vec::new();
    for pilot in pilots {
        let to_come = if pilot.here { grouped(pilot.unacknowledged) } else { nothing() };
        lines.push(line(
            pilot.name.to_string(),
            pilot.here,
            pilot.quality.as_ref(),
            to_come,
            pilot.health.as_ref(),
        ));
        for child in &pilot.children {
            let here = pilot.here && child.here;
            let name = format!("  {}", child.name);
            lines.push(line(name, here, child.quality.as_ref(), nothing(), child.health.as_ref()));
        }
    }
    let told: Vec<usize> = (0..header.len())
        .filter(|place| *place < 2 || lines.iter().any(|line| line[*place] != "-"))
        .collect();
    let mut table = new_table(&told.iter().map(|place| header[*place]).collect::<Vec<_>>());
    for line in lines {
        table.add_row(told.iter().map(|place| line[*place].clone()));
    }
    table.trim_fmt()
}

/// Of one that is away nothing is known now.
fn line(
    name: String,
    here: bool,
    quality: Option<&Quality>,
    to_come: String,
    health: Option<&Health>,
) -> [String; 9] {
    let (quality, health) = (quality.filter(|_| here), health.filter(|_| here));
    let told = |text: Option<String>| text.unwrap_or_else(nothing);
    [
        name,
        if here { "here" } else { "away" }.to_owned(),
        told(quality.map(|quality| about(quality.round_trip.seconds()))),
        told(quality.map(|quality| format!("±{}", about(quality.clock_error.seconds())))),
        told(quality.and_then(|quality| quality.wall_ahead).map(signed)),
        to_come,
        told(health.and_then(|health| health.disk).map(|disk| bytes(disk.free))),
        told(health.and_then(|health| health.temperature).map(|degrees| format!("{degrees:.0} °C"))),
        told(health.and_then(|health| health.power).map(|power| supply(power).to_owned())),
    ]
}

fn nothing() -> String {
    "-".to_owned()
}

fn signed(seconds: f64) -> String {
    format!("{}{}", if seconds < 0.0 { "-" } else { "+" }, about(seconds))
}

fn supply(power: Power) -> &'static str {
    match power {
        Power { low: true, .. } => "low",
        Power { throttled: true, .. } => "throttled",
        Power { earlier: true, .. } => "was low",
        _ => "ok",
    }
}
