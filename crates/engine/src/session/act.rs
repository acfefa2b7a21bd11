//! Actions, and the commands that become of them.

use bramble_task::TaskDefinition;
use bramble_task::call::Wanted;
use bramble_task::definition::{
    Action, Command, DisplayCommand, Expression, Reaction, Segment, StageId, Stimulus, StimulusKind,
};
use bramble_value::{Ending, Value};

use super::Session;
use super::respond::listed_response;
use super::stage::Undo;
use super::step::{List, Step};
use crate::deadline::Due;
use crate::exchange::Output;
use crate::mistake::Pause;
use crate::trigger::Occurrence;

impl Session {
    /// The action of this place is done.
    pub(crate) fn act(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        list: List,
        next: u16,
    ) -> Result<(), Pause> {
        let stage = &task.stages[id.index()];
        let place = usize::from(next);
        let held;
        let action = match list {
            List::During => stage.during.get(place),
            List::Enter => listed(&stage.enter).get(place),
            List::Leave => listed(&stage.leave).get(place),
            List::On(_) | List::After(_) if self.stages[id.index()].handlers.is_none() => {
                listed_response(task, id, list).and_then(|one| one.actions.get(place))
            }
            List::On(_) | List::After(_) => {
                held = self.response(task, id, list).and_then(|one| one.actions.get(place).cloned());
                held.as_ref()
            }
            List::Returned => {
                held = self.returned.actions.get(place).cloned();
                held.as_ref()
            }
        };
        if let Some(action) = action
            && self.do_action(task, id, action, list == List::During)?
        {
            self.agenda.push(Step::Act(id, list, next + 1));
        }
        Ok(())
    }

    /// Does one action; false where nothing is to follow it.
    fn do_action(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        action: &Action,
        during: bool,
    ) -> Result<bool, Pause> {
        match action {
            Action::Device(port, command) => {
                let port = self.one_port(task, id, port)?;
                let command = self.command(task, id, command)?;
                let port = self.ports.get(port).id;
                if during && let Some(undo) = undo_of(&command) {
                    self.stages[id.index()].undo.push((port, undo));
                }
                self.outputs.push_back(Output::Device { time: self.now, port, command });
            }
            Action::Record(column, expression) => {
                let value = self.column_value(task, id, *column, expression.as_ref())?;
                self.write(*column, value);
            }
            Action::Emit(message) => self.within.push_back(Occurrence::Message(*message)),
            Action::StartTimer(timer, length) => {
                let length = self.duration(task, id, length)?;
                let serial = self.next_serial();
                self.timers[timer.index()] = serial;
                self.set_own_deadline(self.now + length, Due::Timer(*timer), serial);
                self.within.push_back(Occurrence::TimerChanged(*timer));
            }
            Action::StopTimer(timer) => {
                self.timers[timer.index()] = 0;
                self.within.push_back(Occurrence::TimerChanged(*timer));
            }
            Action::ResetCounter(counter) => {
                self.counts[counter.index()] = 0;
                self.within.push_back(Occurrence::Counted(*counter));
            }
            Action::Zero(port) => {
                let index = self.one_port(task, id, port)?;
                let port = self.ports.get_mut(index);
                port.zero = port.value.unwrap_or(0.0);
                self.within.push_back(Occurrence::Measured(index));
            }
            Action::StopSession(why) => return Ok(!self.unwind(Ending::Stopped, why.clone())),
        }
        Ok(true)
    }

