//! Whether a pilot is here, since when, how well it is heard, and what it says of its computer
//! and its children.

use bramble_health::Meter;
use bramble_link::Clock;
use bramble_message::{Child, Delays, Health, InHand, Quality, Status};
use bramble_value::Time;
use jiff::{SignedDuration, Timestamp};

use crate::api::types::{ChildStatus, PilotStatus};

/// A moment on this computer's two clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    /// The monotonic one, which links compare.
    pub(crate) time: Time,
    /// The one on the wall.
    pub(crate) at: Timestamp,
}

/// With so few records to come a pilot has caught up: some are always on their way.
const FEW: u64 = 64;

/// What is known of a pilot's being here.
#[derive(Debug)]
pub(super) struct Presence {
    here: bool,
    since: Timestamp,
    /// Why it is away.
    why: Option<String>,
    revoked: bool,
    unacknowledged: u64,
    catching_up: bool,
    clock: Option<Clock>,
    wall_ahead: Option<f64>,
    /// The round trips since it came.
    round_trips: Meter,
    health: Option<Health>,
    /// Who works its rig by hand.
    hand: Option<InHand>,
    /// With since when each is there or away by this computer's wall clock.
    children: Vec<(Child, Option<Timestamp>)>,
}

impl Presence {
    /// Of one that was never here.
    pub(super) fn new(now: Timestamp) -> Presence {
        Presence {
            here: false,
            since: now,
            why: None,
            revoked: false,
            unacknowledged: 0,
            catching_up: false,
            clock: None,
            wall_ahead: None,
            round_trips: Meter::default(),
            health: None,
            hand: None,
            children: Vec::new(),
        }
    }

    /// It was here before this program started.
    pub(super) fn is_expected(&mut self) {
        self.why = Some("nothing was heard of it since this terminal started".to_owned());
    }

    /// It is let in no more, unless it joins again.
    pub(super) fn is_revoked(&mut self) {
        self.revoked = true;
    }

    /// It is here from now on.
    pub(super) fn comes(&mut self, now: Timestamp) {
        (self.here, self.since, self.why, self.catching_up) = (true, now, None, true);
        self.revoked = false;
        self.clock = None;
        self.round_trips = Meter::default();
        // It may be another process: it will say itself who its children are.
        self.children.clear();
    }

    /// It is away from now on.
    pub(super) fn goes(&mut self, why: &str, now: Timestamp) {
        if self.here {
            (self.here, self.since, self.why) = (false, now, Some(why.to_owned()));
        }
    }

    pub(super) fn since(&self) -> Timestamp {
        self.since
    }

    pub(super) fn away_since(&self) -> Option<Timestamp> {
        (!self.here).then_some(self.since)
    }

    /// How its clock stands.
    pub(super) fn hears(&mut self, clock: Clock) {
        self.clock = Some(clock);
        self.round_trips.note(clock.round_trip);
    }

    /// How long heartbeats took there and back since it came.
    pub(super) fn round_trips(&self) -> Delays {
        self.round_trips.delays()
    }

    /// What it says of itself.
    pub(super) fn says(&mut self, status: Status, now: Now) {
        let Status { time, unacknowledged, children, health, hand, .. } = status;
        self.hand = hand;
        self.unacknowledged = unacknowledged;
        self.catching_up &= unacknowledged > FEW;
        if let (Some(health), Some(clock)) = (&health, self.clock) {
            let unix_ns = i64::try_from(now.at.as_nanosecond()).unwrap_or(i64::MAX);
            let ours = clock.ours(health.time);
            self.wall_ahead = Some(bramble_health::wall_ahead(health, ours, now.time, unix_ns));
        }
        self.health = health;
        let before = std::mem::take(&mut self.children);
        let since = |child: &Child| {
            // What was said before is not moved about by how long this was on its way.
            let known =
                before.iter().find(|(known, _)| known.name == child.name && known.since == child.since);
            let known = known.and_then(|(_, since)| *since);
            known.or_else(|| {
                now.at.checked_sub(SignedDuration::from_nanos(time.since(child.since?).ns())).ok()
            })
        };
        self.children =
            children.into_iter().map(|child| (since(&child), child)).map(|(at, child)| (child, at)).collect();
    }

    /// For showing.
    pub(super) fn view(&self, pilot: PilotStatus) -> PilotStatus {
        let quality = self.clock.filter(|_| self.here).map(|clock| Quality {
            round_trip: clock.round_trip,
            clock_error: clock.error,
            drift_ppm: clock.drift_ppb as f64 / 1e3,
            wall_ahead: self.wall_ahead,
        });
        PilotStatus {
            here: self.here,
            since: self.since,
            why: match (self.here, self.revoked) {
                (false, true) => Some("it was revoked".to_owned()),
                _ => self.why.clone(),
            },
            children: self.children.iter().map(child).collect(),
            unacknowledged: self.unacknowledged,
            catching_up: self.here && self.catching_up && self.unacknowledged > FEW,
            quality,
            health: self.health.clone(),
            hand: self.hand.clone().filter(|_| self.here),
            ..pilot
        }
    }
}

