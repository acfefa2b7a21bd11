//! `calibrations`: what is known of how much each valve gives.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bramble_rig::calibration::{self, Calibration, Kept, Valve, WATER};
use bramble_value::Span;
use jiff::Timestamp;
use serde_json::json;

use super::check::{Item, Outcome};
use super::cli::Calibrations;
use super::error::HandError;
use super::protocol::Weighed;
use super::say::{say, say_json};
use crate::config::Workshop;

/// Where a pilot keeps the calibrations of its valves.
pub(crate) fn folder(data: &Path) -> PathBuf {
    data.join("calibrations")
}

/// Lists them.
pub(super) fn list(asked: &Calibrations, workshop: &Workshop) -> Result<(), HandError> {
    let mut all = calibration::kept(&folder(&workshop.data))
        .map_err(|error| HandError::Calibration(error.to_string()))?;
    if !asked.all {
        all = newest_of_each(all);
    }
    let limit = workshop.rig.calibration_age;
    let now = Timestamp::now();
    if asked.json {
        let all: Vec<serde_json::Value> = all.iter().map(|kept| as_json(kept, now, limit)).collect();
        say_json(&all);
        return Ok(());
    }
    if all.is_empty() {
        say("no valve was calibrated: `bramble-pilot calibrate VALVE` does it");
        return Ok(());
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["valve", "made", "age", "flow", "volumes", "precision", ""]);
    for kept in &all {
        table.add_row(row(kept, now, limit));
    }
    say(table);
    Ok(())
}

fn row(kept: &Kept, now: Timestamp, limit: Span) -> [String; 7] {
    let valve = kept.valve.to_string();
    let calibration = match &kept.calibration {
        Ok(calibration) => calibration,
        Err(why) => {
            return [
                valve,
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                why.clone(),
            ];
        }
    };
    let (lowest, highest) = calibration.range();
    [
        valve,
        calibration.made().strftime("%Y-%m-%d %H:%M UTC").to_string(),
        format!("{:.0} d", days(calibration.age(now))),
        format!("{:.1} uL/s", calibration.fit().microliters_per_second()),
        format!("{lowest:.1} to {highest:.1} uL"),
        precision(calibration)
            .map_or_else(|| "two points don't tell".to_owned(), |error| format!("{error:.2} uL")),
        remarks(calibration, now, limit),
    ]
}

fn as_json(kept: &Kept, now: Timestamp, limit: Span) -> serde_json::Value {
    match &kept.calibration {
        Ok(calibration) => view(calibration, Some(&kept.file), now, limit),
        Err(why) => json!({ "valve": kept.valve.to_string(), "file": kept.file, "damaged": why }),
    }
}

/// A calibration, and what follows from it, for a script or a page.
pub(super) fn view(
    calibration: &Calibration,
    file: Option<&Path>,
    now: Timestamp,
    limit: Span,
) -> serde_json::Value {
    let (lowest, highest) = calibration.range();
    json!({
        "valve": calibration.valve().to_string(),
        "file": file,
        "age_days": days(calibration.age(now)),
        "stale": calibration.age(now) > limit,
        "lowest_microliters": lowest,
        "highest_microliters": highest,
        "precision_microliters": precision(calibration),
        "calibration": calibration,
    })
}

/// The newest calibration of each valve, for a page.
///
/// # Errors
/// A sentence, where the folder can't be read.
pub(super) fn all_newest(data: &Path, now: Timestamp, limit: Span) -> Result<Vec<serde_json::Value>, String> {
    let all = calibration::kept(&folder(data)).map_err(|error| error.to_string())?;
    Ok(newest_of_each(all).iter().map(|kept| as_json(kept, now, limit)).collect())
}

/// Of calibrations in the order of their valves, the newest last, the newest of each.
fn newest_of_each(mut all: Vec<Kept>) -> Vec<Kept> {
    let newest: Vec<bool> = (0..all.len())
        .map(|place| all.get(place + 1).is_none_or(|next| next.valve != all[place].valve))
        .collect();
    let mut newest = newest.into_iter();
    all.retain(|_| newest.next().unwrap_or(true));
    all
}

