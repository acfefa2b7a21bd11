//! The computer that a program runs on, as far as it says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Serialize;

/// The computer. What it doesn't say is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Host {
    /// Its name.
    pub name: Option<String>,
    /// The board: `Raspberry Pi 4 Model B Rev 1.4`.
    pub board: Option<String>,
    /// The kernel's release: `6.12.25+rpt-rpi-v8`.
    pub kernel: Option<String>,
    /// How the kernel was built, `PREEMPT_RT` among it.
    pub kernel_build: Option<String>,
    /// The system's name and version: `Debian GNU/Linux 12 (bookworm)`.
    pub system: Option<String>,
    /// The processor's architecture: `aarch64`.
    pub processor: &'static str,
    /// What sets the processors' frequencies: `performance`. Where they differ, all of them.
    pub cpu_governor: Option<String>,
    /// How many processors this program may use.
    pub cpus: Option<usize>,
}

impl Host {
    /// This computer, now.
    pub fn look() -> Host {
        Host {
            name: first_line("/proc/sys/kernel/hostname"),
            board: first_line("/proc/device-tree/model")
                .or_else(|| first_line("/sys/class/dmi/id/product_name")),
            kernel: first_line("/proc/sys/kernel/osrelease"),
            kernel_build: first_line("/proc/sys/kernel/version"),
            system: system(),
            processor: std::env::consts::ARCH,
            cpu_governor: governors(Path::new("/sys/devices/system/cpu/cpufreq")),
            cpus: std::thread::available_parallelism().ok().map(usize::from),
        }
    }
}

/// The governors of all groups of processors, each once.
fn governors(folder: &Path) -> Option<String> {
    let policies = fs::read_dir(folder).ok()?.flatten();
    let found = policies.filter_map(|policy| first_line(policy.path().join("scaling_governor")));
    let found: BTreeSet<String> = found.collect();
    (!found.is_empty()).then(|| found.into_iter().collect::<Vec<_>>().join(", "))
}

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
    fn governors_that_differ_are_all_named_and_where_there_are_none_nothing_is() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(governors(folder.path()), None);
        for (policy, governor) in
            [("policy0", "powersave\n"), ("policy2", "performance\n"), ("policy4", "powersave\n")]
        {
            let policy = folder.path().join(policy);
            fs::create_dir(&policy)
                .and_then(|()| fs::write(policy.join("scaling_governor"), governor))
                .expect("a file");
        }
        assert_eq!(governors(folder.path()).as_deref(), Some("performance, powersave"));
        assert_eq!(governors(&folder.path().join("gone")), None);
    }
}
