//! One pilot's lane of the journal, on its way into subject files.
//!
//! A lane is applied in order. Once the disk has what was applied, the journal
//! remembers how far that is (the [`Mark`]), and only then lets go of it; what a
//! crash leaves between comes again, and changes nothing the second time.
//! Waiting for a disk takes long, so that is done for one lane less often the
//! more lanes there are ([`keep`]).

mod again;
mod behind;
mod ending;
mod history;
mod mark;
mod unfinished;
mod waiting;

use std::time::Instant;

use bramble_journal::{Change, Journal, JournalError};
use bramble_message::{Bytes, Ended, PilotToTerminal, Started, decode};
use bramble_subject::{By, ProtocolStep, SessionEnd, SessionNumber, SubjectError};
use bramble_value::{Name, Person, Seed, SubjectId};
use jiff::Timestamp;
use uuid::Uuid;

use ending::when_ended;
use mark::{InSession, Mark, mark_key};
pub(crate) use unfinished::{Unfinished, unfinished};
use waiting::Waiting;

use super::files::Files;
use super::outcome::{Outcome, outcome};
use super::start::session_start;
use super::{News, RETRY};
use crate::assignment::{graduated, moves};
use crate::plan::step_names;
use crate::reports;

/// How many messages are applied together.
const BATCH: usize = 512;
/// How many are applied before the disk must have them: waiting for a disk takes long.
const KEEP_AFTER: u64 = 16 * BATCH as u64;
/// How many the journal lets go of at once: others wait meanwhile.
const MOST_SPARED: u64 = 16 * BATCH as u64;
/// The lane of messages that can't be applied, now or ever: nothing is thrown away.
const SET_ASIDE: &str = "set aside";

/// A lane's name: a pilot, and what its numbers belong to.
pub(crate) fn lane_name(pilot: &Name, epoch: Uuid) -> String {
    format!("{pilot} {epoch}")
}

/// The pilot whose lane has this name; `None` for another kind of lane.
fn pilot_of(lane: &str) -> Option<Name> {
    let (pilot, epoch) = lane.split_once(' ')?;
    epoch.parse::<Uuid>().ok()?;
    pilot.parse().ok()
}

/// One pilot's lane.
#[derive(Debug)]
pub(crate) struct Lane {
    name: String,
    pilot: Name,
    mark: Mark,
    /// The last message that the disk has in a subject file.
    kept: u64,
    /// The last message that the journal let go of.
    spared: u64,
    /// From when on the disk is to be waited for.
    due: Instant,
    /// What failed when it was last tried.
    stuck: Option<Doing>,
    /// What was said of that.
    said: Option<String>,
    /// Why a message was set aside last.
    aside: Option<String>,
    /// A session that no file has.
    unknown: Option<Uuid>,
    /// Why the session that it is in is given up, once all of it is written that came.
    over: Option<String>,
    /// Whose session began last, until that was asked.
    begun: Option<(SubjectId, SessionNumber)>,
    /// Whose the messages are that wait while it fails.
    unwritten: behind::Unwritten,
}

/// What a lane does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// It writes to subject files.
    Applying,
    /// It waits for the disk.
    Keeping,
}

/// Why a lane can't go on for now.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stuck {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Subject(#[from] SubjectError),
}

impl Lane {
    /// The lane of this name, where the journal left it; `None` where it is no pilot's.
    pub(crate) fn open(journal: &Journal, name: &str) -> Result<Option<Lane>, JournalError> {
        let Some(pilot) = pilot_of(name) else { return Ok(None) };
        let mark = journal.recall(&mark_key(name))?;
        // A mark of another version is none: begin after what was let go of.
        let mark = mark.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mark = mark.unwrap_or_else(|| Mark { number: journal.released(name), session: None });
        let (kept, spared) = (mark.number, journal.released(name));
        Ok(Some(Lane {
            name: name.to_owned(),
            pilot,
            mark,
            kept,
            spared,
            due: Instant::now(),
            stuck: None,
            said: None,
            aside: None,
            unknown: None,
            over: None,
            begun: None,
            unwritten: Default::default(),
        }))
    }

    /// Whose lane it is.
    pub(crate) fn pilot(&self) -> &Name {
        &self.pilot
    }

    /// The subject of the session that the lane is in.
    pub(crate) fn session(&self) -> Option<(&SubjectId, SessionNumber)> {
        self.mark.session.as_ref().map(|session| (&session.subject, session.number))
    }

