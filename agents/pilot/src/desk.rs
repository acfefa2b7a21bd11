//! What the pilot does when it is told something, as pure code: commands and
//! news of sessions go in, deeds come out.

use std::collections::VecDeque;
use std::sync::Arc;

use bramble_message::{Answer, Ask, Command, PortName, StartSession, When};
use bramble_rig::devices::Devices;
use bramble_rig::{Request, Wiring};
use bramble_task::TaskDefinition;
use bramble_task::definition::{DeviceId, DeviceKind, PortId};
use bramble_value::{Name, SubjectId, Time, Volume};
use uuid::Uuid;

/// Something to be done, in the order given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Deed {
    /// Answer a command.
    Answer(Answer),
    /// Get a session ready and run it; say so with [`Desk::started`] or
    /// [`Desk::refused`], and then with [`Desk::ended`].
    Start(Box<StartSession>),
    /// Tell the session that runs.
    Tell(Request),
}

/// The desk of one pilot.
#[derive(Debug)]
pub(crate) struct Desk {
    pilot: Name,
    state: State,
    /// The sessions that were started, the latest last.
    known: VecDeque<Uuid>,
}

#[derive(Debug)]
enum State {
    Idle,
    /// A session is got ready.
    Preparing {
        session: Uuid,
        subject: SubjectId,
        /// Who asked for it: to be answered when it has started.
        asks: Vec<Ask>,
        /// It is to be stopped as soon as it has started.
        stop: Option<(When, String)>,
    },
    Running {
        session: Uuid,
        subject: SubjectId,
        course: Course,
    },
    /// A person works the rig by hand.
    ByHand {
        what: String,
    },
}

/// What runs: a task, and what its ports are on this rig.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// The task.
    pub(crate) task: Arc<TaskDefinition>,
    /// Its ports.
    pub(crate) wiring: Wiring,
}

/// As many sessions are known again when they are asked for again.
const MOST_KNOWN: usize = 256;

impl Desk {
    /// The desk of the pilot of this name, which has started these sessions, the
    /// oldest first.
    pub(crate) fn new(pilot: Name, known: impl Iterator<Item = Uuid>) -> Desk {
        Desk { pilot, state: State::Idle, known: known.collect() }
    }

    /// A command came.
    pub(crate) fn command(&mut self, ask: Ask, command: Command) -> Vec<Deed> {
        match command {
            Command::Start(request) => self.start(ask, request),
            Command::Stop { session, when, why } => self.stop(ask, session, when, why),
            Command::SetParameter { session, name, value } => {
                self.tell(ask, session, |course| parameter(course, &name, &value))
            }
            Command::Message { session, name } => {
                self.tell(ask, session, |course| message(&course.task, &name))
            }
            Command::Reward { session, port, volume } => {
                self.tell(ask, session, |course| water(course, &port, volume))
            }
        }
    }

    /// The session that was got ready has started.
    pub(crate) fn started(&mut self, course: Course) -> Vec<Deed> {
        let State::Preparing { session, subject, asks, stop } =
            std::mem::replace(&mut self.state, State::Idle)
        else {
            return Vec::new();
        };
        self.state = State::Running { session, subject, course };
        self.known.push_back(session);
        while self.known.len() > MOST_KNOWN {
            self.known.pop_front();
        }
        let mut deeds: Vec<Deed> = asks.into_iter().map(|ask| answer(ask, Ok(()))).collect();
        deeds.extend(stop.map(|(when, why)| Deed::Tell(stopping(when, &why))));
        deeds
    }

