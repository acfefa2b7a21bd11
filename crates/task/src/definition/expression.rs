//! Values, ports and conditions that are known when a stage is entered or an
//! event comes.

use std::sync::Arc;

use bramble_value::{Draw, Value};

use super::{ColumnId, CounterId, DeviceId, FunctionId, MessageId, ParameterId, PortId, StageId, TimerId};

/// A value that may stand for one known later.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// Known already.
    Value(Value),
    /// What the column holds.
    Column(ColumnId),
    /// The other of a choice of two (or of a boolean).
    Other(ColumnId),
    /// What the column held at the end of the last trial.
    Last(ColumnId),
    /// The parameter's value.
    Parameter(ParameterId),
    /// How often the counter has counted.
    Count(CounterId),
    /// How long the current stage has been active; in a handler, until its event.
    StateTime,
    /// How long since the stage was last entered in this trial.
    Since(StageId),
    /// The port of the event being handled, as a place in the choice that is wanted.
    EventPort(PortTable),
    /// When the event being handled happened, from the start of the session.
    EventTime,
    /// What the event being handled carried.
    EventValue,
    /// A choice, as a place in another choice's list.
    Mapped(Box<Expression>, ChoiceTable),
    /// Drawn anew each time it is needed. The result has the type of the place
    /// it stands in: durations are drawn in seconds.
    Draw(Box<Draw<Expression>>),
    /// What this function of the trial returns.
    Function(FunctionId),
}

/// From a place in one list of names to the place of the same name in another.
pub type ChoiceTable = Arc<[Option<u16>]>;

/// From a device and a port to the place of the port's name in a list of names.
pub type PortTable = Arc<[ChoiceTable]>;

/// A port that may be chosen by a value known later.
#[derive(Debug, Clone, PartialEq)]
pub struct PortRef {
    /// The device.
    pub device: DeviceId,
    /// Which of its ports.
    pub port: PortChoice,
}

/// How a port is chosen.
#[derive(Debug, Clone, PartialEq)]
pub enum PortChoice {
    /// This one.
    Fixed(u16),
    /// Any port of the device (events only): `poke.rises`.
    Any,
    /// The one this expression names: its value is a place among the device's
    /// ports (an [`Expression::Mapped`] or [`Expression::EventPort`] where the
    /// expression's own choices are others), or a function that returns a name.
    Chosen(Box<Expression>),
}

/// Something that may happen, or be the case.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// A digital input's edge: it fires when it comes, never for what was
    /// before the stage was entered.
    Edge(PortRef, Edge),
    /// Something that is the case, or is not: it fires at once if it is so at
    /// entry, else when it becomes so; with `lasts`, once it has been so that
    /// long, counted from the later of entry and becoming so.
    Level {
        /// What must be the case.
        condition: Condition,
        /// How long.
        lasts: Option<Expression>,
    },
    /// An output's pulse, train, opening or sound came to its end.
    Ends(PortRef),
    /// A timer ran out.
    TimerEnds(TimerId),
    /// A counter's count is this or more: it fires at once if that is so at entry,
    /// else when it becomes so.
    Reaches(CounterId, Expression),
    /// A message came.
    Message(MessageId),
}

/// Which edge of a digital input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edge {
    /// Low to high.
    Rises,
    /// High to low.
    Falls,
    /// Either.
    Changes,
}

/// Something that is the case or not at any moment.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// A digital input is at this level (true is high).
    Digital(PortRef, bool),
    /// An analog input, or an encoder, is where the threshold says.
    Measured(PortRef, Threshold),
    /// A timer is running.
    TimerRuns(TimerId),
}

/// A threshold of what is measured. Its numbers are in the device's unit and
/// are fixed when the stage is entered.
#[derive(Debug, Clone, PartialEq)]
pub enum Threshold {
    /// More than this.
    Above(Expression),
    /// Less than this.
    Below(Expression),
    /// Both ends included.
    Between(Expression, Expression),
    /// As far from zero as this, in its direction: `beyond(-5)` is at or below -5.
    Beyond(Expression),
    /// Within this of a reference, which is taken at entry and again at each
    /// breach: it is still unless it has just moved further.
    Still(Expression),
    /// Faster than this in either direction, in units a second.
    SpeedAbove(Expression),
    /// Slower than this in either direction, in units a second.
    SpeedBelow(Expression),
}

impl PortRef {
    /// A known port.
    pub fn fixed(port: PortId) -> PortRef {
        PortRef { device: port.device, port: PortChoice::Fixed(port.port) }
    }
}
