//! What the terminal decides: the one place that every question and every piece
//! of news comes to.

pub(crate) mod about;
mod agents;
mod export;
mod life;
mod link;
mod moves;
mod protocols;
mod recorded;
mod report;
mod start;
mod stop;
mod subjects;
mod tasks;
mod then;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bramble_health::Probe;
use bramble_journal::Journal;
use bramble_link::{LineError, Listener};
use bramble_message::{Answer, Ask, Command, TerminalToPilot, encode};
use bramble_subject::SetAside;
use bramble_value::{Name, Sources, Span, SubjectId};
use jiff::Timestamp;
use tokio::sync::{Semaphore, oneshot, watch};

pub(crate) use agents::note_who_was_here;
pub(crate) use export::{Download, Part};
pub(crate) use life::fares;
use link::Probes;

use crate::agents::Agents;
use crate::alerts::Alerts;
use crate::api::types::{By, Done, LabInfo, Pause, Reward, SendMessage, SetParameter, Status};
use crate::config::Settings;
use crate::hands::Hands;
use crate::lab::{Concern, Lab, Past, Running};
use crate::live::{Board, line};
use crate::plan;
use crate::refusal::{Allowed, Refusal};
use crate::room;
use crate::score::Score;
use crate::swarm;
use crate::web::Caller;
use crate::writer::{News, Unfinished, Writer};

/// How long a pilot may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long what it is asked may be on its way; what comes later it doesn't do.
const ON_ITS_WAY: Duration = Duration::from_secs(5);

/// Everything that the parts of a running terminal share.
pub(crate) struct Desk {
    pub(crate) settings: Settings,
    /// What the seeds of all sessions come from, where they are to be repeatable.
    pub(crate) seed: Option<u64>,
    pub(crate) writer: Writer,
    pub(crate) link: Listener,
    pub(crate) agents: Arc<Agents>,
    pub(crate) state: Arc<State>,
    pub(crate) alerts: Alerts,
    /// Those who work rigs by hand.
    pub(crate) hands: Hands,
    /// One simulation at a time is run for pages.
    pub(crate) simulating: Semaphore,
    /// One test of links at a time.
    pub(crate) testing: Semaphore,
    /// How many exports may be made at a time.
    pub(crate) exporting: Arc<Semaphore>,
    /// One session that is over is looked at for pages at a time.
    pub(crate) looking: Semaphore,
}

/// What changes while the terminal runs.
pub(crate) struct State {
    lab: Mutex<Lab>,
    /// What pages were shown of it.
    board: Mutex<Board>,
    /// From when on the moments are counted at which pages are shown something.
    pub(crate) began: Instant,
    /// Counts changes of the lab.
    changes: watch::Sender<u64>,
    asked: Mutex<Asked>,
    /// Where answers to probes of pilots' links go.
    pub(crate) probes: Probes,
}

/// The questions that pilots have not answered.
struct Asked {
    next: u64,
    waiting: HashMap<Ask, oneshot::Sender<Result<(), String>>>,
}

impl State {
    pub(crate) fn new() -> State {
        // An answer to a question of this program's last run must not look like
        // one to a question of this run.
        let next = uuid::Uuid::new_v4().as_u64_pair().0 >> 16;
        State {
            lab: Mutex::default(),
            board: Mutex::default(),
            began: Instant::now(),
            changes: watch::Sender::new(0),
            asked: Mutex::new(Asked { next, waiting: HashMap::new() }),
            probes: Probes::default(),
        }
    }

