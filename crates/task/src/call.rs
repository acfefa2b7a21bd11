//! Calls of a task's functions: what the engine asks, and what it is answered.
//!
//! A function is a pure function of its [`Call`] and of the trials before it,
//! so it may be evaluated wherever there is time for it, and again later.

use bramble_value::{Draw, Seed, Time, Value};

use crate::definition::{
    Action, ColumnId, Expression, FunctionId, Handler, MessageId, PortId, Response, StageId,
};

/// A function to be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Which call of the session this is, from 0; its random draws depend on it.
    pub number: u64,
    /// The function.
    pub function: FunctionId,
    /// What its result is for.
    pub purpose: Purpose,
    /// The stage that it is a function of: a `goto` leads to its siblings.
    pub stage: StageId,
    /// What it sees.
    pub view: View,
}

/// What a function's result is for, and so what it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// `prepare`: columns.
    Prepare,
    /// `until`, `skip_if`: true or false.
    Test,
    /// `carry`: the first value of this column.
    Carry(ColumnId),
    /// `enter`, `leave`, `call`: actions.
    Actions,
    /// A handler of an event or a time: actions and a transition.
    Response,
    /// `on`: handlers.
    Handlers,
    /// A value of this type's place.
    Value(Wanted),
}

/// What type of value a place wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// As the column holds.
    Column(ColumnId),
    /// A length of time, or a distribution of such.
    Duration,
    /// A length of time or a volume.
    Amount,
    /// A whole number.
    Integer,
    /// A number (in the unit of what is measured).
    Number,
    /// A share from 0 to 1.
    Level,
    /// A frequency.
    Frequency,
    /// True or false.
    Boolean,
    /// The name of a port of this device.
    Port(crate::definition::DeviceId),
    /// `left` or `right`.
    Side,
}

/// What a function sees of the session at the moment of its call.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The session's seed.
    pub seed: Seed,
    /// The moment it is called for: the event's, not the clock's.
    pub time: Time,
    /// When the session started.
    pub session_start: Time,
    /// The trial, from 1; 0 before the first.
    pub trial: u32,
    /// The parameters, in their order.
    pub parameters: Vec<Value>,
    /// The columns, in their order.
    pub columns: Vec<Option<Value>>,
    /// When the current stage was entered.
    pub entered: Time,
    /// When each stage was last entered in this trial, in the order of the stages.
    pub since: Vec<Option<Time>>,
    /// The event being handled.
    pub event: Option<EventView>,
    /// The counters' counts.
    pub counts: Vec<u64>,
}

/// An event, as its handler sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EventView {
    /// When it happened.
    pub time: Time,
    /// The port it came from, if from one.
    pub port: Option<PortId>,
    /// The message it was, if one.
    pub message: Option<MessageId>,
    /// What it carried.
    pub value: f64,
}

/// What a function returned, checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Returned {
    /// Columns to write, in order.
    Columns(Vec<(ColumnId, Option<Value>)>),
    /// True or false.
    Test(bool),
    /// Actions. Their expressions may still name columns and parameters, but
    /// hold no functions.
    Actions(Vec<Action>),
    /// Actions and a transition.
    Response(Response),
    /// Handlers.
    Handlers(Vec<Handler>),
    /// A value; `None` is missing.
    Value(Option<Value>),
    /// A distribution to draw from.
    Draw(Draw<Expression>),
    /// A port, by its place among its device's.
    Port(u16),
}
