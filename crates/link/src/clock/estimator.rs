//! Bounds on offset and drift, from what heartbeats prove.
//!
//! A ping is received after it was sent: at the time it was sent, the other
//! clock was before what it said on receipt. A pong is received after it was
//! sent: then the other clock was after what it had said. So every heartbeat
//! bounds the offset once from above and once from below, and a line through
//! time, an offset and a drift, has to pass between all of them. The lines that
//! do are a convex set, whose extremes are found exactly (Moon, Skelly and Towsley,
//! "Estimation and removal of clock skew from network delay measurements",
//! INFOCOM 1999). Queues can only widen it, and never make it wrong; one quick way
//! each is enough, and needn't be of the same heartbeat.
//!
//! No two clocks keep to a line. What is older is believed less, by as much as
//! they may have left it since.

use std::collections::VecDeque;

use bramble_value::{Span, Time};

use super::{Clock, MOST_DRIFT_PPB, RoundTrip, wander};

/// Keeps the last heartbeats.
#[derive(Debug, Default)]
pub(crate) struct Estimator {
    trips: VecDeque<RoundTrip>,
}

/// How many round trips are remembered: those of about a minute, of which each heartbeat
/// makes two.
const MEMORY: usize = 256;

/// The highest drift, as nanoseconds in a nanosecond.
const MOST_DRIFT: f64 = MOST_DRIFT_PPB as f64 / 1e9;

impl Estimator {
    /// Takes a heartbeat in and returns what is known now; `None` for one whose
    /// times can't be true.
    pub(crate) fn add(&mut self, trip: RoundTrip) -> Option<Clock> {
        let there = trip.returned.ns().checked_sub(trip.sent.ns())?;
        let thinking = trip.answered.ns().checked_sub(trip.received.ns())?;
        let base = trip.received.ns().checked_sub(trip.sent.ns())?;
        if thinking < 0 || there < thinking {
            return None;
        }
        if self.trips.len() == MEMORY {
            self.trips.pop_front();
        }
        self.trips.push_back(trip);
        let bounds = bounds(&self.trips, trip.returned, base).or_else(|| {
            // One of the clocks did what none does by itself: nothing that was
            // known before is true now.
            self.trips.drain(..self.trips.len() - 1);
            bounds(&self.trips, trip.returned, base)
        })?;
        let (offset, error) = middle(bounds.offset);
        let (drift, drift_error) = middle(bounds.drift.map(|drift| drift * 1e9));
        Some(Clock {
            at: trip.returned,
            offset_ns: base.saturating_add(offset),
            error: Span::from_ns(error),
            drift_ppb: drift,
            drift_error_ppb: drift_error,
            round_trip: Span::from_ns(there - thinking),
        })
    }
}

/// Between what the offset now and the drift are: the offset in nanoseconds
/// beyond a base, the drift as nanoseconds in a nanosecond.
struct Bounds {
    offset: [f64; 2],
    drift: [f64; 2],
}

/// The middle between two bounds and how far it is from them, in whole numbers.
fn middle([low, high]: [f64; 2]) -> (i64, i64) {
    let middle = (low + (high - low) / 2.0).round();
    (middle as i64, ((high - middle).max(middle - low) + 1.0).ceil() as i64)
}

/// What the heartbeats say of `now`; `None` where they contradict each other.
fn bounds(trips: &VecDeque<RoundTrip>, now: Time, base: i64) -> Option<Bounds> {
    let beyond = |theirs: Time, ours: Time| {
        (i128::from(theirs.ns()) - i128::from(ours.ns()) - i128::from(base)) as f64
    };
    // The offset was below `bound` so long `ago`: it now is below `bound` and what
    // the drift has made in that time.
    let above = hull(trips.iter().map(|trip| {
        let ago = now.since(trip.sent).ns() as f64;
        Bound { ago, bound: beyond(trip.received, trip.sent) + wander(ago) }
    }));
    // Seen in a mirror, a bound from below is one from above.
    let below = hull(trips.iter().map(|trip| {
        let ago = now.since(trip.returned).ns() as f64;
        Bound { ago, bound: wander(ago) - beyond(trip.answered, trip.returned) }
    }));
    let (mut low, mut high) = (-MOST_DRIFT, MOST_DRIFT);
    for above in &above {
        for below in &below {
            // Where the one passes the other.
            let (apart, ago) = (above.bound + below.bound, above.ago - below.ago);
            if ago > 0.0 {
                low = low.max(-apart / ago);
            } else if ago < 0.0 {
                high = high.min(-apart / ago);
            } else if apart < 0.0 {
                return None;
            }
        }
    }
    (low <= high).then(|| Bounds {
        offset: [-highest(&below, [-high, -low]), highest(&above, [low, high])],
        drift: [low, high],
    })
}

/// The offset, at most, so many nanoseconds ago.
#[derive(Clone, Copy)]
struct Bound {
    ago: f64,
    bound: f64,
}

