//! Where an agent's configuration is, where none is named.

use std::path::{Path, PathBuf};

/// The folder of the configurations of agents that are this computer's services.
pub const SYSTEM: &str = "/etc/bramble";

/// The folder of the examples, where Bramble's own sources are.
const EXAMPLES: &str = "config";

/// The folder of the configurations of a user's own agents.
pub fn of_user(home: &Path) -> PathBuf {
    home.join(".config/bramble")
}

/// The configuration of an agent of this role, as in `pilot`: what was set up for this user, else
/// for this computer, else `config/pilot.toml` where this was started. None where none is there.
pub fn found(role: &str) -> Option<PathBuf> {
    let own = std::env::home_dir().map(|home| of_user(&home));
    first(own.into_iter().chain([SYSTEM.into(), EXAMPLES.into()]), role)
}

/// The same, or where the last of them would be.
pub fn usual(role: &str) -> PathBuf {
    found(role).unwrap_or_else(|| Path::new(EXAMPLES).join(file(role)))
}

fn first(mut folders: impl Iterator<Item = PathBuf>, role: &str) -> Option<PathBuf> {
    // One that may not be looked at is there: reading it says why it can't be read.
    folders.find_map(|folder| Some(folder.join(file(role))).filter(|path| path.try_exists().unwrap_or(true)))
}

fn file(role: &str) -> String {
    format!("{role}.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_up_first_for_the_user_then_for_the_computer_goes_before_the_example() {
        let made = tempfile::tempdir().expect("a folder");
        let folders = ["own", "system", "config"].map(|name| made.path().join(name));
        let found = || first(folders.clone().into_iter(), "pilot");
        assert_eq!(found(), None);
        for folder in folders.iter().rev() {
            std::fs::create_dir(folder)
                .and_then(|()| std::fs::write(folder.join("pilot.toml"), ""))
                .expect("a file");
            assert_eq!(found(), Some(folder.join("pilot.toml")));
        }
    }
}
