//! Who is there and what everyone is doing, as far as this terminal knows: state
//! without I/O and without a clock.

mod next;
mod notices;
mod pilot;
mod presence;
mod timing;
mod whereabouts;

use std::collections::BTreeMap;

use bramble_link::Clock;
use bramble_message::{
    Calibrated, Ended, PilotHello, Progress, Reaction, Software, StartSession, Started, Status,
};
use bramble_value::{Event, Name, Person, Record, Row, SubjectId};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::api::types::{EndedSession, PilotStatus, Starting};
use crate::live::line::Line;
use crate::live::{About, Log};
use crate::refusal::{Allowed, Refusal};
use crate::score::Score;
pub(crate) use next::Follows;
pub(crate) use notices::Concern;
use notices::Notices;
use pilot::{Pilot, Run};
pub(crate) use presence::Now;

/// How many trials that are not yet safe here are shown.
const MOST_LIVE: usize = 1000;
/// What drives what isn't there, as a pilot says it.
const SIMULATED: &str = "simulated";
/// What begins the driver of a device that a child has.
const OF_A_CHILD: &str = "child ";
/// How many refused agents are remembered.
const MOST_REFUSED: usize = 20;

/// The pilots that ever called, and the agents that were refused.
#[derive(Debug, Default)]
pub(crate) struct Lab {
    pilots: BTreeMap<Name, Pilot>,
    /// Notices on pilots that have not called yet.
    early: BTreeMap<Name, Notices>,
    /// How old the calibrations of each pilot's valves are, as it said last.
    calibrations: BTreeMap<Name, Vec<Calibrated>>,
    /// How each pilot reacts, as it said last.
    reactions: BTreeMap<Name, Reaction>,
    /// How the last session on each pilot ended, by the subjects' files.
    before: BTreeMap<Name, EndedSession>,
    refused: Vec<Refused>,
    /// Why sessions that are over are not in their subjects' files yet.
    pub(crate) unpacked: Option<String>,
}

/// An agent that isn't talked to.
#[derive(Debug)]
struct Refused {
    why: String,
    /// Which pilot it is, where it is linked and not understood. Any other is known to be there
    /// only while it keeps trying.
    linked: Option<Name>,
    last: Timestamp,
}

/// How long after its last try an agent is still one that is refused: it is told of every 5 s.
const STILL_REFUSED: SignedDuration = SignedDuration::from_secs(15);

/// A session that runs, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) pilot: Name,
    pub(crate) session: Uuid,
    pub(crate) subject: SubjectId,
    pub(crate) task: String,
}

/// What the subject's file has of a session that runs.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    pub(crate) about: About,
    pub(crate) rows: Vec<Row>,
    pub(crate) events: Vec<Event>,
    pub(crate) notes: Vec<Line>,
}

impl Refused {
    fn is_over(&self, now: Timestamp) -> bool {
        self.linked.is_none() && now.duration_since(self.last) > STILL_REFUSED
    }
}

impl Lab {
    /// A pilot is there. A session that it runs and that was not heard of here is
    /// returned: its past is in the subject's file.
    pub(crate) fn up(&mut self, name: &Name, hello: PilotHello, now: Timestamp) -> Option<Running> {
        self.understands(name);
        let known = self.pilots.remove(name);
        let mut pilot = known.unwrap_or_else(|| self.called(name, hello.software.clone(), now));
        pilot.presence.comes(now);
        // It says itself what it does.
        pilot.starting.take_if(|_| pilot.unanswered);
        pilot.unanswered = false;
        (pilot.software, pilot.rig) = (hello.software, hello.rig);
        let news = pilot.is_doing(name, hello.activity);
        self.pilots.insert(name.clone(), pilot);
        news
    }

    /// A pilot that wasn't known, with what was noticed of it already.
    fn called(&mut self, name: &Name, software: Software, now: Timestamp) -> Pilot {
        let notices = self.early.remove(name).unwrap_or_default();
        Pilot { notices, ..Pilot::new(software, now) }
    }

    /// A pilot was in this session when it was last heard of, before this program started.
    /// One that is known already is as it is.
    pub(crate) fn expect(&mut self, running: &Running, owner: Person, now: Timestamp) {
        let Running { pilot: name, session, subject, task } = running.clone();
        if self.pilots.contains_key(&name) {
            return;
        }
        let (program, unknown) = ("bramble-pilot".to_owned(), String::new);
        let software = Software { program, version: unknown(), host: unknown(), system: unknown() };
        let mut pilot = self.called(&name, software, now);
        pilot.presence.is_expected();
        let progress = Progress::beginning(session, subject, owner, task);
        pilot.running = Some(Run::new(progress, Score::default(), Log::default()));
        self.pilots.insert(name, pilot);
    }