    /// The lab, to look at.
    pub(crate) fn lab(&self) -> MutexGuard<'_, Lab> {
        // Nothing that is done under the lock can leave it half changed.
        self.lab.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the lab, and tells whoever waits for a change.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Lab) -> T) -> T {
        let result = change(&mut self.lab());
        self.changes.send_modify(|count| *count += 1);
        result
    }

    /// Tells whoever hears it that the lab changed.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What pages see of the lab, as it was `since` or later.
    pub(crate) fn show<T>(&self, since: Instant, show: impl FnOnce(&Board, &Lab) -> T) -> T {
        // Counted first, so that what changes meanwhile is looked at again.
        let now = (*self.changes.borrow(), Instant::now());
        let lab = self.lab();
        // As with the lab.
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        board.look(now, since, || lab.view().0);
        show(&board, &lab)
    }

    /// A pilot answered.
    pub(crate) fn answered(&self, answer: Answer) {
        if let Some(waiting) = self.asked().waiting.remove(&answer.ask) {
            // Whoever asked may have given up.
            let _ = waiting.send(answer.outcome);
        }
    }

    /// Waits until something is so in the lab, and says whether it came to be.
    async fn until(&self, within: Duration, mut so: impl FnMut(&Lab) -> bool) -> bool {
        let mut changes = self.changes.subscribe();
        let came = async {
            while !so(&self.lab()) {
                if changes.changed().await.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(within, came).await.unwrap_or(false)
    }

    /// Waits until a pilot is away at this moment or after it.
    async fn away_after(&self, pilot: &Name, then: tokio::time::Instant) {
        let mut changes = self.changes.subscribe();
        tokio::time::sleep_until(then).await;
        loop {
            let here = self.lab().is_here(pilot);
            if !here || changes.changed().await.is_err() {
                return;
            }
        }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new question, and where its answer comes.
    fn question(&self) -> (Question<'_>, oneshot::Receiver<Result<(), String>>) {
        let (answer, answered) = oneshot::channel();
        let mut asked = self.asked();
        asked.next += 1;
        let ask = Ask(asked.next);
        asked.waiting.insert(ask, answer);
        (Question { state: self, ask }, answered)
    }
}

/// A question that waits for its answer until this is dropped.
struct Question<'a> {
    state: &'a State,
    ask: Ask,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.state.asked().waiting.remove(&self.ask);
    }
}

impl Desk {
    /// Everything that is known of the pilots.
    pub(crate) fn status(&self) -> Status {
        let ((pilots, refused), unpacked) = {
            let lab = self.state.lab();
            (lab.view(), lab.unpacked.clone())
        };
        let data = self.settings.data.clone();
        let short = room::short(&data).map(|short| short.text);
        let notice: Vec<String> = short.into_iter().chain(unpacked).collect();
        let notice = (!notice.is_empty()).then(|| notice.join("; "));
        let health = Probe::new("/", &data).look(bramble_link::now());
        Status { data, listen: self.link.endpoint().to_string(), health, pilots, refused, notice }
    }

    /// Whose lab this is, and who asks.
    pub(crate) fn lab_info(&self, caller: &Caller) -> LabInfo {
        let now = jiff::Zoned::now();
        let bramble_export::Lab { institution, name, .. } = &self.settings.lab;
        LabInfo {
            name: self.settings.name.clone(),
            software: crate::software::here(),
            zone: now.time_zone().iana_name().map(str::to_owned),
            utc_offset: now.offset().seconds(),
            institution: institution.clone(),
            lab: name.clone(),
            tasks: self.settings.tasks(),
            who: caller.person().cloned(),
            role: caller.role(),
        }
    }

    /// Holds a subject's session between two trials.
    pub(crate) async fn pause(&self, subject: &SubjectId, pause: Pause) -> Allowed<Done> {
        let Running { pilot, session, task, .. } = self.session_of(subject).await?;
        let why = pause.by.who.did("paused", &pause.why);
        self.command(&pilot, pause.by, Command::Pause { session, why }).await?;
        let what = format!("{subject}'s session of {task} on {pilot}");
        Ok(Done { done: format!("{what} begins no other trial until: bramble-terminal resume {subject}") })
    }

    /// Goes on with a subject's session that was paused.
    pub(crate) async fn resume(&self, subject: &SubjectId, pause: Pause) -> Allowed<Done> {
        let Running { pilot, session, task, .. } = self.session_of(subject).await?;
        let why = pause.by.who.did("resumed", &pause.why);
        self.command(&pilot, pause.by, Command::Resume { session, why }).await?;
        Ok(Done { done: format!("{subject}'s session of {task} on {pilot} goes on") })
    }

