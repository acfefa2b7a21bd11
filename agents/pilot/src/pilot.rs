//! The pilot's own thread: it takes commands, has sessions run, and tells the
//! terminal how things are.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SendError, Sender};
use std::time::{Duration, Instant};

use bramble_enrolment::Member;
use bramble_health::Probe;
use bramble_identity::Serial;
use bramble_journal::{Disk, Journal, Share};
use bramble_link::{Dialer, Event, Position};
use bramble_message::{
    Activity, Answer, PilotHello, PilotInPassing, RigDevice, Status, TerminalHello, decode, encode,
};
use bramble_rig::inbox;
use bramble_value::Span;
use miette::Diagnostic;
use thiserror::Error;

use crate::children::Children;
use crate::dates::Dates;
use crate::desk::Deed;
use crate::front::Front;
use crate::hand;
use crate::memory::LANE;
use crate::reaction::Reactions;
use crate::reserve::Reserve;
use crate::room::{Measure, Room};
use crate::scribe::{Doing, Entry, Pen};
use crate::session::{Job, News, Order, PROGRAM};
use crate::wall::Clocks;

/// Something that the pilot's thread is to look at.
#[derive(Debug)]
pub(crate) enum Input {
    /// On the link to the terminal, other than a message.
    Terminal(Event),
    /// A command of the terminal was taken: what is left to do of it, and the answer that was
    /// given.
    Command { at: Position, left: Vec<Deed>, answer: Option<Answer> },
    /// Agents with these certificates are let in no more.
    Revoked { at: Position, certificates: Vec<Serial> },
    /// Of the session: what the front was told, and what is left to do of it.
    Session(News, Vec<Deed>),
    /// A thread panicked that the pilot can't be without.
    Failed(Failed),
    /// A person wants to work the rig by hand.
    Hand(hand::Job),
    /// A child came or went.
    Children,
    /// The pilot is to end.
    Leave,
}

/// The pilot can't go on as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Diagnostic)]
pub(crate) enum Failed {
    /// The session's thread panicked; its outputs went to their safe states.
    #[error("the thread that runs sessions failed; what it said is above")]
    #[diagnostic(help(
        "start the pilot again: it reports the session it was in with all that was observed, \
         and please report this as a mistake of Bramble's"
    ))]
    Session,
    /// The thread of the link to the terminal panicked; its session was stopped.
    #[error("the thread of the link to the terminal failed; what it said is above")]
    #[diagnostic(help(
        "start the pilot again: nothing of what was observed is lost, and please report this as a mistake of \
         Bramble's"
    ))]
    Link,
}

/// How often the terminal is told how things are, while a session runs.
const TICK: Duration = Duration::from_millis(250);

/// How often it is told while nothing changes.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// How often this computer is looked at.
const LOOK_EVERY: Span = Span::from_s(5);

/// How long a session may take to end when the pilot does.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// What the pilot's thread holds.
pub(crate) struct Pilot {
    pub(crate) front: Front,
    pub(crate) rig: Vec<RigDevice>,
    pub(crate) dialer: Dialer,
    pub(crate) journal: Journal,
    pub(crate) children: Children,
    pub(crate) pen: Pen,
    pub(crate) doing: Doing,
    pub(crate) jobs: Sender<Job>,
    /// As many jobs are given and not done.
    pub(crate) at_work: u32,
    /// What the terminal was told last, and when.
    pub(crate) told: Option<(Instant, Status)>,
    /// How much room there is for what is observed.
    pub(crate) room: Room,
    /// How much the journal may take, in bytes.
    pub(crate) limit: u64,
    /// Kept for the end of a session on a full disk.
    pub(crate) reserve: Reserve,
    pub(crate) probe: Probe,
    pub(crate) dates: Dates,
    pub(crate) reactions: Reactions,
    /// What it has of its swarm.
    pub(crate) member: Member,
    /// The folder of its keys.
    pub(crate) keys: PathBuf,
    /// What is to be done when it has ended.
    pub(crate) then: Then,
}

/// What is to be done when the pilot has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing: it was told to end.
    End,
    /// It was renamed, and starts again under its new name.
    StartAgain,
}

