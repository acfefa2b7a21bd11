//! The unit with which systemd starts an agent.

use std::path::{Path, PathBuf};

use bramble_identity::Role;

use crate::facts::Facts;

/// Who looks after the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Service {
    /// systemd, from when the computer starts
    System,
    /// systemd, for this user alone
    User,
    /// Nobody: a person starts it
    None,
}

impl Service {
    /// All of them.
    pub(crate) const ALL: [Service; 3] = [Service::System, Service::User, Service::None];

    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Service::System => "system",
            Service::User => "user",
            Service::None => "none",
        }
    }

    /// What it means, in a few words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Service::System => "systemd starts it with the computer",
            Service::User => "systemd starts it for this user alone",
            Service::None => "a person starts it",
        }
    }

    /// Why it can't be had here, and what could be done.
    pub(crate) fn lacking(self, facts: &Facts) -> Option<&'static str> {
        match self {
            Service::System if !facts.systemd => Some("systemd doesn't run this computer: choose `none`"),
            Service::System if !facts.root => {
                Some("only root can install it: run this with sudo, or choose `user` or `none`")
            }
            Service::User if !facts.user_services => {
                Some("systemd has no services of this user here: choose `system` or `none`")
            }
            _ => None,
        }
    }

    /// What is usual on such a computer.
    pub(crate) fn usual(facts: &Facts) -> Service {
        let can = |service: &Service| service.lacking(facts).is_none();
        Service::ALL.into_iter().find(can).unwrap_or(Service::None)
    }
}

/// An agent's unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    /// What it is of.
    pub(crate) role: Role,
    /// Whose service it is.
    pub(crate) service: Service,
    /// The agent's program.
    pub(crate) program: PathBuf,
    /// Its configuration.
    pub(crate) config: PathBuf,
    /// Whom the agent runs as, where it isn't whoever's service it is.
    pub(crate) user: Option<String>,
    /// Whether there is a group `gpio`.
    pub(crate) gpio_group: bool,
}

impl Unit {
    /// What systemd calls it.
    pub(crate) fn name(&self) -> String {
        format!("bramble-{}", self.role)
    }

    /// Its file.
    pub(crate) fn path(&self, home: &Path) -> PathBuf {
        let folder = match self.service {
            Service::System => PathBuf::from("/etc/systemd/system"),
            Service::User | Service::None => home.join(".config/systemd/user"),
        };
        folder.join(format!("{}.service", self.name()))
    }

    /// Its text.
    pub(crate) fn text(&self) -> String {
        let system = self.service == Service::System;
        let mut lines = vec![
            "# Written by bramble-setup. What you add with `systemctl edit` stays.".to_owned(),
            "[Unit]".to_owned(),
            format!("Description=Bramble {}", self.role),
        ];
        if system {
            lines.push("Wants=network-online.target".to_owned());
            lines.push("After=network-online.target".to_owned());
        }
        lines.extend([String::new(), "[Service]".to_owned()]);
        lines.extend(self.user.iter().filter(|_| system).map(|user| format!("User={user}")));
        let works_rig = self.role != Role::Terminal;
        if works_rig && system && self.gpio_group {
            lines.push("# Who may use the lines.".to_owned());
            lines.push("SupplementaryGroups=gpio".to_owned());
        }
        let serve = if works_rig { "" } else { " serve" };
        lines.push(format!("ExecStart={} --config {}{serve}", quoted(&self.program), quoted(&self.config)));
        lines.push("Restart=on-failure".to_owned());
        lines.push("RestartSec=2".to_owned());
        if works_rig {
            lines.extend(RIG.lines().map(str::to_owned));
        }
        lines.extend(HARDENED.lines().map(str::to_owned));
        if system {
            lines.push("ProtectSystem=full".to_owned());
        }
        let target = if system { "multi-user.target" } else { "default.target" };
        lines.extend([String::new(), "[Install]".to_owned(), format!("WantedBy={target}"), String::new()]);
        lines.join("\n")
    }
}

