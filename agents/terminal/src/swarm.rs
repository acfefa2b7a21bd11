//! What pilots say: into the journal, then acknowledged, then into the lab and
//! on to the writer.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bramble_gate::Counts;
use bramble_identity::{Agent, Peer, Role};
use bramble_journal::{Journal, JournalError};
use bramble_link::{Event, Events, Me, MemoryOutbox, Position, Refusal, Terms};
use bramble_message::{
    Activity, Bytes, Ended, PilotHello, PilotInPassing, PilotToTerminal, Power, Started, TerminalHello,
    decode, encode,
};
use bramble_subject::{ClockEstimate, Health, Supply};
use bramble_value::{Name, Span, Time};
use jiff::Timestamp;
use uuid::Uuid;

use crate::agents::Agents;
use crate::desk::{Desk, about};
use crate::lab::{Concern, Now, Running};
use crate::score::Score;
use crate::software;
use crate::writer::{self, Unfinished, lane_name};

/// The most events that are taken together.
const TOGETHER: usize = 1024;
/// How often the thread sees whether it should end.
const LOOK_UP: Duration = Duration::from_millis(100);
/// How long to wait before the journal is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How often how a pilot's computer fares goes into the file of its session.
const HEALTH_EVERY: Span = Span::from_s(60);
/// How often a pilot's clock goes into the file of its session.
const CLOCK_EVERY: Span = Span::from_s(10);

/// What the journal remembers the lab's number under.
const LAB: &str = "lab";

/// How this terminal presents itself.
pub(crate) fn me(name: &Name, agents: &Agents) -> Me {
    Me::new(name.clone(), "terminal", "pilot").keeping_in(agents.lab()).with_detail(hello(agents))
}

/// The number of this terminal's lab, by which pilots know whose files what they observed belongs
/// into, wherever those are. It is that of its first swarm, and stays when its keys are made anew.
pub(crate) fn lab(journal: &Journal, swarm: Uuid) -> Uuid {
    let lab = || {
        let known = journal.recall(LAB)?.and_then(|bytes| Uuid::from_slice(&bytes).ok());
        known.map_or_else(|| journal.remember(LAB, swarm.as_bytes()).map(|()| swarm), Ok)
    };
    lab().unwrap_or_else(|error: JournalError| {
        // It is the same the next time, as long as the keys are.
        tracing::warn!("{error}");
        swarm
    })
}

/// What pilots are told first.
pub(crate) fn hello(agents: &Agents) -> Bytes {
    let revoked = agents.revocations().all().into_iter().collect();
    encode(&TerminalHello { software: software::here(), revoked })
}

/// What a pilot is talked to with: what is safe here of what it sent before.
pub(crate) fn terms(journal: &Journal, pilot: &Name) -> Result<Terms, String> {
    let have = || -> Result<Option<Position>, JournalError> {
        let Some(epoch) = epoch(journal, pilot)? else { return Ok(None) };
        let number = journal.last(&lane_name(pilot, epoch));
        Ok(Some(Position { epoch, number }))
    };
    let have = have().map_err(|error| error.to_string())?;
    Ok(Terms::new(MemoryOutbox::new()).having(have))
}

/// What the numbers of a pilot's messages belonged to when it was last here.
fn epoch(journal: &Journal, pilot: &Name) -> Result<Option<Uuid>, JournalError> {
    let bytes = journal.recall(&epoch_key(pilot))?;
    Ok(bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok()))
}

/// The sessions that pilots were in when they were last heard of.
///
/// # Errors
/// Where the journal can't be read.
pub(crate) fn unfinished(journal: &Journal) -> Result<Vec<Unfinished>, JournalError> {
    let mut all = Vec::new();
    for lane in journal.lanes() {
        if let Some(one) = writer::unfinished(journal, &lane)? {
            // A pilot whose journal is new has nothing to do with what it was in before.
            let now = epoch(journal, &one.pilot)?;
            all.extend(Some(one).filter(|one| now.is_some_and(|now| lane_name(&one.pilot, now) == lane)));
        }
    }
    Ok(all)
}

fn epoch_key(pilot: &Name) -> String {
    format!("epoch of pilot {pilot}")
}

/// The thread that hears pilots.
pub(crate) struct Swarm {
    pub(crate) desk: Arc<Desk>,
    pub(crate) journal: Journal,
    /// Told to find out what is known of a session that was found running.
    pub(crate) found: tokio::sync::mpsc::UnboundedSender<Running>,
    /// Set when the thread should end.
    pub(crate) stop: Arc<AtomicBool>,
}

/// What came of the pilots' messages and is not yet safe: of each pilot and epoch,
/// in order.
type Waiting = BTreeMap<(Name, Uuid), Vec<(u64, Bytes)>>;

