//! A session while it runs: everything that changes, and the loop that takes one
//! small step after another.
//!
//! What is left to do is a stack of steps instead of the stack of a recursion,
//! so a session can wait between any two of them for the answer to a call, and
//! no tree is too deep. A step evaluates everything it needs before it changes
//! anything: one that has to wait for an answer is done again from its
//! beginning once the answer is there.

mod act;
mod arm;
mod cause;
mod enter;
mod evaluate;
mod kind;
mod leave;
mod pause;
mod resolve;
mod respond;
mod stage;
mod step;
mod trial;

use std::collections::VecDeque;
use std::sync::Arc;

use bramble_task::TaskDefinition;
use bramble_task::call::{EventView, Returned};
use bramble_task::definition::{Response, SourceMap, StageId};
use bramble_value::{Ending, Event, Kind, Seed, Source, Time, Value};

use crate::deadline::{Deadline, Deadlines, Due};
use crate::exchange::{Input, Output};
use crate::mistake::{Mistake, Pause, explain};
use crate::ports::Ports;
use crate::settings::Settings;
use crate::trigger::{Armed, Occurrence, World};
use stage::{Stage, minds_speed, preorder};
use step::Step;
use trial::Table;

/// More transitions than these without time passing are a mistake of the task.
/// Every `goto`, every turn of a stage that repeats for ever or is a `trials`,
/// every emitted message and every timer that ran out counts as one.
const TRANSITIONS: u32 = 1_000;

/// A repetition that is counted ends by itself, so it may take many turns
/// without time passing; not so many that the rig would be forgotten.
const COUNTED_TURNS: u32 = 10_000_000;

/// What was handed in and not yet looked at.
#[derive(Debug)]
pub(crate) enum Pending {
    Start(Time),
    Input(Input, Time),
    Advance(Time),
}

/// How far a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    NotStarted,
    Running,
    /// Everything is being ended, because of this.
    Unwinding(Ending, Arc<str>),
    Over(Ending),
}

/// Everything about a session that changes while it runs.
pub(crate) struct Session {
    sources: SourceMap,
    seed: Seed,
    kept: Vec<Option<Value>>,
    /// Each stage's place in the file, parents before their children.
    rank: Vec<u16>,
    /// Each stage's place among its siblings.
    place: Vec<u16>,
    has_trials: bool,
    minds_speed: bool,

    phase: Phase,
    started: Time,
    /// The time of what is being done, or was done last.
    now: Time,
    parameters: Vec<Value>,
    /// Changes of live parameters that wait for the next trial.
    changes: Vec<(usize, Value)>,
    stop_after_trial: Option<Arc<str>>,
    /// No trial may begin.
    paused: bool,
    /// The `trials` whose turn would have begun.
    held: Option<StageId>,
    /// The output that was taken last was a row.
    row_given: bool,
    table: Table,
    stages: Vec<Stage>,
    ports: Ports,
    timers: Vec<u64>,
    counts: Vec<u64>,
    /// What the counters wait for, in their order.
    counted: Vec<Armed>,
    /// The stages that wait for events, in the order of the file.
    listeners: Vec<StageId>,
    deadlines: Deadlines,

    pending: VecDeque<Pending>,
    /// What happened within, behind what is being done.
    within: VecDeque<Occurrence>,
    agenda: Vec<Step>,
    outputs: VecDeque<Output>,

    /// The event that is being taken, as the handlers it fires see it.
    cause: EventView,
    /// The event that the response being carried out sees.
    event: Option<EventView>,
    /// What a function returned to do.
    returned: Response,

    /// The call that is waited for.
    asked: Option<u64>,
    calls: u64,
    /// What the functions that the present step needs have returned so far, and
    /// how many of them it has used.
    answers: Vec<Returned>,
    used: usize,
    draws: u64,

    /// The last serial given: whatever was set for an older one is void.
    serial: u64,
    /// Transitions and counted turns since time last passed.
    transitions: u32,
    turns: u32,
    /// The stages of the last transitions, to be named.
    recent: [StageId; 8],
}