    /// Applies everything there is, and tells when that begins or ceases to fail.
    /// Returns whether it was done.
    pub(crate) fn write(&mut self, journal: &Journal, files: &mut Files, news: &dyn Fn(News)) -> bool {
        let mut anew = None;
        let applied = loop {
            match self.advance(journal, files, news) {
                Ok(true) => {}
                Ok(false) => break self.end_what_is_over(files, news),
                Err(Stuck::Subject(SubjectError::Moved { .. })) if self.follows(files) => {}
                Err(error) if anew.is_some() => break Err(error),
                Err(error) => match self.make_anew(&error, journal, files) {
                    Ok(Some(made)) => anew = Some(made),
                    Ok(None) => break Err(error),
                    Err(error) => break Err(error),
                },
            }
        };
        let done = applied.is_ok();
        self.tell(Doing::Applying, applied.err(), news);
        anew.into_iter().for_each(news);
        done
    }

    /// From when on the disk is to be waited for; `None` where it has all that was
    /// applied.
    pub(crate) fn due(&self) -> Option<Instant> {
        (self.mark.number != self.kept || self.spare() > self.spared).then_some(self.due)
    }

    /// Tells when the lane begins or ceases to fail.
    fn tell(&mut self, doing: Doing, failed: Option<Stuck>, news: &dyn Fn(News)) {
        let why = failed.map(|error| error.to_string());
        if let Some(why) = &why
            && self.said.as_ref() != Some(why)
        {
            tracing::error!(pilot = %self.pilot, "kept in the journal, and tried again soon: {why}");
        }
        self.said.clone_from(&why);
        if why.is_some() || self.stuck == Some(doing) {
            self.stuck = why.is_some().then_some(doing);
            news(News::Stuck { pilot: self.pilot.clone(), why });
        }
    }

    /// Applies the next messages, and says whether there may be more.
    ///
    /// # Errors
    /// Where the journal or a subject file can't be read or written now: what was
    /// applied stays so, and the rest can be tried again.
    fn advance(&mut self, journal: &Journal, files: &mut Files, news: &dyn Fn(News)) -> Result<bool, Stuck> {
        let messages = journal.read(&self.name, self.mark.number, BATCH)?;
        let more = messages.len() == BATCH;
        self.apply(messages, journal, files, news)?;
        if self.mark.number - self.kept >= KEEP_AFTER {
            self.sync(files)?;
            journal.change(|change| self.let_go(change))?;
            self.is_kept(journal);
        }
        Ok(more)
    }

    /// Has the disk hold what was applied.
    fn sync(&self, files: &mut Files) -> Result<(), SubjectError> {
        match &self.mark.session {
            Some(session) => files.hold(&session.subject)?.sync(),
            // The files of sessions that ended are on the disk already.
            None => Ok(()),
        }
    }

    /// Has the journal let go of what was applied.
    fn let_go(&self, change: &mut Change) -> Result<(), JournalError> {
        let mark = serde_json::to_vec(&self.mark).expect("a mark has a JSON form");
        change.remember(&mark_key(&self.name), mark)?;
        change.release(&self.name, self.spare().min(self.spared + MOST_SPARED))
    }

    /// Up to where the journal need not have it: what is of a session that runs stays in
    /// the journal, so that its file could be made again.
    fn spare(&self) -> u64 {
        self.mark.session.as_ref().map_or(self.mark.number, |session| session.first - 1)
    }

    fn is_kept(&mut self, journal: &Journal) {
        self.kept = self.mark.number;
        self.spared = journal.released(&self.name);
        // It has been read for the last time, if all goes well.
        journal.spare_memory(&self.name, self.kept);
        self.due = Instant::now();
    }

    /// Goes back to the start of the session that the lane is in, where it is this
    /// subject's.
    pub(super) fn go_back(&mut self, subject: &SubjectId, journal: &Journal) -> Result<(), JournalError> {
        if let Some(session) = self.mark.session.take_if(|session| session.subject == *subject) {
            self.mark.number = session.first - 1;
            self.kept = self.mark.number;
            journal.change(|change| self.let_go(change))?;
        }
        Ok(())
    }

    /// Applies messages in order; the mark follows.
    fn apply(
        &mut self,
        messages: Vec<(u64, Bytes)>,
        journal: &Journal,
        files: &mut Files,
        news: &dyn Fn(News),
    ) -> Result<(), Stuck> {
        // Records that follow each other are written together, which is far faster.
        let mut waiting = Waiting::default();
        for (number, bytes) in messages {
            match decode::<PilotToTerminal>(&bytes) {
                Ok(PilotToTerminal::Records { session, records }) if self.is_in(session) => {
                    waiting.add(number, bytes, records);
                    continue;
                }
                Ok(message) => {
                    self.append(&mut waiting, journal, files, news)?;
                    self.apply_one(message, (number, &bytes), journal, files, news)?;
                }
                Err(error) => {
                    self.append(&mut waiting, journal, files, news)?;
                    self.set_aside(&bytes, &error.to_string(), journal, news)?;
                }
            }
            self.mark.number = number;
        }
        self.append(&mut waiting, journal, files, news)
    }

