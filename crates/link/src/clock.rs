//! What the other end's clock says, from heartbeats.

mod estimator;
#[cfg(test)]
mod simulation;

use bramble_value::{Span, Time};
use serde::{Deserialize, Serialize};

pub(crate) use estimator::Estimator;

/// How the other end's monotonic clock stands against ours.
///
/// The bounds hold for whatever the ways there and back take and however unequal
/// they are, where the two clocks part by less than 1000 parts in a million and
/// change in that by less than 0.2 a second. Clocks do, unless one is set right by
/// more than that or stops while its computer sleeps; which is noticed by the
/// second heartbeat after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// When this was estimated, on our clock.
    pub at: Time,
    /// What to add to a time of our clock for the other end's, in nanoseconds.
    pub offset_ns: i64,
    /// The offset is wrong by no more than this, at that time.
    pub error: Span,
    /// How much the offset grows, in nanoseconds a second: parts in 10^9.
    pub drift_ppb: i64,
    /// The drift is wrong by no more than this, in the same unit.
    pub drift_error_ppb: i64,
    /// How long the last heartbeat and its answer were under way.
    pub round_trip: Span,
}

/// The most by which two clocks part, in parts in 10^9: what NTP is allowed to
/// set right on either side, RFC 5905.
const MOST_DRIFT_PPB: i64 = 1_000_000;

/// The most by which that changes in a second, in the same unit. A quartz on a
/// computer that warms up changes by a tenth of that.
const WANDER_PPB: f64 = 200.0;

const BILLION: i128 = 1_000_000_000;

impl Clock {
    /// A moment of the other end's clock on ours.
    pub fn ours(&self, theirs: Time) -> Time {
        let elapsed = wide(theirs) - i128::from(self.offset_ns) - wide(self.at);
        narrow(wide(self.at) + elapsed * BILLION / (BILLION + self.drift()))
    }

    /// A moment of our clock on the other end's.
    pub fn theirs(&self, ours: Time) -> Time {
        let elapsed = wide(ours) - wide(self.at);
        narrow(wide(ours) + i128::from(self.offset_ns) + elapsed * self.drift() / BILLION)
    }

    /// By how much [`Clock::theirs`] may be wrong at a time of our clock, before
    /// or after the estimate.
    pub fn error_at(&self, ours: Time) -> Span {
        let elapsed = (wide(ours) - wide(self.at)).unsigned_abs() as f64;
        let more = elapsed * self.drift_error_ppb as f64 / 1e9 + wander(elapsed);
        // A number of nanoseconds that is too large is as good as the largest.
        self.error + Span::from_ns(more.ceil() as i64)
    }

    fn drift(&self) -> i128 {
        i128::from(self.drift_ppb.clamp(-MOST_DRIFT_PPB, MOST_DRIFT_PPB))
    }
}

/// By how much clocks may have parted from a straight line after so many
/// nanoseconds, in nanoseconds.
fn wander(elapsed: f64) -> f64 {
    let seconds = elapsed / 1e9;
    WANDER_PPB * seconds * seconds / 2.0
}

fn wide(time: Time) -> i128 {
    i128::from(time.ns())
}

fn narrow(ns: i128) -> Time {
    Time::from_ns(i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX }))
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
