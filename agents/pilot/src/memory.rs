//! Which sessions this pilot has run, kept in its journal, so that no session is
//! run twice and none is left without an end.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use bramble_journal::{Journal, JournalError};
use bramble_message::{PilotToTerminal, decode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The lane of the journal that waits for the terminal.
pub(crate) const LANE: &str = "terminal";

const KEY: &str = "sessions";

/// The journal's file in a data folder.
pub(crate) fn journal(data: &Path) -> PathBuf {
    data.join("journal.sqlite")
}

/// Whether something waits for the terminal, or follows what does, that no other terminal could
/// write to a file: what was observed in a session, and not answers to commands.
pub(crate) fn waits(journal: &Journal) -> Result<bool, JournalError> {
    if Sessions::recall(journal)?.without_end(journal.last(LANE)).is_some() {
        return Ok(true);
    }
    let mut after = journal.released(LANE);
    loop {
        let messages = journal.read(LANE, after, CHUNK)?;
        let is_answer = |bytes| matches!(decode(bytes), Ok(PilotToTerminal::Answer(_)));
        if messages.iter().any(|(_, bytes)| !is_answer(bytes)) {
            return Ok(true);
        }
        let Some((last, _)) = messages.last() else { return Ok(false) };
        after = *last;
    }
}

/// As many messages are looked at together.
const CHUNK: usize = 64;

/// As many sessions are remembered; a start that was asked for is repeated soon
/// or never.
const MOST: usize = 256;

/// The sessions that were started.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Sessions {
    /// The latest, oldest first.
    started: VecDeque<Uuid>,
    /// The last one's place in the journal.
    last: Option<Last>,
}

/// Between which messages of the lane the last session is. They are noted before
/// the messages are written, so that a crash between the two can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Last {
    session: Uuid,
    started: u64,
    ended: Option<u64>,
}

impl Sessions {
    /// What the journal remembers.
    pub(crate) fn recall(journal: &Journal) -> Result<Sessions, JournalError> {
        let bytes = journal.recall(KEY)?;
        // What an older version wrote and this one can't read is of sessions
        // long past.
        Ok(bytes.and_then(|bytes| decode(&bytes).ok()).unwrap_or_default())
    }

    /// The sessions that were started, oldest first.
    pub(crate) fn started(&self) -> impl Iterator<Item = Uuid> {
        self.started.iter().copied()
    }

    /// Notes that the message with this number says that a session started.
    pub(crate) fn note_start(
        &mut self,
        session: Uuid,
        number: u64,
        journal: &Journal,
    ) -> Result<(), JournalError> {
        self.started.push_back(session);
        while self.started.len() > MOST {
            self.started.pop_front();
        }
        self.last = Some(Last { session, started: number, ended: None });
        self.keep(journal)
    }

    /// Notes that the message with this number says that the session ended.
    pub(crate) fn note_end(
        &mut self,
        session: Uuid,
        number: u64,
        journal: &Journal,
    ) -> Result<(), JournalError> {
        if let Some(last) = &mut self.last
            && last.session == session
        {
            last.ended = Some(number);
        }
        self.keep(journal)
    }

    /// The session that started and has no end, where the lane goes up to `last`.
    pub(crate) fn without_end(&self, last: u64) -> Option<Uuid> {
        let session = self.last?;
        let started = session.started <= last;
        let ended = session.ended.is_some_and(|ended| ended <= last);
        (started && !ended).then_some(session.session)
    }

    fn keep(&self, journal: &Journal) -> Result<(), JournalError> {
        journal.remember(KEY, bramble_message::encode(self))
    }
}

#[cfg(test)]
mod tests {
    use bramble_message::{Answer, Ask, encode};

    use super::*;

    fn journal() -> (tempfile::TempDir, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path().join("journal.sqlite")).unwrap();
        (folder, journal)
    }

    #[test]
    fn a_crash_is_told_by_whether_the_noted_message_was_written() {
        let (_folder, journal) = journal();
        let session = Uuid::new_v4();
        let mut sessions = Sessions::default();
        assert_eq!(sessions.without_end(9), None);

        sessions.note_start(session, 10, &journal).unwrap();
        assert_eq!(sessions.without_end(9), None, "it crashed before the start was written");
        assert_eq!(sessions.without_end(10), Some(session));

        sessions.note_end(session, 20, &journal).unwrap();
        assert_eq!(sessions.without_end(19), Some(session), "it crashed before the end was written");
        assert_eq!(sessions.without_end(20), None);
        assert_eq!(Sessions::recall(&journal).unwrap(), sessions);
    }

    #[test]
    fn a_session_waits_until_all_of_it_is_delivered_and_answers_dont() {
        let (_folder, journal) = journal();
        let answer = encode(&PilotToTerminal::Answer(Answer { ask: Ask(1), outcome: Ok(()) }));
        for _ in 0..2 * CHUNK {
            journal.append(LANE, &[&answer]).unwrap();
        }
        assert!(!waits(&journal).unwrap());

        let (session, mut sessions) = (Uuid::new_v4(), Sessions::default());
        sessions.note_start(session, journal.last(LANE) + 1, &journal).unwrap();
        let records = encode(&PilotToTerminal::Records { session, records: Vec::new() });
        journal.append(LANE, &[&records]).unwrap();
        assert!(waits(&journal).unwrap());
        journal.release(LANE, journal.last(LANE));
        assert!(waits(&journal).unwrap(), "more of it is to come");

        sessions.note_end(session, journal.last(LANE) + 1, &journal).unwrap();
        journal.append(LANE, &[&records]).unwrap();
        assert!(waits(&journal).unwrap());
        journal.release(LANE, journal.last(LANE));
        assert!(!waits(&journal).unwrap());
    }

    #[test]
    fn as_many_sessions_are_remembered_as_may_be_asked_for_again() {
        let (_folder, journal) = journal();
        let mut sessions = Sessions::default();
        let all: Vec<Uuid> = (0..MOST + 5).map(|_| Uuid::new_v4()).collect();
        for (number, session) in (1..).zip(&all) {
            sessions.note_start(*session, number, &journal).unwrap();
        }
        assert!(sessions.started().eq(all[5..].iter().copied()));
    }
}
