//! The newest of what comes one after the other, each with its number.

use std::collections::VecDeque;

/// The newest `most` things of all that came.
#[derive(Debug, Clone)]
pub(super) struct Ring<T> {
    kept: VecDeque<T>,
    most: usize,
    /// How many came in all.
    came: u64,
}

impl<T> Ring<T> {
    pub(super) fn new(most: usize) -> Ring<T> {
        Ring { kept: VecDeque::new(), most, came: 0 }
    }

    pub(super) fn push(&mut self, one: T) {
        self.kept.push_back(one);
        self.came += 1;
        if self.kept.len() > self.most {
            self.kept.pop_front();
        }
    }

    /// How many came in all.
    pub(super) fn came(&self) -> u64 {
        self.came
    }

    /// How many of them aren't kept.
    pub(super) fn gone(&self) -> u64 {
        self.came - self.kept.len() as u64
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.kept.iter()
    }

    /// What came after the first `seen`, or `None` where some of that isn't there any more.
    pub(super) fn after(&self, seen: u64) -> Option<impl Iterator<Item = &T>> {
        let place = usize::try_from(seen.checked_sub(self.gone())?).ok()?;
        Some(self.kept.iter().skip(place))
    }
}
