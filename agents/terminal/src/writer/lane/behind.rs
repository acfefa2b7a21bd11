//! What a lane that fails has not written, by whose it is: what is judged on a subject's file
//! has to know that the file lacks it.

use std::collections::BTreeSet;

use bramble_journal::{Journal, JournalError};
use bramble_message::{PilotToTerminal, decode};
use bramble_value::SubjectId;

use super::{BATCH, Lane};

/// Whose sessions start among the messages that a lane has not applied.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    /// The last message that was looked at.
    seen: u64,
    subjects: BTreeSet<SubjectId>,
}

impl Lane {
    /// Why what this lane has can't be written for now, and the subjects that it is of; `None`
    /// where all is written.
    ///
    /// # Errors
    /// Where the journal can't be read.
    pub(in crate::writer) fn behind(
        &mut self,
        journal: &Journal,
    ) -> Result<Option<(&str, BTreeSet<&SubjectId>)>, JournalError> {
        let Some(why) = &self.said else {
            self.unwritten = Unwritten::default();
            return Ok(None);
        };
        loop {
            let after = self.unwritten.seen.max(self.mark.number);
            let messages = journal.read(&self.name, after, BATCH)?;
            let Some((last, _)) = messages.last() else { break };
            self.unwritten.seen = *last;
            for (_, bytes) in &messages {
                if let Ok(PilotToTerminal::Started(started)) = decode(bytes) {
                    self.unwritten.subjects.insert(started.request.subject);
                }
            }
        }
        let now = self.mark.session.as_ref().map(|session| &session.subject);
        Ok(Some((why, self.unwritten.subjects.iter().chain(now).collect())))
    }
}
