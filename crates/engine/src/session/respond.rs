//! What happens when something that a stage waits for comes, and where it leads.

use bramble_task::TaskDefinition;
use bramble_task::call::{EventView, Purpose, Returned};
use bramble_task::definition::{
    FunctionId, Handler, Handlers, Response, StageId, StageKind, Transition, What,
};
use bramble_value::{Ending, Kind};

use super::Session;
use super::step::{List, Step};
use crate::mistake::{Mistake, Pause};
use crate::ports::PortIndex;
use crate::trigger::Answer;

impl Session {
    /// A trigger of a stage fired: by the event that is being taken, or because
    /// its condition, of this port, is the case.
    pub(crate) fn fire(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        armed: u16,
        port: Option<PortIndex>,
        by_event: bool,
    ) -> Result<(), Pause> {
        let answer = self.stages[id.index()].armed.get(usize::from(armed)).map(|armed| armed.answer);
        let Some(Answer::Handler(place)) = answer else {
            self.leaf_over(id);
            return Ok(());
        };
        let event = if by_event { self.cause } else { self.view_of_level(port) };
        let function = match self.handlers(task, id).get(usize::from(place)).map(|handler| &handler.what) {
            Some(What::Function(function)) => Some(*function),
            _ => None,
        };
        self.respond(id, event, List::On(place), function)
    }

    /// A time of `after` is over.
    pub(crate) fn time_over(&mut self, task: &TaskDefinition, id: StageId, place: u16) -> Result<(), Pause> {
        let event = EventView { time: self.now, port: None, message: None, value: 0.0 };
        let function = match task.stages[id.index()].after.get(usize::from(place)) {
            Some((_, What::Function(function))) => Some(*function),
            _ => None,
        };
        self.respond(id, event, List::After(place), function)
    }

    /// The actions and the transition of a list follow, or those that a function
    /// returns.
    fn respond(
        &mut self,
        id: StageId,
        event: EventView,
        list: List,
        function: Option<FunctionId>,
    ) -> Result<(), Pause> {
        self.event = Some(event);
        let list = match function {
            None => list,
            Some(function) => match self.call(id, function, Purpose::Response)? {
                Returned::Response(response) => {
                    self.returned = response;
                    List::Returned
                }
                _ => return Err(Mistake::Answer.into()),
            },
        };
        self.agenda.extend([Step::Go(id, list), Step::Act(id, list, 0)]);
        Ok(())
    }

    /// A stage's handlers, as listed or as its function returned them.
    fn handlers<'a>(&'a self, task: &'a TaskDefinition, id: StageId) -> &'a [Handler] {
        match (&self.stages[id.index()].handlers, &task.stages[id.index()].on) {
            (Some(handlers), _) => handlers,
            (None, Handlers::Listed(handlers)) => handlers,
            (None, Handlers::Function(_)) => &[],
        }
    }

    /// The response that a list is of.
    pub(crate) fn response<'a>(
        &'a self,
        task: &'a TaskDefinition,
        id: StageId,
        list: List,
    ) -> Option<&'a Response> {
        match (list, &self.stages[id.index()].handlers) {
            (List::Returned, _) => Some(&self.returned),
            (List::On(place), Some(handlers)) => response_of(&handlers.get(usize::from(place))?.what),
            _ => listed_response(task, id, list),
        }
    }

    /// The transition of a response.
    pub(crate) fn go(&mut self, task: &TaskDefinition, id: StageId, list: List) -> Result<(), Pause> {
        let transition = self.response(task, id, list).map_or(Transition::Stay, |one| one.transition);
        self.event = None;
        match transition {
            Transition::Stay => {}
            Transition::Next => self.agenda.push(Step::TurnOver(id, Ending::Done)),
            Transition::Goto(to) => {
                let from = self.left_for(task, id, to)?;
                self.count_transition(task, from)?;
                self.agenda.extend([Step::Start(to), Step::Gone(from, to), Step::End(from, Ending::Goto)]);
            }
            Transition::Done => {
                let mut ended = id;
                let mut around = task.stages[id.index()].parent;
                while let Some(stage) = around {
                    if let StageKind::States(_) = task.stages[stage.index()].kind {
                        ended = stage;
                        break;
                    }
                    around = task.stages[stage.index()].parent;
                }
                self.agenda.extend([Step::Follow(ended), Step::End(ended, Ending::Done)]);
            }
        }
        Ok(())
    }

    /// The stage that is left when `id` goes to `to`: itself, or what it is in.
    fn left_for(&self, task: &TaskDefinition, id: StageId, to: StageId) -> Result<StageId, Mistake> {
        let parent = task.stages[to.index()].parent;
        let mut left = Some(id);
        while let Some(stage) = left {
            if task.stages[stage.index()].parent == parent && parent.is_some() {
                return Ok(stage);
            }
            left = task.stages[stage.index()].parent;
        }
        Err(Mistake::Goto { to: task.stages[to.index()].path.clone() })
    }

    /// A transition from one stage to another is recorded.
    pub(crate) fn gone(&mut self, from: StageId, to: StageId) -> Result<(), Pause> {
        let to = self.sources.stage(to);
        self.event(Kind::Goto, self.sources.stage(from), f64::from(to.0));
        Ok(())
    }

    /// What is the case, as the handler that it fires sees it.
    fn view_of_level(&self, port: Option<PortIndex>) -> EventView {
        let port = port.map(|port| self.ports.get(port));
        let value = port.map_or(0.0, |port| port.measured().unwrap_or(f64::from(u8::from(port.high))));
        EventView { time: self.now, port: port.map(|port| port.id), message: None, value }
    }
}

/// The response that a list of the task itself is of.
pub(crate) fn listed_response(task: &TaskDefinition, id: StageId, list: List) -> Option<&Response> {
    let stage = &task.stages[id.index()];
    match (list, &stage.on) {
        (List::On(place), Handlers::Listed(handlers)) => response_of(&handlers.get(usize::from(place))?.what),
        (List::After(place), _) => response_of(&stage.after.get(usize::from(place))?.1),
        _ => None,
    }
}

fn response_of(what: &What) -> Option<&Response> {
    match what {
        What::Response(response) => Some(response),
        What::Function(_) => None,
    }
}
