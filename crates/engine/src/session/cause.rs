//! How what causes anything is taken: what was handed in, what happened within,
//! and deadlines.

use std::sync::Arc;

use bramble_task::TaskDefinition;
use bramble_task::call::EventView;
use bramble_task::definition::{CounterId, ParameterId, PortId, SourceMap, StageId};
use bramble_value::{Ending, Kind, Time, Value};

use super::step::Step;
use super::{Pending, Phase, Session};
use crate::deadline::{Deadline, Due};
use crate::exchange::{Input, Output};
use crate::ports::{PortIndex, STANDSTILL};
use crate::settings::check_parameter;
use crate::trigger::{Effect, Occurrence, World};

impl Session {
    pub(crate) fn take_pending(&mut self, task: &TaskDefinition, pending: Pending) {
        match pending {
            Pending::Advance(_) => {}
            Pending::Start(now) if self.phase == Phase::NotStarted => {
                self.come_to(now);
                self.begin_session();
                self.agenda.push(Step::Begin);
            }
            Pending::Start(_) => {}
            Pending::Input(input, at) => self.take_input(task, input, at),
        }
    }

    fn begin_session(&mut self) {
        self.phase = Phase::Running;
        self.started = self.now;
        self.event(Kind::SessionStart, SourceMap::SESSION, 0.0);
    }

    fn take_input(&mut self, task: &TaskDefinition, input: Input, at: Time) {
        let late = self.now.since(at);
        let is_late = at < self.now;
        self.come_to(at);
        self.cause = EventView { time: at, port: None, message: None, value: 0.0 };
        let (kind, source, value, occurrence) = match input {
            Input::Digital { port, high } => {
                let Some(index) = self.known(port) else { return };
                let changed = std::mem::replace(&mut self.ports.get_mut(index).high, high) != high;
                let value = f64::from(u8::from(high));
                let occurrence = changed.then_some(Occurrence::Edge(index, high));
                (Kind::Input, self.sources.port(port), value, occurrence)
            }
            Input::Analog { port, value } => {
                let Some(index) = self.known(port) else { return };
                self.ports.get_mut(index).value = Some(value);
                (Kind::Analog, self.sources.port(port), value, Some(Occurrence::Measured(index)))
            }
            Input::Position { port, value } => {
                let Some(index) = self.known(port) else { return };
                self.ports.get_mut(index).move_to(value, self.now);
                if self.minds_speed {
                    let serial = self.now.ns() as u64;
                    self.set_own_deadline(self.now + STANDSTILL, Due::Standstill(index), serial);
                }
                (Kind::Position, self.sources.port(port), value, Some(Occurrence::Measured(index)))
            }
            Input::Ends { port } => {
                let Some(index) = self.known(port) else { return };
                (Kind::Ends, self.sources.port(port), 0.0, Some(Occurrence::Ends(index)))
            }
            Input::Message { message, value } => {
                if message.index() >= task.messages.len() {
                    return self.refuse_unknown("message");
                }
                let source = self.sources.message(message);
                (Kind::Message, source, value, Some(Occurrence::Message(message)))
            }
            Input::Parameter { parameter, value } => {
                return self.take_parameter(task, parameter, value, at);
            }
            Input::Stop { why } => return self.stop(why),
            Input::Pause => return self.pause(),
            Input::Resume => return self.resume(),
            Input::StopAfterTrial { why } => {
                if self.phase == Phase::Running && self.table.present() > 0 {
                    self.stop_after_trial = Some(why);
                } else {
                    self.stop(why);
                }
                return;
            }
        };
        self.event_at(at, kind, source, value);
        if is_late {
            self.event(Kind::Late, source, late.seconds());
        }
        if let Some(occurrence) = occurrence {
            self.set_cause(occurrence, at, value);
            self.occur(task, occurrence);
        }
    }

    /// What the handlers of an occurrence see of it.
    fn set_cause(&mut self, occurrence: Occurrence, time: Time, value: f64) {
        self.cause = EventView { time, port: None, message: None, value };
        match occurrence {
            Occurrence::Edge(port, _) | Occurrence::Ends(port) => {
                self.cause.port = Some(self.ports.get(port).id);
            }
            Occurrence::Measured(port) => {
                let port = self.ports.get(port);
                self.cause.port = Some(port.id);
                self.cause.value = port.measured().unwrap_or(value);
            }
            Occurrence::Message(message) => self.cause.message = Some(message),
            Occurrence::Counted(counter) => self.cause.value = self.counts[counter.index()] as f64,
            Occurrence::TimerEnds(_) | Occurrence::TimerChanged(_) => {}
        }
    }

    fn known(&mut self, port: PortId) -> Option<PortIndex> {
        let index = self.ports.index(port);
        if index.is_none() {
            self.refuse_unknown("port");
        }
        index
    }

    fn refuse_unknown(&mut self, what: &str) {
        let text = format!("something came of a {what} that the task doesn't have; it was left out");
        self.outputs.push_back(Output::Note { time: self.now, text });
    }

    fn take_parameter(&mut self, task: &TaskDefinition, parameter: ParameterId, value: Value, at: Time) {
        let Some(declared) = task.parameters.get(parameter.index()) else {
            return self.refuse_unknown("parameter");
        };
        let refusal = if declared.live {
            check_parameter(declared, value).err().map(|error| error.to_string())
        } else {
            Some(format!("parameter `{}` can't be changed while a session runs", declared.name))
        };
        match refusal {
            Some(text) => self.outputs.push_back(Output::Note { time: self.now, text }),
            None => {
                self.changes.push((parameter.index(), value));
                self.event_at(at, Kind::Parameter, self.sources.parameter(parameter), value.to_f64());
            }
        }
    }

