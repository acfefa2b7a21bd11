//! A continuous quantity as a screen can show it: the least and the most of each short time.

use bramble_value::Time;

use super::ring::Ring;
use super::wire::Bucket;

/// How long a bucket is while a session runs, in nanoseconds: several fall into a pixel of a
/// minute's plot.
pub(super) const WIDTH: i64 = 20_000_000;
/// How many are kept: a minute's.
pub(super) const MOST: usize = 3_000;

/// What was measured of one port.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    closed: Ring<Bucket>,
    open: Option<Bucket>,
    samples: u64,
    /// How long a bucket is, in nanoseconds.
    width: i64,
}

/// How much of a stream a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Seen {
    closed: u64,
    samples: u64,
}

impl Stream {
    pub(super) fn new(width: i64) -> Stream {
        Stream { closed: Ring::new(MOST), open: None, samples: 0, width }
    }

    /// A sample, `since` the start of its session in nanoseconds.
    pub(super) fn add(&mut self, since: i64, value: f64) {
        self.samples += 1;
        let t = since.div_euclid(self.width) * self.width;
        match &mut self.open {
            // What comes late belongs to what is shown last.
            Some(open) if t <= open.t => {
                (open.min, open.max, open.last) = (open.min.min(value), open.max.max(value), value);
            }
            open => {
                let before = open.replace(Bucket { t, min: value, max: value, last: value });
                before.into_iter().for_each(|before| self.closed.push(before));
            }
        }
    }

    pub(super) fn seen(&self) -> Seen {
        Seen { closed: self.closed.came(), samples: self.samples }
    }

    /// Everything that is kept.
    pub(super) fn all(&self) -> Vec<Bucket> {
        self.closed.iter().chain(&self.open).copied().collect()
    }

    /// What a page lacks. The first of it may be one that it has, and that has grown. `None`
    /// where some of it isn't kept any more.
    pub(super) fn after(&self, seen: Seen) -> Option<Vec<Bucket>> {
        if seen.samples == self.samples {
            return Some(Vec::new());
        }
        Some(self.closed.after(seen.closed)?.chain(&self.open).copied().collect())
    }
}

/// When something was, in nanoseconds since the start of its session.
pub(super) fn since(start: Time, time: Time) -> i64 {
    time.ns().saturating_sub(start.ns())
}
