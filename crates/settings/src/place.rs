//! Where an agent's configuration is, where none is named.

use std::path::{Path, PathBuf};

/// The folder of the configurations of agents that are this computer's services.
pub const SYSTEM: &str = "/etc/bramble";

/// The folder of the configurations of a user's own agents.
pub fn of_user(home: &Path) -> PathBuf {
    home.join(".config/bramble")
}

/// The configuration of an agent of this role, as in `pilot`: what was set up for this user, else
/// for this computer, else `config/pilot.toml` where this was started, which need not be there.
pub fn usual(role: &str) -> PathBuf {
    let own = std::env::home_dir().map(|home| of_user(&home));
    first(own.into_iter().chain([SYSTEM.into()]), role)
}

fn first(folders: impl Iterator<Item = PathBuf>, role: &str) -> PathBuf {
    let file = format!("{role}.toml");
    folders
        .map(|folder| folder.join(&file))
        // One that may not be looked at is there: reading it says why it can't be read.
        .find(|path| path.try_exists().unwrap_or(true))
        .unwrap_or_else(|| Path::new("config").join(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_up_first_for_the_user_then_for_the_computer_goes_before_the_example() {
        let made = tempfile::tempdir().expect("a folder");
        let folders = ["own", "system"].map(|name| made.path().join(name));
        let found = || first(folders.clone().into_iter(), "pilot");
        assert_eq!(found(), Path::new("config/pilot.toml"));
        for folder in folders.iter().rev() {
            std::fs::create_dir(folder)
                .and_then(|()| std::fs::write(folder.join("pilot.toml"), ""))
                .expect("a file");
            assert_eq!(found(), folder.join("pilot.toml"));
        }
    }
}
