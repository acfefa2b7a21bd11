//! What a process needs, as the kernel counts it.

use std::fs;

use super::Failed;

/// How long it has used processors, in seconds, from all its threads' exact times.
pub(crate) fn processor_seconds(process: u32) -> Result<f64, Failed> {
    let mut ns = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end while this looks.
        let Ok(used) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        ns += used.split_whitespace().next().ok_or("no processor time")?.parse::<u64>()?;
    }
    Ok(ns as f64 / 1e9)
}

/// The most memory it ever had, in megabytes.
pub(crate) fn most_memory(process: u32) -> Result<f64, Failed> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no memory")?;
    let kilobytes: f64 = line.split_whitespace().next().ok_or("no memory")?.parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}
