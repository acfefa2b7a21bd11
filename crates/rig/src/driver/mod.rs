//! What the loop needs of hardware. A driver is a folder beside this file;
//! adding one touches nothing else.

pub mod simulated;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::time::Instant;

use bramble_task::call::Returned;
use bramble_task::definition::{Command, MessageId, ParameterId, PortId};
use bramble_value::{Name, Time, Value, Volume};
use thiserror::Error;

use crate::signal::{Reading, Signal};

pub use simulated::{Pace, Simulated, World};

/// The hardware, and its clock.
pub trait Driver {
    /// Now, on the clock that inputs are stamped with. It never goes back.
    fn now(&mut self) -> Time;

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
    /// Someone wants something.
    Request(Request),
    /// A function of the task returned.
    Answer {
        /// The call's number.
        number: u64,
        /// What it returned, or its mistake in a sentence.
        result: Result<Returned, String>,
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

/// A way for other threads to make something happen to a session.
#[derive(Debug, Clone)]
pub struct Post(Sender<Happening>);

/// What other threads have posted to a session.
#[derive(Debug)]
pub struct Inbox(Receiver<Happening>);

/// A post and its inbox.
pub fn inbox() -> (Post, Inbox) {
    let (sender, receiver) = channel();
    (Post(sender), Inbox(receiver))
}

impl Post {
    /// Posts this; `false` where the session is over.
    pub fn send(&self, happening: Happening) -> bool {
        self.0.send(happening).is_ok()
    }

    /// Asks this of the session; `false` where it is over.
    pub fn request(&self, request: Request) -> bool {
        self.send(Happening::Request(request))
    }
}

/// An inbox that nobody can post to any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

impl Inbox {
    /// What is there already.
    ///
    /// # Errors
    /// [`Closed`] where it is empty for ever.
    pub fn look(&self) -> Result<Option<Happening>, Closed> {
        match self.0.try_recv() {
            Ok(happening) => Ok(Some(happening)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Closed),
        }
    }

    /// Waits for something until then, or without end.
    ///
    /// # Errors
    /// [`Closed`] where it is empty for ever.
    pub fn wait(&self, until: Option<Instant>) -> Result<Option<Happening>, Closed> {
        let Some(until) = until else {
            return self.0.recv().map(Some).map_err(|_| Closed);
        };
        match self.0.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(happening) => Ok(Some(happening)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Closed),
        }
    }
}
