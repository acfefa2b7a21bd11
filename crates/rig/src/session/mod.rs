//! The loop: it takes what happens to the engine and what the engine wants to
//! the devices, in real and in simulated time alike.

mod around;
mod functions;
mod notes;
mod outputs;
mod relay;
mod requests;

use std::collections::VecDeque;
use std::sync::Arc;

use bramble_engine::{Engine, Input, Output, Settings, SettingsError};
use bramble_task::TaskDefinition;
use bramble_task::definition::{Command, PortId, SourceMap};
use bramble_value::{Asked, Ending, Event, Kind, Name, Record, Row, Seed, Source, Span, Time, Value};
use thiserror::Error;

use crate::devices::{Devices, Effect};
use crate::driver::{DriverError, Happening, Inbox, Request};
use crate::remote::RemoteError;
use crate::signal::Reading;
use crate::sync::{Sync, SyncPattern};
use crate::wiring::Wiring;
use notes::{lost, storm_begins, storm_ends, unix_us};
use outputs::{Outputs, recorded_level};

pub use around::{Around, Judge, Recorder, RecorderError, Verdict};
pub use functions::{FunctionHost, OnThread};
pub use relay::{Bell, Relay, Ring};

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How.
    pub ending: Ending,
    /// Why, in words.
    pub why: Arc<str>,
    /// When it started.
    pub start: Time,
    /// When it ended.
    pub end: Time,
    /// How many trials it had, the last one included however it ended.
    pub trials: u32,
    /// Whether it was paused then.
    pub paused: bool,
}

/// A session that has not started.
pub struct Session {
    engine: Engine,
    sources: SourceMap,
    wiring: Wiring,
    seed: Seed,
    longest: Option<Span>,
    wall_us: Option<i64>,
}

impl Session {
    /// A session of `task` on a rig that it was held against.
    ///
    /// # Errors
    /// [`SettingsError`] where the parameters are not the task's.
    pub fn new(
        task: Arc<TaskDefinition>,
        settings: Settings,
        wiring: Wiring,
    ) -> Result<Session, SettingsError> {
        let (sources, seed) = (SourceMap::new(&task), settings.seed);
        Ok(Session {
            engine: Engine::new(task, settings)?,
            sources,
            wiring,
            seed,
            longest: None,
            wall_us: None,
        })
    }

    /// Stops the session after this time, wherever it is then.
    pub fn at_most(mut self, longest: Span) -> Session {
        self.longest = Some(longest);
        self
    }

    /// Says that a clock on the wall read this at its start, in microseconds since
    /// 1970, UTC, whatever it reads: a sync line told it.
    pub fn told(mut self, wall_us: i64) -> Session {
        self.wall_us = Some(wall_us);
        self
    }

    /// Runs the session to its end. Outputs are brought to their safe states
    /// before its end is recorded, and however this is left.
    ///
    /// A driver, a child, a function host or a recorder that fails ends the
    /// session with a note and [`Ending::Error`].
    pub fn run(self, around: Around<'_>) -> Outcome {
        // One moment on two clocks, to the microsecond, which a number of the record holds.
        let (start, wall_us) = (around.driver.now(), unix_us());
        let mut devices = Devices::new(&self.wiring);
        let mut told_us = None;
        if let Some((port, pattern)) = self.wiring.sync() {
            let wall_us = self.wall_us.unwrap_or(wall_us);
            devices.keep_in_sync(port, Sync::new(pattern, self.seed, start, wall_us * 1000));
            told_us = matches!(pattern, SyncPattern::Barcode { .. }).then_some(wall_us);
        }
        let mut running = Running {
            devices,
            engine: self.engine,
            sources: self.sources,
            outputs: Outputs::new(self.wiring, around.driver, around.remotes),
            inbox: around.inbox,
            functions: around.functions,
            recorder: around.recorder,
            judge: around.judge,
            fault: None,
            is_safe: false,
            awaited: None,
            advanced: start,
            posted: VecDeque::new(),
            commands: Vec::new(),
            told_us,
            trials: 0,
            over_at: self.longest.map(|longest| start + longest),
        };
        if let Err(error) = running.outputs.make_safe() {
            running.fail(error.to_string());
        }
        match running.outputs.driver.initial() {
            Ok(readings) => {
                for (port, reading) in readings {
                    // Of a sync line only the edges count.
                    if !running.outputs.is_standing(port) {
                        running.input(port, reading, start);
                    }
                }
            }
            Err(error) => running.fail(error.to_string()),
        }
        // A child has told what its inputs read; what else was posted comes next.
        while let Ok(Some(happening)) = running.inbox.look() {
            match happening {
                Happening::Input { port, reading, .. } => running.input(port, reading, start),
                // Its first trial is held.
                Happening::Request(pause @ Request::Pause { .. }) => running.fulfil(pause, start),
                other => running.posted.push_back(other),
            }
        }
        running.engine.start(start);
        loop {
            if let Some((end, ending, why)) = running.settle() {
                let paused = running.engine.is_paused();
                return Outcome { ending, why, start, end, trials: running.trials, paused };
            }
            running.step();
        }
    }
}

