//! Reports of sessions, from their files.

use bramble_report::{Kept, Records, Report};
use bramble_subject::{SessionNumber, SubjectError, SubjectFile};
use jiff::Timestamp;

use crate::software;

/// How good a session was, by the checks of this program.
///
/// # Errors
/// Where the file can't be read.
pub(crate) fn report(file: &SubjectFile, number: SessionNumber) -> Result<Report, SubjectError> {
    Ok(Report::of(Records {
        subject: file.id(),
        summary: &file.summary(number)?,
        start: &file.session(number)?,
        trials: &file.trials(number)?,
        events: &file.events(number)?,
        notes: &file.notes(number)?,
        clock: &file.clock(number)?,
        health: &file.health(number)?,
    }))
}

/// What the file is to keep of that; `None`, and a line in the log, where it can't be said.
pub(crate) fn to_keep(file: &SubjectFile, number: SessionNumber) -> Option<String> {
    let software = software::here();
    let by = format!("{} {}", software.program, software.version);
    match report(file, number) {
        Ok(report) => Some(report.to_keep(by, Timestamp::now())),
        Err(error) => {
            tracing::warn!("how good a session was can't be said: {error}");
            None
        }
    }
}

/// What the file keeps, where it keeps anything that this program can read.
///
/// # Errors
/// Where the file can't be read.
pub(crate) fn kept(file: &SubjectFile, number: SessionNumber) -> Result<Option<Kept>, SubjectError> {
    Ok(file.report(number)?.and_then(|text| Kept::read(&text)))
}
