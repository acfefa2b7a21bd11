//! How an animal fares, from what its file says: its weight against its baseline, and
//! the water that it had today and is still owed.
//!
//! Baseline, limit, target, water by hand and notes are changes in the history. Nothing
//! here knows a clock: what counts as today is handed in.

use bramble_value::{Level, Mass, Volume};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::{By, Change, SessionSummary, Weight};

/// What [`Change::what`] says of a baseline that a person set.
const BASELINE: &str = "baseline";
/// ... of the share of its baseline that a subject must not weigh less than.
const LIMIT: &str = "weight limit";
/// ... of the water that it is to have in a day.
const TARGET: &str = "water target";
/// ... of water that a person gave outside of a session.
const WATER: &str = "water given";
/// ... of a weighing that was corrected.
const WEIGHT: &str = "weight";
/// ... of a note.
const NOTE: &str = "note";

/// How an animal fares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Life {
    /// The day that `water` is of, on the lab's calendar.
    pub today: Date,
    /// What its weights are compared with; `None` before its first weighing.
    pub baseline: Option<Baseline>,
    /// The share of its baseline that it must not weigh less than, where one was set.
    pub limit: Option<Level>,
    /// Its last weighing.
    pub weight: Option<Weighed>,
    /// The water that it is to have in a day, where that was set.
    pub target: Option<Volume>,
    /// The water that it had today.
    pub water: WaterToday,
}

/// What an animal's weights are compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Baseline {
    /// The weight.
    pub mass: Mass,
    /// Who set it and when; `None` where nobody did, and it is the first weighing.
    pub set: Option<By>,
    /// When it was set or weighed.
    pub since: Timestamp,
}

/// A weighing, held against the baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Weighed {
    /// The weighing.
    pub weight: Weight,
    /// On which day of the lab's calendar.
    pub day: Date,
    /// Its share of the baseline: 1 is as much as that.
    pub share: f64,
}

/// The water of a day.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WaterToday {
    /// What the sessions gave that began today and are over.
    pub sessions: Volume,
    /// What people gave outside of sessions.
    pub by_hand: Volume,
    /// Sessions of today whose water isn't known, because they run, or because no valve of
    /// theirs has a known flow.
    pub unknown: usize,
}

impl WaterToday {
    /// All that is known of.
    pub fn total(&self) -> Volume {
        volume(self.sessions.microliters() + self.by_hand.microliters())
    }
}

impl Life {
    /// How an animal fares at `now`, by the calendar of `zone`.
    pub fn of(
        history: &[Change],
        weights: &[Weight],
        sessions: &[SessionSummary],
        now: Timestamp,
        zone: &TimeZone,
    ) -> Life {
        let day = |time: Timestamp| time.to_zoned(zone.clone()).date();
        let today = day(now);
        let weights = counted(weights);
        let first = weights.first().and_then(|first| {
            Some(Baseline { mass: Mass::from_grams(first.grams)?, set: None, since: first.when })
        });
        let set = last(history, BASELINE).map(|(change, mass)| {
            let by = By { who: change.who.clone(), when: change.when };
            Baseline { mass, set: Some(by), since: change.when }
        });
        let baseline = set.or(first);
        let weight = weights.last().zip(baseline.as_ref()).map(|(weight, baseline)| Weighed {
            weight: weight.clone(),
            day: day(weight.when),
            share: weight.grams / baseline.mass.grams(),
        });
        let by_hand = given(history).into_iter().filter(|(when, _)| day(*when) == today);
        let by_hand = by_hand.map(|(_, volume)| volume.microliters()).sum();
        let began_today = || sessions.iter().filter(|session| day(session.started) == today);
        let water = |session: &SessionSummary| session.end.as_ref().and_then(|end| end.water);
        Life {
            today,
            baseline,
            limit: last(history, LIMIT).map(|(_, limit)| limit),
            weight,
            target: last(history, TARGET).map(|(_, target)| target),
            water: WaterToday {
                sessions: volume(began_today().filter_map(water).sum()),
                by_hand: volume(by_hand),
                unknown: began_today().filter(|session| water(session).is_none()).count(),
            },
        }
    }