/// When, how and why a session ended.
type End = (Time, Ending, Arc<str>);

struct Running<'a> {
    engine: Engine,
    sources: SourceMap,
    devices: Devices,
    outputs: Outputs<'a>,
    inbox: &'a Inbox,
    functions: &'a mut dyn FunctionHost,
    recorder: &'a mut dyn Recorder,
    judge: &'a mut dyn Judge,
    /// What failed, once something has.
    fault: Option<Arc<str>>,
    is_safe: bool,
    /// The number of the function call that is evaluated elsewhere.
    awaited: Option<u64>,
    /// What has happened and was not taken yet.
    posted: VecDeque<Happening>,
    /// What the engine wants of devices, until it wants nothing more.
    commands: Vec<(PortId, Command<Value>)>,
    /// What the wall clock said at the start, where a sync line says it too:
    /// microseconds since 1970, UTC.
    told_us: Option<i64>,
    /// The devices have done all that was due by then.
    advanced: Time,
    trials: u32,
    /// When the session has lasted as long as it may.
    over_at: Option<Time>,
}

impl Running<'_> {
    /// Does one thing: what is due before the next that happened, or that; where
    /// nothing happened yet, waits for it. One thing at a time, each with all that
    /// comes of it, is what makes a session the same when it is run again.
    fn step(&mut self) {
        let Some(happening) = self.posted.pop_front() else { return self.wait() };
        match self.due_before(&happening) {
            Some(due) => {
                self.posted.push_front(happening);
                self.engine.advance(due);
            }
            None => self.take(happening),
        }
    }

    /// The task's deadline that comes before something that happened.
    fn due_before(&mut self, happening: &Happening) -> Option<Time> {
        let at = match happening {
            Happening::Input { at, .. } | Happening::Touch { at, .. } => *at,
            Happening::Request(_) => self.now(),
            _ => return None,
        };
        self.engine_deadline().filter(|due| *due < at)
    }

    fn engine_deadline(&self) -> Option<Time> {
        if self.awaited.is_some() { None } else { self.engine.deadline() }
    }

    fn wait(&mut self) {
        self.outputs.driver.unhurried(self.engine.is_held());
        let happened = if self.awaited.is_some() && self.outputs.driver.is_virtual() {
            self.inbox.wait(None).map_err(|_| DriverError("the task's functions are gone".into()))
        } else {
            // Seen from when they were looked at, so that nothing falls between two looks.
            let devices = self.devices.deadline(self.advanced);
            let until = [self.engine_deadline(), devices, self.over_at].into_iter().flatten().min();
            self.outputs.driver.wait(until, self.inbox)
        };
        match happened {
            Ok(None) => self.pass_time(),
            Ok(Some(happening)) => self.posted.push_back(happening),
            Err(error) => self.fail(error.to_string()),
        }
    }

    fn pass_time(&mut self) {
        // What ended by now is an input of the engine's, and comes before its deadlines.
        let (now, _) = self.move_devices(true);
        if let Some(due) = self.engine_deadline().filter(|due| *due <= now) {
            // No further: what comes of this may come before what is due next.
            self.engine.advance(due);
        }
        if self.over_at.is_some_and(|over| over <= now) {
            self.over_at = None;
            let why = "the session has lasted as long as it may".into();
            self.asked(SourceMap::SESSION, f64::from(Asked::Stop as u8), now);
            self.engine.handle(Input::Stop { why }, now);
        }
    }

    /// Has devices do what was commanded and what is due, all as of one moment; which,
    /// and whether there was anything to do.
    fn move_devices(&mut self, woke: bool) -> (Time, bool) {
        let still = self.outputs.driver.is_still(woke);
        let now = self.now();
        if still && self.commands.is_empty() {
            return (now, false);
        }
        let mut told = self.tell_devices(woke, now);
        self.devices.advance(now);
        self.advanced = now;
        while let Some(effect) = self.devices.poll() {
            if !std::mem::replace(&mut told, true) {
                self.moment(woke, now);
            }
            self.apply(effect);
        }
        (now, told)
    }

    /// Tells devices what was commanded; whether anything was.
    fn tell_devices(&mut self, woke: bool, now: Time) -> bool {
        let mut commands = std::mem::take(&mut self.commands);
        let told = !commands.is_empty();
        if told {
            self.moment(woke, now);
        }
        for (port, command) in commands.drain(..) {
            if let Err(error) = self.devices.command(port, &command, now) {
                self.fail(error.to_string());
            }
        }
        // Its room is used again.
        self.commands = commands;
        told
    }

    /// In real time every output is decided before it is written: that moment is
    /// recorded, or the session could not be run again.
    fn moment(&mut self, woke: bool, time: Time) {
        if !self.outputs.driver.is_virtual() {
            self.session_event(Kind::Moment, f64::from(u8::from(woke)), time);
        }
    }

    fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Input { port, reading, at } => self.input(port, reading, at),
            Happening::Touch { port, reading, at } => match self.outputs.touch(port, reading, at) {
                Ok((reading, at)) => self.input(port, reading, at),
                Err(error) => self.fail(error.to_string()),
            },
            Happening::Answer { number, result } => {
                self.awaited = self.awaited.filter(|awaited| *awaited != number);
                let now = self.now();
                self.session_event(Kind::Answered, number as f64, now);
                self.engine.answer(number, result);
            }
            Happening::Missed { port, count, at } => self.event(Kind::Lost, port, f64::from(count), at),
            Happening::Storm { port, begins, at } => {
                let wire = self.outputs.wire(port);
                self.note(at, if begins { storm_begins(wire) } else { storm_ends(wire) });
            }
            Happening::Note { text, at } => self.note(at, text),
            Happening::Lost { child, why } => self.fail(lost(&child, &why)),
            Happening::Request(request) => {
                let now = self.now();
                self.note_asked(&request, now);
                self.fulfil(request, now);
            }
        }
    }

    fn input(&mut self, port: PortId, reading: Reading, at: Time) {
        if let (true, Reading::Digital(high)) = (self.outputs.is_standing(port), reading) {
            return self.event(Kind::Input, port, f64::from(u8::from(high)), at);
        }
        let input = match reading {
            Reading::Digital(high) => Input::Digital { port, high },
            Reading::Analog(value) => Input::Analog { port, value },
            Reading::Position(value) => Input::Position { port, value },
        };
        if self.awaited.is_some() {
            self.event(Kind::Waits, port, reading.number(), at);
        }
        self.engine.handle(input, at);
    }

    /// Carries out everything that the engine and the devices want, until they
    /// want nothing more; how the session ended, if it did.
    fn settle(&mut self) -> Option<End> {
        loop {
            while let Some(output) = self.engine.poll() {
                if let Some(end) = self.carry_out(output) {
                    return Some(end);
                }
            }
            let (_, moved) = self.move_devices(false);
            if !moved {
                return None;
            }
        }
    }

    fn carry_out(&mut self, output: Output) -> Option<End> {
        match output {
            Output::Event(mut event) => {
                if let (Kind::SessionStart, Some(wall_us)) = (event.kind, self.told_us) {
                    event.value = wall_us as f64;
                }
                if event.kind == Kind::SessionEnd {
                    self.make_safe();
                    if self.fault.is_some() {
                        event.value = f64::from(Ending::Error as u8);
                    }
                }
                self.record(Record::Event(event));
            }
            Output::Device { port, command, .. } => self.commands.push((port, command)),
            Output::Call(call) => {
                let number = call.number;
                // A session that has failed waits for nobody.
                let failed = self.fault.as_ref().map(|why| Err(why.to_string()));
                match failed.or_else(|| self.functions.call(call)) {
                    Some(result) => self.engine.answer(number, result),
                    None => self.awaited = Some(number),
                }
            }
            Output::Row(row) => self.row(row),
            Output::Note { time, text } => self.note(time, text),
            Output::Ended { time, ending, why } => {
                self.make_safe();
                return Some(match &self.fault {
                    Some(fault) => (time, Ending::Error, fault.clone()),
                    None => (time, ending, why),
                });
            }
        }
        None
    }

    fn row(&mut self, row: Row) {
        self.trials = row.trial;
        self.functions.row(&row);
        let verdict = self.judge.row(&row);
        let end = row.end;
        self.record(Record::Row(row));
        if let Verdict::EndAfterTrial(why) = verdict {
            self.engine.handle(Input::StopAfterTrial { why }, end);
        }
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Write { port, signal } => match self.outputs.write(port, &signal) {
                Ok(at) => {
                    if let Some(level) = recorded_level(&signal) {
                        self.event(Kind::Output, port, level, at);
                    }
                }
                Err(error) => self.fail(error.to_string()),
            },
            Effect::Ends { port, at } if !self.is_safe => self.engine.handle(Input::Ends { port }, at),
            Effect::Ends { .. } => {}
            Effect::Event { kind, port, value, at } => self.event(kind, port, value, at),
            Effect::Warning { at, text } => self.note(at, text),
        }
    }

    fn make_safe(&mut self) {
        if std::mem::replace(&mut self.is_safe, true) {
            return;
        }
        self.outputs.driver.is_still(false);
        let now = self.now();
        let mut told = self.tell_devices(false, now);
        self.devices.make_safe(now);
        while let Some(effect) = self.devices.poll() {
            if !std::mem::replace(&mut told, true) {
                self.moment(false, now);
            }
            self.apply(effect);
        }
        if let Err(error) = self.outputs.make_safe() {
            self.fail(error.to_string());
        }
    }

    /// Ends the session because something failed. Only the first failure counts:
    /// what fails while the session ends would have been told by it.
    fn fail(&mut self, why: String) {
        if self.fault.is_some() {
            return;
        }
        let why: Arc<str> = why.into();
        self.fault = Some(why.clone());
        let now = self.now();
        self.note(now, why.to_string());
        self.asked(SourceMap::SESSION, f64::from(Asked::Fail as u8), now);
        if let Some(number) = self.awaited.take() {
            self.engine.answer(number, Err(why.to_string()));
        }
        self.engine.handle(Input::Stop { why }, now);
    }

    fn event(&mut self, kind: Kind, port: PortId, value: f64, time: Time) {
        self.event_of(kind, self.sources.port(port), value, time);
    }

    fn session_event(&mut self, kind: Kind, value: f64, time: Time) {
        self.event_of(kind, SourceMap::SESSION, value, time);
    }

    fn event_of(&mut self, kind: Kind, source: Source, value: f64, time: Time) {
        // In a pause no trial runs.
        let trial = if self.engine.is_held() { 0 } else { self.engine.trial() };
        self.record(Record::Event(Event { time, trial, kind, source, value }));
    }

    fn note(&mut self, time: Time, text: String) {
        self.record(Record::Note { time, text });
    }

    fn record(&mut self, record: Record) {
        if let Err(error) = self.recorder.record(record) {
            self.fail(error.to_string());
        }
    }

    fn now(&mut self) -> Time {
        self.outputs.driver.now()
    }
}

/// Why an output could not be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum WriteError {
    #[error(transparent)]
    Driver(#[from] DriverError),
    #[error("the session lost its child `{child}`: {source}")]
    Remote { child: Name, source: RemoteError },
}

#[cfg(test)]
mod pausing;
#[cfg(test)]
mod restless;
#[cfg(test)]
mod tests;
