//! When a line changes too often to be listened to. It knows no clock.

use bramble_value::{Span, Time};

/// More changes of one line than these in [`Flood::WINDOW`] are a storm: 5,000 a
/// second, far more than any poke, lick sensor or camera's trigger has. What comes
/// while the kernel is still busy with the change before it doesn't count, so that
/// many more may be behind these.
pub(super) const MOST: u32 = 500;

/// A fine wheel that is spun has more: 50,000 a second are a storm there.
pub(super) const MOST_OF_A_WHEEL: u32 = 5_000;

/// How long a line that storms is not listened to.
pub(super) const SILENCE: Span = Span::from_s(1);

/// Counts the changes of one line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flood {
    since: Time,
    count: u32,
    most: u32,
}

impl Flood {
    const WINDOW: Span = Span::from_ms(100);

    /// More than `most` changes in a window are too many.
    pub(super) fn new(now: Time, most: u32) -> Flood {
        Flood { since: now, count: 0, most }
    }

    /// It is over.
    pub(super) fn again(&mut self, now: Time) {
        *self = Flood::new(now, self.most);
    }

    /// So many changes up to then; whether that is too many.
    pub(super) fn count(&mut self, changes: u32, at: Time) -> bool {
        if at.since(self.since) >= Flood::WINDOW {
            self.again(at);
        }
        self.count = self.count.saturating_add(changes);
        self.count > self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether changes that are this far apart are a storm within a second.
    fn is_storm(apart: Span, most: u32) -> bool {
        let mut flood = Flood::new(Time::ZERO, most);
        let changes = Span::from_s(1).ns() / apart.ns();
        (1..=changes).any(|change| flood.count(1, Time::from_ns(change * apart.ns())))
    }

    #[test]
    fn more_changes_than_a_beam_or_a_wheel_has_are_a_storm() {
        let [often, sometimes] = ["150 us", "250 us"].map(|apart| apart.parse().unwrap());
        assert!(is_storm(often, MOST) && !is_storm(sometimes, MOST));
        let [often, sometimes] = ["10 us", "25 us"].map(|apart| apart.parse().unwrap());
        assert!(is_storm(often, MOST_OF_A_WHEEL) && !is_storm(sometimes, MOST_OF_A_WHEEL));
    }

    #[test]
    fn lost_changes_count() {
        let mut flood = Flood::new(Time::ZERO, MOST);
        assert!(!flood.count(1, Time::from_ns(1)));
        assert!(flood.count(MOST, Time::from_ns(2)));
    }
}