/// What waits, and since when the journal takes nothing. Pilots send no more than their
/// windows before something is safe.
#[derive(Default)]
struct Backlog {
    waiting: Waiting,
    /// When the journal is tried again, where it failed.
    retry_at: Option<Instant>,
    /// What it said last, and whom it was told beside.
    said: String,
    told: BTreeSet<Name>,
}

impl Swarm {
    /// Hears pilots until it should stop, or the link ends.
    pub(crate) fn run(self, events: &Events) {
        let (mut clocks, mut healths) = (BTreeMap::new(), BTreeMap::new());
        let (mut backlog, mut refusals) = (Backlog::default(), Counts::default());
        while !self.stop.load(Ordering::Relaxed) {
            let first = match events.recv_timeout(LOOK_UP) {
                Ok(first) => first,
                Err(error) => {
                    tracing::error!("no pilot is heard any more: {error}; start this terminal again");
                    return;
                }
            };
            // What waits already is made safe together, whoever said it: the disk
            // is waited for once.
            let more = std::iter::from_fn(|| events.try_recv().ok().flatten());
            for event in first.into_iter().chain(more).take(TOGETHER) {
                self.hear_health(&event, &mut healths);
                if let Event::Refused(refusal) = event {
                    self.turned_away(refusal, &mut refusals);
                } else {
                    self.hear(event, &mut backlog, &mut clocks);
                }
            }
            self.messages(&mut backlog);
            let now = Timestamp::now();
            let has_given_up = self.desk.state.lab().has_given_up(now);
            if has_given_up {
                self.desk.state.change(|lab| lab.forget_refused(now));
            }
        }
    }

    /// Has the writer know how pilots' computers fare, which they tell in passing, now and then.
    fn hear_health(&self, event: &Event, known: &mut BTreeMap<Name, Time>) {
        let Event::Passing { peer, payload } = event else { return };
        let Ok(PilotInPassing::Status(status)) = decode(payload) else { return };
        let Some(health) = status.health else { return };
        // A pilot that was started again may have a clock that begins anew.
        let is_soon = |last: &Time| health.time >= *last && health.time.since(*last) < HEALTH_EVERY;
        if !known.get(peer).is_some_and(is_soon) {
            known.insert(peer.clone(), health.time);
            self.desk.writer.health(peer.clone(), as_kept(&health));
        }
    }

    /// An agent isn't talked to, of which the link tells for as long as it keeps trying.
    fn turned_away(&self, refusal: Refusal, refusals: &mut Counts<String>) {
        if refusals.one_more(refusal.text.clone()).is_some() {
            tracing::warn!("an agent was refused: {refusal}");
        }
        self.desk.state.change(|lab| lab.refused(refusal.text, Timestamp::now()));
    }

    fn hear(&self, event: Event, backlog: &mut Backlog, clocks: &mut BTreeMap<Name, Time>) {
        match event {
            Event::Message { peer, at, payload } => {
                backlog.waiting.entry((peer, at.epoch)).or_default().push((at.number, payload));
            }
            Event::Up { peer, from, detail, .. } => {
                self.messages(backlog);
                // What still waits to be safe is not, whatever the link knows to have come.
                let first =
                    backlog.waiting.get(&(peer.clone(), from.epoch)).and_then(|waiting| waiting.first());
                let number = first.map_or(from.number, |(first, _)| from.number.min(first - 1));
                self.up(&peer, Position { number, ..from }, &detail);
            }
            Event::Down { peer, why } => {
                tracing::warn!(pilot = %peer, "is away: {why}");
                self.desk.is_here(&peer);
                self.desk.hands.gone(&peer);
                self.desk.state.change(|lab| lab.down(&peer, &why.to_string(), Timestamp::now()));
            }
            // `turned_away` is told of the one, and a terminal dials nobody.
            Event::Refused(_) | Event::Unreached { .. } => {}
            Event::Passing { peer, payload } => {
                self.passing(&peer, &payload, backlog);
            }
            Event::Clock { peer, clock } => {
                self.desk.state.change(|lab| lab.clock(&peer, clock));
                let known = clocks.get(&peer);
                if known.is_none_or(|last| clock.at.since(*last) >= CLOCK_EVERY) {
                    clocks.insert(peer.clone(), clock.at);
                    self.desk.writer.clock(peer, estimate(&clock));
                }
            }
            Event::Failed { peer, why } => {
                let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
                tracing::error!(pilot = peer, "{why}");
            }
        }
    }

