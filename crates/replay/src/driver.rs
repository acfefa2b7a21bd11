//! A rig whose hardware, clock, functions and children are a record of what they did.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use bramble_rig::driver::{Driver, DriverError, Inbox, Request};
use bramble_rig::remote::{Remote, RemoteError};
use bramble_rig::session::FunctionHost;
use bramble_rig::{Happening, Reading, Signal, Wire, Wiring};
use bramble_task::call::{Call, Returned};
use bramble_task::definition::{MessageId, ParameterId, PortId, SourceMap};
use bramble_task::{Functions, TaskDefinition};
use bramble_value::{Asked, Event, Kind, Row, Source, Time, Value, ValueType, Volume};

use crate::tape::Tape;

/// As often may time pass without anything coming out.
const IN_VAIN: u32 = 100_000;

/// What the sources of external events are.
struct Sources {
    ports: HashMap<Source, PortId>,
    messages: HashMap<Source, MessageId>,
    parameters: HashMap<Source, (ParameterId, ValueType)>,
}

impl Sources {
    fn new(task: &TaskDefinition, wiring: &Wiring) -> Sources {
        let map = SourceMap::new(task);
        let messages = (0..).map(MessageId).take(task.messages.len());
        let parameters = (0..).map(ParameterId).zip(&task.parameters);
        Sources {
            ports: wiring.ports().map(|(port, _)| (map.port(port), port)).collect(),
            messages: messages.map(|message| (map.message(message), message)).collect(),
            parameters: parameters.map(|(id, one)| (map.parameter(id), (id, one.kind.clone()))).collect(),
        }
    }
}

/// What functions returned that were waited for, by the call's number.
type Answers = Rc<RefCell<BTreeMap<u64, Result<Returned, String>>>>;

/// The driver.
pub(crate) struct Recorded {
    tape: Rc<Tape>,
    sources: Sources,
    answers: Answers,
    real: bool,
    now: Time,
    /// Why the session was stopped, in words.
    why: Arc<str>,
    /// The places of inputs that were handed in while a function was waited for: they
    /// come by themselves.
    waits: VecDeque<usize>,
    /// Where time passed in vain last, and how often.
    in_vain: (usize, u32),
    /// What was waited for until when, before an input that came late.
    late: Option<(usize, Option<Time>)>,
}

impl Recorded {
    pub(crate) fn new(
        tape: Rc<Tape>,
        answers: Answers,
        task: &TaskDefinition,
        wiring: &Wiring,
        real: bool,
        why: Arc<str>,
    ) -> Recorded {
        let (sources, now) = (Sources::new(task, wiring), tape.start);
        Recorded {
            tape,
            sources,
            answers,
            real,
            now,
            why,
            waits: VecDeque::new(),
            in_vain: (0, 0),
            late: None,
        }
    }

    /// What was there before the session started.
    pub(crate) fn before(&self) -> Vec<Happening> {
        let before = self.tape.events.iter().take_while(|event| event.kind != Kind::SessionStart);
        let paused = || Happening::Request(Request::Pause { why: self.why.clone() });
        before
            .filter_map(|event| if event.kind == Kind::Pause { Some(paused()) } else { self.input(event) })
            .collect()
    }

    fn input(&self, event: &Event) -> Option<Happening> {
        let port = *self.sources.ports.get(&event.source)?;
        let (at, value) = (event.time, event.value);
        let reading = match event.kind {
            Kind::Input => Reading::Digital(value != 0.0),
            Kind::Analog => Reading::Analog(value),
            Kind::Position => Reading::Position(value),
            _ => return None,
        };
        Some(Happening::Input { port, reading, at })
    }

    /// What happened, where the next event of the record is of something that came
    /// from outside the task and its devices.
    fn happening(&mut self, event: &Event) -> Option<Happening> {
        let request = |request| Some(Happening::Request(request));
        match event.kind {
            Kind::Input | Kind::Analog | Kind::Position => {
                if self.waits.contains(&self.tape.place()) {
                    return None;
                }
                self.input(event)
            }
            Kind::Waits => {
                let port = *self.sources.ports.get(&event.source)?;
                // The event of the input itself says what kind of input it is.
                let place = self.tape.place();
                let is_it = |one: &Event| {
                    one.source == event.source
                        && one.time == event.time
                        && matches!(one.kind, Kind::Input | Kind::Analog | Kind::Position)
                };
                let found = (place..self.tape.events.len())
                    .find(|one| is_it(&self.tape.events[*one]) && !self.waits.contains(one));
                self.waits.retain(|one| *one >= place);
                self.waits.extend(found);
                let reading = match found.map(|one| self.tape.events[one].kind) {
                    Some(Kind::Analog) => Reading::Analog(event.value),
                    Some(Kind::Position) => Reading::Position(event.value),
                    _ => Reading::Digital(event.value != 0.0),
                };
                Some(Happening::Input { port, reading, at: event.time })
            }
            Kind::Lost => {
                let port = *self.sources.ports.get(&event.source)?;
                Some(Happening::Missed { port, count: event.value as u32, at: event.time })
            }
            Kind::Manual => {
                let port = *self.sources.ports.get(&event.source)?;
                request(Request::Water { port, volume: Volume::from_microliters(event.value)? })
            }
            Kind::Answered => {
                let number = event.value as u64;
                let result = self.answers.borrow_mut().remove(&number)?;
                Some(Happening::Answer { number, result })
            }
            Kind::Asked => self.asked(event),
            _ => None,
        }
    }

