//! The pilot's own thread: it takes commands, has sessions run, and tells the
//! terminal how things are.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use bramble_journal::Journal;
use bramble_link::{Dialer, Event};
use bramble_message::{
    Activity, PilotHello, RigDevice, Status, TerminalHello, TerminalToPilot, decode, encode,
};
use bramble_rig::{Post, inbox};

use crate::children::Children;
use crate::desk::{Deed, Desk};
use crate::host;
use crate::memory::LANE;
use crate::scribe::{Doing, Entry, Pen};
use crate::session::{Job, News};

/// Something that the pilot's thread is to look at.
#[derive(Debug)]
pub(crate) enum Input {
    /// On the link to the terminal.
    Terminal(Event),
    /// Of the session.
    Session(News),
    /// A child came or went.
    Children,
    /// The pilot is to end.
    Leave,
}

/// How often the terminal is told how things are, while a session runs.
const TICK: Duration = Duration::from_millis(250);

/// How long a session may take to end when the pilot does.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// What the pilot's thread holds.
pub(crate) struct Pilot {
    pub(crate) desk: Desk,
    pub(crate) rig: Vec<RigDevice>,
    pub(crate) dialer: Dialer,
    pub(crate) journal: Journal,
    pub(crate) children: Children,
    pub(crate) pen: Pen,
    pub(crate) doing: Doing,
    pub(crate) jobs: Sender<Job>,
    /// To the session that runs, or is got ready.
    pub(crate) post: Option<Post>,
    /// What the terminal was told last.
    pub(crate) told: Option<Status>,
}

impl Pilot {
    /// Runs until the pilot is to end; then the session has ended too, or it was
    /// waited for long enough. Returns how to end the link.
    pub(crate) fn run(mut self, inputs: &Receiver<Input>) -> Dialer {
        let mut leaving: Option<Instant> = None;
        let mut next_tick = Instant::now();
        while !leaving.is_some_and(|since| self.desk.is_idle() || since.elapsed() > LAST_PATIENCE) {
            match inputs.recv_timeout(next_tick.saturating_duration_since(Instant::now())) {
                Ok(Input::Terminal(event)) => self.hear(event),
                Ok(Input::Session(news)) => self.news(news),
                Ok(Input::Children) => next_tick = Instant::now(),
                Ok(Input::Leave) => {
                    leaving.get_or_insert_with(Instant::now);
                    let deeds = self.desk.leave("the pilot was told to end");
                    self.act(deeds);
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.tell_status();
                    next_tick = Instant::now() + TICK;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.dialer
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Up { peer, detail, .. } => {
                let version = decode::<TerminalHello>(&detail).map(|hello| hello.software.version);
                tracing::info!(
                    "the terminal {peer} ({}) is there",
                    version.unwrap_or_else(|_| "unknown".into())
                );
                self.told = None;
            }
            Event::Down { peer, why } => tracing::warn!("the terminal {peer} is gone: {why}"),
            Event::Refused(refusal) => tracing::error!("the terminal does not talk to this pilot: {refusal}"),
            Event::Failed { why, .. } => tracing::error!("{why}"),
            Event::Message { at, payload, .. } => {
                match decode(&payload) {
                    Ok(TerminalToPilot::Command { ask, command }) => {
                        let deeds = self.desk.command(ask, command);
                        self.act(deeds);
                    }
                    Err(error) => tracing::error!("{error}"),
                }
                // Where the link has ended, so does the pilot.
                let _ = self.dialer.line().taken(at);
            }
            Event::Passing { .. } | Event::Clock { .. } => {}
        }
    }

    fn news(&mut self, news: News) {
        match news {
            News::Started(task) => {
                tracing::info!("a session of task {} started", task.name);
                let deeds = self.desk.started(task);
                self.act(deeds);
            }
            News::Refused(why) => {
                tracing::warn!("a session was refused: {why}");
                let deeds = self.desk.refused(&why);
                self.act(deeds);
                self.post = None;
            }
            News::Ended(ended) => {
                tracing::info!("the session ended ({}): {}", ended.ending.name(), ended.why);
                self.desk.ended();
                self.post = None;
            }
        }
    }

    fn act(&mut self, deeds: Vec<Deed>) {
        for deed in deeds {
            match deed {
                Deed::Answer(answer) => self.pen.write(Entry::Answer(answer)),
                Deed::Start(request) => {
                    let (post, inbox) = inbox();
                    self.post = Some(post.clone());
                    if self.jobs.send(Job { request, post, inbox }).is_err() {
                        let deeds = self.desk.refused("the pilot's session thread failed: restart the pilot");
                        self.act(deeds);
                    }
                }
                Deed::Tell(request) => {
                    // A session that has just ended needs to be told nothing.
                    let _ = self.post.as_ref().map(|post| post.request(request));
                }
            }
        }
    }

    /// Tells the terminal how things are, where they changed or a session runs.
    fn tell_status(&mut self) {
        let unacknowledged = self.journal.pending(LANE).unwrap_or_else(|error| {
            tracing::error!("{error}");
            0
        });
        let children = self.children.presence();
        let status = Status { activity: self.doing.now(), unacknowledged, children };
        if self.told.as_ref() == Some(&status) && status.activity == Activity::Idle {
            return;
        }
        self.dialer.describe(encode(&hello(self.rig.clone(), status.activity.clone())));
        // Where the link has ended, so does the pilot.
        let _ = self.dialer.line().passing(encode(&status));
        self.told = Some(status);
    }
}

/// What the terminal is told first.
pub(crate) fn hello(rig: Vec<RigDevice>, activity: Activity) -> PilotHello {
    PilotHello { software: host::software(), rig, activity }
}
