//! Where the terminal's commands are taken: on the link's own thread, so that one to a
//! session that runs waits for no other thread. What takes longer, and what waits for a
//! disk, is left to the pilot's thread, in its order.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bramble_link::{Event, Reply};
use bramble_message::{Answer, Command, PilotInPassing, TerminalToPilot, decode, encode};
use bramble_rig::{Post, Request};

use crate::desk::{Asker, Course, Deed, Desk};
use crate::pilot::Input;

/// What the link's thread and the pilot's have in common.
#[derive(Debug, Clone)]
pub(crate) struct Front(Arc<Mutex<Counter>>);

/// The desk, and the way to what it decides about.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) desk: Desk,
    /// To the session that runs, or is got ready.
    pub(crate) post: Option<Post>,
}

impl Counter {
    /// Tells the session that runs, and says whether it is still there to be told.
    pub(crate) fn tell(&self, request: Request) -> bool {
        self.post.as_ref().is_some_and(|post| post.request(request))
    }

    /// Tells the session what is among the deeds for it, so that no command comes between,
    /// and leaves the others. Says whether it was there to be told.
    fn tell_first(&self, deeds: Vec<Deed>) -> (Vec<Deed>, bool) {
        let (mut left, mut told) = (Vec::new(), true);
        for deed in deeds {
            match deed {
                Deed::Tell(request) => told &= self.tell(request),
                deed => left.push(deed),
            }
        }
        (left, told)
    }

    /// The session that was got ready has started. Returns what is left to do.
    pub(crate) fn started(&mut self, course: Course) -> Vec<Deed> {
        let deeds = self.desk.started(course);
        self.tell_first(deeds).0
    }

    /// The session is over, or the hand let the rig go.
    pub(crate) fn over(&mut self) {
        self.desk.ended();
        self.post = None;
    }

    /// Does what a command asks for that can be done at once. What is left to do comes
    /// after it, and the answer, where there is one yet, after that.
    fn command(&mut self, from: &Asker, command: Command) -> (Vec<Deed>, Option<Answer>) {
        let deeds = self.desk.command(from, command);
        let (mut left, told) = self.tell_first(deeds);
        // A command has one answer, which comes last.
        let mut answer = match left.pop() {
            Some(Deed::Answer(answer)) => Some(answer),
            last => {
                left.extend(last);
                None
            }
        };
        if !told {
            let why = "the session has just ended: it can't be changed any more".to_owned();
            answer = Some(Answer { ask: from.ask, outcome: Err(why) });
        }
        (left, answer)
    }
}

impl Front {
    pub(crate) fn new(desk: Desk) -> Front {
        Front(Arc::new(Mutex::new(Counter { desk, post: None })))
    }

    pub(crate) fn counter(&self) -> MutexGuard<'_, Counter> {
        // Nothing that is done under the lock can leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears what happens on the link to the terminal: takes commands, and leaves the rest
    /// to the pilot's thread. Returns what is to be said at once.
    pub(crate) fn hear(&self, event: Event, inputs: &Sender<Input>) -> Option<Reply> {
        let (input, said) = match event {
            Event::Message { at, payload, .. } => match decode(&payload) {
                Ok(TerminalToPilot::Command { ask, by, take_over, command }) => {
                    let (left, answer) = self.counter().command(&Asker { ask, by, take_over }, command);
                    let passing = |answer| Reply::Passing(encode(&PilotInPassing::Answer(answer)));
                    let said = answer.clone().map(passing);
                    (Input::Command { at, left, answer }, said)
                }
                Ok(TerminalToPilot::Revoked { certificates }) => (Input::Revoked { at, certificates }, None),
                Err(error) => {
                    tracing::error!("{error}");
                    (Input::Command { at, left: Vec::new(), answer: None }, None)
                }
            },
            event => (Input::Terminal(event), None),
        };
        // Where nobody listens the pilot has ended, and acknowledges nothing.
        let _ = inputs.send(input);
        said
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use bramble_link::Position;
    use bramble_message::{Ask, When};
    use uuid::Uuid;

    use super::*;

    fn message(number: u64, message: &TerminalToPilot) -> Event {
        let at = Position { epoch: Uuid::nil(), number };
        Event::Message { peer: "desk".parse().unwrap(), at, payload: encode(message) }
    }

    #[test]
    fn a_command_is_answered_at_once_and_acknowledged_in_its_order_by_the_pilots_thread() {
        let front = Front::new(Desk::new("box1".parse().unwrap(), std::iter::empty()));
        let (inputs, heard) = channel();
        let by = "alice@desk".parse().unwrap();
        let command = Command::Stop { session: Uuid::nil(), when: When::Now, why: String::new() };
        let stop = TerminalToPilot::Command { ask: Ask(7), by, take_over: false, command };
        let revoked = TerminalToPilot::Revoked { certificates: Vec::new() };

        let said = front.hear(message(1, &stop), &inputs);
        let Some(Reply::Passing(said)) = said else { panic!("no answer: {said:?}") };
        assert!(
            matches!(decode(&said), Ok(PilotInPassing::Answer(Answer { ask: Ask(7), outcome: Err(why) })) if why.contains("no session"))
        );
        assert_eq!(front.hear(message(2, &revoked), &inputs), None);
        drop(inputs);

        let numbers = heard.iter().map(|input| match input {
            Input::Command { at, left, answer } => {
                assert!(left.is_empty() && answer.is_some());
                at.number
            }
            Input::Revoked { at, .. } => at.number,
            other => panic!("{other:?}"),
        });
        assert_eq!(numbers.collect::<Vec<_>>(), [1, 2]);
    }
}
