//! What the pilot does when it is told something, as pure code: commands and
//! news of sessions go in, deeds come out.

use std::collections::VecDeque;
use std::sync::Arc;

use bramble_message::{Answer, Ask, Bytes, Command, InHand, ParameterSet, PortName, StartSession, When};
use bramble_rig::devices::Devices;
use bramble_rig::{Request, Wiring};
use bramble_task::TaskDefinition;
use bramble_task::definition::{DeviceId, DeviceKind, PortId};
use bramble_value::{Name, Person, SubjectId, Time, Volume};
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
    /// Take the name that this certificate says, and answer.
    Rename(Ask, Bytes),
    /// Write down whose session it is now.
    Own(Uuid, Person),
    /// Write down that a person changed a parameter.
    Set(ParameterSet),
}

/// Who wants something, and which question is to be answered.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    /// The question.
    pub(crate) ask: Ask,
    /// The person.
    pub(crate) by: Person,
    /// They take the session over, where it is another's.
    pub(crate) take_over: bool,
}

/// The desk of one pilot.
#[derive(Debug)]
pub(crate) struct Desk {
    pilot: Name,
    state: State,
    /// The sessions that were started, the latest last.
    known: VecDeque<Uuid>,
    /// Why none starts, where that is so.
    no_room: Option<String>,
    /// The session that was told to end for want of room.
    told_to_end: Option<Uuid>,
}

#[derive(Debug)]
enum State {
    Idle,
    /// A session is got ready.
    Preparing {
        owned: Owned,
        /// Who asked for it.
        first: Person,
        /// To be answered when it has started.
        asks: Vec<Ask>,
        /// It is to be stopped as soon as it has started.
        stop: Option<(When, String)>,
    },
    Running {
        owned: Owned,
        course: Course,
    },
    /// A person works the rig by hand.
    ByHand(InHand),
}

