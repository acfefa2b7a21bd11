//! Whether a child is there, since when, and how it fares.

use bramble_identity::Serial;
use bramble_link::Clock;
use bramble_message::{Child, Health, Quality};
use bramble_value::{Name, Time};

/// What is known of a child's being there.
#[derive(Debug, Default)]
pub(super) struct Presence {
    here: bool,
    since: Option<Time>,
    /// Why it is away.
    why: Option<String>,
    /// How its clock stands against this computer's, while it is there.
    pub(super) clock: Option<Clock>,
    /// What it said last of its computer.
    pub(super) health: Option<Health>,
    /// What the gate let it in with.
    pub(super) certificate: Option<Serial>,
}

impl Presence {
    /// It is there from now on.
    pub(super) fn comes(&mut self, now: Time) {
        let certificate = self.certificate;
        *self = Presence { here: true, since: Some(now), certificate, ..Presence::default() };
    }

    /// It is away from now on. Of one that was away already nothing changes.
    pub(super) fn goes(&mut self, now: Time, why: &str) {
        // It may come back with another clock.
        self.clock = None;
        if std::mem::take(&mut self.here) {
            (self.since, self.why) = (Some(now), Some(why.to_owned()));
        }
    }

    /// As the terminal is told.
    pub(super) fn told(&self, name: Name, now: Time, unix_ns: i64) -> Child {
        let quality = self.clock.map(|clock| Quality {
            round_trip: clock.round_trip,
            clock_error: clock.error,
            drift_ppm: clock.drift_ppb as f64 / 1e3,
            wall_ahead: self
                .health
                .as_ref()
                .map(|health| bramble_health::wall_ahead(health, clock.ours(health.time), now, unix_ns)),
        });
        let Presence { here, since, .. } = *self;
        let (why, health) = (self.why.clone(), self.health.clone());
        Child { name, here, since, why, quality, health, certificate: self.certificate }
    }
}

#[cfg(test)]
mod tests {
    use bramble_value::Span;

    use super::*;

    #[test]
    fn a_child_is_away_since_it_went_and_for_the_first_reason() {
        let mut presence = Presence::default();
        let told = |presence: &Presence| presence.told("wheel".parse().unwrap(), Time::from_ns(9), 0);
        presence.goes(Time::from_ns(1), "it never came");
        assert_eq!((told(&presence).here, told(&presence).since), (false, None));
        presence.comes(Time::from_ns(2));
        presence.goes(Time::from_ns(3), "it ended the link");
        presence.goes(Time::from_ns(4), "it was restarted");
        let away = told(&presence);
        assert_eq!((away.since, away.why.as_deref()), (Some(Time::from_ns(3)), Some("it ended the link")));
        presence.comes(Time::from_ns(5));
        assert_eq!((told(&presence).since, told(&presence).why), (Some(Time::from_ns(5)), None));
    }

    #[test]
    fn how_far_its_wall_clock_is_off_is_told_by_both_clocks() {
        let mut presence = Presence::default();
        presence.comes(Time::ZERO);
        // The child's clock is 1000 ns ahead, and its wall clock 2 s behind.
        let error = Span::from_ns(10);
        let clock = Clock {
            at: Time::ZERO,
            offset_ns: 1000,
            error,
            drift_ppb: 0,
            drift_error_ppb: 0,
            round_trip: Span::from_ns(20),
        };
        presence.clock = Some(clock);
        let (disk, temperature, power) = (None, None, None);
        let time = Time::from_ns(1000);
        presence.health = Some(Health { time, unix_ns: 5_000_000_000, disk, temperature, power });
        let quality = presence.told("wheel".parse().unwrap(), Time::ZERO, 7_000_000_000).quality.unwrap();
        assert_eq!((quality.clock_error, quality.wall_ahead), (error, Some(-2.0)));
    }
}
