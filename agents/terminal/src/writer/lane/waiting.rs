//! Records that follow each other, which are written together.

use bramble_journal::Journal;
use bramble_message::Bytes;
use bramble_subject::SubjectError;
use bramble_value::Record;

use super::{Lane, Stuck};
use crate::writer::News;
use crate::writer::files::Files;

/// Records of one session that are not yet in its file.
#[derive(Default)]
pub(super) struct Waiting {
    messages: Vec<(u64, Bytes)>,
    /// Each with the number of its message, which tells the file what it has.
    records: Vec<(u64, Record)>,
}

impl Waiting {
    pub(super) fn add(&mut self, number: u64, bytes: Bytes, records: Vec<Record>) {
        self.messages.push((number, bytes));
        self.records.extend(records.into_iter().map(|record| (number, record)));
    }
}

impl Lane {
    /// Writes what waits.
    pub(super) fn append(
        &mut self,
        waiting: &mut Waiting,
        journal: &Journal,
        files: &mut Files,
        news: &dyn Fn(News),
    ) -> Result<(), Stuck> {
        let Some(session) = &self.mark.session else { return Ok(()) };
        let Waiting { messages, records } = std::mem::take(waiting);
        let Some((last, _)) = messages.last() else { return Ok(()) };
        let file = files.hold(&session.subject)?;
        match file.append(session.number, &records) {
            // One message has a row that is no row of this session: only that one stays out.
            Err(SubjectError::Row { .. }) => {
                let (subject, session) = (session.subject.clone(), session.number);
                for (number, bytes) in &messages {
                    let of_it: Vec<_> = records.iter().filter(|(of, _)| of == number).cloned().collect();
                    match files.hold(&subject)?.append(session, &of_it) {
                        Err(SubjectError::Row { why, .. }) => self.set_aside(bytes, &why, journal, news)?,
                        result => result?,
                    }
                }
            }
            result => result?,
        }
        self.mark.number = *last;
        Ok(())
    }
}