    /// The session that was got ready can't be started.
    pub(crate) fn refused(&mut self, why: &str) -> Vec<Deed> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Preparing { asks, .. } => {
                asks.into_iter().map(|ask| answer(ask, Err(why.to_owned()))).collect()
            }
            other => {
                self.state = other;
                Vec::new()
            }
        }
    }

    /// A person wants to work the rig by hand, to do this; told by
    /// [`Desk::ended`] when it is over.
    ///
    /// # Errors
    /// A sentence, where the rig is in use.
    pub(crate) fn by_hand(&mut self, what: &str) -> Result<(), String> {
        let pilot = &self.pilot;
        match &self.state {
            State::Idle => {
                self.state = State::ByHand { what: what.to_owned() };
                Ok(())
            }
            State::Preparing { subject, .. } => Err(format!("{pilot} is starting a session of {subject}")),
            State::Running { subject, course, .. } => {
                let task = &course.task.name;
                Err(format!(
                    "{pilot} runs a session of {subject} (task {task}): stop it first, or wait for its end"
                ))
            }
            State::ByHand { what } => Err(in_a_hand(pilot, what)),
        }
    }

    /// The session has ended, or the hand let the rig go.
    pub(crate) fn ended(&mut self) {
        self.state = State::Idle;
    }

    /// The pilot ends: what runs is stopped, and what is got ready will be.
    pub(crate) fn leave(&mut self, why: &str) -> Vec<Deed> {
        match &mut self.state {
            State::Idle => Vec::new(),
            State::Preparing { stop, .. } => {
                *stop = Some((When::Now, why.to_owned()));
                Vec::new()
            }
            State::Running { .. } | State::ByHand { .. } => vec![Deed::Tell(stopping(When::Now, why))],
        }
    }

    /// Whether nothing runs, and nothing is got ready.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    fn start(&mut self, ask: Ask, request: Box<StartSession>) -> Vec<Deed> {
        match &mut self.state {
            // Asked for again, after a link broke: it is the same session.
            State::Preparing { session, asks, .. } if *session == request.session => {
                asks.push(ask);
                Vec::new()
            }
            _ if self.known.contains(&request.session) => vec![answer(ask, Ok(()))],
            State::Idle => {
                let (session, subject) = (request.session, request.subject.clone());
                self.state = State::Preparing { session, subject, asks: vec![ask], stop: None };
                vec![Deed::Start(request)]
            }
            State::Preparing { subject, .. } => {
                let why = format!("{} is busy: it is starting a session of {subject}", self.pilot);
                vec![answer(ask, Err(why))]
            }
            State::ByHand { what } => vec![answer(ask, Err(in_a_hand(&self.pilot, what)))],
            State::Running { subject, course, .. } => {
                let (pilot, task) = (&self.pilot, &course.task.name);
                let why = format!(
                    "{pilot} is busy: it runs a session of {subject} (task {task}); stop it first, or choose another pilot"
                );
                vec![answer(ask, Err(why))]
            }
        }
    }

    fn stop(&mut self, ask: Ask, wanted: Uuid, when: When, why: String) -> Vec<Deed> {
        match &mut self.state {
            State::Preparing { session, stop, .. } if *session == wanted => {
                *stop = Some((when, why));
                vec![answer(ask, Ok(()))]
            }
            State::Running { session, .. } if *session == wanted => {
                vec![Deed::Tell(stopping(when, &why)), answer(ask, Ok(()))]
            }
            // It has ended by itself meanwhile: it is as was asked.
            _ if self.known.contains(&wanted) => vec![answer(ask, Ok(()))],
            _ => vec![answer(ask, Err(self.not_here(wanted)))],
        }
    }

    fn tell(
        &self,
        ask: Ask,
        wanted: Uuid,
        order: impl FnOnce(&Course) -> Result<Request, String>,
    ) -> Vec<Deed> {
        match &self.state {
            State::Running { session, course, .. } if *session == wanted => match order(course) {
                Ok(order) => vec![Deed::Tell(order), answer(ask, Ok(()))],
                Err(why) => vec![answer(ask, Err(why))],
            },
            _ => vec![answer(ask, Err(self.not_here(wanted)))],
        }
    }

    fn not_here(&self, session: Uuid) -> String {
        let pilot = &self.pilot;
        match &self.state {
            _ if self.known.contains(&session) && !self.runs(session) => {
                format!("the session has ended: {pilot} can't change it any more")
            }
            State::Idle | State::ByHand { .. } => format!("{pilot} runs no session"),
            State::Preparing { subject, .. } => format!("{pilot} is still starting a session of {subject}"),
            State::Running { subject, .. } => format!("{pilot} runs another session, of {subject}"),
        }
    }

    fn runs(&self, wanted: Uuid) -> bool {
        matches!(&self.state, State::Running { session, .. } if *session == wanted)
    }
}

