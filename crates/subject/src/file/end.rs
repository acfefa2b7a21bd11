//! How a session ended, once, however often that is told.

use super::SubjectFile;
use crate::{SessionEnd, SessionNumber, SubjectError};

impl SubjectFile {
    /// Says how a session ended. Of several ends the last one counts; what is known already is
    /// not written again.
    ///
    /// # Errors
    /// Where there is no such session, or the file can't be written.
    pub fn end_session(&mut self, number: SessionNumber, end: &SessionEnd) -> Result<(), SubjectError> {
        self.check_writable()?;
        if self.summary(number)?.end.as_ref() == Some(end) {
            return Ok(());
        }
        self.grow(number)?;
        self.with_session(number, |session| session.add_end(end))
    }
}
