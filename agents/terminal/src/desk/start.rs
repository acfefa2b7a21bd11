//! Starting a session: from a subject and a pilot to a session that runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bramble_message::{Command, Graduation, StartSession};
use bramble_subject::{ProtocolStep, SubjectFile, life};
use bramble_value::{Name, Random, Seed, SubjectId, Trials, Value};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::life::fares;
use super::subjects::no_subject;
use super::{Desk, State, unix_ns};
use crate::api::asked::Asker;
use crate::api::types::{By, Done, Start, Training};
use crate::assignment::{renumbered, training};
use crate::lab::Follows;
use crate::plan::{self, Chosen, Plan};
use crate::refusal::{Allowed, Reason, Refusal};
use crate::room;
use crate::software;
use crate::unusual::{Before, Place, Unusual};
use crate::writer::{Files, Next};

/// How long after its answer a pilot may take to say that the session started.
pub(super) const START: Duration = Duration::from_secs(10);

/// How long a pilot that is here may take to tell how a session ended that is over.
const TOLD: Duration = Duration::from_secs(5);

/// How often the next step is tried to be started, and how long between two tries.
const NEXT_TRIES: u32 = 20;
const NEXT_WAIT: Duration = Duration::from_millis(250);

/// A pilot that is kept for a start, until this is dropped.
struct Reserved {
    state: Arc<State>,
    pilot: Name,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.state.change(|lab| lab.unreserve(&self.pilot));
    }
}

/// Where a session's seed comes from.
enum SeedFrom {
    /// Nowhere: it is new.
    Chance,
    /// A person, who wants this one.
    Person(Seed),
    /// A number that the terminal was given, the subject, and the session's place among its sessions.
    Base(u64),
    /// The session before, whose graduation led to this one.
    Before(Seed),
}

impl Desk {
    /// Starts a session that a person asks for.
    pub(crate) async fn start(&self, start: Start, asker: Asker) -> Allowed<Done> {
        let seed = match (start.seed, self.seed) {
            (Some(seed), _) => SeedFrom::Person(Seed(seed)),
            (None, Some(base)) => SeedFrom::Base(base),
            (None, None) => SeedFrom::Chance,
        };
        // That there is such a subject is the first thing a person wants to know.
        self.read(start.subject.clone(), |_| Ok(())).await?;
        self.state.change(|lab| lab.reserve(&start.subject, &start.who, &start.pilot, start.abandon))?;
        let _reserved = self.reserved(&start.pilot);
        self.start_on(start, seed, false, Some(&asker)).await
    }

    /// Starts the step that a subject graduated to, where it graduated, unless a person was faster.
    ///
    /// # Errors
    /// Where it didn't start, and a person has to see to it.
    pub(super) async fn start_next(&self, subject: &SubjectId, pilot: &Name, next: &Next) -> Allowed<()> {
        // The lab hears of the end when the writer does.
        self.state.until(TOLD, |lab| lab.has_ended(pilot, next.after)).await;
        let start = Start {
            who: next.owner.clone(),
            subject: subject.clone(),
            pilot: pilot.clone(),
            task: None,
            parameters: BTreeMap::new(),
            keep: BTreeMap::new(),
            trials: next.trials,
            seed: None,
            despite_check: next.despite_check,
            abandon: false,
            confirm: Unusual::ALL.into(),
        };
        let mut tries = 0;
        loop {
            let now = Timestamp::now();
            let follows = self.state.change(|lab| lab.follow((subject, &next.owner), pilot, next.after, now));
            let started = match follows {
                Ok(Follows::Overtaken) => return Ok(()),
                Ok(Follows::Late) => return Err(late(pilot, next)),
                Ok(Follows::Yes) => {
                    let _reserved = self.reserved(pilot);
                    self.start_on(start.clone(), SeedFrom::Before(next.seed), next.paused, None)
                        .await
                        .map(drop)
                }
                Err(refusal) => Err(refusal),
            };
            match started {
                // Its pilot may still be putting the last session away.
                Err(refusal) if refusal.reason == Reason::Conflict && tries < NEXT_TRIES => {
                    tries += 1;
                    tokio::time::sleep(NEXT_WAIT).await;
                }
                result => return result,
            }
        }
    }

