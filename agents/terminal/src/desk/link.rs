//! How fast the links to pilots are: messages in passing, a few at a time, so that what must arrive
//! waits for little of them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bramble_health::Meter;
use bramble_link::{Line, now};
use bramble_message::{LARGEST_PROBE, TerminalInPassing, encode};
use bramble_value::{Name, Span, Time};
use futures_util::future::join_all;
use tokio::sync::mpsc;

use super::Desk;
use crate::api::link::{LinkReport, LinkResult, TestLink};
use crate::refusal::{Allowed, Refusal};

/// So many probes are on their way at a time.
const WINDOW: usize = 8;
/// A probe without an answer for so long is lost.
const LOST: Duration = Duration::from_secs(1);
/// The most bytes that one test sends one way.
const MOST: u64 = 1_000_000_000;
/// The most round trips of one test.
const MOST_TRIPS: u64 = 5_000;
/// How long a test may take for each pilot and each of its parts.
const LONGEST: Span = Span::from_s(10);

/// An answer to a probe: which, and how much was in it.
type Answered = (u64, usize);

/// Where the answers to probes go.
#[derive(Debug, Default)]
pub(crate) struct Probes(Mutex<HashMap<Name, mpsc::UnboundedSender<Answered>>>);

impl Probes {
    /// A pilot answered.
    pub(crate) fn answered(&self, pilot: &Name, probe: u64, size: usize) {
        if let Some(waiting) = self.all().get(pilot) {
            // Whoever asked may have given up.
            let _ = waiting.send((probe, size));
        }
    }

    fn of(&self, pilot: &Name) -> mpsc::UnboundedReceiver<Answered> {
        let (tell, answers) = mpsc::unbounded_channel();
        self.all().insert(pilot.clone(), tell);
        answers
    }

    fn forget(&self, pilot: &Name) {
        self.all().remove(pilot);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Name, mpsc::UnboundedSender<Answered>>> {
        // It is changed as a whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    /// Measures links, of one pilot after the other, and then of all at once.
    ///
    /// # Errors
    /// Where a pilot isn't here, or runs a session and that wasn't confirmed.
    pub(crate) async fn test_link(&self, test: TestLink) -> Allowed<LinkReport> {
        let TestLink { mut pilots, time, during_session, .. } = test;
        if time == Span::ZERO || time > LONGEST {
            return Err(Refusal::wrong("a test takes from some milliseconds to 10 s for each of its parts"));
        }
        let Ok(_only) = self.testing.try_acquire() else {
            return Err(Refusal::conflict("links are being tested already").help("wait until that is over"));
        };
        if pilots.is_empty() {
            let (all, _) = self.state.lab().view();
            pilots = all.into_iter().filter(|pilot| pilot.here).map(|pilot| pilot.name).collect();
        }
        if pilots.is_empty() {
            return Err(Refusal::conflict("no pilot is here"));
        }
        pilots.sort();
        pilots.dedup();
        for pilot in &pilots {
            let idle = self.state.lab().check_idle(pilot);
            match idle {
                Err(refusal) if self.state.lab().is_here(pilot) && during_session => drop(refusal),
                Err(refusal) if self.state.lab().is_here(pilot) => {
                    return Err(refusal.help("wait for its end, or test all the same with --during-session"));
                }
                idle => idle?,
            }
        }
        // Testing many takes a while: whoever has gone or begun a session meanwhile is left out.
        let still = |pilot: &&Name| during_session || self.state.lab().check_idle(pilot).is_ok();
        let (mut apart, mut failed) = (Vec::new(), None);
        for pilot in pilots.iter().filter(still) {
            match self.test_one(pilot, time).await {
                Ok(result) => apart.push(result),
                Err(refusal) => failed = failed.or(Some(refusal)),
            }
        }
        if apart.is_empty() {
            let begun = || Refusal::conflict("every pilot has begun a session meanwhile");
            return Err(failed.unwrap_or_else(begun));
        }
        let mut together = Vec::new();
        if pilots.len() > 1 {
            let all = apart.iter().map(|result| &result.pilot).filter(still);
            let all = join_all(all.map(|pilot| self.test_one(pilot, time))).await;
            together.extend(all.into_iter().flatten());
        }
        Ok(LinkReport { apart, together })
    }

    async fn test_one(&self, pilot: &Name, time: Span) -> Allowed<LinkResult> {
        let answers = self.state.probes.of(pilot);
        let mut probing = Probing { line: self.link.line(pilot), answers, next: 0, lost: 0 };
        let result = async {
            let mut trips = Meter::default();
            probing.run(time, 1, 0, 0, |trip| trips.note(trip)).await?;
            let (to_terminal, _) = probing.run(time, WINDOW, 0, LARGEST_PROBE, |_| {}).await?;
            let (_, to_pilot) = probing.run(time, WINDOW, LARGEST_PROBE, 0, |_| {}).await?;
            Ok(LinkResult {
                pilot: pilot.clone(),
                round_trip: trips.delays(),
                to_terminal,
                to_pilot,
                lost: probing.lost,
            })
        }
        .await;
        self.state.probes.forget(pilot);
        let result: Result<LinkResult, bramble_link::LineError> = result;
        let result = result.map_err(|_| Refusal::failed("the terminal is about to end"))?;
        match result.round_trip.count {
            0 => Err(Refusal::conflict(format!("{pilot} answered no probe of its link"))
                .help("see whether it is here, and has this version: bramble-terminal status")),
            _ => Ok(result),
        }
    }
}

/// A pilot whose link is measured.
struct Probing {
    line: Line,
    answers: mpsc::UnboundedReceiver<Answered>,
    next: u64,
    lost: u64,
}

impl Probing {
    /// Has so many probes be on their way for this time. Returns the bytes a second that came here, and
    /// those that went there.
    async fn run(
        &mut self,
        time: Span,
        window: usize,
        there: usize,
        back: usize,
        mut trip: impl FnMut(Span),
    ) -> Result<(f64, f64), bramble_link::LineError> {
        let mut sent: HashMap<u64, Time> = HashMap::new();
        let (start, mut came, mut done) = (now(), 0_u64, 0_u64);
        let mut end = start;
        loop {
            let over = now().since(start) >= time
                || done.saturating_mul((there + back) as u64) >= MOST
                || (window == 1 && done >= MOST_TRIPS);
            while !over && sent.len() < window {
                self.next += 1;
                let answer = u32::try_from(back).unwrap_or(0);
                let probe =
                    TerminalInPassing::Probe { probe: self.next, answer, filler: vec![0; there].into() };
                sent.insert(self.next, now());
                self.line.passing(encode(&probe))?;
            }
            if sent.is_empty() {
                break;
            }
            match tokio::time::timeout(LOST, self.answers.recv()).await {
                Ok(Some((probe, size))) => {
                    // What comes after it counted as lost is of no use.
                    if let Some(at) = sent.remove(&probe) {
                        end = now();
                        trip(end.since(at));
                        came += size as u64;
                        done += 1;
                    }
                }
                Ok(None) | Err(_) => {
                    self.lost += sent.len() as u64;
                    sent.clear();
                    if done == 0 {
                        break;
                    }
                }
            }
        }
        let seconds = end.since(start).seconds();
        let rate = |bytes: u64| if seconds > 0.0 { bytes as f64 / seconds } else { 0.0 };
        Ok((rate(came), rate(done * there as u64)))
    }
}
