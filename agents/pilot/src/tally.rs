//! How many records wait for the terminal: the journal counts messages, and a message
//! has many.

use std::collections::VecDeque;

use bramble_journal::{Journal, JournalError};
use bramble_message::PilotToTerminal;

/// As many messages are read from the journal at once.
const CHUNK: usize = 512;

/// As many messages are told apart before two are counted as one.
const MOST: usize = 4096;

/// What was written to a lane of the journal, and not let go of.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// In the order of their numbers, without gaps within one.
    written: VecDeque<Written>,
}

/// Messages with these numbers have so many records.
#[derive(Debug, Clone, Copy)]
struct Written {
    first: u64,
    last: u64,
    records: u64,
}

impl Tally {
    /// What waits in a lane already.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub(crate) fn of(journal: &Journal, lane: &str) -> Result<Tally, JournalError> {
        let mut tally = Tally::default();
        let mut after = 0;
        loop {
            let messages = journal.read(lane, after, CHUNK)?;
            for (number, bytes) in &messages {
                after = *number;
                if let Ok(PilotToTerminal::Records { records, .. }) = bramble_message::decode(bytes) {
                    tally.add(*number, records.len() as u64);
                }
            }
            if messages.len() < CHUNK {
                return Ok(tally);
            }
        }
    }

    /// The message with this number has so many records.
    pub(crate) fn add(&mut self, number: u64, records: u64) {
        if records > 0 {
            self.written.push_back(Written { first: number, last: number, records });
        }
        if self.written.len() > MOST {
            let mut all = std::mem::take(&mut self.written).into_iter();
            while let Some(one) = all.next() {
                let next = all.next().unwrap_or(Written { records: 0, ..one });
                let records = one.records + next.records;
                self.written.push_back(Written { first: one.first, last: next.last, records });
            }
        }
    }

    /// How many records are in messages after this number, which were all let go of up to
    /// it. Of so many messages that they were counted together it is a good guess.
    pub(crate) fn after(&mut self, released: u64) -> u64 {
        while self.written.front().is_some_and(|one| one.last <= released) {
            self.written.pop_front();
        }
        let left = |one: &Written| {
            let (all, left) = (one.last - one.first + 1, one.last - released.max(one.first - 1));
            (u128::from(one.records) * u128::from(left)).div_ceil(u128::from(all)) as u64
        };
        self.written.iter().map(left).sum()
    }
}

#[cfg(test)]
mod tests {
    use bramble_message::encode;
    use bramble_value::{Record, Time};
    use uuid::Uuid;

    use super::*;

    fn records(count: usize) -> PilotToTerminal {
        let note = Record::Note { time: Time::ZERO, text: String::new() };
        PilotToTerminal::Records { session: Uuid::nil(), records: vec![note; count] }
    }

    #[test]
    fn records_are_counted_and_not_the_messages_that_they_are_in() {
        let mut tally = Tally::default();
        for (number, records) in [(1, 0), (2, 512), (3, 7), (4, 0), (5, 1)] {
            tally.add(number, records);
        }
        let left = [0, 1, 2, 3, 4, 5, 9].map(|released| tally.after(released));
        assert_eq!(left, [520, 520, 8, 1, 1, 0, 0]);
    }

    #[test]
    fn what_waits_from_before_a_restart_is_counted_too() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path().join("journal.sqlite")).unwrap();
        let messages: Vec<_> = (0..600).map(|number| encode(&records(number % 3))).collect();
        journal.append("lane", &messages).unwrap();
        journal.release("lane", 6);
        assert_eq!(Tally::of(&journal, "lane").unwrap().after(6), 594);
    }

    #[test]
    fn a_long_absence_is_counted_in_bounded_memory() {
        let mut tally = Tally::default();
        for number in 1..=1_000_000 {
            tally.add(number, 3);
        }
        assert!(tally.written.len() <= MOST);
        assert_eq!(tally.after(0), 3_000_000);
        let after = tally.after(500_001);
        assert!((1_499_997..=1_500_000).contains(&after), "{after}");
    }
}
