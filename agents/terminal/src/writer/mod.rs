//! The one thread that opens subject files. What pilots sent comes to it through
//! the journal, everything else as a question.

mod files;
mod lane;
mod outcome;
mod packing;
mod rebuild;
mod start;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bramble_journal::{Journal, JournalError};
use bramble_subject::{ClockEstimate, Health, SetAside, SubjectError};
use bramble_value::{Name, SubjectId};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::refusal::{Allowed, Refusal};

pub(crate) use files::Files;
use lane::Lane;
pub(crate) use lane::{Next, Unfinished, lane_name, unfinished};
use packing::Packing;
pub(crate) use start::timestamp;

/// How long records may wait for others to be written with them.
const GATHER: Duration = Duration::from_millis(200);
/// For how many lanes a disk is waited for at a time: the others' turn comes, and
/// what they have is in the journal until then.
const KEPT_TOGETHER: usize = 16;
/// How long to wait before something that failed is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// What the writer tells of by itself.
#[derive(Debug)]
pub(crate) enum News {
    /// A session of this subject began or ended in its file.
    Session { subject: SubjectId },
    /// A subject graduated, and its next step can start.
    Graduated { pilot: Name, subject: SubjectId, next: Next },
    /// What this pilot sent can't be written for now, or, without a reason, can again.
    Stuck { pilot: Name, why: Option<String> },
    /// A message of this pilot's can't be written to any file, and is kept in the journal.
    SetAside { pilot: Name, why: String },
    /// Sessions that are over can't be taken into their subjects' files for now, or, without a reason,
    /// all are.
    Unpacked { why: Option<String> },
    /// A file of a subject's was broken, and is made again from what the journal has.
    MadeAnew { pilot: Name, subject: SubjectId, aside: SetAside },
}

type Question = Box<dyn FnOnce(&mut Files) + Send>;

enum Job {
    /// The journal has more in this lane; it is written with what comes soon, or at once.
    Wake {
        lane: String,
        urgent: bool,
    },
    /// How a pilot's clock stands.
    Clock {
        pilot: Name,
        estimate: ClockEstimate,
    },
    /// How a pilot's computer fares.
    Health {
        pilot: Name,
        health: Health,
    },
    /// A pilot is here, whose messages are in this lane and no other from now on.
    Here {
        pilot: Name,
        lane: String,
        session: Option<Uuid>,
    },
    /// Answered after everything that came before is in the files.
    Question(Question),
    Close,
}

/// The way to the writer's thread.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
    thread: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread, which begins with what the journal still has.
    ///
    /// # Errors
    /// Where the journal can't be read or no thread can be started.
    pub(crate) fn start(
        files: Files,
        journal: Journal,
        news: impl Fn(News) + Send + 'static,
    ) -> Result<Writer, JournalError> {
        let (jobs, waiting) = mpsc::channel();
        let mut work = Work {
            packing: Packing::left(&files),
            files,
            lanes: BTreeMap::new(),
            dirty: BTreeSet::new(),
            failed: BTreeSet::new(),
            retry_at: Instant::now(),
            unsaid: BTreeSet::new(),
            journal,
            news: Box::new(news),
        };
        work.files.end_moves();
        for lane in work.journal.lanes() {
            work.wake(lane)?;
        }
        let thread = std::thread::spawn(move || work.run(&waiting));
        Ok(Writer { jobs, thread: std::sync::Mutex::new(Some(thread)) })
    }

    /// The journal has more in this lane; `urgent` is not gathered with what follows.
    pub(crate) fn wake(&self, lane: String, urgent: bool) {
        self.tell(Job::Wake { lane, urgent });
    }

    /// A pilot is here with the journal of this lane, and in this session: another one, whose end
    /// is in another journal of it, is over.
    pub(crate) fn is_here(&self, pilot: Name, lane: String, session: Option<Uuid>) {
        self.tell(Job::Here { pilot, lane, session });
    }

    /// How a pilot's clock stands, for the session that it runs.
    pub(crate) fn clock(&self, pilot: Name, estimate: ClockEstimate) {
        self.tell(Job::Clock { pilot, estimate });
    }

    /// How a pilot's computer fares, for the session that it runs.
    pub(crate) fn health(&self, pilot: Name, health: Health) {
        self.tell(Job::Health { pilot, health });
    }

    /// Asks the thread, once all that came before is in the files.
    ///
    /// # Errors
    /// What the files say, and where the terminal is about to end.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Files) -> Allowed<T> + Send + 'static,
    ) -> Allowed<T> {
        let (answer, answered) = oneshot::channel();
        // Whoever asked may have gone away meanwhile.
        self.tell(Job::Question(Box::new(move |files| drop(answer.send(question(files))))));
        answered.await.unwrap_or_else(|_| Err(Refusal::failed("the terminal is about to end")))
    }

    /// Writes what is left and ends the thread.
    pub(crate) fn close(&self) {
        self.tell(Job::Close);
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        if let Some(Err(_)) = thread.map(JoinHandle::join) {
            tracing::error!("the writer had ended before; what it did not write is in the journal");
        }
    }

    fn tell(&self, job: Job) {
        // After its end, what comes stays in the journal.
        let _ = self.jobs.send(job);
    }
}

