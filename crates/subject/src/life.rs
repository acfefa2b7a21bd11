//! How an animal fares, from what its file says: its weight against its baseline, and
//! the water that it had today and is still owed.
//!
//! Baseline, limit, target, water by hand and notes are changes in the history. Nothing
//! here knows a clock: what counts as today is handed in.

use std::collections::BTreeMap;

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
/// What a note is called in a history.
pub const NOTE: &str = "note";
/// ... of an animal that was taken out of the box it was in.
const OUT: &str = "taken out";

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
    pub water: WaterOfDay,
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
pub struct WaterOfDay {
    /// What the sessions gave that began on it and are over.
    pub sessions: Volume,
    /// What people gave outside of sessions.
    pub by_hand: Volume,
    /// Sessions that began on it and whose water isn't known, because they run, or because no valve of
    /// theirs has a known flow.
    pub unknown: usize,
}

impl WaterOfDay {
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
        Life {
            today,
            baseline,
            limit: last(history, LIMIT).map(|(_, limit)| limit),
            weight,
            target: last(history, TARGET).map(|(_, target)| target),
            water: water_by_day(history, sessions, zone).remove(&today).unwrap_or_default(),
        }
    }

    /// The water that is still to be given today; `None` where no target was set.
    pub fn owed(&self) -> Option<Volume> {
        self.target.map(|target| volume((target.microliters() - self.water.total().microliters()).max(0.0)))
    }

    /// Whether its last weighing is below its limit.
    pub fn is_below_limit(&self) -> bool {
        let weight = self.weight.as_ref().zip(self.limit);
        weight.is_some_and(|(weight, limit)| is_below(weight.share, limit))
    }

    /// Whether it was weighed today.
    pub fn is_weighed_today(&self) -> bool {
        self.weight.as_ref().is_some_and(|weight| weight.day == self.today)
    }
}

/// The water that an animal had on each day on which it had any or was in a session, by the calendar
/// of `zone`.
pub fn water_by_day(
    history: &[Change],
    sessions: &[SessionSummary],
    zone: &TimeZone,
) -> BTreeMap<Date, WaterOfDay> {
    let day = |time: Timestamp| time.to_zoned(zone.clone()).date();
    let mut days: BTreeMap<Date, WaterOfDay> = BTreeMap::new();
    let plus = |sum: &mut Volume, microliters: f64| *sum = volume(sum.microliters() + microliters);
    for given in water_by_hand(history) {
        plus(&mut days.entry(day(given.when)).or_default().by_hand, given.volume.microliters());
    }
    for session in sessions {
        let of_day = days.entry(day(session.started)).or_default();
        match session.end.as_ref().and_then(|end| end.water) {
            Some(water) => plus(&mut of_day.sessions, water),
            None => of_day.unknown += 1,
        }
    }
    days
}

/// What is set for an animal by a person, or taken back: `None`. Each is one change of the history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Care {
    /// The weight that others are compared with.
    Baseline(Option<Mass>),
    /// The share of its baseline that it must not weigh less than.
    Limit(Option<Level>),
    /// The water that it is to have in a day.
    Target(Option<Volume>),
}

impl Care {
    /// The change that this is, after those of `history`.
    pub fn change(self, history: &[Change], by: &By) -> Change {
        let (what, to) = match self {
            Care::Baseline(mass) => (BASELINE, mass.map(|mass| mass.to_string())),
            Care::Limit(share) => (LIMIT, share.map(|share| share.to_string())),
            Care::Target(volume) => (TARGET, volume.map(|volume| volume.to_string())),
        };
        let to = to.unwrap_or_default();
        let before = history.iter().rfind(|change| change.what == what);
        change(by, what, before.map_or("", |change| &change.to), to)
    }
}

/// Water that a person gave outside of a session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Given {
    /// When that was; where it wasn't said, when it was written down.
    pub when: Timestamp,
    /// How much.
    pub volume: Volume,
}

/// Water that a person gave. Where it is `instead` of some that [`water_by_hand`] says, it is of
/// that time, and no volume takes that back.
pub fn water_given(volume: Option<Volume>, instead: Option<&Given>, history: &[Change], by: &By) -> Change {
    let from = match instead {
        Some(wrong) if water_by_hand(history).last() == Some(wrong) => wrong.volume.to_string(),
        Some(wrong) => format!("{}, {}", wrong.volume, wrong.when),
        None => String::new(),
    };
    change(by, WATER, &from, volume.map(|volume| volume.to_string()).unwrap_or_default())
}

