//! Switching a plain line so fast that it seems to be partly on. It knows no
//! clock: it says when it is due.

use bramble_value::{Frequency, Span, Time};

/// One line that is on for a share of each period.
#[derive(Debug, Clone)]
pub(crate) struct Pwm {
    period: Span,
    share: f64,
    on: bool,
    /// The beginning of the present period.
    begun: Time,
}

impl Pwm {
    /// A line that is off.
    pub(crate) fn new(frequency: Frequency) -> Pwm {
        let seconds = 1.0 / frequency.hertz().max(1e-3);
        Pwm {
            period: Span::from_seconds(seconds).unwrap_or(Span::from_ms(5)),
            share: 0.0,
            on: false,
            begun: Time::ZERO,
        }
    }

    /// On for this share of the time from now on; whether the line is on now.
    pub(crate) fn set(&mut self, share: f64, now: Time) -> bool {
        self.share = share.clamp(0.0, 1.0);
        self.begun = now;
        self.on = self.share > 0.0;
        self.on
    }

    /// When it switches next; a line that is off or fully on never does.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let switches = self.share > 0.0 && self.share < 1.0;
        switches.then(|| self.begun + if self.on { self.on_for() } else { self.period })
    }

    /// What the line becomes by now, if it changes. Where whole periods were
    /// missed they are left out: the next begins on time.
    pub(crate) fn advance(&mut self, now: Time) -> Option<bool> {
        let before = self.on;
        while self.deadline().is_some_and(|due| due <= now) {
            if !self.on {
                let missed = now.since(self.begun).ns() / self.period.ns().max(1);
                self.begun += Span::from_ns(missed.max(1) * self.period.ns());
            }
            self.on = !self.on;
        }
        (self.on != before).then_some(self.on)
    }

    fn on_for(&self) -> Span {
        Span::from_ns((self.period.ns() as f64 * self.share) as i64)
    }
}

/// Whether a line at this level is on while nobody switches it, as it is
/// between two sessions: only where it is fully on.
pub(crate) fn is_on_when_still(share: f64) -> bool {
    share >= 1.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(us: i64) -> Time {
        Time::from_ns(us * 1000)
    }

    fn pwm() -> Pwm {
        Pwm::new("200 Hz".parse().unwrap())
    }

    #[test]
    fn a_share_is_on_for_its_part_of_each_period() {
        let mut pwm = pwm();
        assert!(pwm.set(0.25, at(1000)));
        let mut changes = Vec::new();
        while let Some(due) = pwm.deadline().filter(|due| *due < at(12_000)) {
            changes.push((due, pwm.advance(due)));
        }
        assert_eq!(
            changes,
            [
                (at(2250), Some(false)),
                (at(6000), Some(true)),
                (at(7250), Some(false)),
                (at(11_000), Some(true))
            ]
        );
    }

    #[test]
    fn off_and_fully_on_need_no_switching() {
        let mut pwm = pwm();
        assert!(pwm.set(1.0, at(0)));
        assert_eq!((pwm.deadline(), pwm.advance(at(1_000_000))), (None, None));
        assert!(!pwm.set(0.0, at(0)));
        assert_eq!((pwm.deadline(), pwm.advance(at(1_000_000))), (None, None));
    }

    proptest! {
        #[test]
        fn however_late_it_is_advanced_it_keeps_its_share_and_its_beat(
            share in 0.01f64..0.99,
            waits in prop::collection::vec(0i64..50_000, 1..50),
        ) {
            let mut pwm = pwm();
            pwm.set(share, at(0));
            let mut now = 0;
            for wait in waits {
                now += wait;
                pwm.advance(at(now));
                prop_assert!(pwm.deadline().unwrap() > at(now));
                let into = now % 5000;
                let expected = (into * 1000) < (5_000_000.0 * share) as i64;
                prop_assert_eq!(pwm.on, expected);
            }
        }
    }
}