    /// The water that is still to be given today; `None` where no target was set.
    pub fn owed(&self) -> Option<Volume> {
        self.target.map(|target| volume((target.microliters() - self.water.total().microliters()).max(0.0)))
    }

    /// Whether its last weighing is below its limit.
    pub fn is_below_limit(&self) -> bool {
        let weight = self.weight.as_ref().zip(self.limit);
        weight.is_some_and(|(weight, limit)| weight.share < limit.share())
    }

    /// Whether its weight is watched, since a limit was set, and it wasn't weighed today.
    pub fn is_unweighed(&self) -> bool {
        self.limit.is_some() && self.weight.as_ref().is_none_or(|weight| weight.day != self.today)
    }
}

/// What is set for an animal by a person. Each is one change of the history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Care {
    /// The weight that others are compared with.
    Baseline(Mass),
    /// The share of its baseline that it must not weigh less than.
    Limit(Level),
    /// The water that it is to have in a day.
    Target(Volume),
}

impl Care {
    /// The change that this is, after those of `history`.
    pub fn change(self, history: &[Change], by: &By) -> Change {
        let (what, to) = match self {
            Care::Baseline(mass) => (BASELINE, mass.to_string()),
            Care::Limit(share) => (LIMIT, share.to_string()),
            Care::Target(volume) => (TARGET, volume.to_string()),
        };
        let before = history.iter().rfind(|change| change.what == what);
        change(by, what, before.map_or("", |change| &change.to), to)
    }
}

/// Water that a person gave. Where `instead_of` is what [`last_given`] says, it corrects
/// that, and is of that time.
pub fn water_given(volume: Volume, instead_of: Option<Volume>, by: &By) -> Change {
    let from = instead_of.map(|before| before.to_string()).unwrap_or_default();
    change(by, WATER, &from, volume.to_string())
}

/// The water that a person gave last.
pub fn last_given(history: &[Change]) -> Option<Volume> {
    given(history).pop().map(|(_, volume)| volume)
}

/// What the history says of a weighing that was wrong. The right one is a weighing of
/// the same time: of those the last one counts.
pub fn weight_corrected(before: &Weight, after: &Weight, by: &By) -> Change {
    let said = |weight: &Weight| format!("{} g, {}", weight.grams, weight.occasion);
    change(by, WEIGHT, &said(before), said(after))
}

/// A note in a person's words.
pub fn note(text: String, by: &By) -> Change {
    change(by, NOTE, "", text)
}

/// The weighings that count, in the order of their times: of those of one time the one
/// that was written last.
pub fn counted(weights: &[Weight]) -> Vec<Weight> {
    let by_time: std::collections::BTreeMap<Timestamp, &Weight> =
        weights.iter().map(|weight| (weight.when, weight)).collect();
    by_time.into_values().cloned().collect()
}

/// What people gave, and when; a correction takes the place of what it corrects.
fn given(history: &[Change]) -> Vec<(Timestamp, Volume)> {
    let mut given: Vec<(Timestamp, Volume)> = Vec::new();
    for change in history.iter().filter(|change| change.what == WATER) {
        let Ok(volume) = change.to.parse() else { continue };
        match given.last_mut() {
            Some((_, last)) if !change.from.is_empty() => *last = volume,
            _ => given.push((change.when, volume)),
        }
    }
    given
}

/// The last change of this kind, and what it says.
fn last<'a, T: std::str::FromStr>(history: &'a [Change], what: &str) -> Option<(&'a Change, T)> {
    let change = history.iter().rfind(|change| change.what == what)?;
    Some((change, change.to.parse().ok()?))
}

fn change(by: &By, what: &str, from: &str, to: String) -> Change {
    Change { when: by.when, who: by.who.clone(), what: what.to_owned(), from: from.to_owned(), to }
}

/// A sum of volumes, which sums up to one.
fn volume(microliters: f64) -> Volume {
    // Of what is written with a decimal or two, no more is meant; a sum of nothing is -0.
    Volume::from_microliters((microliters * 1e3).round() / 1e3 + 0.0).unwrap_or_default()
}

#[cfg(test)]
mod tests;