fn child((child, since): &(Child, Option<Timestamp>)) -> ChildStatus {
    let Child { name, here, why, quality, health, .. } = child.clone();
    ChildStatus { name, here, since: *since, why, quality, health }
}

#[cfg(test)]
mod tests {
    use bramble_message::Activity;
    use bramble_value::Span;
    use jiff::ToSpan;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + seconds.seconds()
    }

    fn now(seconds: i64) -> Now {
        Now { time: Time::from_ns(seconds * 1_000_000_000), at: at(1_000 + seconds) }
    }

    /// A status of a pilot whose clock is 5 s ahead of ours, and whose wall clock stands at 0.
    fn status(said: i64, unacknowledged: u64, children: Vec<Child>) -> Status {
        let time = Time::from_ns((said + 5) * 1_000_000_000);
        let health = Health { time, unix_ns: 0, disk: None, temperature: None, power: None };
        Status {
            time,
            activity: Activity::Idle,
            unacknowledged,
            children,
            health: Some(health),
            notice: None,
            hand: None,
        }
    }

    fn clock() -> Clock {
        let (error, round_trip) = (Span::from_ms(1), Span::from_ms(2));
        Clock {
            at: Time::ZERO,
            offset_ns: 5_000_000_000,
            error,
            drift_ppb: 0,
            drift_error_ppb: 0,
            round_trip,
        }
    }

    fn view(presence: &Presence) -> PilotStatus {
        let software = bramble_message::Software {
            program: String::new(),
            version: String::new(),
            host: String::new(),
            system: String::new(),
        };
        presence.view(PilotStatus {
            name: "box1".parse().unwrap(),
            here: false,
            since: at(0),
            why: None,
            software,
            rig: Vec::new(),
            children: Vec::new(),
            unacknowledged: 0,
            catching_up: false,
            quality: None,
            health: None,
            starting: None,
            session: None,
            last: None,
            hand: None,
            notice: None,
        })
    }

    #[test]
    fn how_far_a_wall_clock_is_off_is_known_whenever_it_was_looked_at() {
        let mut presence = Presence::new(at(0));
        presence.comes(at(0));
        presence.says(status(3, 0, Vec::new()), now(4));
        assert_eq!(view(&presence).quality, None, "before a heartbeat came back nothing is known");
        presence.hears(clock());
        // At 1003 s on our wall, it said that it was 0 s on its own.
        for heard in [3, 4, 60] {
            presence.says(status(3, 0, Vec::new()), now(heard));
            assert_eq!(view(&presence).quality.unwrap().wall_ahead, Some(-1003.0));
        }
        presence.goes("it ended the link", at(2000));
        let away = view(&presence);
        assert_eq!((away.here, away.since, away.quality), (false, at(2000), None));
        assert_eq!(away.why.as_deref(), Some("it ended the link"));
    }

    #[test]
    fn a_pilot_that_comes_back_catches_up_until_little_is_left() {
        let mut presence = Presence::new(at(0));
        presence.comes(at(0));
        for (unacknowledged, catching_up) in [(2113, true), (65, true), (64, false), (500, false)] {
            presence.says(status(1, unacknowledged, Vec::new()), now(1));
            assert_eq!(view(&presence).catching_up, catching_up, "{unacknowledged}");
        }
        presence.goes("nothing was heard of it", at(1));
        presence.comes(at(2));
        presence.says(status(2, 500, Vec::new()), now(2));
        assert!(view(&presence).catching_up);
    }

    #[test]
    fn since_when_a_child_is_away_is_on_our_wall_and_stays() {
        let away = |since| Child {
            name: "wheel".parse().unwrap(),
            certificate: None,
            here: false,
            since,
            why: Some("it ended the link".into()),
            quality: None,
            health: None,
        };
        let mut presence = Presence::new(at(0));
        presence.comes(at(0));
        // It went two seconds before that was said.
        let went = Some(Time::from_ns(8_000_000_000));
        presence.says(status(5, 0, vec![away(went)]), now(5));
        assert_eq!(view(&presence).children[0].since, Some(at(1003)));
        presence.says(status(6, 0, vec![away(went)]), now(7));
        assert_eq!(view(&presence).children[0].since, Some(at(1003)));
        presence.says(status(6, 0, vec![away(None)]), now(7));
        assert_eq!(view(&presence).children[0].since, None, "it never came");
    }
}