impl Pilot {
    /// Runs until the pilot is to end; then the session has ended too, or it was
    /// waited for long enough. Returns how to end the link, and what then.
    pub(crate) fn run(mut self, inputs: &Receiver<Input>) -> (Dialer, Result<Then, Failed>) {
        let mut leaving: Option<Instant> = None;
        let mut failed = None;
        let mut next_tick = Instant::now();
        while self.then == Then::End
            && !leaving.is_some_and(|since| self.is_idle() || since.elapsed() > LAST_PATIENCE)
        {
            match inputs.recv_timeout(next_tick.saturating_duration_since(Instant::now())) {
                Ok(Input::Terminal(event)) => self.hear(event),
                Ok(Input::Command { at, left, answer }) => {
                    self.act(left);
                    if let Some(answer) = answer {
                        self.pen.write(Entry::Answer(answer));
                    }
                    self.taken(at);
                }
                Ok(Input::Revoked { at, certificates }) => {
                    self.revoke(certificates);
                    self.taken(at);
                }
                Ok(Input::Session(news, left)) => self.news(news, left),
                Ok(Input::Failed(Failed::Session)) => return (self.dialer, Err(Failed::Session)),
                Ok(Input::Failed(Failed::Link)) => {
                    failed = Some(Failed::Link);
                    leaving.get_or_insert_with(Instant::now);
                    self.leave("the pilot's link to the terminal failed, and the pilot with it");
                }
                Ok(Input::Hand(job)) => self.hand(job),
                Ok(Input::Children) => next_tick = Instant::now(),
                Ok(Input::Leave) => {
                    leaving.get_or_insert_with(Instant::now);
                    self.leave("the pilot was told to end");
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.look_at_room();
                    self.tell_status();
                    for told in self.dates.due().into_iter().chain(self.reactions.due()) {
                        // Where the link has ended, so does the pilot.
                        let _ = self.dialer.line().passing(encode(&told));
                    }
                    next_tick = Instant::now() + TICK;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        (self.dialer, failed.map_or(Ok(self.then), Err))
    }

    /// Whether nothing runs, and all is done of what did.
    fn is_idle(&self) -> bool {
        self.at_work == 0 && self.front.counter().desk.is_idle()
    }

    /// Has what runs end.
    fn leave(&mut self, why: &str) {
        let deeds = self.front.counter().desk.leave(why);
        self.act(deeds);
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Up { peer, detail, .. } => {
                let version = match decode::<TerminalHello>(&detail) {
                    Ok(TerminalHello { software, revoked }) => {
                        self.revoke(revoked);
                        software.version
                    }
                    Err(_) => "unknown".into(),
                };
                tracing::info!("the terminal {peer} ({version}) is there");
                self.told = None;
                self.dates.again();
            }
            Event::Down { peer, why } => tracing::warn!("the terminal {peer} is gone: {why}"),
            Event::Refused(refusal) => tracing::error!("the terminal does not talk to this pilot: {refusal}"),
            Event::Unreached { why } => tracing::warn!("the terminal can't be reached: {why}"),
            Event::Failed { why, .. } => tracing::error!("{why}"),
            // The front takes messages.
            Event::Message { .. } | Event::Passing { .. } | Event::Clock { .. } => {}
        }
    }

    /// What the terminal said up to here is done, or noted.
    fn taken(&self, at: Position) {
        // Where the link has ended, so does the pilot.
        let _ = self.dialer.line().taken(at);
    }

    fn news(&mut self, news: News, left: Vec<Deed>) {
        match news {
            News::Started(course) => tracing::info!("a session of task {} started", course.task.name),
            News::Refused(why) => tracing::warn!("a session was refused: {why}"),
            News::Ended(ending, why) => tracing::info!("the session ended ({}): {why}", ending.name()),
            News::HandEnded => self.dates.again(),
            News::Done => self.at_work = self.at_work.saturating_sub(1),
        }
        self.act(left);
    }

    /// Has a hand work the rig, where nothing else does.
    fn hand(&mut self, job: hand::Job) {
        let mut counter = self.front.counter();
        let taken = counter.desk.by_hand(job.what(), job.who.as_ref());
        if taken.is_ok() {
            counter.post = Some(job.post.clone());
        }
        // A hand that doesn't read is waited for, and no command then waits with it.
        drop(counter);
        if let Err(why) = taken {
            return job.refuse(why);
        }
        if let Some(who) = &job.who {
            tracing::info!("{who} works the rig by hand, at a page ({})", job.what());
        }
        if let Some(text) = self.room.notice() {
            job.note(text.to_owned());
        }
        self.at_work += 1;
        if let Err(SendError(Job::Hand(job))) = self.jobs.send(Job::Hand(job)) {
            self.at_work -= 1;
            self.front.counter().over();
            job.refuse("the pilot's session thread failed: restart the pilot".to_owned());
        }
    }

    fn act(&mut self, deeds: Vec<Deed>) {
        for deed in deeds {
            match deed {
                Deed::Answer(answer) => {
                    // Whoever waits for it waits for no disk. Where the link has ended, so
                    // does the pilot.
                    let _ = self.dialer.line().passing(encode(&PilotInPassing::Answer(answer.clone())));
                    self.pen.write(Entry::Answer(answer));
                }
                Deed::Start(request) => {
                    let (post, inbox) = inbox();
                    self.front.counter().post = Some(post.clone());
                    self.at_work += 1;
                    let order = Order { request, heard: Clocks::now(), post, inbox };
                    if self.jobs.send(Job::Session(order)).is_err() {
                        self.at_work -= 1;
                        let why = "the pilot's session thread failed: restart the pilot";
                        let deeds = self.front.counter().refused(why);
                        self.act(deeds);
                    }
                }
                Deed::Rename(ask, certificate) => {
                    let outcome = self.rename(&certificate);
                    if outcome.is_ok() {
                        self.then = Then::StartAgain;
                    }
                    self.pen.write(Entry::Answer(Answer { ask, outcome }));
                }
                Deed::Own(session, owner) => {
                    tracing::info!("the session is {owner}'s now");
                    self.pen.write(Entry::Owner(session, owner));
                }
                Deed::Set(set) => {
                    tracing::info!("{} set {} to {}", set.who, set.name, set.value);
                    self.pen.write(Entry::Set(set));
                }
                // One that has just ended needs to be told nothing.
                Deed::Tell(request) => drop(self.front.counter().tell(request)),
            }
        }
    }

    /// Sees how much room is left, and does what that asks for.
    fn look_at_room(&mut self) {
        if self.room.notice().is_some() {
            // What the terminal has by now gives room once it is gone from the disk.
            let _ = self.journal.change(|_| Ok(()));
        }
        let used = self.journal.size();
        // Where the folder can't be asked about, writing to it says why.
        let disk = self.journal.path().parent().and_then(|folder| Disk::of(folder).ok());
        for measure in self.room.look(Share { used, limit: self.limit }, disk) {
            match measure {
                Measure::Say(text) => tracing::warn!("{text}"),
                Measure::Relieved => tracing::info!("there is room again for what is observed"),
                Measure::EndSession(why) => {
                    let deeds = self.front.counter().desk.end_for_want_of_room(&why);
                    self.act(deeds);
                }
            }
        }
        if self.room.refusal().is_none() {
            self.reserve.hold();
        }
        self.front.counter().desk.has_no_room(self.room.refusal());
    }

    /// Lets agents with these certificates in no more.
    fn revoke(&self, certificates: Vec<Serial>) {
        let known = self.member.revocations.all().len();
        if let Err(error) = self.member.revocations.revoke(certificates) {
            tracing::error!("which agents were revoked is forgotten when this pilot ends: {error}");
        }
        if self.member.revocations.all().len() != known {
            self.children.more_are_revoked();
        }
    }

    /// Takes another name, which is that of the pilot's next start.
    fn rename(&self, certificate: &[u8]) -> Result<(), String> {
        let name = &self.member.name;
        let Some(identity) = &self.member.identity else {
            return Err(format!("{name} isn't enrolled: its configuration says what it is called"));
        };
        if self.at_work > 0 {
            return Err(format!("{name} is still writing down what it observed; try again in a moment"));
        }
        // What it observed is noted under the name that it has.
        match self.journal.pending(LANE) {
            Ok(0) => {}
            Ok(_) => return Err(format!("{name} is still sending what it observed; try again in a moment")),
            Err(error) => return Err(error.to_string()),
        }
        let renamed = identity.renamed(certificate).map_err(|error| error.to_string())?;
        renamed.save(&self.keys).map_err(|error| error.to_string())?;
        tracing::info!("{name} is called {} from now on, and starts again", renamed.agent().name);
        Ok(())
    }

    /// Tells the terminal how things are, where they changed, a session runs, or it was not
    /// told for a while.
    fn tell_status(&mut self) {
        let time = bramble_link::now();
        let (activity, unacknowledged) = self.doing.now(self.journal.released(LANE));
        let health = self.told.as_ref().and_then(|(_, told)| told.health.clone());
        let health = health.filter(|last| time.since(last.time) < LOOK_EVERY);
        let health = health.or_else(|| Some(self.probe.look(time)));
        let children = self.children.presence();
        let notice = self.room.notice().map(str::to_owned);
        let hand = self.front.counter().desk.in_hand();
        let status = Status { time, activity, unacknowledged, children, health, notice, hand };
        if let Some((when, told)) = &self.told
            && when.elapsed() < TELL_EVERY
            && status.activity == Activity::Idle
            && is_the_same(told, &status)
        {
            return;
        }
        self.dialer.describe(encode(&hello(self.rig.clone(), status.activity.clone())));
        // Where the link has ended, so does the pilot.
        let _ = self.dialer.line().passing(encode(&PilotInPassing::Status(Box::new(status.clone()))));
        self.told = Some((Instant::now(), status));
    }
}

/// Whether nothing happened between two looks that a person waits for.
fn is_the_same(told: &Status, now: &Status) -> bool {
    let here = |status: &Status| -> Vec<bool> { status.children.iter().map(|child| child.here).collect() };
    told.activity == now.activity
        && told.hand == now.hand
        && told.unacknowledged == now.unacknowledged
        && here(told) == here(now)
}

/// Tells the pilot's thread when the thread that holds this panics.
pub(crate) struct Alarm {
    pub(crate) inputs: Sender<Input>,
    /// What has failed then.
    pub(crate) failed: Failed,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Where nobody listens the pilot is ending anyway.
            let _ = self.inputs.send(Input::Failed(self.failed));
        }
    }
}

/// What the terminal is told first.
pub(crate) fn hello(rig: Vec<RigDevice>, activity: Activity) -> PilotHello {
    PilotHello { software: bramble_software::software(PROGRAM), rig, activity }
}

#[cfg(test)]
mod tests;