    /// A pilot is gone, for this reason. Its session goes on without this terminal.
    pub(crate) fn down(&mut self, name: &Name, why: &str, now: Timestamp) {
        self.understands(name);
        if let Some(pilot) = self.pilots.get_mut(name) {
            pilot.presence.goes(why, now);
        }
    }

    /// A pilot was revoked: it is here no more in a moment.
    pub(crate) fn revoked(&mut self, name: &Name) {
        if let Some(pilot) = self.pilots.get_mut(name) {
            pilot.presence.is_revoked();
        }
    }

    /// How a pilot's clock stands.
    pub(crate) fn clock(&mut self, name: &Name, clock: Clock) {
        if let Some(pilot) = self.pilots.get_mut(name) {
            pilot.presence.hears(clock);
        }
    }

    /// Since when a pilot is away, if it is one that was here.
    pub(crate) fn away_since(&self, name: &Name) -> Option<Timestamp> {
        self.pilots.get(name)?.presence.away_since()
    }

    /// An agent was not talked to.
    pub(crate) fn refused(&mut self, why: String, now: Timestamp) {
        self.note_refused(Refused { why, linked: None, last: now });
    }

    /// A pilot is linked that says what isn't understood.
    pub(crate) fn misunderstood(&mut self, name: &Name, why: String, now: Timestamp) {
        self.note_refused(Refused { why, linked: Some(name.clone()), last: now });
    }

    fn note_refused(&mut self, refused: Refused) {
        self.refused.retain(|known| known.why != refused.why);
        self.refused.push(refused);
        if self.refused.len() > MOST_REFUSED {
            self.refused.remove(0);
        }
    }

    /// What wasn't understood of a pilot is over.
    fn understands(&mut self, name: &Name) {
        self.refused.retain(|refused| refused.linked.as_ref() != Some(name));
    }

    /// Whether an agent that was refused tries no more.
    pub(crate) fn has_given_up(&self, now: Timestamp) -> bool {
        self.refused.iter().any(|refused| refused.is_over(now))
    }

    /// Forgets agents that were refused and try no more.
    pub(crate) fn forget_refused(&mut self, now: Timestamp) {
        self.refused.retain(|refused| !refused.is_over(now));
    }

    /// What a pilot says of itself now and then. As [`Lab::up`].
    pub(crate) fn status(&mut self, name: &Name, status: Status, now: Now) -> Option<Running> {
        let pilot = self.pilots.get_mut(name)?;
        let activity = status.activity.clone();
        let told = std::mem::replace(&mut pilot.told, status.notice.clone());
        if told != pilot.told {
            pilot.log_notice(status.notice.clone());
        }
        pilot.presence.says(status, now);
        pilot.is_doing(name, activity)
    }

    /// A session started.
    pub(crate) fn started(&mut self, name: &Name, started: &Started, score: Score, about: About) {
        let Some(pilot) = self.pilots.get_mut(name) else { return };
        let StartSession { session, subject, owner, .. } = &started.request;
        let progress =
            Progress::beginning(*session, subject.clone(), owner.clone(), started.task_name.clone());
        pilot.is_over();
        pilot.running = Some(Run::new(progress, score, Log::of(about)));
    }

    /// A session was taken over.
    pub(crate) fn taken_over(&mut self, name: &Name, session: Uuid, owner: Person) {
        if let Some(run) = self.run(name, session) {
            run.progress.owner = owner;
        }
    }

    /// What is known of a session that was found running.
    pub(crate) fn recovered(&mut self, name: &Name, session: Uuid, score: Score, past: Past) {
        if let Some(run) = self.run(name, session) {
            run.trials = run.trials.max(past.rows.last().map_or(0, |row| row.trial));
            run.score = score;
            run.log.restore(past.about, &past.rows, &past.events, &past.notes);
        }
    }

    /// What was observed in a session.
    pub(crate) fn records(&mut self, name: &Name, session: Uuid, records: &[Record]) {
        let Some(run) = self.run(name, session) else { return };
        run.log.safe(records);
        for record in records {
            if let Record::Row(row) = record {
                run.trials = row.trial;
                run.score.add(row);
                run.live.retain(|live| live.trial > row.trial);
            }
        }
    }

    /// What has just been observed in a session, and is not yet safe here.
    pub(crate) fn live(&mut self, name: &Name, session: Uuid, records: Vec<Record>) {
        let Some(run) = self.run(name, session) else { return };
        run.log.passing(&records);
        let known = run.trials;
        let new = records.into_iter().filter_map(|record| match record {
            Record::Row(row) if row.trial > known => Some(row),
            _ => None,
        });
        run.live.extend(new);
        let too_many = run.live.len().saturating_sub(MOST_LIVE);
        run.live.drain(..too_many);
    }