fn in_a_hand(pilot: &Name, what: &str) -> String {
    format!("{pilot} is busy: someone works its rig by hand (bramble-pilot {what}); end that first")
}

fn answer(ask: Ask, outcome: Result<(), String>) -> Deed {
    Deed::Answer(Answer { ask, outcome })
}

fn stopping(when: When, why: &str) -> Request {
    match when {
        When::Now => Request::Stop { why: why.into() },
        When::AfterTrial => Request::StopAfterTrial { why: why.into() },
    }
}

fn parameter(course: &Course, name: &str, value: &serde_json::Value) -> Result<Request, String> {
    let task = &course.task;
    let live = task.parameters.iter().filter(|one| one.live).map(|one| &one.name);
    let (id, parameter) = task.parameter(name).ok_or_else(|| {
        format!("task {} has no parameter `{name}`; {}", task.name, can_be("changed", live.clone()))
    })?;
    if !parameter.live {
        let which = can_be("changed", live);
        return Err(format!(
            "parameter `{name}` can't be changed while a session runs (live = True); {which}"
        ));
    }
    let value = bramble_task::parameter_value(parameter, value);
    let value = value.map_err(|why| format!("parameter `{name}`: {why}"))?;
    course.wiring.allows(id, value).map_err(|outside| format!("parameter `{name}`: the valve {outside}"))?;
    Ok(Request::Parameter { parameter: id, value })
}

fn message(task: &TaskDefinition, name: &str) -> Result<Request, String> {
    let (id, _) = task.message(name).ok_or_else(|| {
        let all = can_be("sent", task.messages.iter().map(|one| &one.name));
        format!("task {} has no message `{name}`; {all}", task.name)
    })?;
    Ok(Request::Message { message: id, value: 0.0 })
}

/// Water by hand, where the valve can give as much: the session is not asked for
/// what it would refuse.
fn water(course: &Course, wanted: &PortName, volume: Volume) -> Result<Request, String> {
    let port = valve(&course.task, wanted)?;
    let tried = Devices::new(&course.wiring).give(port, volume, Time::ZERO);
    tried.map_err(|error| format!("no water was given: {error}"))?;
    Ok(Request::Water { port, volume })
}

fn valve(task: &TaskDefinition, wanted: &PortName) -> Result<PortId, String> {
    valves(task).find(|(_, name)| name == wanted).map(|(port, _)| port).ok_or_else(|| {
        let all = can_be("opened", valves(task).map(|(_, name)| name));
        format!("task {} has no valve `{wanted}`; {all}", task.name)
    })
}

/// The valves that water can be given from.
pub(crate) fn valves(task: &TaskDefinition) -> impl Iterator<Item = (PortId, PortName)> {
    let solenoids = task.devices.iter().enumerate().filter(|(_, device)| device.kind == DeviceKind::Solenoid);
    solenoids.flat_map(|(place, device)| {
        (0..device.port_count()).map(move |port| {
            let name = device.ports.get(usize::from(port)).cloned();
            let id = PortId { device: DeviceId(place as u16), port };
            (id, PortName { device: device.name.clone(), port: name })
        })
    })
}

fn can_be<T: ToString>(done: &str, names: impl Iterator<Item = T>) -> String {
    let names: Vec<String> = names.map(|name| name.to_string()).collect();
    match names.as_slice() {
        [] => format!("none can be {done}"),
        names => format!("{} can be {done}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests;