/// Those bounds that are the lowest for some drift: their convex hull from below
/// (Andrew's monotone chain).
fn hull(bounds: impl Iterator<Item = Bound>) -> Vec<Bound> {
    let mut sorted: Vec<Bound> = bounds.collect();
    sorted.sort_by(|a, b| a.ago.total_cmp(&b.ago).then(a.bound.total_cmp(&b.bound)));
    sorted.dedup_by(|later, first| later.ago == first.ago);
    let mut hull: Vec<Bound> = Vec::new();
    for next in sorted {
        while let [.., first, last] = hull[..]
            && (last.bound - first.bound) * (next.ago - first.ago)
                >= (next.bound - first.bound) * (last.ago - first.ago)
        {
            hull.pop();
        }
        hull.push(next);
    }
    hull
}

/// How high the offset can be where the drift is between two bounds.
fn highest(hull: &[Bound], [low, high]: [f64; 2]) -> f64 {
    let at = |drift: f64| hull.iter().map(|one| one.bound + drift * one.ago).fold(f64::INFINITY, f64::min);
    // The lowest of lines is highest at an end, or where one line takes over.
    let turns = hull.windows(2).map(|pair| (pair[0].bound - pair[1].bound) / (pair[1].ago - pair[0].ago));
    turns.map(|drift| at(drift.clamp(low, high))).fold(at(low).max(at(high)), f64::max)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A heartbeat to a clock that says what ours does and `offset` more.
    fn trip(sent: i64, offset: i64, out: i64, back: i64) -> RoundTrip {
        let theirs = Time::from_ns(sent + out + offset);
        RoundTrip {
            sent: Time::from_ns(sent),
            received: theirs,
            answered: theirs,
            returned: Time::from_ns(sent + out + back),
        }
    }

    proptest! {
        #[test]
        fn the_true_offset_is_within_the_error_however_unequal_the_two_ways(
            offset in -1_000_000_000_000i64..1_000_000_000_000,
            drift_ppm in -500i64..500,
            trips in prop::collection::vec((1i64..50_000_000, 0i64..1_000_000, 1i64..50_000_000), 1..200),
        ) {
            let theirs = |ours: i64| ours + offset + (i128::from(ours) * i128::from(drift_ppm) / 1_000_000) as i64;
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
                let clock = clock.unwrap();
                let wrong = (clock.offset_ns - (theirs(returned) - returned)).abs();
                prop_assert!(wrong <= clock.error.ns() + 1, "{wrong} > {}", clock.error.ns());
                let drift_wrong = (clock.drift_ppb - drift_ppm * 1000).abs();
                prop_assert!(drift_wrong <= clock.drift_error_ppb, "{drift_wrong} > {}", clock.drift_error_ppb);
                // No worse than what this heartbeat alone would say.
                prop_assert!(clock.error.ns() <= (out + back + (returned - sent) / 1000) / 2 + 1000);
            }
        }

        #[test]
        fn no_answer_makes_it_panic(times in prop::collection::vec(prop::array::uniform4(any::<i64>()), 1..9)) {
            let mut estimator = Estimator::default();
            for times in times {
                let [sent, received, answered, returned] = times.map(Time::from_ns);
                if let Some(clock) = estimator.add(RoundTrip { sent, received, answered, returned }) {
                    let _ = (clock.ours(sent), clock.theirs(sent), clock.error_at(sent));
                }
            }
        }

        #[test]
        fn a_time_there_and_back_is_the_same_time(
            at in any::<i32>(),
            offset_ns in any::<i32>(),
            drift_ppb in -1_000_000i64..1_000_000,
            ours in any::<i32>(),
        ) {
            let clock = Clock {
                at: Time::from_ns(i64::from(at) * 1000),
                offset_ns: i64::from(offset_ns) * 1000,
                error: Span::ZERO,
                drift_ppb,
                drift_error_ppb: 0,
                round_trip: Span::ZERO,
            };
            let ours = i64::from(ours) * 1000;
            let there_and_back = clock.ours(clock.theirs(Time::from_ns(ours)));
            prop_assert!((there_and_back.ns() - ours).abs() <= 2);
        }
    }

    #[test]
    fn a_quick_way_out_and_a_quick_way_back_are_believed_together() {
        let mut estimator = Estimator::default();
        estimator.add(trip(0, 7_000_000, 20_000, 9_000_000)).unwrap();
        let clock = estimator.add(trip(10_000_000, 7_000_000, 9_000_000, 20_000)).unwrap();
        // Some 20 ms apart, the clocks have parted by less than 20 us.
        assert!(clock.error.ns() < 40_000, "{clock:?}");
        assert!((clock.offset_ns - 7_000_000).abs() <= clock.error.ns());
        assert_eq!(clock.round_trip, Span::from_ns(9_020_000));
    }

    #[test]
    fn a_clock_that_was_set_is_believed_anew_from_the_next_heartbeat_on() {
        let mut estimator = Estimator::default();
        for beat in 0..100 {
            estimator.add(trip(beat * 500_000_000, 7_000_000, 50_000, 50_000)).unwrap();
        }
        for beat in 100..110 {
            let clock = estimator.add(trip(beat * 500_000_000, -3_000_000_000, 50_000, 50_000)).unwrap();
            assert!((clock.offset_ns + 3_000_000_000).abs() <= clock.error.ns(), "{clock:?}");
            assert!(clock.error.ns() <= 50_200, "{clock:?}");
        }
    }
}
