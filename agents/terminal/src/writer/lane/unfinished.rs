//! The session that a lane was left in.

use bramble_journal::{Journal, JournalError};
use bramble_value::{Name, Person, SubjectId};
use uuid::Uuid;

use super::{InSession, Lane};

/// A session whose end nobody has told yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unfinished {
    pub(crate) pilot: Name,
    pub(crate) session: Uuid,
    pub(crate) subject: SubjectId,
    pub(crate) owner: Person,
}

/// The session that a lane was left in, where it was.
///
/// # Errors
/// Where the journal can't be read.
pub(crate) fn unfinished(journal: &Journal, lane: &str) -> Result<Option<Unfinished>, JournalError> {
    let lane = Lane::open(journal, lane)?;
    Ok(lane.and_then(|Lane { pilot, mark, .. }| {
        let InSession { uuid: session, subject, owner, .. } = mark.session?;
        Some(Unfinished { pilot, session, subject, owner })
    }))
}
