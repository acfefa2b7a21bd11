//! Saying what happens often without saying it often.

use std::collections::HashMap;
use std::hash::Hash;

/// Whether the `count`th of many is logged: the 1st, 10th, 100th, ...
pub fn is_worth_a_line(count: u64) -> bool {
    count.checked_ilog10().is_some_and(|digits| 10u64.pow(digits) == count)
}

/// Counts what happens, apart for each kind of it, in bounded memory.
#[derive(Debug)]
pub struct Counts<K> {
    kinds: HashMap<K, u64>,
    /// Of kinds that there was no room for.
    rest: u64,
}

/// The most kinds that are counted apart.
const MOST_KINDS: usize = 1024;

impl<K> Default for Counts<K> {
    fn default() -> Counts<K> {
        Counts { kinds: HashMap::new(), rest: 0 }
    }
}

impl<K: Hash + Eq> Counts<K> {
    /// Counts one more; how many there were, where that is worth a line.
    pub fn one_more(&mut self, kind: K) -> Option<u64> {
        let count = if self.kinds.len() < MOST_KINDS || self.kinds.contains_key(&kind) {
            self.kinds.entry(kind).or_default()
        } else {
            &mut self.rest
        };
        *count += 1;
        is_worth_a_line(*count).then_some(*count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_times_the_same_are_seven_lines() {
        assert_eq!((1..=1_000_000).filter(|count| is_worth_a_line(*count)).count(), 7);
    }

    #[test]
    fn a_million_kinds_are_a_line_each_only_while_there_is_room() {
        let mut counts = Counts::default();
        let lines = (0..1_000_000).filter(|kind| counts.one_more(*kind).is_some()).count();
        assert_eq!(lines, MOST_KINDS + 6);
    }
}