    /// Makes messages safe, says so, and passes them on. Where the journal takes nothing
    /// for now, they wait, and whatever else is heard is not held up by that.
    fn messages(&self, backlog: &mut Backlog) {
        if backlog.waiting.is_empty() || backlog.retry_at.is_some_and(|at| Instant::now() < at) {
            return;
        }
        let stored = self.journal.change(|change| {
            backlog.waiting.iter().try_for_each(|((pilot, epoch), messages)| {
                change.store(&lane_name(pilot, *epoch), messages).map(drop)
            })
        });
        match stored {
            Ok(()) => self.safe(std::mem::take(backlog)),
            Err(error) => {
                backlog.retry_at = Some(Instant::now() + RETRY);
                let text = error.to_string();
                if backlog.said != text {
                    tracing::error!("{text}");
                    backlog.said = text;
                }
                let notice = cannot_be_kept(&error);
                for (pilot, _) in backlog.waiting.keys() {
                    if backlog.told.insert(pilot.clone()) {
                        self.desk
                            .state
                            .change(|lab| lab.notice(pilot, Concern::Journal, Some(notice.clone())));
                    }
                }
            }
        }
    }

    /// What waited is safe.
    fn safe(&self, Backlog { waiting, told, .. }: Backlog) {
        if !told.is_empty() {
            tracing::info!("what pilots send is kept again");
            self.desk
                .state
                .change(|lab| told.iter().for_each(|pilot| lab.notice(pilot, Concern::Journal, None)));
        }
        for ((pilot, epoch), messages) in waiting {
            if let Some((last, _)) = messages.last() {
                // The link ends only when this thread is about to.
                let _ = self.desk.link.line(&pilot).taken(Position { epoch, number: *last });
            }
            // The writer says what can't be read, when it comes to it.
            let messages: Vec<PilotToTerminal> =
                messages.iter().filter_map(|(_, bytes)| decode(bytes).ok()).collect();
            let urgent = messages.iter().any(|message| matches!(message, PilotToTerminal::Ended(_)));
            // First: whoever sees in the lab that a session ended finds it in its file.
            self.desk.writer.wake(lane_name(&pilot, epoch), urgent);
            messages.into_iter().for_each(|message| self.message(&pilot, message));
        }
    }

    fn message(&self, pilot: &Name, message: PilotToTerminal) {
        let state = &self.desk.state;
        match message {
            PilotToTerminal::Answer(answer) => state.answered(answer),
            PilotToTerminal::Started(started) => {
                let task = bramble_task::load(&started.request.task).ok();
                // What it counts as correct.
                let score = task.as_ref().map(|task| Score::of(&task.definition)).unwrap_or_default();
                let about = about::of_start(&started, task.as_ref());
                state.change(|lab| lab.started(pilot, &started, score, about));
                let Started { request, task_name, .. } = *started;
                tracing::info!(%pilot, subject = %request.subject, "started {task_name}");
            }
            PilotToTerminal::Records { session, records } => {
                state.change(|lab| lab.records(pilot, session, &records));
            }
            // Pages heard of it from whoever did it.
            PilotToTerminal::Parameter(_) => {}
            PilotToTerminal::Owner { session, owner } => {
                tracing::info!(%pilot, "{owner} took its session over");
                state.change(|lab| lab.taken_over(pilot, session, owner));
            }
            PilotToTerminal::Ended(ended) => {
                state.change(|lab| lab.ended(pilot, &ended));
                let Ended { ending, why, .. } = ended;
                tracing::info!(%pilot, "a session ended ({}): {why}", ending.name());
            }
        }
    }

    fn up(&self, pilot: &Name, from: Position, detail: &[u8]) {
        let lane = lane_name(pilot, from.epoch);
        let of_before = matches!(epoch(&self.journal, pilot), Ok(Some(known)) if known == from.epoch);
        let last = self.journal.last(&lane);
        let known = of_before && last >= from.number;
        let lost = (of_before && !known).then(|| lost(pilot, last + 1..=from.number));
        let begin = || {
            self.journal.change(|change| {
                change.begin_after(&lane, from.number)?;
                change.remember(&epoch_key(pilot), from.epoch.as_bytes())
            })
        };
        // Where the journal has it already, it needn't take anything.
        if !known && !self.insist(pilot, begin) {
            return;
        }
        match decode::<PilotHello>(detail) {
            Ok(hello) => {
                let session = match &hello.activity {
                    Activity::Running(progress) => Some(progress.session),
                    Activity::Idle => None,
                };
                self.desk.writer.is_here(pilot.clone(), lane, session);
                self.desk.is_here(pilot);
                let now = Timestamp::now();
                match self.desk.state.lab().away_since(pilot) {
                    Some(since) => {
                        let seconds = now.duration_since(since).as_secs();
                        tracing::info!(%pilot, "is here again, after {seconds} s");
                    }
                    None => tracing::info!(%pilot, "is here"),
                }
                let found = self.desk.state.change(|lab| lab.up(pilot, hello, now));
                if let Some(text) = lost {
                    tracing::error!("{text}");
                    self.desk.state.change(|lab| lab.notice(pilot, Concern::Lost, Some(text)));
                }
                self.look_up(found);
            }
            Err(error) => {
                let why = format!(
                    "`{pilot}` says hello as no pilot of this version does: install the same Bramble on both"
                );
                tracing::warn!("{why} ({error})");
                self.desk.state.change(|lab| lab.misunderstood(pilot, why, Timestamp::now()));
            }
        }
    }

