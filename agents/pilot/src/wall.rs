//! What a session is dated by, and whether this computer's wall clock was set while it ran.

use std::time::{Instant, SystemTime};

/// What is taken for a clock that was set, and not for one that was steered: a second,
/// and this share of the time that passed, which is more than NTP ever steers by.
const LEAST_SECONDS: f64 = 1.0;
const LEAST_SHARE: f64 = 0.001;
/// By so much do two wall clocks not differ that are kept, whatever a message's way takes.
const FAR_SECONDS: f64 = 60.0;

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
             slept: no time of the session is of that clock, but of the terminal's when it started, and of the \
             monotonic clock since, which nothing sets"
        ))
    }
}

/// A calendar that this computer's wall clock doesn't move: the terminal's, as it was told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calendar {
    heard: Clocks,
    unix_ns: i64,
}

impl Calendar {
    /// The calendar of a terminal that said `told` when it was `heard`; of one that said
    /// nothing, that of this computer.
    pub(crate) fn of(heard: Clocks, told: Option<i64>) -> Calendar {
        Calendar { heard, unix_ns: told.unwrap_or(heard.unix_ns) }
    }

    /// When that is: nanoseconds since 1970, UTC.
    pub(crate) fn at(self, moment: Clocks) -> i64 {
        let since = moment.steady.saturating_duration_since(self.heard.steady).as_nanos();
        self.unix_ns.saturating_add(i64::try_from(since).unwrap_or(i64::MAX))
    }

    /// What is to be said where this computer's wall clock is another.
    pub(crate) fn differs(self) -> Option<String> {
        let seconds = self.heard.unix_ns.saturating_sub(self.unix_ns) as f64 / 1e9;
        if seconds.abs() < FAR_SECONDS {
            return None;
        }
        let (side, seconds) = if seconds > 0.0 { ("ahead of", seconds) } else { ("behind", -seconds) };
        Some(format!(
            "the wall clock of this computer is {seconds:.0} s {side} the terminal's, which the session is dated \
             by: set it, or use a time server"
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

    #[test]
    fn a_computer_whose_clock_is_a_day_behind_dates_by_the_terminals() {
        let heard = Clocks::now();
        let later = Clocks { steady: heard.steady + Duration::from_secs(5), ..heard };
        let told = heard.unix_ns + 86_400_000_000_000;
        let calendar = Calendar::of(heard, Some(told));
        assert_eq!(calendar.at(later), told + 5_000_000_000);
        assert!(calendar.differs().unwrap().contains("is 86400 s behind the terminal's"));
        assert_eq!(Calendar::of(heard, Some(heard.unix_ns + 2_000_000_000)).differs(), None);
        assert_eq!(Calendar::of(heard, None).at(heard), heard.unix_ns);
    }
}
