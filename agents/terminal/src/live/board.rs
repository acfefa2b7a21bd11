//! What was said of each pilot last, and when: from it follows what any page lacks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use bramble_value::Name;

use crate::api::types::PilotStatus;

/// How many names that are gone are remembered.
const MOST_GONE: usize = 100;

/// Every pilot as it is shown. Each look at the lab that finds something new is a version.
#[derive(Debug, Default)]
pub(crate) struct Board {
    version: u64,
    pilots: BTreeMap<Name, Shown>,
    gone: VecDeque<(u64, Name)>,
    /// A page of an older version is not told all that is gone.
    forgotten: u64,
    /// The lab's count of changes at the last look, and when that was.
    looked: Option<(u64, Instant)>,
}

#[derive(Debug)]
struct Shown {
    status: Arc<PilotStatus>,
    /// Since this version.
    since: u64,
}

impl Board {
    /// Looks at the lab again, where it has changed since the last look: `count` counts its
    /// changes. A look of `since` or later is new enough: one serves all pages that are sent
    /// something at the same time.
    pub(crate) fn look(
        &mut self,
        (count, now): (u64, Instant),
        since: Instant,
        view: impl FnOnce() -> Vec<PilotStatus>,
    ) {
        if self.looked.is_none_or(|(known, at)| known != count && at < since) {
            self.looked = Some((count, now));
            self.update(view());
        }
    }

    /// This is how all pilots are now.
    pub(super) fn update(&mut self, view: Vec<PilotStatus>) {
        let next = self.version + 1;
        let mut before = std::mem::take(&mut self.pilots);
        for status in view {
            let known = before.remove(&status.name).filter(|known| *known.status == status);
            let shown = known.unwrap_or_else(|| {
                self.version = next;
                Shown { status: Arc::new(status), since: next }
            });
            self.pilots.insert(shown.status.name.clone(), shown);
        }
        for name in before.into_keys().filter(|name| !self.pilots.contains_key(name)) {
            self.version = next;
            self.gone.push_back((next, name));
        }
        while self.gone.len() > MOST_GONE {
            self.forgotten = self.gone.pop_front().map_or(self.forgotten, |(version, _)| version);
        }
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Every pilot.
    pub(super) fn pilots(&self) -> Vec<PilotStatus> {
        self.pilots.values().map(|shown| PilotStatus::clone(&shown.status)).collect()
    }

    /// What a page of this version lacks: pilots, and names that are gone. `None` where it has
    /// to be given all.
    pub(super) fn since(&self, version: u64) -> Option<(Vec<Arc<PilotStatus>>, Vec<Name>)> {
        if version < self.forgotten {
            return None;
        }
        let pilots = self.pilots.values().filter(|shown| shown.since > version);
        let gone = self.gone.iter().filter(|(gone, name)| *gone > version && !self.pilots.contains_key(name));
        Some((
            pilots.map(|shown| Arc::clone(&shown.status)).collect(),
            gone.map(|(_, name)| name.clone()).collect(),
        ))
    }
}
