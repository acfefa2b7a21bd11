//! What a session's provenance says of the computer and the software.

use std::fs;
use std::path::Path;

use bramble_message::Software;
use serde_json::{Value, json};

/// This program.
pub(crate) fn software() -> Software {
    Software {
        program: "bramble-pilot".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: first_line("/proc/sys/kernel/hostname").unwrap_or_else(|| "unknown".to_owned()),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
    }
}

/// The computer and the build, as far as they say; `null` where they don't.
pub(crate) fn provenance() -> Value {
    json!({
        "host": {
            "name": first_line("/proc/sys/kernel/hostname"),
            "board": first_line("/proc/device-tree/model"),
            "kernel": first_line("/proc/sys/kernel/osrelease"),
            "kernel_build": first_line("/proc/sys/kernel/version"),
            "system": system(),
            "processor": std::env::consts::ARCH,
            "cpu_governor": first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            "cpus": std::thread::available_parallelism().ok().map(usize::from),
        },
        "build": {
            "program": "bramble-pilot",
            "version": env!("CARGO_PKG_VERSION"),
            "commit": option_env!("BRAMBLE_COMMIT"),
            "message_version": bramble_message::VERSION,
            "link_version": bramble_link::VERSION,
        },
    })
}

/// The system's name and version: `Debian GNU/Linux 12 (bookworm)`.
fn system() -> Option<String> {
    let text = fs::read_to_string("/etc/os-release").ok()?;
    let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches('"').to_owned())
}

fn first_line(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().next()?.trim_matches(['\0', ' ']);
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provenance_names_the_kernel_and_the_version() {
        let provenance = provenance();
        assert!(provenance["host"]["kernel"].is_string());
        assert_eq!(provenance["build"]["version"], env!("CARGO_PKG_VERSION"));
    }
}
