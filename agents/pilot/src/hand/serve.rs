//! The rig's side of a hand's connection: takes what is asked, has it done on the
//! rig's thread, and tells what happens.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use bramble_rig::calibration;
use bramble_rig::{Post, Request, Wiring, inbox};
use bramble_task::definition::PortId;
use bramble_value::{Kind, Person, Span};
use jiff::Timestamp;

use super::calibrate::{self, Weighing};
use super::check::{self, Checked, Checking, identity};
use super::guide::{Guide, Now, Out};
use super::orders::{Rig, requests};
use super::protocol::{Ask, Known, Opened, Step, Told};
use super::session::{Job, Tell, Want};
use super::{calibrations, names};
use crate::config::Workshop;

/// As much may wait for a slow reader before the session ends.
pub(super) const ROOM: usize = 65_536;

/// A reader that takes nothing for so long is given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest line that is read.
const LONGEST_LINE: u64 = 1 << 20;

/// Something for a connection to look at.
#[derive(Debug)]
pub(crate) enum Got {
    /// The hand asks. Where it is far away, nothing is done later than this.
    Ask(Result<Ask, String>, Option<Instant>),
    /// The rig is open, with these ports of its task in the order of its parts.
    Open(Opened, Vec<PortId>, Box<Wiring>),
    /// The rig's thread tells.
    Told(Told),
    /// The hand is gone, for this reason.
    Gone(String),
}

/// Where a hand is told.
pub(super) trait Ear {
    /// Tells this, or keeps it for a moment.
    fn tell(&mut self, told: &Told) -> std::io::Result<()>;

    /// Until when what was kept may wait, if anything was.
    fn due(&self) -> Option<Instant> {
        None
    }

    /// Tells what was kept.
    fn flush(&mut self) {}
}

/// A socket tells each thing at once.
impl Ear for &UnixStream {
    fn tell(&mut self, told: &Told) -> std::io::Result<()> {
        let line = serde_json::to_string(told)? + "\n";
        self.write_all(line.as_bytes())
    }
}

/// Serves one hand until it is gone and what it had is safe. `start` has a job
/// done; `false` where nobody does jobs any more.
pub(crate) fn serve(stream: UnixStream, workshop: Arc<Workshop>, start: impl Fn(Job) -> bool) {
    // Without it a reader that stands still would be waited for without end.
    let bounded = stream.set_write_timeout(Some(PATIENCE));
    let (got, waiting) = sync_channel(ROOM);
    let asks = got.clone();
    let reading = stream.try_clone().and_then(|stream| {
        let body = move || read(stream, &asks);
        std::thread::Builder::new().name("hand".to_owned()).spawn(body)
    });
    if let Err(error) = bounded.and(reading.map(drop)) {
        tracing::error!("someone who wants to work the rig by hand can't be served: {error}");
        return;
    }
    Serving::new(&stream, got, start, workshop, None).run(&waiting);
    // It only fails where the other side is gone already; the reader ends now.
    let _ = stream.shutdown(Shutdown::Both);
}

/// Reads asks until none can come.
fn read(stream: UnixStream, asks: &SyncSender<Got>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        match stream.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {
                if asks.send(Got::Ask(parse(&line), None)).is_err() {
                    return;
                }
            }
        }
    }
    // Where nobody listens, it is over anyway.
    let _ = asks.send(Got::Gone("the hand that worked the rig is gone".to_owned()));
}

/// What is asked in this JSON.
pub(super) fn parse(ask: &[u8]) -> Result<Ask, String> {
    serde_json::from_slice(ask).map_err(|error| format!("what was asked can't be read: {error}"))
}

/// One hand that is served.
pub(super) struct Serving<E, F> {
    ear: E,
    got: SyncSender<Got>,
    start: F,
    workshop: Arc<Workshop>,
    /// Who it is, where it is somebody at a page.
    who: Option<Person>,
    /// What is being done for the hand.
    has: Option<Has>,
    /// What leads it, where something does.
    guide: Option<Box<dyn Guide>>,
    /// Why the hand is gone.
    gone: Option<String>,
}

struct Has {
    post: Post,
    rig: Rig,
}

impl<E: Ear, F: Fn(Job) -> bool> Serving<E, F> {
    pub(super) fn new(
        ear: E,
        got: SyncSender<Got>,
        start: F,
        workshop: Arc<Workshop>,
        who: Option<Person>,
    ) -> Serving<E, F> {
        Serving { ear, got, start, workshop, who, has: None, guide: None, gone: None }
    }

