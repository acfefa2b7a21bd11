//! What this computer is, as far as setting up depends on it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bramble_rig::config::board;
use nix::unistd::{Group, Uid, User, gethostname};

/// What this computer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// What it is called, without its domain.
    pub(crate) host: String,
    /// What its board calls itself, where it says so.
    pub(crate) model: Option<String>,
    /// Whether this runs as root.
    pub(crate) root: bool,
    /// Who started this; the person behind `sudo`.
    pub(crate) user: String,
    /// The home folder of whom this runs as.
    pub(crate) home: PathBuf,
    /// The users, with their home folders.
    pub(crate) users: BTreeMap<String, PathBuf>,
    /// Whether systemd runs it.
    pub(crate) systemd: bool,
    /// Whether systemd looks after this user's own services.
    pub(crate) user_services: bool,
    /// Whether there is a group `gpio`.
    pub(crate) gpio_group: bool,
    /// Whether the kernel has any GPIO chip.
    pub(crate) gpio: bool,
    /// The folder of this program, which is that of the agents.
    pub(crate) programs: PathBuf,
}

impl Facts {
    /// Looks.
    pub(crate) fn look() -> Facts {
        let uid = Uid::effective();
        let sudo = std::env::var("SUDO_USER").ok().filter(|user| uid.is_root() && user != "root");
        let me = User::from_uid(uid).ok().flatten();
        let home =
            std::env::home_dir().or(me.as_ref().map(|me| me.dir.clone())).unwrap_or_else(|| "/".into());
        let host = gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let systemd = Path::new("/run/systemd/system").is_dir();
        let program = std::env::current_exe().ok().and_then(|path| Some(path.parent()?.to_owned()));
        Facts {
            host: host.split('.').next().unwrap_or_default().to_owned(),
            model: model(),
            root: uid.is_root(),
            user: sudo.or(me.map(|me| me.name)).unwrap_or_else(|| "root".to_owned()),
            home,
            users: users(&fs::read_to_string("/etc/passwd").unwrap_or_default()),
            systemd,
            user_services: systemd && runtime.is_some_and(|runtime| runtime.join("systemd").is_dir()),
            gpio_group: Group::from_name("gpio").is_ok_and(|group| group.is_some()),
            gpio: has_chip(),
            programs: program.unwrap_or_default(),
        }
    }

    /// What a computer would be with this board: as it comes from the image of Raspberry Pi OS,
    /// called box1, with its first user being root by sudo.
    pub(crate) fn pretended(model: &str) -> Facts {
        Facts {
            host: "box1".to_owned(),
            model: Some(model.to_owned()),
            root: true,
            user: "pi".to_owned(),
            home: "/root".into(),
            users: users("root:x:0:0:root:/root:/bin/bash\npi:x:1000:1000:,,,:/home/pi:/bin/bash\n"),
            systemd: true,
            user_services: false,
            gpio_group: true,
            gpio: true,
            programs: "/usr/local/bin".into(),
        }
    }

    /// Whether it is a Raspberry Pi.
    pub(crate) fn is_pi(&self) -> bool {
        self.model.as_deref().and_then(board::chip_of).is_some()
    }

    /// What it is, in a few words.
    pub(crate) fn words(&self) -> String {
        match &self.model {
            Some(model) => model.split(" Rev ").next().unwrap_or(model).to_owned(),
            None => "no Raspberry Pi".to_owned(),
        }
    }
}

fn model() -> Option<String> {
    let text = fs::read_to_string("/proc/device-tree/model").ok()?;
    Some(text.trim_matches(['\0', ' ', '\n']).to_owned()).filter(|model| !model.is_empty())
}

fn has_chip() -> bool {
    let entries = fs::read_dir("/dev").into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("gpiochip"))
}

/// The users of a passwd file, with their home folders.
fn users(passwd: &str) -> BTreeMap<String, PathBuf> {
    let user = |line: &str| {
        let mut fields = line.split(':');
        Some((fields.next()?.to_owned(), PathBuf::from(fields.nth(4)?)))
    };
    passwd.lines().filter_map(user).collect()
}

#[cfg(test)]
impl Facts {
    /// A Raspberry Pi with systemd, seen by root.
    pub(crate) fn of_a_pi() -> Facts {
        Facts {
            host: "box7".to_owned(),
            user: "ada".to_owned(),
            users: users("root:x:0:0:root:/root:/bin/bash\nada:x:1000:1000:,,,:/home/ada:/bin/bash\n"),
            programs: "/opt/bramble/bin".into(),
            ..Facts::pretended("Raspberry Pi 4 Model B Rev 1.4")
        }
    }

    /// A computer without systemd, GPIO or root.
    pub(crate) fn of_a_plain_computer() -> Facts {
        Facts {
            host: "desk".to_owned(),
            model: None,
            root: false,
            home: "/home/ada".into(),
            systemd: false,
            gpio_group: false,
            gpio: false,
            ..Facts::of_a_pi()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_known_with_their_folders() {
        let facts = Facts::of_a_pi();
        assert_eq!(facts.users["ada"], Path::new("/home/ada"));
        assert!(facts.is_pi() && !Facts::of_a_plain_computer().is_pi());
        assert_eq!(facts.words(), "Raspberry Pi 4 Model B");
    }
}
