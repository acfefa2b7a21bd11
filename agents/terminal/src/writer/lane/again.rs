//! A session that a lane comes back to, or never will.

use std::collections::BTreeMap;

use bramble_journal::Journal;
use bramble_message::{Bytes, Ended, PilotToTerminal};
use bramble_subject::{SessionEnd, SessionNumber, SessionStart, SubjectError, SubjectFile};
use bramble_value::{Ending, Sources, SubjectId};
use uuid::Uuid;

use super::waiting::Waiting;
use super::{InSession, Lane, Stuck};
use crate::assignment::moves;
use crate::plan::{self, StepNames};
use crate::software;
use crate::writer::News;
use crate::writer::files::Files;

impl Lane {
    /// What it is called.
    pub(in crate::writer) fn name(&self) -> &str {
        &self.name
    }

    /// The session that it is in.
    pub(in crate::writer) fn uuid(&self) -> Option<Uuid> {
        self.mark.session.as_ref().map(|session| session.uuid)
    }

    /// Has the lane be in a session that this message is of, where a file has it: the journal that
    /// knew of it was lost, or it was given up before all of it had come. Says whether it is in it.
    ///
    /// # Errors
    /// Where a file that may have it can't be read for now.
    pub(super) fn find(&mut self, session: Uuid, first: u64, files: &mut Files) -> Result<bool, Stuck> {
        if self.unknown == Some(session) || self.mark.session.is_some() {
            return Ok(false);
        }
        let Some(subject) = files.of_session(session)? else {
            self.unknown = Some(session);
            return Ok(false);
        };
        let read = |file: &SubjectFile| {
            let known = file.session_by_uuid(session)?;
            // What is told of one after its pilot ended it well is no part of it.
            let is_open = |end: &SessionEnd| end.ending == Ending::Error;
            let Some(known) = known.filter(|known| known.end.as_ref().is_none_or(is_open)) else {
                return Ok(None);
            };
            let start = file.session(known.number)?;
            let mut before = file.history()?;
            before.retain(|change| change.when <= start.started);
            let written = file.written_up_to(known.number)?;
            Ok(Some((known.number, start, moves(&before), written)))
        };
        let Some((number, start, moves, written)) = files.read(&subject, read)? else {
            self.unknown = Some(session);
            return Ok(false);
        };
        if first <= written {
            // The file has it, or it is of another count, and the file would take it for what it has.
            return Ok(false);
        }
        tracing::info!(pilot = %self.pilot, "goes on in session {number} of {subject}, which this terminal's journal did not have");
        let request = &start.provenance["request"];
        let owner = request["owner"].as_str().and_then(|owner| owner.parse().ok());
        self.mark.session = Some(InSession {
            uuid: session,
            first,
            subject,
            number,
            step: step(&start),
            moves,
            trials: request["trials"].as_u64().and_then(|trials| trials.try_into().ok()),
            seed: start.seed,
            despite_check: request["despite_check"].as_bool().unwrap_or_default(),
            owner: owner.unwrap_or_else(software::person),
        });
        Ok(true)
    }

    /// Applies a message of the session that the lane was found to be in.
    pub(super) fn go_on(
        &mut self,
        message: PilotToTerminal,
        (number, bytes): (u64, &Bytes),
        journal: &Journal,
        files: &mut Files,
        news: &dyn Fn(News),
    ) -> Result<(), Stuck> {
        match message {
            PilotToTerminal::Records { records, .. } => {
                let mut waiting = Waiting::default();
                waiting.add(number, bytes.clone(), records);
                self.append(&mut waiting, journal, files, news)
            }
            PilotToTerminal::Ended(ended) => self.end(&ended, files, news),
            _ => Ok(()),
        }
    }

    /// Says of the session that the lane is in that its end will not be told. Should it be all the
    /// same, that one counts.
    pub(super) fn give_up(&mut self, why: &str, files: &mut Files, news: &dyn Fn(News)) -> Result<(), Stuck> {
        let Some(InSession { uuid, subject, number, .. }) = &self.mark.session else { return Ok(()) };
        let (session, number) = (*uuid, *number);
        let file = files.hold(subject)?;
        if file.summary(number)?.end.is_some() {
            // It was given up before, and some more of it has come.
            files.let_go(&subject.clone());
            self.mark.session = None;
            return Ok(());
        }
        let start = file.session(number)?;
        // It is over when something was last observed in it.
        let time = file.events(number)?.last().map_or(start.start_time, |event| event.time);
        let began = i64::try_from(start.started.as_nanosecond()).unwrap_or_default();
        let ended = Ended {
            session,
            ending: Ending::Error,
            why: why.to_owned(),
            graduated: false,
            paused: false,
            time,
            unix_ns: began.saturating_add(time.since(start.start_time).ns()),
        };
        self.end(&ended, files, news)
    }

    /// A session begins: another, whose end was never told, was cut badly.
    ///
    /// # Errors
    /// Where the other's file is open in another program.
    pub(super) fn begins(
        &mut self,
        session: Uuid,
        files: &mut Files,
        news: &dyn Fn(News),
    ) -> Result<(), Stuck> {
        if !self.is_in(session) {
            match self.give_up("its pilot began another session without telling its end", files, news) {
                Err(error @ (Stuck::Subject(SubjectError::InUse(_)) | Stuck::Journal(_))) => {
                    return Err(error);
                }
                Err(error) => tracing::warn!(pilot = %self.pilot, "{error}"),
                Ok(()) => {}
            }
        }
        if let Some(before) = self.mark.session.take() {
            files.let_go(&before.subject);
        }
        Ok(())
    }

    /// Has the session that the lane is in be given up, once all is written that came of it. Says
    /// whether it is in one.
    pub(in crate::writer) fn is_over(&mut self, why: &str) -> bool {
        let is_in_one = self.mark.session.is_some();
        self.over = is_in_one.then(|| why.to_owned());
        is_in_one
    }

    /// The session that has begun since this was last asked, if one has.
    pub(in crate::writer) fn take_begun(&mut self) -> Option<(SubjectId, SessionNumber)> {
        self.begun.take()
    }

    /// Gives up what is over.
    ///
    /// # Errors
    /// Where its file can't be written for now.
    pub(super) fn end_what_is_over(&mut self, files: &mut Files, news: &dyn Fn(News)) -> Result<(), Stuck> {
        if let Some(why) = self.over.clone() {
            self.give_up(&why, files, news)?;
            self.over = None;
        }
        Ok(())
    }
}

/// Where in its protocol a session is, from its own record alone.
fn step(start: &SessionStart) -> Option<StepNames> {
    let at = start.protocol.as_ref()?;
    let graduation = &start.provenance["request"]["graduation"];
    let (root, index) = (graduation["protocol"].as_str()?, graduation["step"].as_u64()?);
    // A file that its task has another of by that path is beside it in a folder.
    let apart = |path: &String| path.strip_prefix("protocol/").map(str::to_owned);
    let mut texts: BTreeMap<String, String> = start.sources.clone();
    texts.extend(start.sources.iter().filter_map(|(path, text)| Some((apart(path)?, text.clone()))));
    let protocol = Sources { root: root.to_owned(), files: texts };
    plan::names_of(&protocol, index.try_into().ok()?).filter(|names| names.this == at.step)
}
