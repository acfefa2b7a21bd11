//! When a line changes too often to be listened to. It knows no clock.

use bramble_value::{Span, Time};

/// More changes of one line than these in [`Flood::WINDOW`] are a storm: 50,000
/// a second, far more than any poke, lick sensor or wheel has.
pub(super) const MOST: u32 = 5_000;

/// How long a line that storms is not listened to.
pub(super) const SILENCE: Span = Span::from_s(1);

/// Counts the changes of one line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flood {
    since: Time,
    count: u32,
}

impl Flood {
    const WINDOW: Span = Span::from_ms(100);

    pub(super) fn new(now: Time) -> Flood {
        Flood { since: now, count: 0 }
    }

    /// So many changes up to then; whether that is too many.
    pub(super) fn count(&mut self, changes: u32, at: Time) -> bool {
        if at.since(self.since) >= Flood::WINDOW {
            *self = Flood::new(at);
        }
        self.count = self.count.saturating_add(changes);
        self.count > MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether changes that are this far apart are a storm within a second.
    fn is_storm(apart: Span) -> bool {
        let mut flood = Flood::new(Time::ZERO);
        let changes = Span::from_s(1).ns() / apart.ns();
        (1..=changes).any(|change| flood.count(1, Time::from_ns(change * apart.ns())))
    }

    #[test]
    fn a_hundred_thousand_changes_a_second_are_a_storm_and_forty_thousand_are_not() {
        assert!(is_storm("10 us".parse().unwrap()));
        assert!(!is_storm("25 us".parse().unwrap()));
    }

    #[test]
    fn lost_changes_count() {
        let mut flood = Flood::new(Time::ZERO);
        assert!(!flood.count(1, Time::from_ns(1)));
        assert!(flood.count(MOST, Time::from_ns(2)));
    }
}