impl Session {
    pub(crate) fn new(task: &TaskDefinition, settings: Settings) -> Session {
        let mut place = vec![0; task.stages.len()];
        for stage in &task.stages {
            for (position, child) in stage.kind.children().iter().enumerate() {
                place[child.index()] = position as u16;
            }
        }
        Session {
            sources: SourceMap::new(task),
            seed: settings.seed,
            kept: settings.kept,
            rank: preorder(task),
            place,
            has_trials: task.trials().is_some(),
            minds_speed: minds_speed(task),
            phase: Phase::NotStarted,
            started: Time::ZERO,
            now: Time::from_ns(i64::MIN),
            parameters: settings.parameters,
            changes: Vec::new(),
            stop_after_trial: None,
            paused: false,
            held: None,
            row_given: false,
            table: Table::new(task),
            stages: task.stages.iter().map(|_| Stage::default()).collect(),
            ports: Ports::new(task),
            timers: vec![0; task.timers.len()],
            counts: vec![0; task.counters.len()],
            counted: Vec::new(),
            listeners: Vec::with_capacity(16),
            deadlines: Deadlines::new(),
            pending: VecDeque::with_capacity(64),
            within: VecDeque::with_capacity(16),
            agenda: Vec::with_capacity(256),
            outputs: VecDeque::with_capacity(64),
            cause: EventView { time: Time::ZERO, port: None, message: None, value: 0.0 },
            event: None,
            returned: Response::default(),
            asked: None,
            calls: 0,
            answers: Vec::new(),
            used: 0,
            draws: 0,
            serial: 0,
            transitions: 0,
            turns: 0,
            recent: [TaskDefinition::ROOT; 8],
        }
    }

    pub(crate) fn hand_in(&mut self, pending: Pending) {
        if matches!(self.phase, Phase::Over(_)) {
            return;
        }
        // Time that passes twice without anything between passes once.
        if let (Pending::Advance(now), Some(Pending::Advance(last))) = (&pending, self.pending.back_mut()) {
            *last = (*last).max(*now);
            return;
        }
        // Who has just been given a row may say that it was the last one.
        if let (Pending::Input(Input::StopAfterTrial { why }, _), true) = (&pending, self.row_given) {
            self.stop_after_trial = Some(why.clone());
            return;
        }
        self.pending.push_back(pending);
    }

    pub(crate) fn answer(&mut self, task: &TaskDefinition, number: u64, result: Result<Returned, String>) {
        if self.asked != Some(number) {
            return;
        }
        self.asked = None;
        match result {
            Ok(returned) => self.answers.push(returned),
            Err(text) => {
                if let Some(step) = self.agenda.pop() {
                    self.fail(task, step, Mistake::Function { text });
                }
            }
        }
    }