/// What the thread has.
struct Work {
    files: Files,
    packing: Packing,
    lanes: BTreeMap<String, Lane>,
    /// Those with something to be written.
    dirty: BTreeSet<String>,
    /// Those that failed, and when they are tried again.
    failed: BTreeSet<String>,
    retry_at: Instant,
    /// What is not written of which pilot's session, as was said.
    unsaid: BTreeSet<(Name, &'static str)>,
    journal: Journal,
    news: Box<dyn Fn(News) + Send>,
}

impl Work {
    fn run(mut self, jobs: &mpsc::Receiver<Job>) {
        let mut write_at = Instant::now();
        loop {
            let job = match self.is_done() {
                true => jobs.recv().ok(),
                false => match jobs.recv_timeout(write_at.saturating_duration_since(Instant::now())) {
                    Ok(job) => Some(job),
                    Err(mpsc::RecvTimeoutError::Timeout) => {
                        self.write(false);
                        write_at = Instant::now() + GATHER;
                        continue;
                    }
                    Err(mpsc::RecvTimeoutError::Disconnected) => None,
                },
            };
            match job {
                Some(Job::Wake { lane, urgent }) => {
                    if self.is_done() {
                        write_at = Instant::now() + GATHER;
                    }
                    if let Err(error) = self.wake(lane) {
                        tracing::error!("{error}");
                    } else if urgent {
                        self.write(false);
                    }
                }
                Some(Job::Here { pilot, lane, session }) => {
                    let why =
                        format!("{pilot} came back with another journal: what it observed last is not here");
                    self.over(&why, |other| {
                        *other.pilot() == pilot && other.name() != lane && other.uuid() != session
                    });
                }
                Some(Job::Clock { pilot, estimate }) => self.clock(&pilot, estimate),
                Some(Job::Health { pilot, health }) => self.health(pilot, health),
                Some(Job::Question(question)) => {
                    self.write(true);
                    let behind = self.behind();
                    self.files.note_behind(behind);
                    question(&mut self.files);
                }
                Some(Job::Close) | None => {
                    self.write(true);
                    self.keep(usize::MAX);
                    return;
                }
            }
        }
    }

    fn wake(&mut self, lane: String) -> Result<(), JournalError> {
        if !self.lanes.contains_key(&lane) {
            let Some(opened) = Lane::open(&self.journal, &lane)? else { return Ok(()) };
            self.lanes.insert(lane.clone(), opened);
        }
        if !self.failed.contains(&lane) {
            self.dirty.insert(lane);
        }
        Ok(())
    }

    /// Writes all that can be written; what failed too, where it is time to or `retry` says so.
    fn write(&mut self, retry: bool) {
        if retry || Instant::now() >= self.retry_at {
            self.dirty.append(&mut self.failed);
        }
        let mut begun = Vec::new();
        for name in std::mem::take(&mut self.dirty) {
            let Some(lane) = self.lanes.get_mut(&name) else { continue };
            let is_written = lane.write(&self.journal, &mut self.files, &self.news);
            begun.extend(lane.take_begun().map(|session| (session, lane.pilot().clone(), name.clone())));
            if !is_written {
                self.failed.insert(name);
                self.retry_at = Instant::now() + RETRY;
            }
        }
        // No animal is in two sessions: the one before was given up by who started this one.
        for ((subject, number), pilot, lane) in begun {
            let why = format!("given up: {subject} began another session, on {pilot}");
            // What is told late may have begun before those that run.
            let earlier = self.files.read(&subject, |file| {
                let begun = (file.summary(number)?.started, number);
                let all = file.sessions()?.into_iter().filter(|one| (one.started, one.number) < begun);
                Ok(all.map(|one| one.number).collect::<BTreeSet<_>>())
            });
            let earlier = earlier.unwrap_or_default();
            self.over(&why, |other| {
                let its = other.session().filter(|(of, number)| **of == subject && earlier.contains(number));
                other.name() != lane && its.is_some()
            });
        }
        self.keep(KEPT_TOGETHER);
        let in_session =
            self.lanes.values().filter_map(Lane::session).map(|(subject, _)| subject.clone()).collect();
        self.packing.go_on(&mut self.files, &in_session, &self.news);
    }

