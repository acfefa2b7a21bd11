//! What the subjects' files say of the animals that somebody should see to.

use std::collections::BTreeMap;

use bramble_subject::{Life, SessionSummary, SubjectError, SubjectFile, life};
use bramble_value::{Name, SubjectId};
use jiff::{SignedDuration, Timestamp};

use crate::api::types::EndedSession;
use crate::fares::share;

/// An animal of which nothing was written for so long is not in its box: nobody would have seen
/// to it since. A lab that writes nothing down is told of it no longer than that.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// What is known of an animal.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Animal {
    /// What there is to say of its weight, where that is low, and since when.
    pub(super) low: Option<(String, Timestamp)>,
    /// Its last session: on which pilot, and when that began.
    pub(super) last: Option<(String, Timestamp)>,
    /// How that ended, if it did, and on which pilot.
    pub(super) ended: Option<(Name, EndedSession)>,
    /// When its last session ended, where no person has had it in hand since, and it is real.
    pub(super) stays_since: Option<Timestamp>,
}

impl Animal {
    /// What a subject's file says at `now`.
    ///
    /// # Errors
    /// Where it can't be read.
    pub(super) fn of(file: &SubjectFile, fares: &Life, now: Timestamp) -> Result<Animal, SubjectError> {
        let (history, weights, sessions) = (file.history()?, file.weights()?, file.sessions()?);
        let last = sessions.iter().max_by_key(|session| session.started);
        let ended = last.and_then(|last| Some((last, last.end.as_ref()?.ended)));
        let handled = life::handled(&history, &weights);
        let stays = ended.filter(|(_, ended)| {
            now.duration_since(*ended) < LONGEST && handled.is_none_or(|handled| handled < *ended)
        });
        let stays = match stays {
            Some((last, ended)) => (!file.session(last.number)?.is_simulated()).then_some(ended),
            None => None,
        };
        Ok(Animal {
            low: low(fares),
            last: last.map(|last| (last.pilot.clone(), last.started)),
            ended: last.and_then(|last| Some((last.pilot.parse().ok()?, how(file.id(), last)?))),
            stays_since: stays,
        })
    }
}

fn how(subject: &SubjectId, session: &SessionSummary) -> Option<EndedSession> {
    let end = session.end.as_ref()?;
    Some(EndedSession {
        session: session.uuid,
        subject: subject.clone(),
        task: session.task.clone(),
        step: session.protocol.as_ref().map(|at| at.step.clone()),
        trials: u32::try_from(session.trials).unwrap_or(u32::MAX),
        correct: end.correct,
        ended: end.ended,
        ending: end.ending,
        // What came of it says its subject's history.
        graduated: false,
        why: end.why.clone(),
    })
}

fn low(fares: &Life) -> Option<(String, Timestamp)> {
    let (weighed, limit) = fares.weight.as_ref().zip(fares.limit)?;
    let text = format!(
        "weighed {} g on {}, {} of its baseline, and its limit is {limit}",
        weighed.weight.grams,
        weighed.day,
        share(weighed.share, Some(limit))
    );
    fares.is_below_limit().then_some((text, weighed.weight.when))
}

/// The animals that nothing says are out of the box that they had a session in: of each its pilot,
/// and when that session ended. Another animal's later session there says it too.
pub(super) fn left(
    animals: &BTreeMap<SubjectId, Animal>,
    now: Timestamp,
) -> impl Iterator<Item = (&SubjectId, &str, Timestamp)> {
    animals.iter().filter_map(move |(id, animal)| {
        let (since, (pilot, _)) = animal.stays_since.zip(animal.last.as_ref())?;
        let later = animals.iter().any(|(other, animal)| {
            other != id
                && animal.last.as_ref().is_some_and(|(there, began)| there == pilot && *began >= since)
        });
        (!later && now.duration_since(since) < LONGEST).then_some((id, pilot.as_str(), since))
    })
}