/// A session, and whose it is.
#[derive(Debug)]
struct Owned {
    session: Uuid,
    subject: SubjectId,
    owner: Person,
    /// It was paused, and not resumed since.
    paused: bool,
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
        Desk { pilot, state: State::Idle, known: known.collect(), no_room: None, told_to_end: None }
    }

    /// A command came.
    pub(crate) fn command(&mut self, from: &Asker, command: Command) -> Vec<Deed> {
        match command {
            Command::Start(request) => self.start(from.ask, request),
            Command::Stop { session, when, why } => self.stop(from, session, when, why),
            Command::Pause { session, why } => self.tell(from, session, |owned, course| {
                if course.task.trials().is_none() {
                    let task = &course.task.name;
                    return Err(format!("task {task} has no trials to pause between: stop it instead"));
                }
                let paused = std::mem::replace(&mut owned.paused, true);
                Ok((!paused).then(|| Request::Pause { why: why.into() }))
            }),
            Command::Resume { session, why } => self.tell(from, session, |owned, _| {
                let paused = std::mem::replace(&mut owned.paused, false);
                Ok(paused.then(|| Request::Resume { why: why.into() }))
            }),
            Command::SetParameter { session, name, unix_ns, value } => {
                let mut deeds =
                    self.tell(from, session, |_, course| parameter(course, &name, &value).map(Some));
                // A refusal is an answer alone.
                if deeds.len() > 1 {
                    let set = ParameterSet { session, name, value, who: from.by.clone(), unix_ns };
                    deeds.insert(deeds.len() - 1, Deed::Set(set));
                }
                deeds
            }
            Command::Message { session, name } => {
                self.tell(from, session, |_, course| message(&course.task, &name).map(Some))
            }
            Command::Rename { certificate } => match self.busy_with() {
                None => vec![Deed::Rename(from.ask, certificate)],
                Some(what) => vec![answer(from.ask, Err(format!("{} is busy: {what}", self.pilot)))],
            },
            Command::Reward { session, port, volume } => {
                self.tell(from, session, |_, course| water(course, &port, volume).map(Some))
            }
        }
    }

    /// What keeps it from doing something else.
    fn busy_with(&self) -> Option<String> {
        match &self.state {
            State::Idle => None,
            State::Preparing { owned, .. } => Some(format!("it is starting a session of {}", owned.subject)),
            State::Running { owned, course } => {
                Some(format!("it runs a session of {} (task {})", owned.subject, course.task.name))
            }
            State::ByHand(hand) => Some(works_by_hand(hand)),
        }
    }

    /// The session that was got ready has started.
    pub(crate) fn started(&mut self, course: Course) -> Vec<Deed> {
        let State::Preparing { owned, first, asks, stop } = std::mem::replace(&mut self.state, State::Idle)
        else {
            return Vec::new();
        };
        self.known.push_back(owned.session);
        while self.known.len() > MOST_KNOWN {
            self.known.pop_front();
        }
        let mut deeds: Vec<Deed> = asks.into_iter().map(|ask| answer(ask, Ok(()))).collect();
        if owned.owner != first {
            deeds.extend(owned.passed_on_from(&first));
        }
        deeds.extend(stop.map(|(when, why)| Deed::Tell(stopping(when, &why))));
        self.state = State::Running { owned, course };
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
    pub(crate) fn by_hand(&mut self, what: &str, who: Option<&Person>) -> Result<(), String> {
        let pilot = &self.pilot;
        match &self.state {
            State::Idle => {
                self.state = State::ByHand(InHand { who: who.cloned(), what: what.to_owned() });
                Ok(())
            }
            State::Preparing { owned, .. } => Err(format!("{pilot} is starting {owned}")),
            State::Running { owned, course } => {
                let task = &course.task.name;
                Err(format!("{pilot} runs {owned} (task {task}): stop it first, or wait for its end"))
            }
            State::ByHand(hand) => Err(in_a_hand(pilot, hand)),
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
            State::Running { .. } | State::ByHand(_) => vec![Deed::Tell(stopping(When::Now, why))],
        }
    }

    /// From now on no session starts, for this reason; without one, sessions start again.
    pub(crate) fn has_no_room(&mut self, why: Option<&str>) {
        if self.no_room.as_deref() != why {
            self.no_room = why.map(str::to_owned);
        }
    }

    /// What runs ends when its present trial is over, for this reason; it is told once.
    pub(crate) fn end_for_want_of_room(&mut self, why: &str) -> Vec<Deed> {
        match &mut self.state {
            State::Running { owned, .. } if self.told_to_end != Some(owned.session) => {
                self.told_to_end = Some(owned.session);
                vec![Deed::Tell(stopping(When::AfterTrial, why))]
            }
            State::Preparing { stop: stop @ None, .. } => {
                *stop = Some((When::AfterTrial, why.to_owned()));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Who works the rig by hand.
    pub(crate) fn in_hand(&self) -> Option<InHand> {
        match &self.state {
            State::ByHand(hand) => Some(hand.clone()),
            _ => None,
        }
    }

    /// Whether nothing runs, and nothing is got ready.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    fn start(&mut self, ask: Ask, request: Box<StartSession>) -> Vec<Deed> {
        match &mut self.state {
            // Asked for again, after a link broke: it is the same session.
            State::Preparing { owned, asks, .. } if owned.session == request.session => {
                asks.push(ask);
                Vec::new()
            }
            _ if self.known.contains(&request.session) => vec![answer(ask, Ok(()))],
            State::Idle if self.no_room.is_some() => {
                let why = self.no_room.as_deref().unwrap_or_default();
                vec![answer(ask, Err(format!("{} starts no session: {why}", self.pilot)))]
            }
            State::Idle => {
                let owned = Owned {
                    session: request.session,
                    subject: request.subject.clone(),
                    owner: request.owner.clone(),
                    paused: request.paused,
                };
                let first = request.owner.clone();
                self.state = State::Preparing { owned, first, asks: vec![ask], stop: None };
                vec![Deed::Start(request)]
            }
            State::Preparing { owned, .. } => {
                let why = format!("{} is busy: it is starting {owned}", self.pilot);
                vec![answer(ask, Err(why))]
            }
            State::ByHand(hand) => vec![answer(ask, Err(in_a_hand(&self.pilot, hand)))],
            State::Running { owned, course } => {
                let (pilot, task) = (&self.pilot, &course.task.name);
                let why = format!(
                    "{pilot} is busy: it runs {owned} (task {task}); stop that first, or choose another pilot"
                );
                vec![answer(ask, Err(why))]
            }
        }
    }

    fn stop(&mut self, from: &Asker, wanted: Uuid, when: When, why: String) -> Vec<Deed> {
        match &mut self.state {
            State::Preparing { owned, stop, .. } if owned.session == wanted => {
                if let Err(why) = owned.admits(from, &self.pilot) {
                    return vec![answer(from.ask, Err(why))];
                }
                // That it was taken over is told when it has started.
                owned.owner = from.by.clone();
                *stop = Some((when, why));
                vec![answer(from.ask, Ok(()))]
            }
            State::Running { owned, .. } if owned.session == wanted => {
                self.tell(from, wanted, |_, _| Ok(Some(stopping(when, &why))))
            }
            // It has ended by itself meanwhile: it is as was asked.
            _ if self.known.contains(&wanted) => vec![answer(from.ask, Ok(()))],
            _ => vec![answer(from.ask, Err(self.not_here(wanted)))],
        }
    }

    /// Tells the session what its owner, or whoever becomes that, wants.
    fn tell(
        &mut self,
        from: &Asker,
        wanted: Uuid,
        order: impl FnOnce(&mut Owned, &Course) -> Result<Option<Request>, String>,
    ) -> Vec<Deed> {
        let outcome = match &mut self.state {
            State::Running { owned, course } if owned.session == wanted => {
                owned.admits(from, &self.pilot).and_then(|()| order(owned, course)).map(|order| {
                    owned.pass_on(&from.by).into_iter().flatten().chain(order.map(Deed::Tell)).collect()
                })
            }
            _ => Err(self.not_here(wanted)),
        };
        match outcome {
            Ok(deeds) => [deeds, vec![answer(from.ask, Ok(()))]].concat(),
            Err(why) => vec![answer(from.ask, Err(why))],
        }
    }

    fn not_here(&self, session: Uuid) -> String {
        let pilot = &self.pilot;
        match &self.state {
            _ if self.known.contains(&session) && !self.runs(session) => {
                format!("the session has ended: {pilot} can't change it any more")
            }
            State::Idle | State::ByHand(_) => format!("{pilot} runs no session"),
            State::Preparing { owned, .. } => format!("{pilot} is still starting {owned}"),
            State::Running { owned, .. } => format!("{pilot} runs another session: {owned}"),
        }
    }

    fn runs(&self, wanted: Uuid) -> bool {
        matches!(&self.state, State::Running { owned, .. } if owned.session == wanted)
    }
}

impl Owned {
    /// Whether what this person asks for may be done.
    ///
    /// # Errors
    /// A sentence, where the session is another's.
    fn admits(&self, from: &Asker, pilot: &Name) -> Result<(), String> {
        let Owned { subject, owner, .. } = self;
        if *owner == from.by || from.take_over {
            return Ok(());
        }
        Err(format!(
            "{pilot}'s session of {subject} is {owner}'s: ask them, or take it over with --take-over"
        ))
    }

    /// It is this person's from now on; what there is to tell, where it was another's.
    fn pass_on(&mut self, to: &Person) -> Option<[Deed; 2]> {
        let before = std::mem::replace(&mut self.owner, to.clone());
        (before != *to).then(|| self.passed_on_from(&before))
    }

    fn passed_on_from(&self, before: &Person) -> [Deed; 2] {
        let text = self.owner.took_over(before);
        [Deed::Own(self.session, self.owner.clone()), Deed::Tell(Request::Note { text })]
    }
}

impl std::fmt::Display for Owned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}'s session of {}", self.owner, self.subject)
    }
}

fn in_a_hand(pilot: &Name, hand: &InHand) -> String {
    let end = if hand.who.is_some() { "ask them" } else { "end that first" };
    format!("{pilot} is busy: {}; {end}", works_by_hand(hand))
}

fn works_by_hand(InHand { who, what }: &InHand) -> String {
    match who {
        Some(who) => format!("{who} works its rig by hand at the page ({what})"),
        None => format!("someone works its rig by hand (bramble-pilot {what})"),
    }
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
