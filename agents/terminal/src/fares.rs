//! How an animal fares, in words.

use bramble_subject::{By, Life, life};
use bramble_value::Volume;
use jiff::tz::TimeZone;

/// A baseline, and who says so.
pub(crate) fn baseline(baseline: &life::Baseline) -> String {
    let day = baseline.since.to_zoned(TimeZone::system()).date();
    match &baseline.set {
        Some(By { who, .. }) => format!("its baseline of {}, set by {who} on {day}", baseline.mass),
        None => format!("its baseline of {}, its first weighing, on {day}", baseline.mass),
    }
}

/// What is owed today, and why.
pub(crate) fn owed(life: &Life) -> String {
    let water = life.water;
    let had =
        format!("it had {} today, {} of that in sessions", tenths(water.total()), tenths(water.sessions));
    let unknown = match water.unknown {
        0 => String::new(),
        1 => " (the water of one more session isn't known, or not yet)".to_owned(),
        many => format!(" (the water of {many} more sessions isn't known, or not yet)"),
    };
    match (life.owed(), life.target) {
        (Some(owed), Some(target)) => format!("{had}{unknown}, and is owed {} of {target}", tenths(owed)),
        _ => format!("{had}{unknown}; no target was set"),
    }
}

/// A volume as it can be measured.
fn tenths(volume: Volume) -> String {
    let tenths = (volume.microliters() * 10.0).round() / 10.0;
    format!("{tenths} uL")
}

/// A share as people say it.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A subject's last weighing, and what it is held against; `None` before the first.
pub(crate) fn weight(life: &Life) -> Option<String> {
    let (weighed, held) = life.weight.as_ref().zip(life.baseline.as_ref())?;
    let (grams, day) = (weighed.weight.grams, weighed.day);
    let day = if day == life.today { "today".to_owned() } else { format!("on {day}") };
    let mut text = format!("{grams} g {day}, {} of {}", percent(weighed.share), baseline(held));
    if let Some(limit) = life.limit.filter(|_| life.is_below_limit()) {
        text.push_str(&format!("; below its limit of {limit}"));
    }
    Some(text)
}
