//! What the loop needs of hardware. A driver is a folder beside this file; besides,
//! the configuration has its word, `real` opens it, and the guard knows its outputs.

mod bank;
mod chips;
mod clock;
mod gpiocdev;
mod inbox;
pub mod memory;
mod open;
mod pwm;
mod real;
mod rppal;
pub mod simulated;

use std::sync::Arc;

use bramble_task::call::Returned;
use bramble_task::definition::{Command, MessageId, ParameterId, PortId};
use bramble_value::{Name, Time, Value, Volume};
use thiserror::Error;

use crate::signal::{Reading, Signal};

pub use bank::{Bank, Edge, LineId, LineSpec, Purpose};
pub use chips::lacking;
pub use clock::monotonic;
pub use inbox::{Closed, Inbox, Post, inbox};
pub use memory::{Hands, Memory};
pub use open::OpenError;
pub use real::{Heartbeat, Real, Rig};
pub use simulated::{Pace, Simulated, World};

/// The hardware, and its clock.
pub trait Driver {
    /// Now, on the clock that inputs are stamped with. It never goes back.
    fn now(&mut self) -> Time;

    /// Whether no output has anything to do now, whatever is due: because the rig
    /// `woke` for one, or else because the task wants something. Only a record of what
    /// was done knows that beforehand, and then what [`Driver::now`] was.
    fn is_still(&mut self, woke: bool) -> bool {
        let _ = woke;
        false
    }

    /// Waits for what happens next: an input, or something in the inbox. `None`
    /// means that `until` has come; without it, only something that happens ends
    /// the wait.
    ///
    /// # Errors
    /// [`DriverError`] where the hardware no longer answers.
    fn wait(&mut self, until: Option<Time>, inbox: &Inbox) -> Result<Option<Happening>, DriverError>;

    /// Writes an output and says when that was. Outputs of a child's devices
    /// come by here too, after the child has written them: a driver of real
    /// hardware has nothing to do for them.
    ///
    /// # Errors
    /// [`DriverError`] where the output could not be written.
    fn write(&mut self, port: PortId, signal: &Signal) -> Result<Time, DriverError>;

    /// What the inputs read as a session starts on them: the session is told
    /// before it starts, so that a level that is there is seen at once.
    ///
    /// # Errors
    /// [`DriverError`] where the hardware doesn't answer.
    fn initial(&mut self) -> Result<Vec<(PortId, Reading)>, DriverError> {
        Ok(Vec::new())
    }

    /// Whether the session waits for a person, as while it is paused. A driver whose
    /// time is only computed then lets it pass as slowly as a person's does.
    fn unhurried(&mut self, _is: bool) {}

    /// Whether time stands still outside [`Driver::wait`]. A function of the
    /// task is then waited for, so that it takes no time.
    fn is_virtual(&self) -> bool {
        false
    }
}

/// Hardware that doesn't do what it should.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct DriverError(pub String);

/// Something that happens to a session.
#[derive(Debug)]
pub enum Happening {
    /// An input changed.
    Input {
        /// Which.
        port: PortId,
        /// What it reads now.
        reading: Reading,
        /// When it changed.
        at: Time,
    },
    /// A simulated animal does something to an input that a child owns. The
    /// loop asks the child what comes of it.
    Touch {
        /// Which.
        port: PortId,
        /// What it does to it.
        reading: Reading,
        /// When.
        at: Time,
    },
    /// Changes of an input were missed.
    Missed {
        /// Which.
        port: PortId,
        /// How many.
        count: u32,
        /// When the next change came that was not.
        at: Time,
    },
    /// An input changes far too often, or no longer does.
    Storm {
        /// Which.
        port: PortId,
        /// `true`: its changes are not looked at for a while. `false`: they are again.
        begins: bool,
        /// When.
        at: Time,
    },
    /// Someone wants something.
    Request(Request),
    /// A function of the task returned.
    Answer {
        /// The call's number.
        number: u64,
        /// What it returned, or its mistake in a sentence.
        result: Result<Returned, String>,
    },
    /// Something that a person should read.
    Note {
        /// What, in a sentence.
        text: String,
        /// When.
        at: Time,
    },
    /// A child is gone.
    Lost {
        /// Which.
        child: Name,
        /// Why, as far as is known.
        why: String,
    },
}

/// What a person, a terminal or a protocol may want of a running session.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Stop at once.
    Stop {
        /// Why, for the record.
        why: Arc<str>,
    },
    /// Stop when the present trial is over.
    StopAfterTrial {
        /// Why, for the record.
        why: Arc<str>,
    },
    /// Begin no more trials until it is resumed.
    Pause {
        /// Who wants it and why, for the record.
        why: Arc<str>,
    },
    /// Let trials begin again.
    Resume {
        /// Who wants it and why, for the record.
        why: Arc<str>,
    },
    /// Record what a person should read.
    Note {
        /// What, in a sentence.
        text: String,
    },
    /// Give the task a message.
    Message {
        /// Which.
        message: MessageId,
        /// What it carries.
        value: f64,
    },
    /// Change a live parameter.
    Parameter {
        /// Which.
        parameter: ParameterId,
        /// Its new value.
        value: Value,
    },
    /// Have a device do something by hand.
    Command {
        /// The device's port.
        port: PortId,
        /// What it is to do; times in it count from when the session takes it.
        command: Command<Value>,
    },
    /// Give water by hand.
    Water {
        /// The valve.
        port: PortId,
        /// How much.
        volume: Volume,
    },
}