    /// Until the hand is gone, and what it had is safe.
    pub(super) fn run(mut self, waiting: &Receiver<Got>) {
        while !(self.gone.is_some() && self.has.is_none()) {
            match self.next(waiting) {
                Some(Got::Ask(_, Some(until))) if Instant::now() > until => {
                    self.refuse("it was asked too long ago, and was not done".to_owned());
                }
                Some(Got::Ask(Ok(ask), _)) => self.asked(ask),
                Some(Got::Ask(Err(why), _)) => self.refuse(why),
                Some(Got::Open(opened, ports, wiring)) => {
                    if let Some(has) = &mut self.has {
                        has.rig = Rig { parts: opened.parts.clone(), ports, wiring: Some(wiring) };
                    }
                    self.told(Told::Open(opened));
                }
                Some(Got::Told(told)) => {
                    if matches!(told, Told::Closed { .. } | Told::Refused { .. } | Told::Measured(_)) {
                        self.has = None;
                    }
                    self.told(told);
                }
                Some(Got::Gone(why)) => self.let_go(&why),
                None => {
                    if let Some(guide) = &mut self.guide {
                        guide.over(Now::here());
                    }
                }
            }
            self.go_on();
            if self.ear.due().is_some_and(|due| Instant::now() >= due) {
                self.ear.flush();
            }
        }
        self.ear.flush();
    }