    /// A command with its values known.
    fn command(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        command: &Command<Expression>,
    ) -> Result<Command<Value>, Pause> {
        let mut known = |value: &Expression, wanted| self.needed(task, id, value, wanted);
        Ok(match command {
            Command::On(None) => Command::On(None),
            Command::On(Some(level)) => Command::On(Some(known(level, Wanted::Level)?)),
            Command::Off => Command::Off,
            Command::Open(amount) => Command::Open(known(amount, Wanted::Amount)?),
            Command::Pulse { on, after, level } => Command::Pulse {
                on: known(on, Wanted::Duration)?,
                after: given(after, Wanted::Duration, &mut known)?,
                level: given(level, Wanted::Level, &mut known)?,
            },
            Command::Train { on, every, count, after, level } => Command::Train {
                on: known(on, Wanted::Duration)?,
                every: known(every, Wanted::Duration)?,
                count: given(count, Wanted::Integer, &mut known)?,
                after: given(after, Wanted::Duration, &mut known)?,
                level: given(level, Wanted::Level, &mut known)?,
            },
            Command::Series { segments, count, after } => {
                let mut segment = |segment: &Segment<Expression>| {
                    let level = known(&segment.level, Wanted::Level)?;
                    Ok::<_, Pause>(Segment { level, length: known(&segment.length, Wanted::Duration)? })
                };
                Command::Series {
                    segments: segments.iter().map(&mut segment).collect::<Result<_, _>>()?,
                    count: given(count, Wanted::Integer, &mut known)?,
                    after: given(after, Wanted::Duration, &mut known)?,
                }
            }
            Command::Play { sound, after } => {
                let after = given(after, Wanted::Duration, &mut known)?;
                Command::Play { sound: self.stimulus(task, id, sound)?, after }
            }
            Command::Stop => Command::Stop,
            Command::Film => Command::Film,
            Command::Display(DisplayCommand::Show(stimulus)) => {
                Command::Display(DisplayCommand::Show(self.stimulus(task, id, stimulus)?))
            }
            Command::Display(DisplayCommand::Follow(port, gain)) => {
                Command::Display(DisplayCommand::Follow(*port, known(gain, Wanted::Number)?))
            }
            Command::Display(DisplayCommand::Center) => Command::Display(DisplayCommand::Center),
            Command::Display(DisplayCommand::Freeze) => Command::Display(DisplayCommand::Freeze),
            Command::Display(DisplayCommand::Clear) => Command::Display(DisplayCommand::Clear),
        })
    }

    /// A sound or a picture with its arguments known.
    pub(crate) fn stimulus(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        stimulus: &Stimulus<Expression>,
    ) -> Result<Stimulus<Value>, Pause> {
        let mut arguments = Vec::with_capacity(stimulus.arguments.len());
        for (place, argument) in stimulus.arguments.iter().enumerate() {
            let wanted = match (stimulus.kind, place) {
                (StimulusKind::Tone, 0) => Wanted::Frequency,
                (StimulusKind::Tone, 1) | (StimulusKind::Noise, 0) => Wanted::Duration,
                (StimulusKind::Tone | StimulusKind::Noise, _) => Wanted::Level,
                (StimulusKind::Grating, 0) => Wanted::Side,
                (StimulusKind::Grating, _) => Wanted::Number,
            };
            arguments.push(match argument {
                Some(argument) => Some(self.needed(task, id, argument, wanted)?),
                None => None,
            });
        }
        Ok(Stimulus { kind: stimulus.kind, arguments })
    }
}

/// A value that may be left out.
fn given(
    value: &Option<Expression>,
    wanted: Wanted,
    mut known: impl FnMut(&Expression, Wanted) -> Result<Value, Pause>,
) -> Result<Option<Value>, Pause> {
    value.as_ref().map(|value| known(value, wanted)).transpose()
}

fn listed(reaction: &Reaction) -> &[Action] {
    match reaction {
        Reaction::Actions(actions) => actions,
        Reaction::Function(_) => &[],
    }
}

/// What undoes a command that was to hold for as long as a stage lasts.
fn undo_of(command: &Command<Value>) -> Option<Undo> {
    match command {
        Command::On(_) => Some(Undo::Off),
        Command::Open(_)
        | Command::Pulse { .. }
        | Command::Train { .. }
        | Command::Series { .. }
        | Command::Play { .. }
        | Command::Film => Some(Undo::Stop),
        Command::Display(DisplayCommand::Show(_)) => Some(Undo::Clear),
        Command::Display(DisplayCommand::Follow(..)) => Some(Undo::Freeze),
        Command::Off
        | Command::Stop
        | Command::Display(DisplayCommand::Center | DisplayCommand::Freeze | DisplayCommand::Clear) => None,
    }
}
