//! Hands at a page: what the terminal says of them on the link, and what they are told.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use bramble_link::Line;
use bramble_message::{HandSays, HandTold, PilotInPassing, encode};
use bramble_value::Kind;
use uuid::Uuid;

use super::bench::thread;
use super::error::HandError;
use super::lease::{Deed, LEASE, Leases};
use super::protocol::Told;
use super::serve::{Ear, Got, ROOM, Serving, parse};
use super::session::Job;
use crate::config::Workshop;

/// What happens within this time is told together.
const TOGETHER: Duration = Duration::from_millis(20);

/// So much is told together at most, in bytes: less than what may be said in passing.
const MOST: usize = 32 << 10;
/// The longest that one thing told may be, in bytes, which has to fit alone into what may be said in
/// passing, with all that is around it.
const LONGEST: usize = 60 << 10;

/// The way to the hands at pages, from the link's thread.
#[derive(Debug, Clone)]
pub(crate) struct Far(Sender<Heard>);

#[derive(Debug)]
enum Heard {
    /// The terminal says something of a hand.
    Says(Uuid, HandSays),
    /// The link to the terminal is down.
    Down,
    /// A hand is served no more.
    Served(Uuid),
}

impl Far {
    /// Serves hands at pages from now on. `start` has a job done, as for a socket's.
    pub(crate) fn start(
        workshop: Arc<Workshop>,
        line: Line,
        start: impl Fn(Job) -> bool + Clone + Send + 'static,
    ) -> Result<Far, HandError> {
        let (heard, waiting) = channel();
        let far = Far(heard);
        let back = far.clone();
        let first = Uuid::new_v4().as_u64_pair().0 >> 16;
        let hands = Hands { workshop, line, start, back, served: HashMap::new(), leases: Leases::new(first) };
        thread("pages", move || hands.run(&waiting))?;
        Ok(far)
    }

    /// The terminal says something of a hand.
    pub(crate) fn hear(&self, lease: Uuid, says: HandSays) {
        // Where nobody listens the pilot is ending.
        let _ = self.0.send(Heard::Says(lease, says));
    }

    /// The link to the terminal is down: nothing can be heard of a page.
    pub(crate) fn down(&self) {
        let _ = self.0.send(Heard::Down);
    }
}

struct Hands<F> {
    workshop: Arc<Workshop>,
    line: Line,
    start: F,
    back: Far,
    served: HashMap<Uuid, SyncSender<Got>>,
    leases: Leases,
}

impl<F: Fn(Job) -> bool + Clone + Send + 'static> Hands<F> {
    fn run(mut self, waiting: &Receiver<Heard>) {
        loop {
            let heard = match self.leases.due() {
                None => waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => {
                    let wait = due.since(bramble_link::now());
                    waiting.recv_timeout(Duration::from_nanos(wait.ns().unsigned_abs()))
                }
            };
            let now = bramble_link::now();
            // First: what is over does nothing any more.
            let mut deeds = self.leases.tick(now);
            deeds.extend(match heard {
                Ok(Heard::Says(lease, says)) => self.leases.hear(lease, says, now),
                Ok(Heard::Down) => self.leases.end_all("the link to the terminal broke"),
                Ok(Heard::Served(lease)) => self.leases.end(lease, "the pilot serves it no more"),
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => return,
            });
            deeds.into_iter().for_each(|deed| self.act(deed));
        }
    }

    fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Begin { lease, by } => {
                let (got, waiting) = sync_channel(ROOM);
                let ear = Batch::new(lease, self.line.clone());
                let (workshop, start) = (Arc::clone(&self.workshop), self.start.clone());
                let (asks, back) = (got.clone(), self.back.clone());
                let served = thread("page", move || {
                    Serving::new(ear, got, start, workshop, Some(by)).run(&waiting);
                    let _ = back.0.send(Heard::Served(lease));
                });
                match served {
                    Ok(_) => drop(self.served.insert(lease, asks)),
                    Err(error) => {
                        tracing::error!("{error}");
                        let deeds = self.leases.end(lease, &error.to_string());
                        deeds.into_iter().for_each(|deed| self.act(deed));
                    }
                }
            }
            Deed::Ask { lease, ask } => {
                if let Some(served) = self.served.get(&lease) {
                    // It may wait for a disk just now: what waits for it is not done late, and others
                    // don't wait for it.
                    let until = Instant::now() + Duration::from_nanos(LEASE.ns().unsigned_abs());
                    let _ = served.try_send(Got::Ask(parse(ask.as_bytes()), Some(until)));
                }
            }
            Deed::Beat { lease, beat } => say(&self.line, lease, HandTold::Beat(beat)),
            Deed::End { lease, why } => {
                if let Some(served) = self.served.remove(&lease) {
                    let _ = served.send(Got::Gone(why.clone()));
                }
                say(&self.line, lease, HandTold::Over { why });
            }
        }
    }
}

fn say(line: &Line, lease: Uuid, told: HandTold) {
    // Where the link has ended, so does the pilot.
    let _ = line.passing(encode(&PilotInPassing::Hand { lease, told }));
}

/// What a page is told, some of it together: of what is measured again and again only the
/// newest.
struct Batch {
    lease: Uuid,
    line: Line,
    number: u64,
    /// Each with the device of which it is what was measured.
    waiting: Vec<(Option<String>, String)>,
    bytes: usize,
    /// When the first of them came.
    since: Instant,
}

impl Batch {
    fn new(lease: Uuid, line: Line) -> Batch {
        Batch { lease, line, number: 0, waiting: Vec::new(), bytes: 0, since: Instant::now() }
    }

    fn put(&mut self, measured: Option<String>, text: String) {
        if self.waiting.is_empty() {
            self.since = Instant::now();
        }
        if measured.is_some()
            && let Some(before) = self.waiting.iter().position(|(of, _)| *of == measured)
        {
            let (_, before) = self.waiting.remove(before);
            self.bytes -= before.len();
        }
        self.bytes += text.len();
        self.waiting.push((measured, text));
    }
}

impl Ear for Batch {
    fn tell(&mut self, told: &Told) -> std::io::Result<()> {
        let measured = match told {
            Told::Event { device, kind: Kind::Analog | Kind::Position, .. } => Some(device.clone()),
            _ => None,
        };
        let mut text = serde_json::to_string(told)?;
        if text.len() > LONGEST {
            let why = "there is more to tell of this rig than a page can be sent: work it on its computer, with \
                       bramble-pilot";
            text = serde_json::to_string(&Told::Refused { why: why.to_owned(), busy: false })?;
        }
        if self.bytes + text.len() > MOST {
            self.flush();
        }
        self.put(measured, text);
        Ok(())
    }

    fn due(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then(|| self.since + TOGETHER)
    }

    fn flush(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        self.number += 1;
        self.bytes = 0;
        let told = std::mem::take(&mut self.waiting).into_iter().map(|(_, text)| text).collect();
        say(&self.line, self.lease, HandTold::Told { number: self.number, told });
    }
}