    /// Gives up the sessions that these lanes are in.
    fn over(&mut self, why: &str, is_one: impl Fn(&Lane) -> bool) {
        for (name, lane) in self.lanes.iter_mut().filter(|(_, lane)| is_one(lane)) {
            if lane.is_over(why) && !self.failed.contains(name) {
                self.dirty.insert(name.clone());
            }
        }
    }

    /// The subjects whose files lack something that failed to be written, and why.
    fn behind(&mut self) -> BTreeMap<SubjectId, String> {
        let mut behind = BTreeMap::new();
        for name in &self.failed {
            let Some(lane) = self.lanes.get_mut(name) else { continue };
            let pilot = lane.pilot().clone();
            match lane.behind(&self.journal) {
                Ok(Some((why, subjects))) => {
                    let text = format!("what {pilot} sent waits in the journal: {why}");
                    behind.extend(subjects.into_iter().map(|subject| (subject.clone(), text.clone())));
                }
                Ok(None) => {}
                Err(error) => tracing::error!("{error}"),
            }
        }
        behind
    }

    /// Has the disk hold what the lanes applied that have waited longest for it, at
    /// most so many.
    fn keep(&mut self, most: usize) {
        let now = Instant::now();
        let waiting = self.lanes.values_mut().filter_map(|lane| Some((lane.due()?, lane)));
        let mut waiting: Vec<(Instant, &mut Lane)> = waiting.filter(|(due, _)| *due <= now).collect();
        waiting.sort_by_key(|(due, _)| *due);
        let lanes = waiting.into_iter().take(most).map(|(_, lane)| lane).collect();
        lane::keep(lanes, &self.journal, &mut self.files, &self.news);
    }

    /// Whether everything that came is in the files, and those on the disk.
    fn is_done(&self) -> bool {
        let kept = self.lanes.values().all(|lane| lane.due().is_none());
        self.dirty.is_empty() && self.failed.is_empty() && kept && self.packing.is_done()
    }

    fn health(&mut self, pilot: Name, health: Health) {
        let session = self.lanes.values().filter(|lane| *lane.pilot() == pilot).find_map(Lane::session);
        if let Some((subject, number)) = session {
            let added = self.files.hold(subject).and_then(|file| file.add_health(number, &[health]));
            self.beside(&pilot, "how it fares", added);
        }
        self.files.hear_health(pilot, health);
    }

    fn clock(&mut self, pilot: &Name, estimate: ClockEstimate) {
        self.files.hear_clock(pilot.clone(), estimate);
        let session = self.lanes.values().filter(|lane| lane.pilot() == pilot).find_map(Lane::session);
        let Some((subject, number)) = session else { return };
        let added = self.files.hold(subject).and_then(|file| file.add_clock(number, &[estimate]));
        self.beside(pilot, "an estimate of its clock", added);
    }

    /// Says that something of a session was not written, and not again before it was.
    fn beside(&mut self, pilot: &Name, what: &'static str, added: Result<(), SubjectError>) {
        let one = (pilot.clone(), what);
        match added {
            Ok(()) => _ = self.unsaid.remove(&one),
            Err(error) => {
                if self.unsaid.insert(one) {
                    tracing::warn!(%pilot, "{what} was not written: {error}");
                }
            }
        }
    }
}

/// A subject file's trouble, as an answer to who asked.
impl From<SubjectError> for Refusal {
    fn from(error: SubjectError) -> Refusal {
        let text = error.to_string();
        match error {
            SubjectError::NoSuchFile(_) | SubjectError::NoSession { .. } => Refusal::missing(text),
            SubjectError::Exists(_)
            | SubjectError::InUse(_)
            | SubjectError::Runs { .. }
            | SubjectError::Moved { .. } => Refusal::conflict(text),
            _ => Refusal::failed(text),
        }
    }
}
