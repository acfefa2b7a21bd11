//! What the engine is handed, and what it hands back.

use std::sync::Arc;

use bramble_task::call::Call;
use bramble_task::definition::{Command, MessageId, ParameterId, PortId};
use bramble_value::{Ending, Event, Row, Time, Value};

/// Something that happened outside the engine.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A digital input is high or low now.
    Digital {
        /// Which.
        port: PortId,
        /// True is high.
        high: bool,
    },
    /// An analog input was read.
    Analog {
        /// Which.
        port: PortId,
        /// In the device's unit.
        value: f64,
    },
    /// An encoder is at a position.
    Position {
        /// Which.
        port: PortId,
        /// In the device's unit, from wherever the rig counts.
        value: f64,
    },
    /// A pulse, train, opening or sound of an output came to its end by itself.
    Ends {
        /// Which.
        port: PortId,
    },
    /// A message, from the page or a child.
    Message {
        /// Which.
        message: MessageId,
        /// What it carries.
        value: f64,
    },
    /// A live parameter was changed: it takes effect when the next trial is
    /// prepared, or in a task without trials at the root stage's next turn.
    Parameter {
        /// Which.
        parameter: ParameterId,
        /// Its new value.
        value: Value,
    },
    /// The session is to end now.
    Stop {
        /// Why, in words.
        why: Arc<str>,
    },
    /// The session is to end when the present trial does; now, where there is
    /// no present trial. Handed in right after a trial's row was taken, that
    /// trial was the last.
    StopAfterTrial {
        /// Why, in words.
        why: Arc<str>,
    },
    /// No trial is to begin until [`Input::Resume`]. The present trial goes on to
    /// its end, and so does every stage that is no part of one; their times, the
    /// timeouts of the stages around the trials among them, run on. Handed in before
    /// the start, it holds the first trial. A task without trials can't be paused.
    Pause,
    /// Trials may begin again: the one that was held begins now.
    Resume,
}

/// What the engine wants done, or has to say. Outputs come in the order in
/// which they happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Something to be recorded.
    Event(Event),
    /// A device is to be told something. The engine records nothing of it: who
    /// drives the rig does, with the time at which it was done.
    Device {
        /// The time of what caused it.
        time: Time,
        /// Which port.
        port: PortId,
        /// What.
        command: Command<Value>,
    },
    /// A function is to be evaluated, and its result given to
    /// [`Engine::answer`](crate::Engine::answer). Nothing follows until it is.
    Call(Box<Call>),
    /// A trial ended.
    Row(Row),
    /// Something that a person should read.
    Note {
        /// When.
        time: Time,
        /// What, in a sentence.
        text: String,
    },
    /// The session ended; nothing follows. Outputs that the task left on are
    /// the rig's to put into their safe states.
    Ended {
        /// When.
        time: Time,
        /// Why.
        ending: Ending,
        /// Why, in words.
        why: Arc<str>,
    },
}