    fn stop(&mut self, why: Arc<str>) {
        if self.phase == Phase::NotStarted {
            self.begin_session();
        }
        self.unwind(Ending::Stopped, why);
    }

    /// Takes what happened within: it is of the present time.
    pub(crate) fn take_within(&mut self, task: &TaskDefinition, occurrence: Occurrence) {
        if let Occurrence::Message(message) = occurrence {
            let endless = self.count_transition(task, TaskDefinition::ROOT);
            if let Err(mistake) = endless {
                return self.fail(task, Step::Begin, mistake);
            }
            self.event(Kind::Message, self.sources.message(message), 0.0);
        }
        self.set_cause(occurrence, self.now, 0.0);
        self.occur(task, occurrence);
    }

    pub(crate) fn take_deadline(&mut self, task: &TaskDefinition, deadline: Deadline) {
        self.come_to(deadline.time);
        match deadline.what {
            Due::Lasts(stage, place) => {
                let state = &mut self.stages[stage.index()];
                let entry = state.entry;
                let armed = &mut state.armed[usize::from(place)];
                armed.serial = 0;
                let port = armed.port;
                self.agenda.push(Step::Fire { stage, armed: place, port, by_event: false, entry });
            }
            Due::After(stage, place) => {
                self.agenda.push(Step::TimeOver(stage, place, self.stages[stage.index()].entry));
            }
            Due::Leaf(stage) => self.leaf_over(stage),
            Due::TurnTimeout(stage) => self.agenda.push(Step::TurnOver(stage, Ending::Timeout)),
            Due::StageTimeout(stage) => {
                self.agenda.extend([Step::Follow(stage), Step::End(stage, Ending::Timeout)]);
            }
            Due::Counted(counter) => {
                self.counted[usize::from(counter)].serial = 0;
                self.count(usize::from(counter));
            }
            Due::Timer(timer) => {
                self.timers[timer.index()] = 0;
                if let Err(mistake) = self.count_transition(task, TaskDefinition::ROOT) {
                    return self.fail(task, Step::Begin, mistake);
                }
                self.event(Kind::Timer, self.sources.timer(timer), 0.0);
                let occurrence = Occurrence::TimerEnds(timer);
                self.set_cause(occurrence, self.now, 0.0);
                self.occur(task, occurrence);
            }
            Due::Standstill(port) => {
                self.ports.get_mut(port).speed = 0.0;
                let occurrence = Occurrence::Measured(port);
                self.set_cause(occurrence, self.now, 0.0);
                self.occur(task, occurrence);
            }
        }
    }

    /// Something happened: counters count it, and in every active branch the
    /// innermost stage that waits for it handles it, alone.
    fn occur(&mut self, task: &TaskDefinition, occurrence: Occurrence) {
        if self.phase != Phase::Running {
            return;
        }
        let at = self.cause.time;
        self.count_occurrence(occurrence, at);
        let mark = self.next_serial();
        // Within comes after around in the file, so that going backwards meets
        // the innermost first; and what goes last onto the agenda is done first.
        for place in (0..self.listeners.len()).rev() {
            let id = self.listeners[place];
            let mut handles = false;
            for armed in (0..self.stages[id.index()].armed.len()).rev() {
                match self.see(id, armed, occurrence, at) {
                    Effect::Nothing => {}
                    Effect::Begins(lasts) => {
                        let since = at.max(self.stages[id.index()].entered);
                        self.begin_lasting(id, armed as u16, lasts, since);
                    }
                    Effect::Fires if self.stages[id.index()].handled == mark => {}
                    Effect::Fires => {
                        handles = true;
                        let entry = self.stages[id.index()].entry;
                        let armed = armed as u16;
                        self.agenda.push(Step::Fire { stage: id, armed, port: None, by_event: true, entry });
                    }
                }
            }
            if handles {
                let mut around = task.stages[id.index()].parent;
                while let Some(stage) = around {
                    self.stages[stage.index()].handled = mark;
                    around = task.stages[stage.index()].parent;
                }
            }
        }
    }

    fn see(&mut self, id: StageId, armed: usize, occurrence: Occurrence, at: Time) -> Effect {
        let Session { stages, ports, timers, counts, .. } = self;
        let state = &mut stages[id.index()];
        let world = World { ports, timers, counts };
        state.armed[armed].see(occurrence, at, state.entered, &world)
    }

    fn count_occurrence(&mut self, occurrence: Occurrence, at: Time) {
        for place in 0..self.counted.len() {
            let Session { counted, ports, timers, counts, started, .. } = self;
            let world = World { ports, timers, counts };
            match counted[place].see(occurrence, at, *started, &world) {
                Effect::Nothing => {}
                Effect::Fires => self.count(place),
                Effect::Begins(lasts) => {
                    let serial = self.next_serial();
                    self.counted[place].serial = serial;
                    self.set_own_deadline(at + lasts, Due::Counted(place as u16), serial);
                }
            }
        }
    }

    fn count(&mut self, place: usize) {
        let counter = CounterId(place as u16);
        self.counts[place] += 1;
        self.event(Kind::Count, self.sources.counter(counter), self.counts[place] as f64);
        self.within.push_back(Occurrence::Counted(counter));
    }
}