    fn apply_one(
        &mut self,
        message: PilotToTerminal,
        (number, bytes): (u64, &Bytes),
        journal: &Journal,
        files: &mut Files,
        news: &dyn Fn(News),
    ) -> Result<(), Stuck> {
        match message {
            PilotToTerminal::Answer(_) => Ok(()),
            PilotToTerminal::Started(started) => match self.start(number, *started, files, news) {
                Err(Stuck::Subject(error)) if is_hopeless(&error) => {
                    self.set_aside(bytes, &error.to_string(), journal, news)
                }
                result => result.map(|()| self.tell_of_session(news)),
            },
            PilotToTerminal::Owner { session, owner } => {
                if let Some(now) = self.mark.session.as_mut().filter(|now| now.uuid == session) {
                    now.owner = owner;
                }
                Ok(())
            }
            PilotToTerminal::Parameter(set) if self.is_in(set.session) => self.set(&set, files),
            PilotToTerminal::Ended(ended) if self.is_in(ended.session) => self.end(&ended, files, news),
            // It was set as the session was just ending, and changed no trial.
            PilotToTerminal::Parameter(_) => {
                journal.append(SET_ASIDE, &[bytes])?;
                Ok(())
            }
            PilotToTerminal::Records { session, .. } | PilotToTerminal::Ended(Ended { session, .. }) => {
                if self.find(session, number, files)? {
                    return self.go_on(message, (number, bytes), journal, files, news);
                }
                let why = format!("session {session} did not start on {}", self.pilot);
                self.set_aside(bytes, &why, journal, news)
            }
        }
    }

    fn start(
        &mut self,
        first: u64,
        started: Started,
        files: &mut Files,
        news: &dyn Fn(News),
    ) -> Result<(), Stuck> {
        self.begins(started.request.session, files, news)?;
        let request = &started.request;
        let (uuid, mut subject, owner) = (request.session, request.subject.clone(), request.owner.clone());
        let (seed, trials, despite_check) = (request.seed, request.trials, request.despite_check);
        let mut step = request.graduation.as_ref().and_then(step_names);
        let protocol = step
            .as_ref()
            .map(|names| ProtocolStep { protocol: names.protocol.clone(), step: names.this.clone() });
        let confirmed = history::confirmed(request);
        let session = session_start(&self.pilot, started, protocol);
        let mut begun = files.hold(&subject)?.begin_session(&session);
        if let Err(SubjectError::Moved { .. }) = begun {
            (subject, _) = files.whereabouts(&subject, uuid)?;
            // What came of it was told where it was first.
            step = None;
            begun = files.hold(&subject)?.begin_session(&session);
        }
        let number = begun?;
        files.begin_clock(&self.pilot, &subject, number)?;
        let file = files.hold(&subject)?;
        history::log_confirmed(file, confirmed, session.started)?;
        let moves = moves(&file.history()?);
        self.begun = Some((subject.clone(), number));
        self.mark.session =
            Some(InSession { uuid, first, subject, number, step, moves, trials, seed, despite_check, owner });
        Ok(())
    }

    /// Goes on where the session is, which was moved after this lane had come further than it
    /// remembers. Says whether it is anywhere.
    fn follows(&mut self, files: &Files) -> bool {
        let Some(session) = &mut self.mark.session else { return false };
        match files.whereabouts(&session.subject, session.uuid) {
            Ok((subject, Some(number))) => {
                // What came of it was told where it was first.
                (session.subject, session.number, session.step) = (subject, number, None);
                true
            }
            _ => false,
        }
    }

