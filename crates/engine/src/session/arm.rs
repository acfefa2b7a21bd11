//! What a stage begins to wait for when it is entered.

use std::sync::Arc;

use bramble_task::TaskDefinition;
use bramble_task::call::{Purpose, Returned};
use bramble_task::definition::{Handler, Handlers, Reaction, StageId};
use bramble_value::{Span, Time};

use super::Session;
use super::step::{List, Step};
use crate::deadline::Due;
use crate::mistake::{Mistake, Pause};
use crate::trigger::{Answer, Armed, Effect};

impl Session {
    /// The stage's `enter`.
    pub(crate) fn enter(&mut self, task: &TaskDefinition, id: StageId) -> Result<(), Pause> {
        let list = match &task.stages[id.index()].enter {
            Reaction::Actions(_) => List::Enter,
            Reaction::Function(function) => match self.call(id, *function, Purpose::Actions)? {
                Returned::Actions(actions) => {
                    self.returned.actions = actions;
                    List::Returned
                }
                _ => return Err(Mistake::Answer.into()),
            },
        };
        self.agenda.push(Step::Act(id, list, 0));
        Ok(())
    }

    /// The stage's function is asked for its handlers.
    pub(crate) fn ask_handlers(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        entry: u64,
    ) -> Result<(), Pause> {
        if let Handlers::Function(function) = &task.stages[id.index()].on {
            match self.call(id, *function, Purpose::Handlers)? {
                Returned::Handlers(handlers) => {
                    self.stages[id.index()].handlers = Some(handlers.into());
                    self.agenda.push(Step::Arm(id, 0, entry));
                }
                _ => return Err(Mistake::Answer.into()),
            }
        }
        Ok(())
    }

    /// The handler of this place is armed.
    pub(crate) fn arm(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        next: u16,
        entry: u64,
    ) -> Result<(), Pause> {
        let returned: Option<Arc<[Handler]>> = self.stages[id.index()].handlers.clone();
        let handlers: &[Handler] = match (&returned, &task.stages[id.index()].on) {
            (Some(handlers), _) => handlers,
            (None, Handlers::Listed(handlers)) => handlers,
            (None, Handlers::Function(_)) => &[],
        };
        let Some(handler) = handlers.get(usize::from(next)) else {
            return Ok(());
        };
        let watch = self.resolve_trigger(task, id, &handler.trigger)?;
        self.listen(id);
        self.stages[id.index()].armed.push(Armed::new(Answer::Handler(next), watch));
        self.agenda.push(Step::Arm(id, next + 1, entry));
        Ok(())
    }

    /// The stage is asked when something happens. Those that are asked are in
    /// the order of the file.
    pub(crate) fn listen(&mut self, id: StageId) {
        if self.stages[id.index()].armed.is_empty() {
            let rank = self.rank[id.index()];
            let place = self.listeners.partition_point(|listener| self.rank[listener.index()] < rank);
            self.listeners.insert(place, id);
        }
    }

    /// The time of this place is set. Zeros come later, in their own step.
    pub(crate) fn set_times(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        next: u16,
        entry: u64,
    ) -> Result<(), Pause> {
        let Some((time, _)) = task.stages[id.index()].after.get(usize::from(next)) else {
            return Ok(());
        };
        let time = self.duration(task, id, time)?;
        if next == 0 {
            self.stages[id.index()].zeros.clear();
        }
        if time == Span::ZERO {
            self.stages[id.index()].zeros.push(next);
        } else {
            self.set_deadline(self.now + time, id, Due::After(id, next), entry);
        }
        self.agenda.push(Step::Times(id, next + 1, entry));
        Ok(())
    }

    /// What the trigger of this place waits for may be the case already.
    pub(crate) fn look_at_levels(&mut self, id: StageId, next: u16, entry: u64) -> Result<(), Pause> {
        if usize::from(next) >= self.stages[id.index()].armed.len() {
            return Ok(());
        }
        self.agenda.push(Step::Levels(id, next + 1, entry));
        match self.look_at(id, next) {
            Effect::Nothing => {}
            Effect::Begins(lasts) => self.begin_lasting(id, next, lasts, self.now),
            Effect::Fires => {
                let port = self.stages[id.index()].armed[usize::from(next)].port;
                self.agenda.push(Step::Fire { stage: id, armed: next, port, by_event: false, entry });
            }
        }
        Ok(())
    }

    /// Looks at the condition of one armed trigger.
    pub(crate) fn look_at(&mut self, id: StageId, armed: u16) -> Effect {
        let Session { stages, ports, timers, counts, .. } = self;
        let world = crate::trigger::World { ports, timers, counts };
        stages[id.index()].armed[usize::from(armed)].look(&world, false)
    }

    /// A condition has become the case, and now has to last.
    pub(crate) fn begin_lasting(&mut self, id: StageId, armed: u16, lasts: Span, since: Time) {
        let serial = self.next_serial();
        self.stages[id.index()].armed[usize::from(armed)].serial = serial;
        self.set_deadline(since + lasts, id, Due::Lasts(id, armed), serial);
    }

    /// Times of zero are over once everything else is armed.
    pub(crate) fn take_zeros(&mut self, id: StageId, next: u16, entry: u64) -> Result<(), Pause> {
        if let Some(place) = self.stages[id.index()].zeros.get(usize::from(next)) {
            let over = Step::TimeOver(id, *place, entry);
            self.agenda.extend([Step::Zeros(id, next + 1, entry), over]);
        }
        Ok(())
    }
}