    /// A session ended.
    pub(crate) fn ended(&mut self, name: &Name, ended: &Ended) {
        if let Some(pilot) = self.pilots.get_mut(name) {
            pilot.ends(ended);
        }
    }

    /// An agent has another name from now on.
    pub(crate) fn forget(&mut self, name: &Name) {
        self.pilots.remove(name);
        self.calibrations.remove(name);
        self.reactions.remove(name);
    }

    /// How old the calibrations of a pilot's valves are.
    pub(crate) fn calibrated(&mut self, name: &Name, calibrations: Vec<Calibrated>) {
        self.calibrations.insert(name.clone(), calibrations);
    }

    /// How old the calibrations of every pilot's valves are, as far as they told it.
    pub(crate) fn calibrations(&self) -> BTreeMap<Name, Vec<Calibrated>> {
        self.calibrations.clone()
    }

    /// A subject's file says how a session on a pilot ended: for who looks after this terminal was
    /// started again.
    pub(crate) fn ended_before(&mut self, name: &Name, ended: &EndedSession) {
        let known = self.before.get(name);
        if known.is_none_or(|known| known.ended < ended.ended) {
            self.before.insert(name.clone(), ended.clone());
        }
    }

    /// Whether a session runs on any pilot.
    pub(crate) fn is_running(&self, session: Uuid) -> bool {
        self.running().any(|running| running.session == session)
    }

    /// Whether all is simulated that a pilot drives itself, as far as it said.
    pub(crate) fn is_simulated(&self, name: &Name) -> bool {
        let rig = self.pilots.get(name).map(|pilot| pilot.rig.as_slice()).unwrap_or_default();
        let mut own = rig.iter().filter(|device| !device.driver.starts_with(OF_A_CHILD)).peekable();
        own.peek().is_some() && own.all(|device| device.driver == SIMULATED)
    }

    /// Whether a pilot runs a task that is known to have no trials.
    pub(crate) fn has_no_trials(&self, name: &Name) -> bool {
        let run = self.pilots.get(name).and_then(|pilot| pilot.running.as_ref());
        let task = run.and_then(|run| run.log.about()?.task.as_ref());
        task.is_some_and(|task| !task.stages.iter().any(|stage| stage.kind == "trials"))
    }

    /// There is something that a person should read beside a pilot, or there isn't any more.
    pub(crate) fn notice(&mut self, name: &Name, concern: Concern, text: Option<String>) {
        let Some(pilot) = self.pilots.get_mut(name) else {
            self.early.entry(name.clone()).or_default().set(concern, text);
            return;
        };
        if pilot.notices.set(concern, text.clone()) {
            pilot.log_notice(text);
        }
    }

    /// A person starts a session on a pilot, and has read what had happened before.
    pub(crate) fn notices_are_read(&mut self, name: &Name) {
        if let Some(pilot) = self.pilots.get_mut(name) {
            pilot.notices.are_read();
        }
    }

    /// A person did or said something about a subject: the log of the session that it is in says it.
    pub(crate) fn said(&mut self, subject: &SubjectId, who: &Person, text: String) {
        let runs = self.pilots.values_mut().filter_map(|pilot| pilot.running.as_mut());
        for run in runs.filter(|run| run.progress.subject == *subject) {
            run.log.said(Some(who.to_string()), text.clone());
        }
    }

    /// Keeps a pilot for a session that is being started. A session that the subject is in
    /// elsewhere is in its way, but where it is to `abandon` one on a pilot that is away.
    ///
    /// # Errors
    /// Where there is no such pilot, it is away or busy, or the subject is in a
    /// session already.
    pub(crate) fn reserve(
        &mut self,
        subject: &SubjectId,
        owner: &Person,
        name: &Name,
        abandon: bool,
    ) -> Allowed<()> {
        self.check_here(name)?;
        if let Some((other, what)) = self.whereabouts(subject).filter(|(other, _)| *other != name) {
            let away = self.away_since(other).is_some();
            if !(away && abandon) {
                let help = match away {
                    true => format!(
                        "{other} is away: wait until it is back; where it won't come back, start with --abandon"
                    ),
                    false => format!("stop that session first: bramble-terminal stop {subject}"),
                };
                return Err(Refusal::conflict(format!("{subject} {what} on {other}")).help(help));
            }
        }
        let Some(pilot) = self.pilots.get_mut(name) else { return Err(self.unknown(name)) };
        if let Some(run) = &pilot.running {
            let Progress { subject, task, owner, .. } = &run.progress;
            return Err(Refusal::conflict(format!(
                "{name} is busy: it runs {owner}'s session of {subject} ({task})"
            ))
            .help(format!("wait for its end, or stop it: bramble-terminal stop --pilot {name}")));
        }
        if let Some(Starting { subject, owner }) = &pilot.starting {
            return Err(Refusal::conflict(format!(
                "{name} is busy: {owner} is starting a session of {subject}"
            )));
        }
        pilot.starting = Some(Starting { subject: subject.clone(), owner: owner.clone() });
        pilot.called_off = None;
        Ok(())
    }

