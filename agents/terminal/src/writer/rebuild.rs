//! A subject file that something broke: it is set aside, and made again from what the
//! journal still has.

use bramble_journal::Journal;
use bramble_subject::{By, SubjectError};
use bramble_value::SubjectId;
use jiff::Timestamp;

use super::News;
use super::files::Files;
use super::lane::{Lane, Stuck};

impl Lane {
    /// Makes the file again that this error is about, where it is provably broken, and
    /// goes back to the start of the session that the lane is in, which the journal still
    /// has; `None` where the file may be well.
    ///
    /// # Errors
    /// Where the journal or the folder of subjects can't be written: then it can be tried
    /// again.
    pub(super) fn make_anew(
        &mut self,
        error: &Stuck,
        journal: &Journal,
        files: &mut Files,
    ) -> Result<Option<News>, Stuck> {
        let Some(subject) = subject_of(error) else { return Ok(None) };
        if !files.is_broken(&subject)? {
            return Ok(None);
        }
        // First: a crash after this finds the file as broken as it is, and comes here again.
        self.go_back(&subject, journal)?;
        let by = By { who: "bramble-terminal, by itself".to_owned(), when: Timestamp::now() };
        let Some(aside) = files.replace_broken(&subject, by)? else { return Ok(None) };
        tracing::error!(pilot = %self.pilot(), "{error}; it was set aside as {}", aside.path().display());
        Ok(Some(News::MadeAnew { pilot: self.pilot().clone(), subject, aside }))
    }
}

/// The subject whose file could not be read.
fn subject_of(error: &Stuck) -> Option<SubjectId> {
    match error {
        Stuck::Subject(SubjectError::Unreadable { path, .. } | SubjectError::Damaged { path, .. }) => {
            // A session that grows has a file whose name goes on behind the subject's.
            path.file_name()?.to_str()?.split('.').next()?.parse().ok()
        }
        _ => None,
    }
}
