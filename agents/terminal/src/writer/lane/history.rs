//! What a person did to a session, on its way into the subject's history.

use bramble_message::{ParameterSet, StartSession};
use bramble_subject::{Change, SessionNumber, SubjectError, SubjectFile};
use jiff::Timestamp;

use super::{Files, Lane, Stuck};
use crate::live::line;
use crate::writer::start::timestamp;

impl Lane {
    /// Writes down that a parameter was set, once.
    pub(super) fn set(&mut self, set: &ParameterSet, files: &mut Files) -> Result<(), Stuck> {
        let Some(session) = &self.mark.session else { return Ok(()) };
        let file = files.hold(&session.subject)?;
        let (what, to) = (format!("parameter.{}", set.name), line::value(&set.value));
        let (when, who) = (timestamp(set.unix_ns), set.who.to_string());
        let history = file.history()?;
        let is_it =
            |known: &Change| (known.when, &known.who, &known.what, &known.to) == (when, &who, &what, &to);
        if !history.iter().any(is_it) {
            let from = before(file, session.number, &history, &what, &set.name)?;
            file.log(&Change { when, who, what, from, to })?;
        }
        Ok(())
    }
}

/// What the owner of a session confirmed when it started, as changes without a time.
pub(super) fn confirmed(request: &StartSession) -> Vec<Change> {
    let confirmed = request.confirmed.iter();
    let change = |(name, text): (&String, &String)| Change {
        when: Timestamp::UNIX_EPOCH,
        who: request.owner.to_string(),
        what: format!("confirmed.{name}"),
        from: String::new(),
        to: text.clone(),
    };
    confirmed.map(change).collect()
}

/// Writes down, once, what was confirmed when a session started.
pub(super) fn log_confirmed(
    file: &mut SubjectFile,
    confirmed: Vec<Change>,
    when: Timestamp,
) -> Result<(), SubjectError> {
    if confirmed.is_empty() {
        return Ok(());
    }
    let known = file.history()?;
    let all = confirmed.into_iter().map(|change| Change { when, ..change });
    all.filter(|change| !known.contains(change)).try_for_each(|change| file.log(&change))
}

/// What a parameter was: what it was set to in this session, or what that started with.
fn before(
    file: &SubjectFile,
    number: SessionNumber,
    history: &[Change],
    what: &str,
    name: &str,
) -> Result<String, SubjectError> {
    let start = file.session(number)?;
    if let Some(set) = history.iter().rfind(|change| change.what == what && change.when >= start.started) {
        return Ok(set.to.clone());
    }
    let known = start.parameters.iter().find(|parameter| parameter.name == name);
    Ok(known.map(|parameter| parameter.value_type.show(parameter.value)).unwrap_or_default())
}
