//! What a person should read beside a pilot.

use std::collections::BTreeMap;

/// What a notice is about. Of each there is one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Concern {
    /// What it sends can't be made safe here; until it can.
    Journal,
    /// What it sent waits for its subject's file; until that takes it.
    Waits,
    /// It has lost messages.
    Lost,
    /// Something that it sent is in no subject's file.
    SetAside,
    /// A file that was broken was made anew.
    MadeAnew,
    /// A subject that graduated did not go on.
    NextStep,
}

impl Concern {
    /// Whether it is over when that is said, and not before.
    fn lasts(self) -> bool {
        matches!(self, Concern::Journal | Concern::Waits)
    }
}

/// The notices on a pilot.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Notices(BTreeMap<Concern, String>);

impl Notices {
    /// There is something to read, or there isn't any more. Says whether that is news.
    pub(super) fn set(&mut self, concern: Concern, text: Option<String>) -> bool {
        let before = match text.clone() {
            Some(text) => self.0.insert(concern, text),
            None => self.0.remove(&concern),
        };
        before != text
    }

    /// Somebody has read them: what has happened is over, what lasts is not.
    pub(super) fn are_read(&mut self) {
        self.0.retain(|concern, _| concern.lasts());
    }

    /// All of them.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }
}