    /// Has a pilot that is kept for a start be so until this is dropped.
    fn reserved(&self, pilot: &Name) -> Reserved {
        Reserved { state: Arc::clone(&self.state), pilot: pilot.clone() }
    }

    /// Starts a session on a pilot that is kept for it.
    async fn start_on(
        &self,
        start: Start,
        seed: SeedFrom,
        paused: bool,
        asker: Option<&Asker>,
    ) -> Allowed<Done> {
        let Start {
            who,
            subject,
            pilot,
            task,
            parameters,
            keep,
            trials,
            despite_check,
            abandon,
            confirm,
            ..
        } = start;
        if let Some(short) = room::short(&self.settings.data).filter(|short| short.refuses) {
            return Err(Refusal::failed(short.text));
        }
        let chosen = Chosen { parameters, keep };
        // What comes of its last session is what this one starts from.
        self.state.until(TOLD, |lab| !lab.awaits_end_of(&subject)).await;
        let behind = self.behind(&subject).await?;
        let look = |file: &SubjectFile| {
            let weighings = life::counted(&file.weights()?).iter().map(|weight| weight.when).collect();
            let (life, sessions) = (fares(file)?, file.sessions()?);
            let last = sessions.iter().max_by_key(|session| session.started);
            let simulated = last.map(|last| Ok(file.session(last.number)?.is_simulated())).transpose()?;
            let before = Before { life, sessions, boxes: Vec::new(), weighings, simulated, behind };
            Ok((training(&file.history()?), before))
        };
        let (training, mut before) = self.read(subject.clone(), look).await?;
        let of_each = before.sessions.iter().map(|session| (session.pilot.as_str(), session.started));
        before.boxes = self.agents.names_now(of_each);
        let sessions = before.sessions.len() as u64;
        let at = if task.is_none() { Some(step_to_run(&subject, training)?) } else { None };
        let settings = self.settings.clone();
        let (whose, held) = (subject.clone(), at.clone());
        let (plan, now, (origin, unread)) = plan::blocking(move || {
            let (file, plan, now) = match (task, at) {
                (Some(file), _) => (file.clone(), Plan::of_task(&file, chosen)?, None),
                (None, Some(at)) => {
                    let (plan, now) = Plan::of_training(&whose, &at, chosen)?;
                    (at.protocol, plan, Some(now))
                }
                (None, None) => return Err(Refusal::wrong("say which task to run")),
            };
            Ok((plan, now, software::origin(&settings, file.parent().unwrap_or(&file))))
        })
        .await?;
        // Nobody is asked in vain: whatever else may be wrong was found before.
        let zone = TimeZone::system();
        let simulated = self.state.lab().is_simulated(&pilot);
        let place = Place { pilot: &pilot, simulated };
        let unusual = before.check(&subject, place, &confirm, &zone)?;
        // A step that follows by itself nobody was asked about, and nobody is there to read.
        let follows = matches!(seed, SeedFrom::Before(_));
        let confirmed = if follows { BTreeMap::new() } else { unusual };
        let (mut kept, earlier) = self.past(&subject, &plan).await?;
        let what = plan.describe();
        kept.extend(plan.keep);
        let session = Uuid::new_v4();
        let request = StartSession {
            session,
            subject: subject.clone(),
            owner: who.clone(),
            task: plan.task,
            parameters: plan.parameters,
            seed: seed.seed(&subject, sessions),
            kept,
            graduation: plan.step.map(|step| Graduation {
                protocol: step.sources,
                step: step.index,
                earlier,
            }),
            trials,
            paused,
            despite_check,
            confirmed,
            unix_ns: Some(unix_ns()),
            origin,
        };
        if let (Some(held), Some(now)) = (held, &now) {
            let who = if follows { format!("{pilot}, by itself") } else { who.to_string() };
            self.follow(&subject, held, now, who).await?;
        }
        let by = By { who, take_over: false };
        self.state.change(|lab| -> Allowed<()> {
            asker.map_or(Ok(()), Asker::check)?;
            lab.is_still_wanted(&pilot)?;
            if !follows {
                lab.notices_are_read(&pilot);
                lab.overtake(&subject, &pilot);
            }
            Ok(())
        })?;
        self.command(&pilot, by, Command::Start(Box::new(request))).await?;
        if abandon {
            self.state.change(|lab| lab.abandon(&subject, &pilot));
        }
        // A stop that comes right after this must find the session.
        self.state.until(START, |lab| lab.has_started(&pilot, session)).await;
        let simulated = if simulated { " (simulated)" } else { "" };
        let unread = unread.map(|why| format!("\nwarning: {why}")).unwrap_or_default();
        let was = now.and_then(|now| now.was);
        let was = was.map(|was| format!("\nits step was {was} before its protocol was changed"));
        let (was, shown) = (was.unwrap_or_default(), before.shown(&zone));
        Ok(Done { done: format!("{subject} started {what} on {pilot}{simulated}{was}{shown}{unread}") })
    }