    fn asked(&self, event: &Event) -> Option<Happening> {
        let why = self.why.clone();
        let request = |request| Some(Happening::Request(request));
        if event.source == SourceMap::SESSION {
            return match Asked::from_f64(event.value)? {
                Asked::Stop => request(Request::Stop { why }),
                Asked::StopAfterTrial => request(Request::StopAfterTrial { why }),
                Asked::Fail => {
                    let child = "hardware".parse().ok()?;
                    Some(Happening::Lost { child, why: why.to_string() })
                }
                Asked::Pause => request(Request::Pause { why }),
                Asked::Resume => request(Request::Resume { why }),
            };
        }
        if let Some(message) = self.sources.messages.get(&event.source) {
            return request(Request::Message { message: *message, value: event.value });
        }
        let (parameter, kind) = self.sources.parameters.get(&event.source)?;
        let value = match kind {
            // The next event tells the upper end.
            ValueType::Integers => {
                let upper = self.tape.events.get(self.tape.place() + 1)?;
                Value::Integers(event.value as i32, upper.value as i32)
            }
            kind => kind.value_from_f64(event.value)?,
        };
        request(Request::Parameter { parameter: *parameter, value })
    }

    /// When the task had come by to an input that is next and came late.
    fn late(&self, input: &Event) -> Option<Time> {
        let late = self.tape.events.get(self.tape.place() + 1)?;
        let is_late = late.kind == Kind::Late && late.source == input.source;
        let by = bramble_value::Span::from_seconds(late.value).filter(|_| is_late)?;
        Some(input.time + by)
    }

    /// When the function that an event belongs to returned, where it is still to be called:
    /// a deadline, which is not in the record, called it.
    fn uncalled(&self, next: &Event) -> Option<Time> {
        let place = self.tape.place();
        let belongs = matches!(next.kind, Kind::Answered | Kind::Waits);
        let returned = self.tape.events[place..].iter().find(|event| event.kind == Kind::Answered);
        let returned = returned.filter(|_| belongs)?;
        (!self.answers.borrow().contains_key(&(returned.value as u64))).then_some(returned.time)
    }

    /// Time passes up to here, unless it did so in vain too often.
    fn pass(&mut self, to: Time) -> Result<Option<Happening>, DriverError> {
        self.now = self.now.max(to);
        let place = self.tape.place();
        let times = if self.in_vain.0 == place { self.in_vain.1 + 1 } else { 0 };
        self.in_vain = (place, times);
        if times > IN_VAIN {
            self.tape.nothing_came();
            return Err(DriverError("nothing comes where something was recorded".into()));
        }
        Ok(None)
    }
}

impl Driver for Recorded {
    fn now(&mut self) -> Time {
        self.now
    }

    fn is_still(&mut self, woke: bool) -> bool {
        if !self.real {
            return false;
        }
        let wanted = f64::from(u8::from(woke));
        match self.tape.next() {
            Some(next) if next.kind == Kind::Moment && next.value == wanted => {
                self.now = self.now.max(next.time);
                false
            }
            _ => true,
        }
    }

    fn wait(&mut self, until: Option<Time>, _: &Inbox) -> Result<Option<Happening>, DriverError> {
        let Some(next) = self.tape.next().copied() else {
            return Err(DriverError("the record ends here".into()));
        };
        if self.tape.is_over() {
            return Err(DriverError("it is not as it was recorded".into()));
        }
        if let Some(by) = self.late(&next)
            && until.is_some_and(|until| until <= by)
            && self.late != Some((self.tape.place(), until))
        {
            self.late = Some((self.tape.place(), until));
            return self.pass(by);
        }
        if let Some(returned) = self.uncalled(&next) {
            return self.pass(returned);
        }
        match self.happening(&next) {
            Some(happening) => {
                self.now = self.now.max(next.time);
                Ok(Some(happening))
            }
            // Computed time goes from one deadline to the next.
            None => self.pass(until.filter(|_| !self.real).unwrap_or(next.time)),
        }
    }

    fn write(&mut self, _: PortId, _: &Signal) -> Result<Time, DriverError> {
        if !self.real {
            return Ok(self.now);
        }
        match self.tape.next() {
            Some(next) if next.kind == Kind::Output => Ok(next.time),
            Some(next)
                if next.kind == Kind::Asked
                    && next.source == SourceMap::SESSION
                    && Asked::from_f64(next.value) == Some(Asked::Fail) =>
            {
                self.now = self.now.max(next.time);
                Err(DriverError(self.why.to_string()))
            }
            _ => Ok(self.now),
        }
    }

    fn is_virtual(&self) -> bool {
        !self.real
    }
}

/// The task's functions. In a session in real time what they return is waited for, and
/// comes when it came then.
pub(crate) struct Again {
    pub(crate) functions: Functions,
    pub(crate) answers: Answers,
    pub(crate) real: bool,
}

impl FunctionHost for Again {
    fn call(&mut self, call: Box<Call>) -> Option<Result<Returned, String>> {
        let number = call.number;
        let result = FunctionHost::call(&mut self.functions, call);
        if !self.real {
            return result;
        }
        self.answers.borrow_mut().extend(result.map(|result| (number, result)));
        None
    }

    fn row(&mut self, row: &Row) {
        FunctionHost::row(&mut self.functions, row);
    }
}

/// A child that did what it was told.
pub(crate) struct Absent;

impl Remote for Absent {
    fn touch(&mut self, _: &Wire, reading: Reading, at: Time) -> Result<(Reading, Time), RemoteError> {
        Ok((reading, at))
    }

    fn write(&mut self, _: &Wire, _: f64, _: Time) -> Result<(), RemoteError> {
        Ok(())
    }
}
