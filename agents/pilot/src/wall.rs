//! Whether this computer's wall clock was set while a session ran.

use std::time::{Instant, SystemTime};

/// What is taken for a clock that was set, and not for one that was steered: a second,
/// and this share of the time that passed, which is more than NTP ever steers by.
const LEAST_SECONDS: f64 = 1.0;
const LEAST_SHARE: f64 = 0.001;

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clocks {
    steady: Instant,
    unix_ns: i64,
}

impl Clocks {
    /// Both clocks now.
    pub(crate) fn now() -> Clocks {
        Clocks { steady: Instant::now(), unix_ns: unix_ns() }
    }

    /// The wall clock: nanoseconds since 1970, UTC.
    pub(crate) fn unix_ns(self) -> i64 {
        self.unix_ns
    }

    /// What is to be said where the wall clock was set between `begin` and this.
    pub(crate) fn step_since(self, begin: Clocks) -> Option<String> {
        let passed = self.steady.saturating_duration_since(begin.steady).as_secs_f64();
        let by_wall = self.unix_ns.saturating_sub(begin.unix_ns) as f64 / 1e9;
        let step = by_wall - passed;
        if step.abs() < LEAST_SECONDS.max(passed * LEAST_SHARE) {
            return None;
        }
        let (way, step) = if step > 0.0 { ("forward", step) } else { ("back", -step) };
        Some(format!(
            "the wall clock of this computer was set {way} by {step:.1} s during the session, or the computer \
             slept: when the session started and ended is as the clock said, and all times within it are of \
             the monotonic clock, which nothing sets"
        ))
    }
}

/// The time by this computer's wall clock: nanoseconds since 1970, UTC.
pub(crate) fn unix_ns() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// What is said where so many seconds pass and the wall clock says so many.
    fn said(passed: f64, by_wall: f64) -> Option<String> {
        let begin = Clocks::now();
        let end = Clocks {
            steady: begin.steady + Duration::from_secs_f64(passed),
            unix_ns: begin.unix_ns + (by_wall * 1e9) as i64,
        };
        end.step_since(begin)
    }

    #[test]
    fn a_clock_that_was_set_is_told_from_one_that_is_steered() {
        assert_eq!(said(10.0, 10.9), None);
        assert_eq!(said(7200.0, 7203.6), None, "500 ppm is what NTP steers by");
        assert!(said(10.0, 3610.0).unwrap().contains("forward by 3600.0 s"));
        assert!(said(10.0, -3590.0).unwrap().contains("back by 3600.0 s"));
    }
}
