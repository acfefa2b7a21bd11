//! What the fuzzer starts from, and what it ever found.

use std::path::Path;

use bramble_fuzz::{LOCK, TARGETS};
use bramble_value::{Random, Seed};

#[test]
fn every_target_survives_what_it_should_read_and_most_of_it_changed() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{}", target.name);
        let mut random = Random::new(Seed(1), target.name, 0);
        for seed in &seeds {
            (target.run)(seed);
            for _ in 0..50 {
                let mut changed = seed.clone();
                for _ in 0..=random.below(4) {
                    let at = random.below(changed.len() as u64) as usize;
                    changed[at] = random.below(256) as u8;
                }
                changed.truncate(random.below(2 * changed.len() as u64) as usize);
                (target.run)(&changed);
            }
        }
    }
}

#[test]
fn what_was_ever_found_is_harmless_now() {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("found");
    for folder in std::fs::read_dir(found).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir())
    {
        let name = folder.file_name();
        let target = TARGETS.iter().find(|target| Some(target.name) == name.to_str());
        let target = target.unwrap_or_else(|| panic!("{name:?} is a target"));
        for file in std::fs::read_dir(folder.path()).unwrap() {
            (target.run)(&std::fs::read(file.unwrap().path()).unwrap());
        }
    }
}

#[test]
fn the_lock_opens_to_its_combination_alone() {
    (LOCK.run)(b"boxer");
    (LOCK.run)(b"boxe");
    assert!(std::panic::catch_unwind(|| (LOCK.run)(b"boxes")).is_err());
}
