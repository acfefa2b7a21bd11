//! What an agent is: what its program was built from, and the computer it runs on.
//!
//! Every agent tells the same of itself in the same words, and the subject file has it of
//! each session.

mod host;

use std::collections::BTreeMap;

use bramble_message::{Origin, Software};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

pub use host::Host;

/// The versions of all libraries that this program is built from: the text of its
/// `Cargo.lock`. Empty where it was built without.
const LOCK: &str = include_str!(concat!(env!("OUT_DIR"), "/Cargo.lock"));

/// What a program was built from, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Build {
    /// The program: `bramble-pilot`.
    pub program: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The commit that its sources are of; none where they came without their repository.
    pub commit: Option<&'static str>,
    /// Whether the sources differed from the commit; none where that wasn't looked at, as in
    /// a debug build.
    pub modified: Option<bool>,
    /// The platform it was built for: `aarch64-unknown-linux-gnu`.
    pub target: &'static str,
    /// `release` or `debug`.
    pub profile: &'static str,
    /// The compiler and its version.
    pub compiler: &'static str,
    /// The SHA-256 of the `Cargo.lock` that says the versions of its libraries, in
    /// hexadecimal; none where there was none.
    pub lock: Option<String>,
    /// The version of the messages that it speaks.
    pub message_version: u32,
}

impl Build {
    /// This program's.
    pub fn of(program: &'static str) -> Build {
        let lock = (!LOCK.is_empty()).then(|| sha256(LOCK));
        Build {
            program,
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("BRAMBLE_COMMIT"),
            modified: option_env!("BRAMBLE_MODIFIED")
                .filter(|said| !said.is_empty())
                .map(|said| said == "yes"),
            target: env!("BRAMBLE_TARGET"),
            profile: env!("BRAMBLE_PROFILE"),
            compiler: env!("BRAMBLE_COMPILER"),
            lock,
            message_version: bramble_message::VERSION,
        }
    }
}

/// This program on this computer, in a few words, as agents tell each other.
pub fn software(program: &'static str) -> Software {
    Software {
        program: program.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: Host::look().name.unwrap_or_else(|| "unknown".to_owned()),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
    }
}

/// All that the record of a session says of this program and its computer. `configuration` is
/// what it read, and where that is to lie among the session's texts: `config/pilot.toml`.
pub fn origin(program: &'static str, name: &str, configuration: Option<(&str, &str)>) -> Origin {
    let build = Build::of(program);
    let mut texts = BTreeMap::new();
    if let Some(lock) = &build.lock {
        texts.insert(lock_path(lock), LOCK.to_owned());
    }
    if let Some((path, text)) = configuration {
        texts.insert(path.to_owned(), text.to_owned());
    }
    // What the command line said goes before the configuration.
    let arguments: Vec<_> = std::env::args_os().map(|one| one.to_string_lossy().into_owned()).collect();
    let provenance = json!({ "name": name, "arguments": arguments, "build": build, "host": Host::look() });
    Origin { provenance, texts }
}

/// Where the `Cargo.lock` of this SHA-256 is among a session's texts. Agents that were built
/// from the same one share it.
pub fn lock_path(hash: &str) -> String {
    let short = hash.get(..12).unwrap_or(hash);
    format!("software/{short}/Cargo.lock")
}

/// The SHA-256 of a text, in hexadecimal.
fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_what_it_was_built_from_and_has_the_lock_that_it_names() {
        let origin = origin("bramble-pilot", "box1", Some(("config/pilot.toml", "name = \"box1\"\n")));
        let build = &origin.provenance["build"];
        assert_eq!(build["version"], env!("CARGO_PKG_VERSION"));
        assert!(build["target"].as_str().is_some_and(|target| target.contains("linux")), "{build}");
        assert!(build["compiler"].as_str().is_some_and(|compiler| compiler.starts_with("rustc ")), "{build}");
        let lock = build["lock"].as_str().expect("the workspace has a lock");
        let text = &origin.texts[&lock_path(lock)];
        assert_eq!(sha256(text), lock);
        assert!(text.contains("name = \"bramble-software\""));
        assert_eq!(origin.texts["config/pilot.toml"], "name = \"box1\"\n");
        assert!(origin.provenance["host"]["kernel"].is_string());
    }
}