    /// Changes a live parameter of a subject's session.
    pub(crate) async fn set(&self, subject: &SubjectId, set: SetParameter) -> Allowed<Done> {
        let Running { pilot, session, .. } = self.session_of(subject).await?;
        let SetParameter { name, value, by } = set;
        let shown = line::value(&value);
        let done = format!("{name} is {shown} from {subject}'s next trial on");
        let (said, who) = (line::parameter(&name, &shown), by.who.clone());
        let unix_ns = unix_ns();
        // The pilot says that it was done, which the subject's history then has.
        self.command(&pilot, by, Command::SetParameter { session, name, unix_ns, value }).await?;
        self.state.change(|lab| lab.said(subject, &who, said));
        Ok(Done { done })
    }

    /// Gives a subject's task a message.
    pub(crate) async fn message(&self, subject: &SubjectId, send: SendMessage) -> Allowed<Done> {
        let Running { pilot, session, task, .. } = self.session_of(subject).await?;
        let SendMessage { name, by } = send;
        let done = format!("{task} got the message {name}");
        self.command(&pilot, by, Command::Message { session, name }).await?;
        Ok(Done { done })
    }

    /// Gives water by hand.
    pub(crate) async fn reward(&self, subject: &SubjectId, reward: Reward) -> Allowed<Done> {
        let Running { pilot, session, .. } = self.session_of(subject).await?;
        let Reward { port, volume, by } = reward;
        let done = format!("{subject} got {volume} from {port}");
        self.command(&pilot, by, Command::Reward { session, port, volume }).await?;
        Ok(Done { done })
    }

    /// Does what news of the writer asks for.
    pub(crate) async fn hear(&self, news: News) {
        match news {
            News::Stuck { pilot, why } => {
                let notice = why.map(|why| format!("what it sent waits in the journal: {why}"));
                self.state.change(|lab| lab.notice(&pilot, Concern::Waits, notice));
            }
            News::SetAside { pilot, why } => {
                let notice = format!(
                    "something that it sent can't be written to any file, and is kept in the journal: {why}"
                );
                self.state.change(|lab| lab.notice(&pilot, Concern::SetAside, Some(notice)));
            }
            News::Unpacked { why } => self.state.change(|lab| lab.unpacked = why),
            News::MadeAnew { pilot, subject, aside } => {
                let notice = match aside {
                    SetAside::Subject(aside) => format!(
                        "the file of {subject} was broken, and was set aside as {}: the new one has the session \
                         that runs, and what is older is to be restored from a copy",
                        aside.display()
                    ),
                    SetAside::Session(aside) => format!(
                        "the file of {subject}'s session was broken, and was set aside as {}: it is written again \
                         from the journal",
                        aside.display()
                    ),
                };
                self.state.change(|lab| lab.notice(&pilot, Concern::MadeAnew, Some(notice)));
            }
            News::Session { subject } => self.alerts.look_at(&subject),
            News::Graduated { pilot, subject, next } => {
                if let Err(refusal) = self.start_next(&subject, &pilot, &next).await {
                    tracing::warn!(%subject, %pilot, "the next step did not start: {refusal}");
                    let notice = format!(
                        "{subject}'s next step did not start by itself: {refusal}; when it is to: \
                         bramble-terminal start {subject} --pilot {pilot}"
                    );
                    self.state.change(|lab| lab.notice(&pilot, Concern::NextStep, Some(notice)));
                }
            }
        }
    }