    /// Whether a pilot is there and does nothing.
    pub(crate) fn check_idle(&self, name: &Name) -> Allowed<()> {
        self.check_here(name)?;
        let Some(pilot) = self.pilots.get(name) else { return Err(self.unknown(name)) };
        let stop_first = format!("wait for its end, or stop it: bramble-terminal stop --pilot {name}");
        match pilot {
            Pilot { running: Some(run), .. } => {
                let Progress { subject, task, .. } = &run.progress;
                Err(Refusal::conflict(format!("{name} is busy: it runs {task} with {subject}"))
                    .help(stop_first))
            }
            Pilot { starting: Some(Starting { subject, .. }), .. } => Err(Refusal::conflict(format!(
                "{name} is busy: a session with {subject} is being started on it"
            ))
            .help(stop_first)),
            _ => Ok(()),
        }
    }

    /// Whether a pilot is there.
    pub(crate) fn is_here(&self, name: &Name) -> bool {
        self.pilots.get(name).is_some_and(Pilot::is_here)
    }

    /// The start came to its end, well or not. Whether a pilot that is away did it isn't known before it
    /// is back.
    pub(crate) fn unreserve(&mut self, name: &Name) {
        if let Some(pilot) = self.pilots.get_mut(name) {
            pilot.unanswered = pilot.presence.away_since().is_some();
            pilot.starting.take_if(|_| !pilot.unanswered);
        }
    }

    /// Whether this session runs on this pilot, as far as is known.
    pub(crate) fn runs(&self, name: &Name, session: Uuid) -> bool {
        self.running().any(|running| running.pilot == *name && running.session == session)
    }

    /// Whether it was heard that this session started on this pilot.
    pub(crate) fn has_started(&self, name: &Name, session: Uuid) -> bool {
        self.runs(name, session) || self.pilots.get(name).is_some_and(|pilot| pilot.ended == Some(session))
    }

    /// Every session that is known to run.
    pub(crate) fn running(&self) -> impl Iterator<Item = Running> {
        self.pilots.iter().filter_map(|(name, pilot)| Some(pilot.running.as_ref()?.running(name)))
    }

    /// The record of the session that a pilot runs, or ran last, and which that is.
    pub(crate) fn log(&self, name: &Name) -> Option<(Uuid, &Log)> {
        let pilot = self.pilots.get(name)?;
        let run = pilot.running.as_ref().or(pilot.last.as_ref().map(|(run, _)| run))?;
        Some((run.progress.session, &run.log))
    }

    /// Everything, for showing.
    pub(crate) fn view(&self) -> (Vec<PilotStatus>, Vec<String>) {
        (
            self.pilots.iter().map(|(name, pilot)| pilot.view(name, self.before.get(name))).collect(),
            self.refused.iter().map(|refused| refused.why.clone()).collect(),
        )
    }

    fn run(&mut self, name: &Name, session: Uuid) -> Option<&mut Run> {
        self.pilots.get_mut(name)?.run(session)
    }

    pub(crate) fn check_here(&self, name: &Name) -> Allowed<()> {
        match self.pilots.get(name) {
            None => Err(self.unknown(name)),
            Some(pilot) if pilot.presence.away_since().is_some() => {
                let since = pilot.presence.since().strftime("%Y-%m-%d %H:%M:%S UTC");
                Err(Refusal::conflict(format!(
                    "{name} is away since {since}; a session that it runs goes on"
                ))
                .help("see whether its bramble-pilot runs and its network is up"))
            }
            Some(_) => Ok(()),
        }
    }

    fn unknown(&self, name: &Name) -> Refusal {
        let quoted = format!("`{name}`");
        if let Some(Refused { why, .. }) = self.refused.iter().rev().find(|one| one.why.contains(&quoted)) {
            return Refusal::conflict(format!("{name} can't be talked to: {why}"));
        }
        let here: Vec<&str> =
            self.pilots.iter().filter(|(_, pilot)| pilot.is_here()).map(|(name, _)| name.as_str()).collect();
        let here =
            if here.is_empty() { "no pilot is".to_owned() } else { format!("here: {}", here.join(", ")) };
        Refusal::missing(format!("no pilot {name} is here ({here})"))
            .help("start it on its computer: bramble-pilot --config FILE")
    }
}

#[cfg(test)]
mod tests;