    /// Writes into a subject's history that its protocol has its step in another place now.
    async fn follow(&self, subject: &SubjectId, held: Training, now: &Training, who: String) -> Allowed<()> {
        let Some(was) = &now.was else { return Ok(()) };
        let change = renumbered(was, &now.label, bramble_subject::By { who, when: Timestamp::now() });
        let id = subject.clone();
        let write = move |files: &mut Files| {
            let log = |file: &mut SubjectFile| {
                // A person may have assigned it elsewhere since.
                if training(&file.history()?) == Some(held) { file.log(&change) } else { Ok(()) }
            };
            files.write(&id, log).map_err(|error| no_subject(&id, error))
        };
        self.writer.ask(write).await
    }

    /// What the subject's file has for the session: the columns that are kept,
    /// and the trials that graduation looks at.
    async fn past(&self, subject: &SubjectId, plan: &Plan) -> Allowed<(BTreeMap<String, Value>, Trials)> {
        let name = plan.definition.name.clone();
        let columns: Vec<_> = plan
            .definition
            .columns
            .iter()
            .filter(|column| column.carry.as_ref().is_some_and(|carry| carry.keep))
            .map(|column| (column.name.to_string(), column.kind.clone()))
            .collect();
        let step = plan.step.as_ref().map(|step| {
            let names = &step.names;
            (ProtocolStep { protocol: names.protocol.clone(), step: names.this.clone() }, step.looks_back)
        });
        let look = move |file: &SubjectFile| {
            let mut kept = BTreeMap::new();
            for (column, kind) in columns {
                if let Some((_, value)) = file.kept(&name, &column)?.filter(|(known, _)| *known == kind) {
                    kept.insert(column, value);
                }
            }
            let earlier = match step {
                Some((at, looks_back)) if looks_back > 0 => file.recent_trials(&at, looks_back)?,
                _ => Trials::default(),
            };
            Ok((kept, earlier))
        };
        self.read(subject.clone(), look).await
    }
}

impl SeedFrom {
    fn seed(&self, subject: &SubjectId, sessions: u64) -> Seed {
        let mut random = match self {
            SeedFrom::Person(seed) => return *seed,
            SeedFrom::Chance => return Seed(Uuid::new_v4().as_u64_pair().1 & (MOST - 1)),
            SeedFrom::Base(base) => Random::new(Seed(*base), subject.as_str(), sessions),
            SeedFrom::Before(seed) => Random::new(*seed, "the next session", 0),
        };
        Seed(random.below(MOST))
    }
}

/// Seeds are less than this, so that every program can read them as numbers.
const MOST: u64 = 1 << 53;

/// Where a subject goes on, or why it can't.
fn step_to_run(subject: &SubjectId, training: Option<Training>) -> Allowed<Training> {
    let training = training.ok_or_else(|| {
        Refusal::conflict(format!("{subject} is assigned to no protocol")).help(format!(
            "assign it: bramble-terminal subject assign {subject} PROTOCOL; or run one task: --task FILE"
        ))
    })?;
    if training.finished {
        let protocol = training.protocol.display();
        return Err(Refusal::conflict(format!("{subject} has finished its protocol, {protocol}")).help(format!(
            "assign it another, or a step of this one: bramble-terminal subject assign {subject} PROTOCOL --step N"
        )));
    }
    Ok(training)
}

/// Why a step doesn't follow by itself: nobody waits for it any more.
fn late(pilot: &Name, next: &Next) -> Refusal {
    let ended = next.ended.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M");
    Refusal::conflict(format!("it graduated at {ended}, and another animal may be in {pilot} by now"))
}
