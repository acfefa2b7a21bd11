//! How an animal fares, in words.

use bramble_subject::{By, Life, life};
use bramble_value::Level;
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
        format!("it had {} today, {} of that in sessions", water.total().tenths(), water.sessions.tenths());
    let unknown = match water.unknown {
        0 => String::new(),
        1 => " (the water of one more session isn't known, or not yet)".to_owned(),
        many => format!(" (the water of {many} more sessions isn't known, or not yet)"),
    };
    match (life.owed(), life.target) {
        (Some(owed), Some(target)) => format!("{had}{unknown}, and is owed {} of {target}", owed.tenths()),
        _ => format!("{had}{unknown}; no target was set"),
    }
}

/// A share as people say it.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A share of the baseline, with as many digits as tell it from a limit that it is below.
pub(crate) fn share(share: f64, limit: Option<Level>) -> String {
    match limit.filter(|limit| life::is_below(share, *limit)) {
        None => percent(share),
        Some(limit) => {
            let said = |digits: &usize| format!("{:.*}", *digits, share * 100.0);
            let apart =
                |said: &String| said.parse().is_ok_and(|said: f64| life::is_below(said / 100.0, limit));
            format!("{} %", (1..9).map(|digits| said(&digits)).find(apart).unwrap_or_else(|| said(&9)))
        }
    }
}

/// A subject's last weighing, and what it is held against; `None` before the first.
pub(crate) fn weight(life: &Life) -> Option<String> {
    let (weighed, held) = life.weight.as_ref().zip(life.baseline.as_ref())?;
    let (grams, day) = (weighed.weight.grams, weighed.day);
    let day = if day == life.today { "today".to_owned() } else { format!("on {day}") };
    let mut text = format!("{grams} g {day}, {} of {}", share(weighed.share, life.limit), baseline(held));
    if let Some(limit) = life.limit.filter(|_| life.is_below_limit()) {
        text.push_str(&format!("; below its limit of {limit}"));
    }
    Some(text)
}
