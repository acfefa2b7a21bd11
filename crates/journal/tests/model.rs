//! The journal against a model of it, whatever is done in whatever order.

use std::collections::BTreeMap;
use std::path::Path;

use bramble_journal::{Journal, JournalError};
use bytes::Bytes;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Append { lane: usize, records: Vec<Vec<u8>> },
    Store { lane: usize, first: i64, records: Vec<Vec<u8>> },
    BeginAfter { lane: usize, ahead: i64 },
    Release { lane: usize, up_to: u64, durably: bool },
    Together { records: [Vec<Vec<u8>>; 2], up_to: u64, fails: bool },
    Remember { key: usize, value: Vec<u8> },
    Forget { key: usize },
    Reopen,
}

const LANES: [&str; 3] = ["terminal", "box1", "a lane of 'any' name"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let records = || prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..6);
    let step = prop_oneof![
        4 => (0..3usize, records()).prop_map(|(lane, records)| Step::Append { lane, records }),
        4 => (0..3usize, -4i64..3, records()).prop_map(|(lane, first, records)| Step::Store { lane, first, records }),
        1 => (0..3usize, -3i64..10).prop_map(|(lane, ahead)| Step::BeginAfter { lane, ahead }),
        3 => (0..3usize, 0u64..40, any::<bool>()).prop_map(|(lane, up_to, durably)| Step::Release { lane, up_to, durably }),
        2 => ([records(), records()], 0u64..40, any::<bool>()).prop_map(|(records, up_to, fails)| Step::Together { records, up_to, fails }),
        1 => (0..2usize, prop::collection::vec(any::<u8>(), 0..20)).prop_map(|(key, value)| Step::Remember { key, value }),
        1 => (0..2usize).prop_map(|key| Step::Forget { key }),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..40)
}

#[derive(Debug, Default, Clone)]
struct Lane {
    records: BTreeMap<u64, Vec<u8>>,
    last: u64,
    released: u64,
}

#[derive(Debug, Default)]
struct Model {
    lanes: BTreeMap<&'static str, Lane>,
    memory: BTreeMap<String, Vec<u8>>,
}

impl Model {
    fn release(&mut self, lane: &str, up_to: u64) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.released = lane.released.max(up_to.min(lane.last));
            lane.records.retain(|number, _| *number > up_to);
        }
    }
}

fn run(path: &Path, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut journal = Journal::open(path)?;
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Append { lane, records } => {
                let numbers = journal.append(LANES[lane], &records)?;
                let lane = model.lanes.entry(LANES[lane]).or_default();
                prop_assert_eq!(numbers, lane.last + 1..=lane.last + records.len() as u64);
                for record in records {
                    lane.last += 1;
                    lane.records.insert(lane.last, record);
                }
            }
            Step::Store { lane, first, records } => {
                let known = model.lanes.get(LANES[lane]).cloned().unwrap_or_default();
                let first = (known.last as i64 + first).max(1) as u64;
                let batch: Vec<_> = (first..).zip(records).collect();
                match journal.store(LANES[lane], &batch) {
                    Ok(new) => {
                        prop_assert!(first <= known.last + 1 || batch.is_empty());
                        let lane = model.lanes.entry(LANES[lane]).or_default();
                        let expected: Vec<_> =
                            batch.iter().map(|(number, _)| *number).filter(|n| *n > lane.last).collect();
                        prop_assert_eq!(new.collect::<Vec<_>>(), expected.clone());
                        lane.last += expected.len() as u64;
                        lane.records
                            .extend(batch.into_iter().filter(|(number, _)| expected.contains(number)));
                    }
                    Err(JournalError::Gap { last, got, .. }) => {
                        prop_assert_eq!((last, got), (known.last, first));
                        prop_assert!(first > known.last + 1);
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            Step::BeginAfter { lane, ahead } => {
                let name = LANES[lane];
                let lane = model.lanes.entry(name).or_default();
                let number = (lane.last as i64 + ahead).max(0) as u64;
                journal.begin_after(name, number)?;
                if number > lane.last {
                    if lane.records.is_empty() {
                        lane.released = number;
                    }
                    lane.last = number;
                }
            }
            Step::Release { lane, up_to, durably } => {
                if durably {
                    journal.change(|change| change.release(LANES[lane], up_to))?;
                    model.lanes.entry(LANES[lane]).or_default();
                } else {
                    journal.release(LANES[lane], up_to);
                }
                model.release(LANES[lane], up_to);
            }
            Step::Together { records, up_to, fails } => {
                let done = journal.change(|change| {
                    for (lane, records) in LANES.iter().zip(&records) {
                        change.append(lane, records)?;
                        change.release(lane, up_to)?;
                    }
                    change.remember("0", "together")?;
                    match fails {
                        true => change.store(LANES[0], &[(u64::MAX, "too far")]).map(drop),
                        false => Ok(()),
                    }
                });
                prop_assert_eq!(done.is_err(), fails);
                if !fails {
                    for (lane, records) in LANES.iter().zip(records) {
                        let known = model.lanes.entry(lane).or_default();
                        let first = known.last + 1;
                        known.last += records.len() as u64;
                        known.records.extend((first..).zip(records));
                        model.release(lane, up_to);
                    }
                    model.memory.insert("0".to_owned(), b"together".to_vec());
                }
            }
            Step::Remember { key, value } => {
                journal.remember(&key.to_string(), &value)?;
                model.memory.insert(key.to_string(), value);
            }
            Step::Forget { key } => {
                journal.forget(&key.to_string())?;
                model.memory.remove(&key.to_string());
            }
            Step::Reopen => {
                drop(journal);
                journal = Journal::open(path)?;
            }
        }
        for (name, lane) in &model.lanes {
            let records: Vec<_> =
                lane.records.iter().map(|(number, record)| (*number, Bytes::from(record.clone()))).collect();
            prop_assert_eq!(journal.read(name, 0, usize::MAX)?, records.clone());
            let middle = lane.released + (lane.last - lane.released) / 2;
            let after: Vec<_> = records.into_iter().filter(|(number, _)| *number > middle).take(2).collect();
            prop_assert_eq!(journal.read(name, middle, 2)?, after);
            prop_assert_eq!(journal.last(name), lane.last);
            prop_assert_eq!(journal.released(name), lane.released);
            prop_assert_eq!(journal.pending(name)?, lane.records.len() as u64);
        }
        for key in ["0", "1"] {
            prop_assert_eq!(journal.recall(key)?.map(|value| value.to_vec()), model.memory.get(key).cloned());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_journal_does_what_its_model_does(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        run(&folder.path().join("journal.sqlite"), steps)?;
    }
}