    /// What comes next, or nothing where it is time for something.
    fn next(&self, waiting: &Receiver<Got>) -> Option<Got> {
        let due = [self.ear.due(), self.guide.as_ref().and_then(|guide| guide.due())];
        let got = match due.into_iter().flatten().min() {
            None => waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => waiting.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        match got {
            Ok(got) => Some(got),
            Err(RecvTimeoutError::Timeout) => None,
            // This holds a sender itself: there is always something to come.
            Err(RecvTimeoutError::Disconnected) => {
                Some(Got::Gone("nothing can be asked any more".to_owned()))
            }
        }
    }

    /// The rig tells something.
    fn told(&mut self, told: Told) {
        if let Some(guide) = &mut self.guide {
            guide.hear(&told, Now::here());
        }
        self.tell(&told);
    }

    /// Does what the guide says.
    fn go_on(&mut self) {
        while let Some(out) = self.guide.as_mut().and_then(|guide| guide.next()) {
            match out {
                Out::Ask(ask) => {
                    if let (Err(why), Some(guide)) = (self.work(ask), &mut self.guide) {
                        guide.hear(&Told::Refused { why, busy: false }, Now::here());
                    }
                }
                Out::Say(step) => self.tell(&Told::Step(step)),
                Out::Keep(calibration) => {
                    let folder = calibrations::folder(&self.workshop.data);
                    let step = match calibration::save(&folder, &calibration) {
                        Ok(file) => {
                            self.log(&format!("calibrated {}", calibration.valve()));
                            Step::Kept { file: file.display().to_string() }
                        }
                        Err(error) => Step::Left { why: error.to_string() },
                    };
                    self.end_guide(step);
                }
                Out::Found(items, timing) => {
                    let step = match check::keep(&self.workshop, items, timing) {
                        Ok((checked, file)) => {
                            self.log(if checked.passed {
                                "checked the rig: it passed"
                            } else {
                                "checked the rig: it FAILED"
                            });
                            Step::Checked { checked: json(&checked), file: file.display().to_string() }
                        }
                        Err(error) => Step::Left { why: error.to_string() },
                    };
                    self.stop("the check is over");
                    self.end_guide(step);
                }
                Out::Leave(why) => self.end_guide(Step::Left { why: why.text().to_owned() }),
            }
        }
    }

    fn end_guide(&mut self, step: Step) {
        self.guide = None;
        self.tell(&Told::Step(step));
    }

    fn log(&self, did: &str) {
        if let Some(who) = &self.who {
            tracing::info!("{who} {did}");
        }
    }

    /// The hand asks.
    fn asked(&mut self, ask: Ask) {
        let done = match ask {
            Ask::Known => {
                self.tell(&Told::Known(self.known()));
                Ok(())
            }
            Ask::Answer(answer) => match &mut self.guide {
                Some(guide) => {
                    guide.answer(answer, Now::here());
                    Ok(())
                }
                None => Err("nothing was asked".to_owned()),
            },
            Ask::Done => {
                if self.guide.is_some() {
                    self.end_guide(Step::Left { why: "the rig was let go; nothing is kept".to_owned() });
                }
                self.work(Ask::Done)
            }
            _ if self.guide.is_some() => {
                Err("a calibration or a check is under way: go through it, or end it first".to_owned())
            }
            Ask::Calibrate { valve, pulses, durations, every } => {
                self.calibrate(&valve, pulses, &durations, every)
            }
            Ask::Check { skip_inputs, skip_outputs, skip_timing } => {
                self.check(skip_inputs, skip_outputs, skip_timing)
            }
            ask => self.work(ask),
        };
        if let Err(why) = done {
            self.refuse(why);
        }
    }

    /// Has the rig do what is asked of it.
    fn work(&mut self, ask: Ask) -> Result<(), String> {
        let want = match ask {
            Ask::Work { what } => Want::Work { what: a_word(&what) },
            Ask::Measure { wakes, every } => Want::Measure { wakes, every },
            Ask::Done if self.has.is_some() => {
                self.stop("done");
                return Ok(());
            }
            ask => return self.order(&ask),
        };
        if self.has.is_some() {
            return Err("the rig is in your hand already".to_owned());
        }
        let (post, inbox) = inbox();
        self.has = Some(Has { post: post.clone(), rig: Rig::default() });
        let (who, tell) = (self.who.clone(), Tell(self.got.clone()));
        if !(self.start)(Job { want, who, post, inbox, tell }) {
            self.has = None;
            self.told(Told::Refused { why: "this pilot is ending".to_owned(), busy: true });
        }
        Ok(())
    }

    fn order(&self, ask: &Ask) -> Result<(), String> {
        let has = self.in_hand()?;
        requests(ask, &has.rig)?.into_iter().for_each(|request| _ = has.post.request(request));
        Ok(())
    }

    fn in_hand(&self) -> Result<&Has, String> {
        self.has.as_ref().ok_or_else(|| "the rig is not in your hand: ask to work it first".to_owned())
    }

    fn calibrate(
        &mut self,
        valve: &str,
        pulses: u32,
        durations: &[Span],
        every: Option<Span>,
    ) -> Result<(), String> {
        let parts = &self.in_hand()?.rig.parts;
        let part = &parts[names::valve(parts, valve).map_err(|error| error.to_string())?];
        let (data, limit) = (&self.workshop.data, self.workshop.rig.calibration_age);
        let plan = calibrate::Plan::new(part, pulses, durations, every, limit)?;
        // Now, and not when all is weighed.
        calibration::later(&calibrations::folder(data), plan.valve(), Timestamp::now())
            .map_err(|error| error.to_string())?;
        let before = calibrations::newest(data, plan.valve());
        self.guide = Some(Box::new(Weighing::new(plan, before)));
        Ok(())
    }

    fn check(&mut self, skip_inputs: bool, skip_outputs: bool, skip_timing: bool) -> Result<(), String> {
        if self.has.is_some() {
            return Err("the rig is in your hand: let it go first, so that all of it is checked".to_owned());
        }
        self.guide = Some(Box::new(Checking::new(check::Plan {
            skip_inputs,
            skip_outputs,
            skip_timing,
            timeout: check::TIMEOUT,
            blink: check::BLINK,
            p99: check::P99,
            worst: check::WORST,
            wakes: check::WAKES,
            asks: true,
            rig: identity(&self.workshop.rig),
            calibrations: check::of_calibrations(&self.workshop),
        })));
        Ok(())
    }

    fn known(&self) -> Known {
        let Workshop { data, rig, .. } = &*self.workshop;
        let mut problems = Vec::new();
        let calibrations = calibrations::all_newest(data, Timestamp::now(), rig.calibration_age);
        let calibrations = calibrations.unwrap_or_else(|why| {
            problems.push(why);
            Vec::new()
        });
        let check = Checked::last(data, rig).unwrap_or_else(|error| {
            problems.push(error.to_string());
            None
        });
        Known { calibrations, check: check.as_ref().map(json), problems }
    }

    fn stop(&self, why: &str) {
        if let Some(has) = &self.has {
            // A session that has just ended needs to be told nothing.
            has.post.request(Request::Stop { why: why.into() });
        }
    }

    fn let_go(&mut self, why: &str) {
        self.gone = Some(why.to_owned());
        self.guide = None;
        self.stop(why);
    }

    fn refuse(&mut self, why: String) {
        self.tell(&Told::Refused { why, busy: false });
    }

    fn tell(&mut self, told: &Told) {
        match &self.gone {
            Some(why) => self.log_end(told, why),
            None if self.ear.tell(told).is_err() => {
                self.let_go("the hand that worked the rig listens no more");
            }
            None => {}
        }
    }

    /// Says in the log how the rig became safe after whoever worked it from a page had gone.
    fn log_end(&self, told: &Told, why: &str) {
        let Some(who) = &self.who else { return };
        match told {
            Told::Event { device, kind: Kind::Output, value, .. } => {
                tracing::info!("{device} goes to {value}: {why}");
            }
            Told::Closed { .. } => tracing::info!("{who} has the rig no more, and it is safe: {why}"),
            _ => {}
        }
    }
}

/// What somebody works the rig for, as it may be shown to others and stand in a log.
fn a_word(what: &str) -> String {
    const LONGEST: usize = 40;
    what.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter)).take(LONGEST).collect()
}

fn json(checked: &Checked) -> serde_json::Value {
    serde_json::to_value(checked).unwrap_or_default()
}