    pub(crate) fn poll(&mut self, task: &TaskDefinition) -> Option<Output> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                self.row_given = matches!(output, Output::Row(_));
                return Some(output);
            }
            if self.asked.is_some() || !self.work(task) {
                return None;
            }
        }
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        if self.asked.is_some() { None } else { self.deadlines.peek().map(|deadline| deadline.time) }
    }

    pub(crate) fn ended(&self) -> Option<Ending> {
        match self.phase {
            Phase::Over(ending) => Some(ending),
            _ => None,
        }
    }

    pub(crate) fn table(&self) -> &Table {
        &self.table
    }

    pub(crate) fn parameters(&self) -> &[Value] {
        &self.parameters
    }

    pub(crate) fn running(&self) -> impl Iterator<Item = StageId> + '_ {
        let running = self.stages.iter().enumerate().filter(|(_, stage)| stage.started);
        running.map(|(place, _)| StageId(place as u16))
    }

    /// Does the next small thing there is to do; false where there is nothing.
    fn work(&mut self, task: &TaskDefinition) -> bool {
        if let Some(step) = self.agenda.pop() {
            self.take(task, step);
            return true;
        }
        if let Some(occurrence) = self.within.pop_front() {
            self.take_within(task, occurrence);
            return true;
        }
        self.tidy_deadlines();
        let until = match self.pending.front() {
            None => return false,
            Some(Pending::Start(_)) => None,
            Some(Pending::Input(_, at)) => Some((*at, false)),
            Some(Pending::Advance(now)) => Some((*now, true)),
        };
        let due = self.deadlines.peek().copied().filter(|deadline| {
            until.is_some_and(|(time, inclusive)| deadline.time < time || inclusive && deadline.time == time)
        });
        if let Some(deadline) = due {
            self.deadlines.pop();
            self.take_deadline(task, deadline);
        } else if let Some(pending) = self.pending.pop_front() {
            self.take_pending(task, pending);
        }
        true
    }

    fn take(&mut self, task: &TaskDefinition, step: Step) {
        let draws = self.draws;
        self.used = 0;
        match self.perform(task, step) {
            Ok(()) => self.answers.clear(),
            Err(Pause::Call) => {
                // It will be done again, with the same draws.
                self.draws = draws;
                self.agenda.push(step);
            }
            Err(Pause::Mistake(mistake)) => self.fail(task, step, mistake),
        }
    }

    /// Ends the session because the task made a mistake in a step.
    fn fail(&mut self, task: &TaskDefinition, step: Step, mistake: Mistake) {
        self.answers.clear();
        let stage = step.stage();
        if let Step::Leave(stage) = step {
            // It is not asked to leave again.
            self.disarm(stage);
        }
        let text = explain(task, stage, &mistake);
        self.outputs.push_back(Output::Note { time: self.now, text: text.clone() });
        self.unwind(Ending::Error, text.into());
    }

    /// Ends every stage, and then the session, because of this.
    /// False where that is being done already.
    fn unwind(&mut self, ending: Ending, why: Arc<str>) -> bool {
        if self.phase != Phase::Running {
            return false;
        }
        self.phase = Phase::Unwinding(ending, why);
        self.agenda.clear();
        self.within.clear();
        self.event = None;
        self.agenda.push(Step::Over(ending));
        self.agenda.push(Step::End(TaskDefinition::ROOT, ending));
        true
    }

    /// Counts a transition, or what may follow itself without end as one does.
    fn count_transition(&mut self, task: &TaskDefinition, stage: StageId) -> Result<(), Mistake> {
        self.transitions += 1;
        self.recent[self.transitions as usize % self.recent.len()] = stage;
        if self.transitions > TRANSITIONS { Err(self.endless(task, TRANSITIONS)) } else { Ok(()) }
    }

    fn count_turn(&mut self, task: &TaskDefinition, stage: StageId) -> Result<(), Mistake> {
        self.turns += 1;
        if self.turns > COUNTED_TURNS {
            self.recent.fill(stage);
            return Err(self.endless(task, COUNTED_TURNS));
        }
        Ok(())
    }

    fn endless(&self, task: &TaskDefinition, limit: u32) -> Mistake {
        let mut stages = self.recent.to_vec();
        stages.sort_unstable();
        stages.dedup();
        let names: Vec<String> =
            stages.iter().map(|stage| format!("`{}`", task.stages[stage.index()].path)).collect();
        Mistake::Endless { limit, stages: names.join(", ") }
    }

    /// Comes to a time, if it isn't past.
    fn come_to(&mut self, time: Time) {
        if time > self.now {
            self.now = time;
            self.transitions = 0;
            self.turns = 0;
        }
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    fn event(&mut self, kind: Kind, source: Source, value: f64) {
        self.event_at(self.now, kind, source, value);
    }

    fn event_at(&mut self, time: Time, kind: Kind, source: Source, value: f64) {
        let trial = self.table.present();
        self.outputs.push_back(Output::Event(Event { time, trial, kind, source, value }));
    }

    fn world(&self) -> World<'_> {
        World { ports: &self.ports, timers: &self.timers, counts: &self.counts }
    }

    fn set_deadline(&mut self, time: Time, stage: StageId, what: Due, serial: u64) {
        let rank = self.rank[stage.index()];
        self.deadlines.set(Deadline { time, set_at: self.now, rank, what, serial });
    }

    /// Sets a deadline that belongs to no stage.
    fn set_own_deadline(&mut self, time: Time, what: Due, serial: u64) {
        self.deadlines.set(Deadline { time, set_at: self.now, rank: u16::MAX, what, serial });
    }

    fn tidy_deadlines(&mut self) {
        let Session { deadlines, stages, timers, counted, ports, .. } = self;
        deadlines.tidy(|deadline| {
            let serial = match deadline.what {
                Due::Lasts(stage, armed) => {
                    stages[stage.index()].armed.get(usize::from(armed)).map_or(0, |armed| armed.serial)
                }
                Due::After(stage, _) => stages[stage.index()].entry,
                Due::Leaf(stage) | Due::TurnTimeout(stage) => stages[stage.index()].turn,
                Due::StageTimeout(stage) => stages[stage.index()].start,
                Due::Counted(counter) => counted[usize::from(counter)].serial,
                Due::Timer(timer) => timers[timer.index()],
                Due::Standstill(port) => {
                    let moved = ports.get(port).moved.map_or(0, |moved| moved.ns() as u64);
                    return moved == deadline.serial;
                }
            };
            serial == deadline.serial
        });
    }
}