    fn end(&mut self, ended: &Ended, files: &mut Files, news: &dyn Fn(News)) -> Result<(), Stuck> {
        let Some(session) = &self.mark.session else { return Ok(()) };
        let health = files.health_of(&self.pilot);
        let file = files.hold(&session.subject)?;
        let when = when_ended(file, session.number, ended)?;
        let mut goes_on = false;
        if let Some(step) = session.step.as_ref().filter(|_| ended.graduated) {
            let by = By { who: format!("{}, by itself", self.pilot), when };
            let change = graduated(&step.this, step.next.as_deref(), by);
            let history = file.history()?;
            let known = history.contains(&change);
            // A person may have assigned the subject elsewhere since the session started.
            let still = moves(&history) == session.moves;
            if still && !known {
                file.log(&change)?;
            }
            goes_on = (still || known) && step.next.is_some();
        }
        let Outcome { correct, water } = outcome(file, session.number).unwrap_or_else(|error| {
            tracing::warn!(pilot = %self.pilot, "what came of a session can't be said: {error}");
            Outcome::default()
        });
        let end = SessionEnd { ended: when, ending: ended.ending, why: ended.why.clone(), correct, water };
        if let Some(health) = health
            && let Err(error) = file.add_health(session.number, &[health])
        {
            tracing::warn!(pilot = %self.pilot, "how it fared was not written: {error}");
        }
        file.end_session(session.number, &end)?;
        let packed = file.pack_with(reports::to_keep);
        file.sync()?;
        let trials = file.summary(session.number)?.trials;
        let left = session.trials.map(|all| all.saturating_sub(u32::try_from(trials).unwrap_or(u32::MAX)));
        let next = (goes_on && left != Some(0)).then_some(Next {
            after: session.uuid,
            ended: when,
            trials: left,
            seed: session.seed,
            despite_check: session.despite_check,
            owner: session.owner.clone(),
            paused: ended.paused,
        });
        let subject = session.subject.clone();
        if let Err(error) = packed {
            // It is safe beside the file, and that is tried again.
            files.was_not_packed(&subject, error.to_string());
        }
        self.tell_of_session(news);
        files.let_go(&subject);
        self.mark.session = None;
        if let Some(next) = next {
            news(News::Graduated { pilot: self.pilot.clone(), subject, next });
        }
        Ok(())
    }

    /// Tells that the session that the lane is in began, or is over.
    fn tell_of_session(&self, news: &dyn Fn(News)) {
        let subject = self.mark.session.iter().map(|session| session.subject.clone());
        subject.for_each(|subject| news(News::Session { subject }));
    }

    fn is_in(&self, session: Uuid) -> bool {
        self.mark.session.as_ref().is_some_and(|now| now.uuid == session)
    }

    /// Keeps what can't be applied, now or ever, and tells why: of many for one reason once.
    fn set_aside(
        &mut self,
        bytes: &Bytes,
        why: &str,
        journal: &Journal,
        news: &dyn Fn(News),
    ) -> Result<(), Stuck> {
        journal.append(SET_ASIDE, &[bytes])?;
        if self.aside.as_deref() != Some(why) {
            let pilot = self.pilot.clone();
            tracing::error!(%pilot, "a message can't be written to a subject file, and is kept in the journal: {why}");
            news(News::SetAside { pilot, why: why.to_owned() });
            self.aside = Some(why.to_owned());
        }
        Ok(())
    }
}

/// Has the disk hold what was applied of some lanes, and the journal let go of
/// it, for all of them at once; those that fail are due again in a while.
pub(crate) fn keep(mut lanes: Vec<&mut Lane>, journal: &Journal, files: &mut Files, news: &dyn Fn(News)) {
    lanes.retain_mut(|lane| {
        let failed = lane.sync(files).err();
        let kept = failed.is_none();
        if !kept {
            lane.due = Instant::now() + RETRY;
        }
        lane.tell(Doing::Keeping, failed.map(Stuck::from), news);
        kept
    });
    match journal.change(|change| lanes.iter().try_for_each(|lane| lane.let_go(change))) {
        Ok(()) => lanes.iter_mut().for_each(|lane| lane.is_kept(journal)),
        Err(error) => {
            tracing::error!("what is in the subject files stays in the journal too: {error}");
            lanes.iter_mut().for_each(|lane| lane.due = Instant::now() + RETRY);
        }
    }
}

/// What follows a session whose subject graduated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Next {
    /// The session before.
    pub(crate) after: Uuid,
    /// When that ended.
    pub(crate) ended: Timestamp,
    /// How many trials are left of those that a person asked for.
    pub(crate) trials: Option<u32>,
    /// The seed of the session before.
    pub(crate) seed: Seed,
    /// Whether that one started although its rig had failed its last check.
    pub(crate) despite_check: bool,
    /// Whose that one was.
    pub(crate) owner: Person,
    /// Whether that one was paused.
    pub(crate) paused: bool,
}

/// Whether trying again would change nothing, whatever a person does. A file that isn't there may be put back.
fn is_hopeless(error: &SubjectError) -> bool {
    matches!(error, SubjectError::Column { .. } | SubjectError::Moved { .. })
}

#[cfg(test)]
mod tests;
