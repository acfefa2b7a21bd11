//! Counting the two lines of a quadrature encoder: a wheel whose two tracks are
//! a quarter of a period apart, so that the order of their changes tells which
//! way it turns.

/// One of the two lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Track {
    /// The one that leads when the wheel turns forwards.
    A,
    /// The other.
    B,
}

/// What came of a change of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// One count forwards or back.
    Counted,
    /// The line became what it was already: a change between was missed, and
    /// with it the count, if only by a little.
    Jumped,
}

/// The counts of an encoder: four for each period of its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quadrature {
    a: bool,
    b: bool,
    count: i64,
}

impl Quadrature {
    /// Where the lines are now, without a count.
    pub fn settle(&mut self, a: bool, b: bool) {
        (self.a, self.b) = (a, b);
    }

    /// A line became high or low.
    pub fn change(&mut self, track: Track, high: bool) -> Turn {
        let line = match track {
            Track::A => &mut self.a,
            Track::B => &mut self.b,
        };
        if *line == high {
            return Turn::Jumped;
        }
        *line = high;
        // Forwards, A changes to what B is not, and B to what A is.
        let forwards = match track {
            Track::A => self.a != self.b,
            Track::B => self.a == self.b,
        };
        self.count += if forwards { 1 } else { -1 };
        Turn::Counted
    }

    /// The counts, forwards less back.
    pub fn count(&self) -> i64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lines at each quarter of a period, forwards.
    const QUARTERS: [(bool, bool); 4] = [(false, false), (true, false), (true, true), (false, true)];

    fn lines(position: i64) -> (bool, bool) {
        QUARTERS[position.rem_euclid(4) as usize]
    }

    /// The change of a line that takes a wheel from one position to its neighbour.
    fn step(from: i64, to: i64) -> (Track, bool) {
        let ((a, b), (then_a, then_b)) = (lines(from), lines(to));
        if a != then_a {
            (Track::A, then_a)
        } else {
            assert_ne!(b, then_b);
            (Track::B, then_b)
        }
    }

    proptest! {
        #[test]
        fn any_way_a_wheel_turns_is_counted_exactly(
            start in -8i64..8,
            forwards in prop::collection::vec(any::<bool>(), 0..500),
        ) {
            let mut encoder = Quadrature::default();
            let (a, b) = lines(start);
            encoder.settle(a, b);
            let mut position = start;
            for forwards in forwards {
                let next = position + if forwards { 1 } else { -1 };
                let (track, high) = step(position, next);
                prop_assert_eq!(encoder.change(track, high), Turn::Counted);
                position = next;
                prop_assert_eq!(encoder.count(), position - start);
            }
        }

        #[test]
        fn a_missed_change_of_a_line_is_noticed_at_its_next_one(
            forwards in prop::collection::vec(any::<bool>(), 2..200),
            missed in any::<prop::sample::Index>(),
        ) {
            let mut encoder = Quadrature::default();
            let mut position = 0;
            let missed = missed.index(forwards.len());
            let mut lost = None;
            for (place, forwards) in forwards.into_iter().enumerate() {
                let next = position + if forwards { 1 } else { -1 };
                let (track, high) = step(position, next);
                position = next;
                if place == missed {
                    lost = Some(track);
                } else if lost == Some(track) {
                    prop_assert_eq!(encoder.change(track, high), Turn::Jumped);
                    lost = None;
                } else {
                    prop_assert_eq!(encoder.change(track, high), Turn::Counted);
                }
            }
        }
    }
}
