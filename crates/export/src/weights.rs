//! Which weighings of an animal belong to a session.

use bramble_subject::{Occasion, SessionSummary, Weight, life};
use jiff::{SignedDuration, Timestamp};

use crate::Here;

/// A weighing of another day than the session belongs to it where it is as near as in one night.
const NIGHT: SignedDuration = SignedDuration::from_hours(12);

/// The weighings of an animal, as one of its sessions sees them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weights {
    counted: Vec<Weight>,
    started: Timestamp,
    ended: Option<Timestamp>,
    /// When the session before it was over.
    last: Option<Timestamp>,
    /// When the session after it started.
    next: Option<Timestamp>,
}

impl Weights {
    /// Of all weighings and sessions of an animal those that `session` may have to do with.
    pub(crate) fn of(weights: &[Weight], sessions: &[SessionSummary], session: &SessionSummary) -> Weights {
        let over = |one: &SessionSummary| one.end.as_ref().map_or(one.started, |end| end.ended);
        let earlier = sessions.iter().filter(|one| one.started < session.started);
        let later = sessions.iter().filter(|one| one.started > session.started);
        Weights {
            counted: life::counted(weights),
            started: session.started,
            ended: session.end.as_ref().map(|end| end.ended),
            last: earlier.map(over).max(),
            next: later.map(|one| one.started).min(),
        }
    }

    /// The last weighing up to its start, but none after a session: of the same day in the lab,
    /// which may have several sessions, or of the night before it, after the last session.
    pub(crate) fn before(&self, here: &Here) -> Option<&Weight> {
        let is_its = |weight: &&Weight| {
            weight.when <= self.started
                && weight.occasion != Occasion::After
                && (here.day(weight.when) == here.day(self.started)
                    || (self.last.is_none_or(|last| weight.when >= last)
                        && self.started.duration_since(weight.when) <= NIGHT))
        };
        self.counted.iter().rfind(is_its)
    }

    /// The first weighing after its end that was one after a session: of the same day or night, before
    /// the next session.
    pub(crate) fn after(&self, here: &Here) -> Option<&Weight> {
        let ended = self.ended?;
        let is_its = |weight: &&Weight| {
            weight.when >= ended
                && weight.occasion == Occasion::After
                && self.next.is_none_or(|next| weight.when < next)
                && (here.day(weight.when) == here.day(ended) || weight.when.duration_since(ended) <= NIGHT)
        };
        self.counted.iter().find(is_its)
    }
}

#[cfg(test)]
mod tests {
    use bramble_subject::{SessionEnd, SessionNumber};
    use bramble_value::Ending;
    use jiff::tz::TimeZone;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn weight(when: &str, occasion: Occasion, grams: f64) -> Weight {
        Weight { when: at(when), grams, occasion, who: "ana".to_owned() }
    }

    fn session(number: u32, started: &str, ended: &str) -> SessionSummary {
        let end = SessionEnd {
            ended: at(ended),
            ending: Ending::Done,
            why: String::new(),
            correct: None,
            water: None,
        };
        SessionSummary {
            number: SessionNumber::new(number),
            uuid: uuid::Uuid::nil(),
            task: "two_choice".to_owned(),
            pilot: "box1".to_owned(),
            protocol: None,
            started: at(started),
            end: Some(end),
            trials: 0,
            events: 0,
        }
    }

    /// What each session was weighed before and after it.
    fn seen(weights: &[Weight], sessions: &[SessionSummary]) -> Vec<(Option<f64>, Option<f64>)> {
        let zone = TimeZone::fixed(jiff::tz::offset(-8));
        let here = Here { lab: Default::default(), zone, now: Timestamp::UNIX_EPOCH };
        let grams = |weight: Option<&Weight>| weight.map(|weight| weight.grams);
        let of = |session| {
            let its = Weights::of(weights, sessions, session);
            (grams(its.before(&here)), grams(its.after(&here)))
        };
        sessions.iter().map(of).collect()
    }

    #[test]
    fn a_weighing_is_of_the_sessions_of_its_day_and_of_no_other() {
        let sessions = [
            session(1, "2026-03-02T17:00:00Z", "2026-03-02T18:00:00Z"),
            session(2, "2026-03-02T21:00:00Z", "2026-03-02T22:00:00Z"),
            session(3, "2026-03-04T05:00:00Z", "2026-03-04T06:00:00Z"),
        ];
        let weights = [
            weight("2026-02-01T17:00:00Z", Occasion::Other, 30.0),
            weight("2026-03-02T16:00:00Z", Occasion::Before, 25.0),
            weight("2026-03-02T22:05:00Z", Occasion::After, 26.0),
            weight("2026-03-05T17:00:00Z", Occasion::After, 20.0),
        ];
        let both = (Some(25.0), Some(26.0));
        // The third is of the 3rd in the lab, where it was not weighed on that day.
        assert_eq!(seen(&weights, &sessions), [(Some(25.0), None), both, (None, None)]);
        assert_eq!(seen(&weights[..1], &sessions[..1]), [(None, None)], "it is 30 days old");
        assert_eq!(seen(&weights[3..], &sessions)[2], (None, None), "it is of two days later");
    }

    #[test]
    fn a_session_in_the_night_has_the_weighings_of_both_its_days() {
        // From ten to midnight to ten past it, in the lab.
        let night = session(1, "2026-03-03T08:10:00Z", "2026-03-03T09:00:00Z");
        let weights = [
            weight("2026-03-03T07:50:00Z", Occasion::Before, 25.0),
            weight("2026-03-03T09:10:00Z", Occasion::After, 26.0),
        ];
        assert_eq!(seen(&weights, std::slice::from_ref(&night)), [(Some(25.0), Some(26.0))]);
        let between = session(2, "2026-03-03T07:55:00Z", "2026-03-03T08:05:00Z");
        assert_eq!(seen(&weights, &[night, between])[0].0, None, "it is of the session before");
    }

    #[test]
    fn a_weighing_after_a_session_is_never_one_before_the_next() {
        let sessions = [
            session(1, "2026-03-02T17:00:00Z", "2026-03-02T18:00:00Z"),
            session(2, "2026-03-02T21:00:00Z", "2026-03-02T22:00:00Z"),
        ];
        let weights = [weight("2026-03-02T18:05:00Z", Occasion::After, 26.0)];
        assert_eq!(seen(&weights, &sessions), [(None, Some(26.0)), (None, None)]);
    }
}