    /// Finds out what is known of a session that was found running.
    pub(crate) async fn look_up(&self, found: Running) {
        let Running { pilot, session, subject, .. } = found;
        let read = self.read(subject, move |file| {
            let Some(known) = file.session_by_uuid(session)? else { return Ok(None) };
            let rows = file.trials(known.number)?.rows;
            let start = file.session(known.number)?;
            let notes = line::lines(
                (start.started, start.start_time),
                None,
                file.notes(known.number)?,
                &file.history()?,
            );
            Ok(Some((start, rows, file.events(known.number)?, notes)))
        });
        let Ok(Some((start, rows, events, notes))) = read.await else { return };
        let sources = Sources { root: start.root.clone(), files: start.sources.clone() };
        // It may have to be evaluated at length.
        let loaded = plan::blocking(move || Ok(bramble_task::load(&sources).ok())).await;
        let task = loaded.ok().flatten();
        let mut score = task.as_ref().map(|task| Score::of(&task.definition)).unwrap_or_default();
        rows.iter().for_each(|row| score.add(row));
        let past = Past { about: about::of_file(start, task.as_ref()), rows, events, notes };
        self.state.change(|lab| lab.recovered(&pilot, session, score, past));
    }

    /// Has the lab expect the pilots that were in a session when they were last heard of:
    /// their subjects can't start another meanwhile.
    pub(crate) async fn expect(&self, journal: Journal) {
        // What the journal still has may be the end of one.
        if self.writer.ask(|_| Ok(())).await.is_err() {
            return;
        }
        let unfinished = match plan::blocking(move || Ok(swarm::unfinished(&journal))).await {
            Ok(Ok(unfinished)) => unfinished,
            Ok(Err(error)) => return tracing::error!("{error}"),
            Err(_) => return,
        };
        for Unfinished { pilot, session, subject, owner } in unfinished {
            let task = self.read(subject.clone(), move |file| {
                let known = file.session_by_uuid(session)?.filter(|known| known.end.is_none());
                Ok(known.map(|known| known.task))
            });
            let Ok(Some(task)) = task.await else { continue };
            let running = Running { pilot, session, subject, task };
            self.state.change(|lab| lab.expect(&running, owner, Timestamp::now()));
            self.look_up(running).await;
        }
    }

    /// Asks a pilot to do something, and waits for its answer.
    async fn command(&self, pilot: &Name, by: By, command: Command) -> Allowed<()> {
        let (question, answered) = self.state.question();
        let ending = || Refusal::failed("the terminal is about to end");
        let line = self.link.line(pilot);
        let By { who, take_over } = by;
        let latest = tokio::time::Instant::now() + ON_ITS_WAY;
        let not_after = Some(bramble_link::now() + Span::from_ns(ON_ITS_WAY.as_nanos() as i64));
        let ask = question.ask;
        let message = encode(&TerminalToPilot::Command { ask, by: who, take_over, not_after, command });
        let sent = match line.hand_over(message) {
            Ok(message) => message.queued().await,
            Err(error) => Err(error),
        };
        sent.map_err(|error| match error {
            LineError::Closed => ending(),
            LineError::NotQueued(why) => Refusal::failed(format!("{pilot} was not asked: {why}"))
                .help(format!("see whether {pilot} is well, and try again: bramble-terminal status")),
        })?;
        let answer = tokio::select! {
            answer = tokio::time::timeout(PATIENCE, answered) => answer,
            () = self.state.away_after(pilot, latest) => {
                return Err(Refusal::failed(format!(
                    "{pilot} went away before it answered: what it had not done by then it doesn't do later"
                ))
                .help("see what it does when it is back: bramble-terminal status"));
            }
        };
        match answer {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(why))) if why.starts_with(pilot.as_str()) => Err(Refusal::conflict(why)),
            Ok(Ok(Err(why))) => Err(Refusal::conflict(format!("{pilot} refused: {why}"))),
            Ok(Err(_)) => Err(ending()),
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                Err(Refusal::failed(format!("{pilot} gave no answer within {seconds} s; it may still do it"))
                    .help("look again: bramble-terminal status"))
            }
        }
    }
}

/// Now, by this computer's wall clock: nanoseconds since 1970, UTC.
fn unix_ns() -> i64 {
    i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}
