//! How much room the disk of the data folder has, for a person to read.

use std::path::Path;

use bramble_journal::{Disk, Shortage};
use bytesize::ByteSize;

/// What there is to say where room is short, and whether new sessions may start.
pub(crate) struct Short {
    pub(crate) text: String,
    pub(crate) refuses: bool,
}

/// Whether a disk gets full that this data folder is on, or its subjects' files.
pub(crate) fn short(data: &Path) -> Option<Short> {
    // Where a folder can't be asked about, writing to it says why.
    let subjects = data.join("subjects");
    let shorts = [data, &subjects].into_iter().filter_map(|folder| of(Disk::of(folder).ok()?, folder));
    shorts.reduce(|one, other| if other.refuses && !one.refuses { other } else { one })
}

fn of(disk: Disk, data: &Path) -> Option<Short> {
    let refuses = match disk.shortage() {
        Shortage::None => return None,
        Shortage::Low => false,
        Shortage::Nearly | Shortage::Full => true,
    };
    let (free, total) = (ByteSize(disk.free).display().si(), ByteSize(disk.total).display().si());
    let then = if refuses { "; no session starts until there is room" } else { "" };
    let text = format!(
        "only {free} of {total} are left on this terminal's disk: free some space on the one of {}{then}",
        data.display()
    );
    Some(Short { text, refuses })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_told_to_get_full_before_it_refuses_sessions() {
        let short = |free| of(Disk { total: 1_000_000_000_000, free }, Path::new("/lab"));
        assert!(short(3_000_000_000).is_none());
        assert!(
            short(1_500_000_000)
                .is_some_and(|short| !short.refuses && short.text.contains("1.5 GB of 1.0 TB"))
        );
        assert!(short(400_000_000).is_some_and(|short| short.refuses));
    }
}
