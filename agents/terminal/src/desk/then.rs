//! When something was that is written down later.

use bramble_subject::life::Given;
use bramble_subject::{Occasion, SessionSummary, Weight};
use jiff::civil::time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::api::types::On;
use crate::refusal::{Allowed, Refusal};

/// How near to each other two weighings can be.
const APART: SignedDuration = SignedDuration::from_millis(1);

/// When a weighing was. Where only its day is known, it was before the first session of that day, or
/// after the last, or at noon.
///
/// # Errors
/// Where that is yet to come.
pub(super) fn of_weighing(
    on: On,
    occasion: Occasion,
    sessions: &[SessionSummary],
    written: &[Weight],
    now: Timestamp,
) -> Allowed<Timestamp> {
    let zone = TimeZone::system();
    let of_day = || sessions.iter().filter(|one| one.started.to_zoned(zone.clone()).date() == on.day);
    let over = |one: &SessionSummary| one.end.as_ref().map_or(one.started, |end| end.ended);
    let usual = match occasion {
        Occasion::Before => of_day().map(|one| one.started).min().map(|first| first - 1.second()),
        Occasion::After => of_day().map(over).max().map(|last| last + 1.second()),
        Occasion::Other => None,
    };
    moment(on, usual, &zone, now, |when| written.iter().any(|one| one.when == when))
}

/// When water was given; where only the day is known, at noon.
///
/// # Errors
/// Where that is yet to come.
pub(super) fn of_water(on: On, given: &[Given], now: Timestamp) -> Allowed<Timestamp> {
    moment(on, None, &TimeZone::system(), now, |when| given.iter().any(|one| one.when == when))
}

fn moment(
    on: On,
    usual: Option<Timestamp>,
    zone: &TimeZone,
    now: Timestamp,
    is_taken: impl Fn(Timestamp) -> bool,
) -> Allowed<Timestamp> {
    let at = |time| {
        let when = zone.to_ambiguous_timestamp(on.day.to_datetime(time)).compatible();
        when.map_err(|_| Refusal::wrong(format!("{on} is no time of this calendar")))
    };
    let is_today = now.to_zoned(zone.clone()).date() == on.day;
    let mut when = match (on.at, usual) {
        (Some(time), _) => at(time)?,
        (None, Some(usual)) => usual.min(now),
        (None, None) if is_today => now,
        (None, None) => at(time(12, 0, 0, 0))?,
    };
    if when > now {
        return Err(Refusal::wrong(format!("{on} is yet to come"))
            .help("write the day on which it was, by the calendar of the lab; nothing was changed"));
    }
    // Things of one time would be taken for one.
    while is_taken(when) {
        when += APART;
    }
    Ok(when)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn when(on: &str, usual: Option<&str>, taken: &[&str]) -> Allowed<Timestamp> {
        let zone = TimeZone::fixed(jiff::tz::offset(-5));
        let taken: Vec<Timestamp> = taken.iter().map(|text| at(text)).collect();
        let is_taken = |when| taken.contains(&when);
        moment(on.parse().unwrap(), usual.map(at), &zone, at("2026-03-09T14:00:00Z"), is_taken)
    }

    #[test]
    fn what_is_written_down_later_was_at_its_time_or_at_noon_and_nothing_else_was_then() {
        for (on, usual, taken, is) in [
            ("2026-03-07 16:30", None, &[][..], "2026-03-07T21:30:00Z"),
            ("2026-03-07", None, &[], "2026-03-07T17:00:00Z"),
            ("2026-03-07", Some("2026-03-07T14:59:59Z"), &[], "2026-03-07T14:59:59Z"),
            (
                "2026-03-07",
                None,
                &["2026-03-07T17:00:00Z", "2026-03-07T17:00:00.001Z"],
                "2026-03-07T17:00:00.002Z",
            ),
            ("2026-03-09", None, &[], "2026-03-09T14:00:00Z"),
        ] {
            assert_eq!(when(on, usual, taken).unwrap(), at(is), "{on}");
        }
    }

    #[test]
    fn what_is_yet_to_come_can_not_have_been() {
        for on in ["2026-03-10", "2026-03-09 09:01"] {
            let refused = when(on, None, &[]).unwrap_err();
            assert_eq!(refused.message, format!("{on} is yet to come"));
        }
    }
}