    fn passing(&self, pilot: &Name, payload: &[u8], backlog: &mut Backlog) {
        match decode(payload) {
            // The same answer comes again, and answers nothing then.
            Ok(PilotInPassing::Answer(answer)) => self.desk.state.answered(answer),
            Ok(PilotInPassing::Live { session, records }) => {
                self.desk.state.change(|lab| lab.live(pilot, session, records));
            }
            Ok(PilotInPassing::Calibrated(calibrations)) => {
                self.desk.state.change(|lab| lab.calibrated(pilot, calibrations));
            }
            Ok(PilotInPassing::Probed { probe, filler }) => {
                self.desk.state.probes.answered(pilot, probe, filler.len());
            }
            Ok(PilotInPassing::Reaction(reaction)) => self.desk.state.lab().reacts(pilot, reaction),
            Ok(PilotInPassing::Hand { lease, told }) => self.desk.hands.told(pilot, lease, told),
            Ok(PilotInPassing::Status(status)) => {
                // It says how things are after what came before it.
                if backlog.waiting.keys().any(|(other, _)| other == pilot) {
                    self.messages(backlog);
                }
                let here = status.children.iter().filter(|child| child.here);
                for child in here {
                    if let Some(serial) = child.certificate {
                        let agent = Agent::new(Role::Child, child.name.clone());
                        self.desk.agents.came(&Peer { agent, serial }, None);
                    }
                    self.desk.is_here(&child.name);
                }
                let now = Now { time: bramble_link::now(), at: Timestamp::now() };
                let found = self.desk.state.change(|lab| lab.status(pilot, *status, now));
                self.look_up(found);
            }
            Err(error) => tracing::debug!(%pilot, "{error}"),
        }
    }

    fn look_up(&self, found: Option<Running>) {
        if let Some(found) = found {
            // Without anyone to look it up, the terminal is about to end.
            let _ = self.found.send(found);
        }
    }

    /// Does something to the journal until it is done. Says whether it was done before the
    /// thread should end.
    fn insist(&self, pilot: &Name, work: impl Fn() -> Result<(), JournalError>) -> bool {
        let notice = |text| self.desk.state.change(|lab| lab.notice(pilot, Concern::Journal, text));
        let mut said = None;
        while let Err(error) = work() {
            if said.is_none() {
                tracing::error!("{error}");
                said = Some(cannot_be_kept(&error));
                notice(said.clone());
            }
            if self.stop.load(Ordering::Relaxed) {
                return false;
            }
            std::thread::sleep(RETRY);
        }
        if said.is_some() {
            notice(None);
        }
        true
    }
}

/// How a computer fares, as a session's file says it.
fn as_kept(health: &bramble_message::Health) -> Health {
    let supply = |power: Power| match power {
        Power { low: true, .. } => Supply::Low,
        Power { throttled: true, .. } => Supply::Slowed,
        _ => Supply::Fine,
    };
    Health {
        time: health.time,
        disk: health.disk.map(|disk| (disk.free, disk.size)),
        temperature: health.temperature,
        supply: health.power.map(supply),
    }
}

/// This terminal had acknowledged messages that its journal has no more.
fn lost(pilot: &Name, numbers: RangeInclusive<u64>) -> String {
    format!(
        "messages {} to {} of {pilot} were safe here and are not in this terminal's journal any more: it is an \
         older copy, or the disk kept less than it said; what of them the subject file doesn't have is lost",
        numbers.start(),
        numbers.end()
    )
}

fn cannot_be_kept(error: &JournalError) -> String {
    format!("what it sends can't be kept, so it keeps it: {error}")
}

/// How the pilot's clock stands to this computer's calendar.
fn estimate(clock: &bramble_link::Clock) -> ClockEstimate {
    let since = bramble_link::now().since(clock.at);
    let unix_ns = Timestamp::now().as_nanosecond() - i128::from(since.ns());
    let time = clock.theirs(clock.at);
    let offset = unix_ns - i128::from(time.ns());
    ClockEstimate {
        time,
        offset_ns: i64::try_from(offset).unwrap_or(i64::MAX),
        error_ns: clock.error.ns(),
        // What the pilot's clock gains, the offset loses.
        drift_ppb: -clock.drift_ppb,
    }
}
