//! What is known of one pilot, and of the session that it runs.

use bramble_message::{Activity, Ended, Progress, RigDevice, Software};
use bramble_value::{Name, Person, Row};
use jiff::Timestamp;
use uuid::Uuid;

use super::Running;
use super::next::Graduated;
use super::notices::Notices;
use super::presence::Presence;
use crate::api::types::{EndedSession, PilotStatus, SessionStatus, Starting};
use crate::live::Log;
use crate::score::Score;
use crate::writer::timestamp;

/// A pilot that ever called.
#[derive(Debug)]
pub(super) struct Pilot {
    pub(super) presence: Presence,
    pub(super) software: Software,
    pub(super) rig: Vec<RigDevice>,
    /// A session is being started.
    pub(super) starting: Option<Starting>,
    /// Who stopped that before its pilot was asked.
    pub(super) called_off: Option<Person>,
    /// It went away before it said whether it did that.
    pub(super) unanswered: bool,
    pub(super) running: Option<Run>,
    /// The session that ran last, for who still looks at it, and how it ended once that was told.
    pub(super) last: Option<(Run, Option<EndedSession>)>,
    /// What is told late of this session is no news.
    pub(super) ended: Option<Uuid>,
    /// The subject of that session graduated in it.
    pub(super) graduated: Option<Graduated>,
    pub(super) notices: Notices,
    /// What the pilot itself says that a person should read.
    pub(super) told: Option<String>,
}

/// A session that runs.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) progress: Progress,
    /// Trials that are over.
    pub(super) trials: u32,
    pub(super) score: Score,
    /// Trials that were seen to end and that are not yet safe here.
    pub(super) live: Vec<Row>,
    pub(super) log: Log,
    /// Its subject went on elsewhere, since its pilot was away; until that says that it runs.
    pub(super) abandoned: bool,
}

impl Pilot {
    pub(super) fn new(software: Software, now: Timestamp) -> Pilot {
        Pilot {
            presence: Presence::new(now),
            software,
            rig: Vec::new(),
            starting: None,
            called_off: None,
            unanswered: false,
            running: None,
            last: None,
            ended: None,
            graduated: None,
            notices: Notices::default(),
            told: None,
        }
    }

    pub(super) fn is_here(&self) -> bool {
        self.presence.away_since().is_none()
    }

    /// The log of its session says a notice too.
    pub(super) fn log_notice(&mut self, notice: Option<String>) {
        if let (Some(run), Some(notice)) = (&mut self.running, notice) {
            run.log.said(None, notice);
        }
    }

    /// All that a person should read beside it.
    fn notice(&self) -> Option<String> {
        let texts: Vec<&str> = self.notices.texts().chain(self.told.as_deref()).collect();
        (!texts.is_empty()).then(|| texts.join("; "))
    }

    /// Takes over what the pilot says it does.
    pub(super) fn is_doing(&mut self, name: &Name, activity: Activity) -> Option<Running> {
        let progress = match activity {
            Activity::Idle => {
                self.is_over();
                return None;
            }
            Activity::Running(progress) => progress,
        };
        if self.ended == Some(progress.session) {
            return None;
        }
        match &mut self.running {
            Some(run) if run.progress.session == progress.session => {
                run.trials = run.trials.max(progress.trial.saturating_sub(1));
                (run.progress, run.abandoned) = (progress, false);
                None
            }
            _ => {
                let trials = progress.trial.saturating_sub(1);
                let run = Run { trials, ..Run::new(progress, Score::default(), Log::default()) };
                let news = run.running(name);
                self.is_over();
                self.running = Some(run);
                Some(news)
            }
        }
    }

    /// Whatever ran runs no longer.
    pub(super) fn is_over(&mut self) {
        self.last = self.running.take().map(|run| (run, None)).or(self.last.take());
    }

    /// The session ended like this, whether it was known yet that it runs no longer or not.
    pub(super) fn ends(&mut self, ended: &Ended) {
        if self.ended != Some(ended.session) {
            self.graduated = ended.graduated.then(|| Graduated::of(ended));
        }
        self.ended = Some(ended.session);
        if self.running.as_ref().is_some_and(|run| run.progress.session == ended.session) {
            self.is_over();
        }
        let last = self.last.as_mut().filter(|(run, _)| run.progress.session == ended.session);
        if let Some((run, how)) = last {
            *how = Some(run.ended(ended));
        }
    }

    /// A session that runs, or that ran last: what it recorded may come when it is known to be over.
    pub(super) fn run(&mut self, session: Uuid) -> Option<&mut Run> {
        let last = self.last.as_mut().map(|(run, _)| run);
        self.running.as_mut().into_iter().chain(last).find(|run| run.progress.session == session)
    }

    /// What there is to see of it; `before` is how the last session on it ended, by the subjects' files.
    pub(super) fn view(&self, name: &Name, before: Option<&EndedSession>) -> PilotStatus {
        self.presence.view(PilotStatus {
            name: name.clone(),
            here: false,
            since: self.presence.since(),
            why: None,
            software: self.software.clone(),
            rig: self.rig.clone(),
            children: Vec::new(),
            unacknowledged: 0,
            catching_up: false,
            quality: None,
            health: None,
            starting: self.starting.clone(),
            session: self.running.as_ref().map(Run::view),
            last: match &self.last {
                Some((_, how)) => how.clone(),
                None => before.cloned(),
            },
            hand: None,
            notice: self.notice(),
        })
    }
}

impl Run {
    pub(super) fn new(progress: Progress, score: Score, log: Log) -> Run {
        Run { progress, trials: 0, score, live: Vec::new(), log, abandoned: false }
    }

    pub(super) fn running(&self, pilot: &Name) -> Running {
        Running {
            pilot: pilot.clone(),
            session: self.progress.session,
            subject: self.progress.subject.clone(),
            task: self.progress.task.clone(),
        }
    }

    pub(super) fn view(&self) -> SessionStatus {
        let score = self.score();
        SessionStatus {
            session: self.progress.session,
            subject: self.progress.subject.clone(),
            owner: self.progress.owner.clone(),
            task: self.progress.task.clone(),
            hold: self.progress.hold,
            stopping: self.log.stops(),
            trials: self.trials(),
            correct: score.share(),
            water: self.progress.water,
            seconds: self.progress.seconds,
            stages: self.progress.stages.clone(),
            step: self.step(),
            recent: score.recent().collect(),
            valves: self.progress.valves.clone(),
            changed: self.log.changed(),
        }
    }

    fn ended(&self, Ended { session, ending, why, graduated, unix_ns, .. }: &Ended) -> EndedSession {
        EndedSession {
            session: *session,
            subject: self.progress.subject.clone(),
            task: self.progress.task.clone(),
            step: self.step(),
            trials: self.trials(),
            correct: self.score().overall(),
            ended: timestamp(*unix_ns),
            ending: *ending,
            graduated: *graduated,
            why: why.clone(),
        }
    }

    fn trials(&self) -> u32 {
        self.live.last().map_or(self.trials, |row| row.trial)
    }

    /// With the trials that are not yet safe here.
    fn score(&self) -> Score {
        let mut score = self.score.clone();
        self.live.iter().for_each(|row| score.add(row));
        score
    }

    fn step(&self) -> Option<String> {
        self.log.about().and_then(|about| about.step.clone())
    }
}
