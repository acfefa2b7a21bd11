//! What the other end's clock says, from heartbeats.

use std::collections::VecDeque;

use bramble_value::{Span, Time};
use serde::{Deserialize, Serialize};

/// How the other end's monotonic clock stands against ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// When this was estimated, on our clock.
    pub at: Time,
    /// What to add to a time of our clock for the other end's, in nanoseconds.
    pub offset_ns: i64,
    /// The offset is wrong by no more than this.
    pub error: Span,
    /// The round trip it was estimated from.
    pub round_trip: Span,
}

impl Clock {
    /// A moment of the other end's clock on ours.
    pub fn ours(&self, theirs: Time) -> Time {
        Time::from_ns(theirs.ns().saturating_sub(self.offset_ns))
    }

    /// A moment of our clock on the other end's.
    pub fn theirs(&self, ours: Time) -> Time {
        Time::from_ns(ours.ns().saturating_add(self.offset_ns))
    }
}

/// The times of one heartbeat and its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoundTrip {
    /// Ping sent, our clock.
    pub(crate) sent: Time,
    /// Ping received, their clock.
    pub(crate) received: Time,
    /// Pong sent, their clock.
    pub(crate) answered: Time,
    /// Pong received, our clock.
    pub(crate) returned: Time,
}

/// Keeps the last round trips and trusts the best of them.
#[derive(Debug, Default)]
pub(crate) struct Estimator {
    recent: VecDeque<Clock>,
}

/// How many round trips are remembered.
const WINDOW: usize = 16;

/// Two quartz clocks part by less than this, in parts of a million.
const DRIFT_PPM: i64 = 100;

impl Estimator {
    /// Takes a round trip in and returns the best estimate now; `None` for one
    /// whose times can't be true.
    pub(crate) fn add(&mut self, trip: RoundTrip) -> Option<Clock> {
        let there = trip.returned.ns().checked_sub(trip.sent.ns())?;
        let thinking = trip.answered.ns().checked_sub(trip.received.ns())?;
        if thinking < 0 || there < thinking {
            return None;
        }
        let out = trip.received.ns().checked_sub(trip.sent.ns())?;
        let back = trip.answered.ns().checked_sub(trip.returned.ns())?;
        let round_trip = Span::from_ns(there - thinking);
        let clock = Clock {
            at: trip.returned,
            // The mean, without the overflow of their sum.
            offset_ns: out / 2 + back / 2 + (out % 2 + back % 2) / 2,
            // Half the round trip, rounded up, since the ways may be unequal.
            error: Span::from_ns(round_trip.ns() / 2 + 1),
            round_trip,
        };
        if self.recent.len() == WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(clock);
        // An old estimate is worth less by what the clocks may have drifted since.
        let now = trip.returned;
        let aged = self.recent.iter().map(|clock| {
            let drift = now.since(clock.at).ns() / 1_000_000 * DRIFT_PPM;
            Clock { at: now, error: clock.error + Span::from_ns(drift), ..*clock }
        });
        aged.min_by_key(|clock| clock.error)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_true_offset_is_within_the_error_however_unequal_the_two_ways(
            offset in -1_000_000_000_000i64..1_000_000_000_000,
            drift_ppm in -50i64..50,
            trips in prop::collection::vec((1i64..50_000_000, 0i64..1_000_000, 1i64..50_000_000), 1..60),
        ) {
            let theirs = |ours: i64| ours + offset + ours / 1_000_000 * drift_ppm;
            let mut estimator = Estimator::default();
            for (beat, (out, thinking, back)) in trips.into_iter().enumerate() {
                let sent = beat as i64 * 500_000_000;
                let returned = sent + out + thinking + back;
                let clock = estimator.add(RoundTrip {
                    sent: Time::from_ns(sent),
                    received: Time::from_ns(theirs(sent + out)),
                    answered: Time::from_ns(theirs(sent + out + thinking)),
                    returned: Time::from_ns(returned),
                });
                if let Some(clock) = clock {
                    let wrong = (clock.offset_ns - (theirs(returned) - returned)).abs();
                    // A clock read to the whole microsecond of drift, twice.
                    prop_assert!(wrong <= clock.error.ns() + 5_100, "{wrong} > {}", clock.error.ns());
                }
            }
        }

        #[test]
        fn no_answer_makes_it_panic(times in prop::array::uniform4(any::<i64>())) {
            let [sent, received, answered, returned] = times.map(Time::from_ns);
            let _ = Estimator::default().add(RoundTrip { sent, received, answered, returned });
        }
    }

    #[test]
    fn one_quick_round_trip_is_trusted_over_later_slow_ones() {
        let mut estimator = Estimator::default();
        let mut trip = |sent: i64, out: i64, back: i64| {
            let theirs = Time::from_ns(sent + out + 7_000_000);
            estimator
                .add(RoundTrip {
                    sent: Time::from_ns(sent),
                    received: theirs,
                    answered: theirs,
                    returned: Time::from_ns(sent + out + back),
                })
                .unwrap()
        };
        trip(0, 20_000, 20_000);
        let clock = trip(500_000_000, 9_000_000, 30_000);
        assert_eq!(clock.offset_ns, 7_000_000);
        assert_eq!(clock.round_trip, Span::from_ns(40_000));
        assert_eq!(clock.ours(Time::from_ns(7_000_100)), Time::from_ns(100));
    }
}
