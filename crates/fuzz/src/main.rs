//! The fuzzer's program: libFuzzer, and the target that `BRAMBLE_FUZZ` names. What it
//! starts from goes into the folder `BRAMBLE_FUZZ_SEEDS`.

#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use bramble_fuzz::{LOCK, TARGETS, Target};

static TARGET: OnceLock<Target> = OnceLock::new();

/// Finds the target, or says which there are.
fn begin() {
    let name = std::env::var("BRAMBLE_FUZZ").unwrap_or_default();
    let Some(target) = TARGETS.iter().chain([&LOCK]).find(|target| target.name == name) else {
        for target in TARGETS {
            println!("{}", target.name);
        }
        std::process::exit(0);
    };
    if let Some(folder) = std::env::var_os("BRAMBLE_FUZZ_SEEDS") {
        for (number, seed) in (target.seeds)().iter().enumerate() {
            let path = Path::new(&folder).join(format!("seed{number}"));
            if let Err(error) = std::fs::write(&path, seed) {
                eprintln!("can't write {}: {error}", path.display());
                std::process::exit(2);
            }
        }
    }
    let _ = TARGET.set(*target);
}

libfuzzer_sys::fuzz_target!(init: begin(), |bytes: &[u8]| {
    if let Some(target) = TARGET.get() {
        (target.run)(bytes);
    }
});
