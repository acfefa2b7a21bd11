//! Which session is meant by a subject's name, or a pilot's.

use bramble_value::{Name, SubjectId};

use super::pilot::{Pilot, Run};
use super::{Lab, Running};
use crate::refusal::{Allowed, Refusal};

impl Lab {
    /// The session that a subject is in, on a pilot that is there; of several the latest.
    pub(crate) fn session_of(&self, subject: &SubjectId) -> Allowed<Running> {
        let of_it =
            self.pilots.iter().filter_map(|(name, pilot)| Some((name, pilot, pilot.running.as_ref()?)));
        let of_it = of_it.filter(|(_, _, run)| run.progress.subject == *subject);
        let likelier = |(_, pilot, run): &(&Name, &Pilot, &Run)| (!pilot.is_here(), run.abandoned);
        let shorter = |(_, _, one): &(_, _, &Run), (_, _, other): &(_, _, &Run)| {
            one.progress.seconds.total_cmp(&other.progress.seconds)
        };
        let found = of_it.min_by(|one, other| likelier(one).cmp(&likelier(other)).then(shorter(one, other)));
        let Some((name, _, run)) = found else {
            self.check_not_starting(|_, starting| starting.subject == *subject)?;
            return Err(Refusal::conflict(format!("{subject} is in no session"))
                .help("bramble-terminal status shows who is"));
        };
        self.check_here(name)?;
        Ok(run.running(name))
    }

    /// The session that a pilot runs, if it is there.
    pub(crate) fn session_on(&self, name: &Name) -> Allowed<Running> {
        self.check_here(name)?;
        let running = self.running().find(|running| running.pilot == *name);
        self.check_not_starting(|pilot, _| running.is_none() && pilot == name)?;
        running.ok_or_else(|| Refusal::conflict(format!("{name} runs no session")))
    }

    /// Where a subject is, and what it does there.
    pub(super) fn whereabouts(&self, subject: &SubjectId) -> Option<(&Name, String)> {
        self.pilots.iter().find_map(|(name, pilot)| match (&pilot.running, &pilot.starting) {
            (Some(run), _) if run.progress.subject == *subject && !run.abandoned => {
                Some((name, format!("is in a session of {} already,", run.progress.task)))
            }
            (_, Some(starting)) if starting.subject == *subject => {
                Some((name, "is about to start a session".to_owned()))
            }
            _ => None,
        })
    }
}
