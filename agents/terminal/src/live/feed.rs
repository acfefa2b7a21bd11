//! What one page has been sent, and so what it is sent next. It has no backlog: a page that
//! doesn't read is sent less often, and each time what is newest.

use std::collections::{BTreeMap, BTreeSet};

use bramble_value::Name;
use jiff::Timestamp;

use super::Board;
use super::log::Seen;
use super::wire::{Changes, SessionView, Snapshot};
use crate::api::types::Status;
use crate::lab::Lab;

/// What one page has been sent.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    watch: BTreeSet<Name>,
    version: u64,
    seen: BTreeMap<Name, Seen>,
}

/// What a page is sent next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Nothing changed.
    Nothing,
    /// This did.
    Changes(Box<Changes>),
    /// It missed more than is kept, and needs a snapshot.
    Behind,
}

impl Feed {
    /// Of a page that watches these pilots.
    pub(crate) fn new(watch: BTreeSet<Name>) -> Feed {
        Feed { watch, ..Feed::default() }
    }

    /// It watches these from now on.
    pub(crate) fn watch(&mut self, watch: BTreeSet<Name>) {
        self.seen.retain(|name, _| watch.contains(name));
        self.watch = watch;
    }

    /// Everything, which it has from now on.
    pub(crate) fn snapshot(&mut self, board: &Board, lab: &Lab, status: Status, at: Timestamp) -> Snapshot {
        self.version = board.version();
        self.seen.clear();
        let sessions = self.watch.clone().into_iter();
        let sessions = sessions.filter_map(|name| Some((name.clone(), self.whole(lab, &name)?))).collect();
        // What is said of pilots is what changes are counted from.
        let status = Status { pilots: board.pilots(), ..status };
        Snapshot { at, status, sessions, alerts: Vec::new() }
    }

    /// What it lacks, which it has from now on.
    pub(crate) fn next(&mut self, board: &Board, lab: &Lab, at: Timestamp) -> Next {
        let Some((pilots, gone)) = board.since(self.version) else { return Next::Behind };
        self.version = board.version();
        let mut changes = Changes::none(at);
        (changes.pilots, changes.gone) = (pilots, gone);
        for name in self.watch.clone() {
            let Some((session, log)) = lab.log(&name) else { continue };
            let more = self.seen.get(&name).and_then(|seen| log.after(session, seen));
            let Some(more) = more else {
                let whole = self.whole(lab, &name);
                changes.sessions.extend(whole.map(|whole| (name, whole)));
                continue;
            };
            if more.is_empty() {
                continue;
            }
            self.seen.insert(name.clone(), log.seen(session));
            put(&mut changes.rows, &name, more.rows, Vec::is_empty);
            put(&mut changes.events, &name, more.events, Vec::is_empty);
            put(&mut changes.notes, &name, more.notes, Vec::is_empty);
            put(&mut changes.streams, &name, more.streams, BTreeMap::is_empty);
        }
        if changes.is_empty() { Next::Nothing } else { Next::Changes(Box::new(changes)) }
    }

    fn whole(&mut self, lab: &Lab, name: &Name) -> Option<SessionView> {
        let (session, log) = lab.log(name)?;
        self.seen.insert(name.clone(), log.seen(session));
        Some(log.view(session))
    }
}

fn put<T>(all: &mut BTreeMap<Name, T>, name: &Name, more: T, is_empty: impl Fn(&T) -> bool) {
    if !is_empty(&more) {
        all.insert(name.clone(), more);
    }
}

impl Changes {
    pub(crate) fn none(at: Timestamp) -> Changes {
        Changes {
            at,
            pilots: Vec::new(),
            gone: Vec::new(),
            terminal: None,
            alerts: None,
            sessions: BTreeMap::new(),
            rows: BTreeMap::new(),
            events: BTreeMap::new(),
            notes: BTreeMap::new(),
            streams: BTreeMap::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.pilots.is_empty()
            && self.gone.is_empty()
            && self.terminal.is_none()
            && self.sessions.is_empty()
            && self.rows.is_empty()
            && self.events.is_empty()
            && self.notes.is_empty()
            && self.streams.is_empty()
    }
}