/// What a rig's loop and its guard need.
const RIG: &str = "\
# The loop is a real-time thread, and the guard has a higher priority still.
LimitRTPRIO=95
# Its memory stays where it is.
LimitMEMLOCK=infinity
# When the agent dies, its guard goes on holding the outputs safe.
KillMode=process
OOMScoreAdjust=-500";

/// What an agent never needs. It needs devices (PrivateDevices and ProtectClock would take
/// them away), sysfs for PWM (ProtectKernelTunables) and sockets in /tmp (PrivateTmp).
const HARDENED: &str = "\
NoNewPrivileges=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native";

/// A path as systemd reads it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string().replace('%', "%%");
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+%".contains(&byte));
    if plain {
        text
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "$$"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(role: Role, service: Service) -> Unit {
        Unit {
            role,
            service,
            program: format!("/opt/my bramble/bramble-{role}").into(),
            config: format!("/etc/bramble/{role}.toml").into(),
            user: Some("ada".to_owned()),
            gpio_group: true,
        }
    }

    #[test]
    fn a_pilots_unit_has_what_real_time_lines_and_the_guard_need() {
        let text = unit(Role::Pilot, Service::System).text();
        for line in [
            "User=ada",
            "SupplementaryGroups=gpio",
            "LimitRTPRIO=95",
            "LimitMEMLOCK=infinity",
            "KillMode=process",
            "Restart=on-failure",
            "ExecStart=\"/opt/my bramble/bramble-pilot\" --config /etc/bramble/pilot.toml",
            "WantedBy=multi-user.target",
        ] {
            assert!(text.lines().any(|one| one == line), "{line} is not in\n{text}");
        }
        for taken in
            ["PrivateDevices", "ProtectClock", "ProtectKernelTunables", "PrivateTmp", "RestrictRealtime"]
        {
            assert!(!text.contains(taken), "{taken}");
        }
    }

    #[test]
    fn the_books_unit_is_the_one_that_is_installed() {
        let unit = Unit {
            program: "/usr/local/bin/bramble-pilot".into(),
            user: Some("bramble".to_owned()),
            ..unit(Role::Pilot, Service::System)
        };
        assert_eq!(unit.text(), include_str!("../../../docs/examples/bramble-pilot.service"));
    }

    #[test]
    fn a_service_of_a_user_asks_for_nothing_that_only_root_gives() {
        let text = unit(Role::Child, Service::User).text();
        assert!(!text.contains("User=") && !text.contains("Groups=") && !text.contains("ProtectSystem"));
        assert!(text.contains("WantedBy=default.target"));
    }

    #[test]
    fn systemd_understands_every_unit() {
        let there = std::process::Command::new("systemd-analyze").arg("--version").output();
        if !there.is_ok_and(|output| output.status.success()) {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        for role in [Role::Terminal, Role::Pilot, Role::Child] {
            for service in [Service::System, Service::User] {
                let unit = Unit {
                    program: "/bin/true".into(),
                    user: None,
                    gpio_group: false,
                    ..unit(role, service)
                };
                let path = folder.path().join(format!("{}.service", unit.name()));
                std::fs::write(&path, unit.text()).unwrap();
                let mut verify = std::process::Command::new("systemd-analyze");
                verify.arg("verify").arg("--man=no");
                if service == Service::User {
                    verify.arg("--user").env("XDG_RUNTIME_DIR", folder.path());
                }
                let output = verify.arg(&path).output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(!said.contains(&unit.name()), "{said}");
            }
        }
    }

    #[test]
    fn what_can_not_be_had_is_said_with_what_can() {
        let (pi, plain) = (Facts::of_a_pi(), Facts::of_a_plain_computer());
        assert_eq!((Service::usual(&pi), Service::usual(&plain)), (Service::System, Service::None));
        assert!(Service::System.lacking(&plain).unwrap().contains("choose `none`"));
        let not_root = Facts { root: false, user_services: true, ..pi };
        assert!(Service::System.lacking(&not_root).unwrap().contains("sudo"));
        assert_eq!(Service::usual(&not_root), Service::User);
    }
}
