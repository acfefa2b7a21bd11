//! Whether the step that a subject graduated to follows by itself, and what is called off before it
//! runs.

use bramble_message::{Ended, Progress};
use bramble_value::{Name, Person, SubjectId};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::Lab;
use super::pilot::Pilot;
use crate::api::types::Starting;
use crate::refusal::{Allowed, Refusal};
use crate::writer::timestamp;

/// How long after its session a step follows by itself. Later nobody waits for it: another animal
/// may be in the box by then.
const MOMENT: SignedDuration = SignedDuration::from_secs(20);

/// A session that ended because its subject graduated.
#[derive(Debug)]
pub(super) struct Graduated {
    session: Uuid,
    ended: Timestamp,
    /// A person did something else since.
    overtaken: bool,
}

/// Whether a step follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follows {
    /// Its pilot is kept for it.
    Yes,
    /// It's too late for that, or more may have happened since than is known here.
    Late,
    /// A person did something else since.
    Overtaken,
}

impl Graduated {
    pub(super) fn of(ended: &Ended) -> Graduated {
        let Ended { session, unix_ns, .. } = *ended;
        Graduated { session, ended: timestamp(unix_ns), overtaken: false }
    }

    /// By the terminal's clock, which the session was dated by. It may have been set since.
    fn is_recent(&self, now: Timestamp) -> bool {
        now.duration_since(self.ended).abs() <= MOMENT
    }
}

impl Pilot {
    /// Whether a step may follow by itself.
    fn has_next(&self, now: Timestamp) -> bool {
        self.graduated.as_ref().is_some_and(|graduated| !graduated.overtaken && graduated.is_recent(now))
    }

    fn overtake(&mut self) {
        if let Some(graduated) = &mut self.graduated {
            graduated.overtaken = true;
        }
    }
}

impl Lab {
    /// Keeps a pilot for the step that follows a session there, whose subject graduated in it.
    ///
    /// # Errors
    /// As [`Lab::reserve`]: it may do so in a moment.
    pub(crate) fn follow(
        &mut self,
        (subject, owner): (&SubjectId, &Person),
        name: &Name,
        session: Uuid,
        now: Timestamp,
    ) -> Allowed<Follows> {
        let graduated = self.pilots.get(name).and_then(|pilot| pilot.graduated.as_ref());
        match graduated.filter(|graduated| graduated.session == session) {
            Some(graduated) if graduated.overtaken => Ok(Follows::Overtaken),
            Some(graduated) if graduated.is_recent(now) => {
                self.reserve(subject, owner, name, false).map(|()| Follows::Yes)
            }
            _ => Ok(Follows::Late),
        }
    }

    /// Whether it was heard that this session is over on this pilot.
    pub(crate) fn has_ended(&self, name: &Name, session: Uuid) -> bool {
        self.pilots.get(name).is_some_and(|pilot| pilot.ended == Some(session))
    }

    /// Whether a subject's last session is over on a pilot that is here and that has not told yet how
    /// it ended.
    pub(crate) fn awaits_end_of(&self, subject: &SubjectId) -> bool {
        self.pilots.values().filter(|pilot| pilot.is_here()).any(|pilot| {
            pilot.last.as_ref().is_some_and(|(run, how)| {
                let Progress { subject: whose, session, .. } = &run.progress;
                whose == subject && how.is_none() && pilot.ended != Some(*session)
            })
        })
    }

    /// No step follows by itself any more, on this pilot or for this subject: a person starts something.
    pub(crate) fn overtake(&mut self, subject: &SubjectId, name: &Name) {
        for (other, pilot) in &mut self.pilots {
            if other == name || pilot.last.as_ref().is_some_and(|(run, _)| run.progress.subject == *subject) {
                pilot.overtake();
            }
        }
    }

    /// Calls off what is about to start, for this subject or on this pilot, where it is that of who
    /// asks, or they `take_over`. Says whose and where it was to be.
    pub(crate) fn call_off(
        &mut self,
        subject: Option<&SubjectId>,
        name: Option<&Name>,
        (who, take_over): (&Person, bool),
        now: Timestamp,
    ) -> Option<(SubjectId, Name)> {
        let is_meant = |pilot: &Name, of: &SubjectId| match subject {
            Some(subject) => of == subject,
            None => name == Some(pilot),
        };
        for (name, pilot) in self.pilots.iter_mut().filter(|(_, pilot)| pilot.running.is_none()) {
            let (of, owner) = match (&pilot.starting, &pilot.last) {
                (Some(Starting { subject, owner }), _) => (subject.clone(), owner),
                (None, Some((run, _))) if pilot.has_next(now) => {
                    (run.progress.subject.clone(), &run.progress.owner)
                }
                _ => continue,
            };
            if is_meant(name, &of) && (owner == who || take_over) {
                pilot.overtake();
                pilot.called_off = Some(who.clone());
                return Some((of, name.clone()));
            }
        }
        None
    }

    /// Whether the session that is being started on a pilot may be started still.
    ///
    /// # Errors
    /// Where it was called off.
    pub(crate) fn is_still_wanted(&self, name: &Name) -> Allowed<()> {
        match self.pilots.get(name).and_then(|pilot| pilot.called_off.as_ref()) {
            Some(who) => Err(Refusal::conflict(format!("{who} stopped it before it began"))),
            None => Ok(()),
        }
    }

    /// Whether a session is being started, for this subject or on this pilot, which is here.
    pub(crate) fn is_starting(&self, subject: Option<&SubjectId>, name: Option<&Name>) -> bool {
        let is_meant = |pilot: &Name, starting: &Starting| match subject {
            Some(subject) => starting.subject == *subject,
            None => name == Some(pilot),
        };
        self.beginning(is_meant).is_some_and(|(pilot, _)| self.is_here(pilot))
    }

    /// Refuses what can't be asked of a session that is only being started.
    pub(super) fn check_not_starting(&self, is_meant: impl Fn(&Name, &Starting) -> bool) -> Allowed<()> {
        let Some((name, Starting { subject, .. })) = self.beginning(is_meant) else { return Ok(()) };
        self.check_here(name)?;
        Err(Refusal::conflict(format!("{subject}'s session on {name} is only just being started"))
            .help("try again in a moment"))
    }

    fn beginning(&self, is_meant: impl Fn(&Name, &Starting) -> bool) -> Option<(&Name, &Starting)> {
        let idle = self.pilots.iter().filter(|(_, pilot)| pilot.running.is_none());
        idle.filter_map(|(name, pilot)| Some((name, pilot.starting.as_ref()?)))
            .find(|(name, starting)| is_meant(name, starting))
    }

    /// A subject's session on a pilot that is away is in nobody's way any more: its next one runs
    /// elsewhere, on this pilot.
    pub(crate) fn abandon(&mut self, subject: &SubjectId, next: &Name) {
        let others = self.pilots.iter_mut().filter(|(name, pilot)| *name != next && !pilot.is_here());
        let runs = others.filter_map(|(_, pilot)| pilot.running.as_mut());
        for run in runs.filter(|run| run.progress.subject == *subject) {
            run.abandoned = true;
        }
    }
}