/// Water that a person gave at another time than that at which it is written down.
pub fn water_given_then(given: Given, by: &By) -> Change {
    change(by, WATER, "", format!("{}, {}", given.volume, given.when))
}

/// What the history says of a weighing that is written down at another time than its own.
pub fn weighed_then(weight: &Weight, by: &By) -> Change {
    change(by, WEIGHT, "", format!("{} g, {}, {}", weight.grams, weight.occasion, weight.when))
}

/// What the history says of a weighing that was wrong, and of when that is. The right one is a
/// weighing of the same time: of those the last one counts. Without one, it is taken back.
pub fn weight_corrected(before: &Weight, after: Option<&Weight>, by: &By) -> Change {
    let said = |weight: &Weight| format!("{} g, {}", weight.grams, weight.occasion);
    let from = format!("{}, {}", said(before), before.when);
    change(by, WEIGHT, &from, after.map(said).unwrap_or_default())
}

/// More than any animal weighs, in grams: ten tons.
pub const TOO_HEAVY: f64 = 1e7;

/// More water than anything alive is given at once, in microliters.
pub const TOO_MUCH: f64 = 1e8;

/// Whether a weight is so far from another of the same animal that it is more often mistyped than
/// right: more than twice as much, or less than half.
pub fn is_far(grams: f64, from: f64) -> bool {
    grams > 2.0 * from || grams < from / 2.0
}

/// Whether a share of the baseline is below a limit. One that is at it isn't, however it is rounded
/// where a weight is divided by another.
pub fn is_below(share: f64, limit: Level) -> bool {
    share < limit.share() - 1e-9
}

/// The weighing that takes another back.
pub fn weight_taken_back(wrong: &Weight, by: &By) -> Weight {
    Weight { grams: f64::NAN, who: by.who.clone(), ..wrong.clone() }
}

/// A note in a person's words.
pub fn note(text: String, by: &By) -> Change {
    change(by, NOTE, "", text)
}

/// An animal was taken out of its box, after a session on this pilot.
pub fn taken_out(pilot: &str, by: &By) -> Change {
    change(by, OUT, pilot, String::new())
}

/// When a person last had an animal in hand, as far as was written down: it was weighed or given
/// water, noted or taken out of its box.
pub fn handled(history: &[Change], weights: &[Weight]) -> Option<Timestamp> {
    let in_hand = |change: &Change| match change.what.as_str() {
        NOTE | OUT => Some(change.when),
        WATER => split_when(&change.to).map_or(Some(change.when), |(_, when)| Some(when)),
        // Of what was written down later, the weighing itself says when it was.
        WEIGHT if change.from.is_empty() => None,
        WEIGHT => Some(change.when),
        _ => None,
    };
    let changes = history.iter().filter_map(in_hand);
    changes.chain(counted(weights).iter().map(|weight| weight.when)).max()
}

/// The weighings that count, in the order of their times: of those of one time the one
/// that was written last, where that doesn't take it back.
pub fn counted(weights: &[Weight]) -> Vec<Weight> {
    let by_time: BTreeMap<Timestamp, &Weight> = weights.iter().map(|weight| (weight.when, weight)).collect();
    by_time.into_values().filter(|weight| !weight.grams.is_nan()).cloned().collect()
}

/// What people gave outside of sessions, in the order in which they wrote it down; a correction
/// takes the place of what it corrects.
pub fn water_by_hand(history: &[Change]) -> Vec<Given> {
    let mut given: Vec<Given> = Vec::new();
    for Change { when, from, to, .. } in history.iter().filter(|change| change.what == WATER) {
        let place = match split_when(from) {
            _ if from.is_empty() => None,
            // It says which, where that isn't the last.
            Some((_, of)) => given.iter().position(|one| of == one.when),
            None => given.len().checked_sub(1),
        };
        let (to, when) = split_when(to).unwrap_or((to, *when));
        match (place, to.parse()) {
            (Some(place), Ok(volume)) => given[place].volume = volume,
            (Some(place), Err(_)) if to.is_empty() => drop(given.remove(place)),
            (None, Ok(volume)) => given.push(Given { when, volume }),
            (_, Err(_)) => {}
        }
    }
    given
}

/// What is said, and of when that is, where it is told.
fn split_when(text: &str) -> Option<(&str, Timestamp)> {
    let (what, when) = text.rsplit_once(", ")?;
    Some((what, when.parse().ok()?))
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
