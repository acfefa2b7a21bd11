//! What needs a person: who is away and since when, whose clock is off, whose disk is full.

use bramble_message::{Health, Power, Quality};
use jiff::{Timestamp, Zoned};

use super::{about, bytes, clock};
use crate::api::types::{PilotStatus, Status};

/// A wall clock that is off by more dates what happens wrongly, in seconds.
const WALL_OFF: f64 = 2.0;

/// With less free, in bytes, a disk is soon full.
const LITTLE: u64 = 1_000_000_000;

/// A line for each thing.
pub(super) fn lines(status: &Status, now: &Zoned) -> Vec<String> {
    let mut lines = Vec::new();
    for pilot in &status.pilots {
        of_pilot(pilot, now, &mut lines);
    }
    lines.extend(status.notice.clone());
    lines.extend(status.refused.iter().map(|why| format!("refused: {why}")));
    lines
}

fn of_pilot(pilot: &PilotStatus, now: &Zoned, lines: &mut Vec<String>) {
    let name = pilot.name.as_str();
    if !pilot.here {
        lines.push(away(name, Some(pilot.since), pilot.why.as_deref(), now));
    }
    lines.extend(pilot.notice.as_ref().map(|notice| format!("{name}: {notice}")));
    // What one that is away said last may have been mended since.
    if pilot.here {
        lines.extend(of_wall(name, "this computer's", pilot.quality.as_ref()));
        of_health(name, pilot.health.as_ref(), lines);
        for child in &pilot.children {
            let name = format!("{name}'s child {}", child.name);
            if !child.here {
                lines.push(away(&name, child.since, child.why.as_deref(), now));
                continue;
            }
            lines.extend(of_wall(&name, "its pilot's", child.quality.as_ref()));
            lines.extend(of_disk(&name, child.health.as_ref()));
            of_health(&name, child.health.as_ref(), lines);
        }
    }
}

fn away(name: &str, since: Option<Timestamp>, why: Option<&str>, now: &Zoned) -> String {
    let Some(since) = since else { return format!("{name} never came") };
    let away = clock(now.timestamp().duration_since(since).as_secs_f64());
    let since = since.to_zoned(now.time_zone().clone());
    let date = if since.date() == now.date() { "" } else { "%Y-%m-%d " };
    let since = since.strftime(&format!("{date}%H:%M:%S")).to_string();
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    format!("{name} is away since {since}, for {away}{why}")
}

fn of_wall(name: &str, whose: &str, quality: Option<&Quality>) -> Option<String> {
    let ahead = quality?.wall_ahead.filter(|ahead| ahead.abs() > WALL_OFF)?;
    let side = if ahead > 0.0 { "ahead of" } else { "behind" };
    let off = about(ahead);
    Some(format!(
        "{name}'s wall clock is {off} {side} {whose}: dates are wrong by that; set it, or use a time server"
    ))
}

fn of_health(name: &str, health: Option<&Health>, lines: &mut Vec<String>) {
    let Some(health) = health else { return };
    lines.extend(health.power.and_then(|power| of_power(name, power)));
}

/// A terminal and a pilot say it themselves, by what they keep.
fn of_disk(name: &str, health: Option<&Health>) -> Option<String> {
    let disk = health?.disk.filter(|disk| disk.free < LITTLE)?;
    Some(format!("{name} has only {} of disk left: make room", bytes(disk.free)))
}

fn of_power(name: &str, power: Power) -> Option<String> {
    match power {
        Power { low: true, .. } => {
            Some(format!("{name}'s voltage is too low: give it a better supply or cable"))
        }
        Power { throttled: true, .. } => Some(format!(
            "{name} is slowed down, for want of power or for heat: see to its supply and cooling"
        )),
        _ => None,
    }
}
