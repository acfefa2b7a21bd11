//! What is asked of the system's own programs: users, and systemd.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::User;

use crate::answers::made_home;
use crate::unit::{Service, Unit};

/// Runs a program; what it said where it failed.
fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("{name} can't be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    Err(if said.is_empty() { format!("{name} failed") } else { format!("{name} failed: {said}") })
}

/// Makes a user for an agent, who can't log in; in the group `gpio` where there is one.
pub(super) fn make_user(name: &str, gpio_group: bool) -> Result<(), String> {
    let mut command = Command::new("useradd");
    command.args(["--system", "--user-group", "--create-home", "--shell", "/usr/sbin/nologin", "--home-dir"]);
    command.arg(made_home(name));
    if gpio_group {
        command.args(["--groups", "gpio"]);
    }
    run(command.arg("--").arg(name))
}

/// Gives a folder and what is in it to a user.
pub(super) fn give(folder: &Path, user: &str) -> Result<(), String> {
    let user = User::from_name(user).ok().flatten().ok_or_else(|| format!("there is no user {user}"))?;
    let owned = |path: &Path| chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()));
    let mut waiting = vec![folder.to_owned()];
    while let Some(path) = waiting.pop() {
        // What a link leads to is another's.
        let metadata =
            std::fs::symlink_metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if metadata.is_symlink() {
            continue;
        }
        owned(&path)
            .map_err(|error| format!("{} can't be given to {}: {error}", path.display(), user.name))?;
        if metadata.is_dir() {
            let entries = std::fs::read_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            waiting.extend(entries.flatten().map(|entry| entry.path()));
        }
    }
    Ok(())
}

/// Whether a folder is this user's.
pub(super) fn owns(user: &str, folder: &Path) -> bool {
    let user = User::from_name(user).ok().flatten();
    user.is_some_and(|user| {
        std::fs::metadata(folder).is_ok_and(|metadata| metadata.uid() == user.uid.as_raw())
    })
}

fn systemctl(service: Service) -> Command {
    let mut command = Command::new("systemctl");
    if service == Service::User {
        command.arg("--user");
    }
    command
}

/// Whether systemd runs it.
pub(super) fn runs(unit: &Unit) -> bool {
    run(systemctl(unit.service).args(["is-active", "--quiet"]).arg(unit.name())).is_ok()
}

/// Has systemd read its units, and start this one with the computer.
pub(super) fn enable(unit: &Unit) -> Result<(), String> {
    run(systemctl(unit.service).arg("daemon-reload"))?;
    run(systemctl(unit.service).args(["enable", "--quiet"]).arg(unit.name()))
}

/// Starts it; again, where it runs.
pub(super) fn restart(unit: &Unit) -> Result<(), String> {
    run(systemctl(unit.service).arg("restart").arg(unit.name()))
}

/// Has a user's services run without anybody logged in.
pub(super) fn linger() -> Result<(), String> {
    run(Command::new("loginctl").arg("enable-linger"))
}

/// A command that is run as a user, in their home folder, where that is another.
pub(super) fn as_user(user: Option<&str>, program: &Path) -> Command {
    match user {
        Some(user) => {
            let mut command = Command::new("runuser");
            command.args(["-l", user, "-s", "/bin/sh", "-c", "exec \"$0\" \"$@\"", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}