/// The newest calibration of a valve, where there is one that can be read.
pub(super) fn newest(data: &Path, valve: &Valve) -> Option<Arc<Calibration>> {
    let all = calibration::Calibrations::read(&folder(data)).ok()?;
    all.of(valve)?.as_ref().ok().cloned()
}

/// What the check of a rig says of a valve's calibration; nothing where all is well.
pub(super) fn checked(data: &Path, valve: &Valve, limit: Span) -> Option<Item> {
    let item = |says: String| Some(Item::new(format!("{valve} calibration"), Outcome::Warning, says));
    let all = match calibration::Calibrations::read(&folder(data)) {
        Ok(all) => all,
        Err(error) => return item(error.to_string()),
    };
    match all.of(valve) {
        None => item(format!("there is none, so no task can give volumes there: run `{}`", valve.command())),
        Some(Err(why)) => item(why.clone()),
        Some(Ok(calibration)) => stale(calibration, Timestamp::now(), limit).and_then(item),
    }
}

fn remarks(calibration: &Calibration, now: Timestamp, limit: Span) -> String {
    let simulated = calibration.is_simulated().then(|| "of a simulated valve".to_owned());
    simulated.into_iter().chain(stale(calibration, now, limit)).collect::<Vec<_>>().join("; ")
}

fn stale(calibration: &Calibration, now: Timestamp, limit: Span) -> Option<String> {
    let age = calibration.age(now);
    let command = calibration.valve().command();
    (age > limit)
        .then(|| format!("{:.0} days old, and {:.0} are allowed: run `{command}`", days(age), days(limit)))
}

/// How sure a volume in the middle of the range is, in microliters.
fn precision(calibration: &Calibration) -> Option<f64> {
    calibration.fit().standard_error(middle(calibration))
}

fn middle(calibration: &Calibration) -> Span {
    let (shortest, longest) = calibration.fit().range();
    Span::from_ns(shortest.ns() / 2 + longest.ns() / 2)
}

/// What was weighed, where no line goes through it.
pub(super) fn weighed(points: &[Weighed]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["open", "openings", "grams", "uL each"]);
    for point in points {
        let each = format!("{:.2}", point.microliters);
        table.add_row([point.open.to_string(), point.pulses.to_string(), point.grams.to_string(), each]);
    }
    table.to_string()
}

/// What was just measured, in water, and what follows from it, as a person reads it.
pub(super) fn described(calibration: &Calibration) -> impl Display {
    let fit = calibration.fit();
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["open", "openings", "grams", "uL each", "off the line"]);
    for (point, residual) in calibration.points().iter().zip(fit.residuals(calibration.points(), WATER)) {
        let each = point.microliters(WATER);
        table.add_row([
            point.open.to_string(),
            point.pulses.to_string(),
            point.grams.to_string(),
            format!("{each:.2}"),
            format!("{residual:+.2} uL ({:+.1} %)", residual / each * 100.0),
        ]);
    }
    let (lowest, highest) = calibration.range();
    let sure = match precision(calibration) {
        Some(error) => format!("the line is sure to {error:.2} uL in its middle"),
        None => "two points alone don't tell how sure the line is: weigh more".to_owned(),
    };
    format!(
        "{table}\n{} gives {:.2} uL/s, {:+.2} uL each opening (r squared {:.4})\nfor volumes from {lowest:.2} to \
         {highest:.2} uL; {sure}",
        calibration.valve(),
        fit.microliters_per_second(),
        fit.offset(),
        fit.r_squared(),
    )
}

/// How much a new calibration differs from the one before.
pub(super) fn changed(before: &Calibration, now: &Calibration) -> String {
    let open = middle(now);
    let (was, is) = (before.volume_of(open), now.volume_of(open));
    format!(
        "an opening of {open} gives {is:.2} uL; by the calibration of {} it gave {was:.2} uL",
        before.made().strftime("%Y-%m-%d")
    )
}

fn days(span: Span) -> f64 {
    span.seconds() / 86_400.0
}
