//! When a session ended, on the calendar.

use bramble_message::Ended;
use bramble_subject::{SessionNumber, SubjectError, SubjectFile};
use bramble_value::Ending;
use jiff::{SignedDuration, Timestamp};

use crate::writer::start::timestamp;

/// When a session ended. What a pilot tells of one that a crash cut it tells when it is back, which
/// may be days later; that one ended with the last that was recorded of it.
///
/// # Errors
/// Where the file can't be read.
pub(super) fn when_ended(
    file: &SubjectFile,
    number: SessionNumber,
    ended: &Ended,
) -> Result<Timestamp, SubjectError> {
    let told = timestamp(ended.unix_ns);
    if ended.ending != Ending::Error {
        return Ok(told.max(file.summary(number)?.started));
    }
    let start = file.session(number)?;
    let events = file.events(number)?.into_iter().map(|event| event.time);
    let rows = file.trials(number)?.rows.into_iter().map(|row| row.end);
    let notes = file.notes(number)?.into_iter().map(|note| note.time);
    let last = events.chain(rows).chain(notes).fold(ended.time, Ord::max);
    let lasted = SignedDuration::from_nanos(last.since(start.start_time).ns().max(0));
    let seen = start.started.checked_add(lasted).unwrap_or(told);
    // A simulated session's own time runs at any speed.
    Ok(if start.is_simulated() { told.clamp(start.started, seen) } else { seen })
}
