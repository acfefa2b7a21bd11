//! What a pilot does when the room for what it observes gets short, as pure code.

use bramble_journal::{Disk, Share, Shortage};
use bytesize::ByteSize;

/// How much room there is, and what was last done about it.
#[derive(Debug, Default)]
pub(crate) struct Room {
    shortage: Shortage,
    text: Option<String>,
}

/// Something that a shortage asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Log what a person should read.
    Say(String),
    /// Log that there is room again.
    Relieved,
    /// End the session when its present trial is over, for this reason.
    EndSession(String),
}

impl Room {
    /// Looks at a journal's share of its limit and at its disk, where that can be asked.
    pub(crate) fn look(&mut self, journal: Share, disk: Option<Disk>) -> Vec<Measure> {
        let by_disk = disk.map_or(Shortage::None, Disk::shortage);
        let shortage = journal.shortage().max(by_disk);
        let before = std::mem::replace(&mut self.shortage, shortage);
        self.text = (shortage > Shortage::None).then(|| match disk {
            Some(disk) if by_disk >= journal.shortage() => full_disk(shortage, disk),
            _ => full_journal(shortage, journal),
        });
        let mut measures = Vec::new();
        match &self.text {
            Some(text) if shortage > before => measures.push(Measure::Say(text.clone())),
            None if before > Shortage::None => measures.push(Measure::Relieved),
            _ => {}
        }
        // Again at every look: a session may have started meanwhile.
        if let (Shortage::Full, Some(text)) = (shortage, &self.text) {
            measures.push(Measure::EndSession(text.clone()));
        }
        measures
    }

    /// What a person should read, where room is short.
    pub(crate) fn notice(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Why no session can start, where that is so.
    pub(crate) fn refusal(&self) -> Option<&str> {
        self.text.as_deref().filter(|_| self.shortage >= Shortage::Nearly)
    }
}

fn full_disk(shortage: Shortage, disk: Disk) -> String {
    let (free, total) = (ByteSize(disk.free).display().si(), ByteSize(disk.total).display().si());
    format!("only {free} of {total} are left on its disk: free some space there; {}", then(shortage))
}

fn full_journal(shortage: Shortage, Share { used, limit }: Share) -> String {
    let (used, limit) = (ByteSize(used).display().si(), ByteSize(limit).display().si());
    format!(
        "what the terminal does not have yet takes {used} of the {limit} that `journal_limit` allows: see why the \
         terminal does not take it, or allow more; {}",
        then(shortage)
    )
}

fn then(shortage: Shortage) -> &'static str {
    match shortage {
        Shortage::None | Shortage::Low => "sessions go on for now",
        Shortage::Nearly => "no session starts until there is room",
        Shortage::Full => {
            "no session starts until there is room, and one that runs ends after its present trial"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISK: Disk = Disk { total: 64_000_000_000, free: 30_000_000_000 };

    fn share(percent: u64) -> Share {
        Share { used: percent * 20_000_000, limit: 2_000_000_000 }
    }

    #[test]
    fn a_limit_is_said_once_at_each_stage_before_a_session_ends() {
        let mut room = Room::default();
        assert_eq!(room.look(share(79), Some(DISK)), []);
        let said = room.look(share(81), Some(DISK));
        assert!(
            matches!(&said[..], [Measure::Say(text)] if text.contains("1.6 GB of the 2.0 GB")),
            "{said:?}"
        );
        assert_eq!(room.look(share(82), Some(DISK)), [], "it was said");
        assert_eq!((room.notice().is_some(), room.refusal()), (true, None));
        assert!(matches!(&room.look(share(96), Some(DISK))[..], [Measure::Say(_)]));
        assert!(room.refusal().unwrap().contains("no session starts until there is room"));
        assert!(matches!(&room.look(share(100), Some(DISK))[..], [Measure::Say(_), Measure::EndSession(_)]));
        assert!(matches!(&room.look(share(100), Some(DISK))[..], [Measure::EndSession(_)]));
        assert_eq!(room.look(share(5), Some(DISK)), [Measure::Relieved]);
        assert_eq!((room.notice(), room.refusal()), (None, None));
    }

    #[test]
    fn a_disk_that_others_fill_counts_as_a_journal_does() {
        let mut room = Room::default();
        let said = room.look(share(1), Some(Disk { free: 400_000_000, ..DISK }));
        assert!(
            matches!(&said[..], [Measure::Say(text)] if text.contains("400.0 MB of 64.0 GB")),
            "{said:?}"
        );
        assert!(room.refusal().is_some());
    }
}
