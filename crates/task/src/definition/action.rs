//! What a task does: to devices, to columns, to itself.

use std::sync::Arc;

use bramble_value::Value;

use super::{ColumnId, CounterId, Expression, FunctionId, MessageId, PortId, PortRef, StageId, TimerId};

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Tell a device something.
    Device(PortRef, Command<Expression>),
    /// Write a column; `None` makes it missing.
    Record(ColumnId, Option<Expression>),
    /// Send a message, which queues behind the events that are pending.
    Emit(MessageId),
    /// Start a timer for this long, from the time of what caused it.
    StartTimer(TimerId, Expression),
    /// Stop a timer.
    StopTimer(TimerId),
    /// Set a counter to 0.
    ResetCounter(CounterId),
    /// Call where the encoder is now its zero.
    Zero(PortRef),
    /// Stop the session, saying why.
    StopSession(Arc<str>),
}

/// What a device can be told. `V` is an [`Expression`] in a task, a [`Value`]
/// once it is on its way to the rig.
#[derive(Debug, Clone, PartialEq)]
pub enum Command<V = Value> {
    /// On, for a level output at this level (full where none is given).
    On(Option<V>),
    /// Off.
    Off,
    /// Open a valve for a volume or a duration.
    Open(V),
    /// On for a time.
    Pulse {
        /// How long.
        on: V,
        /// Waiting this long first.
        after: Option<V>,
        /// At this level, for a level output (full where none is given).
        level: Option<V>,
    },
    /// On for a time, again and again.
    Train {
        /// How long each time.
        on: V,
        /// From one start to the next.
        every: V,
        /// How many; without it, until stopped.
        count: Option<V>,
        /// Waiting this long first.
        after: Option<V>,
        /// At this level, for a level output (full where none is given).
        level: Option<V>,
    },
    /// One level after the other, and that again and again.
    Series {
        /// What one turn of it is.
        segments: Vec<Segment<V>>,
        /// How many times; without it, until stopped.
        count: Option<V>,
        /// Waiting this long first.
        after: Option<V>,
    },
    /// Play a sound.
    Play {
        /// Which.
        sound: Stimulus<V>,
        /// Waiting this long first.
        after: Option<V>,
    },
    /// End at once what runs by itself: a pulse, a train, a series, an opening, a sound.
    Stop,
    /// To a display.
    Display(DisplayCommand<V>),
    /// A camera starts to record; `Stop` ends it.
    Film,
}

/// A part of a series: a level that holds for a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment<V = Value> {
    /// The level, from 0 to 1.
    pub level: V,
    /// How long it holds.
    pub length: V,
}

/// What a display can be told.
#[derive(Debug, Clone, PartialEq)]
pub enum DisplayCommand<V = Value> {
    /// Show this.
    Show(Stimulus<V>),
    /// Move what is shown with an encoder, by this many degrees a unit.
    Follow(PortId, V),
    /// Move what is shown to the middle.
    Center,
    /// Keep what is shown where it is.
    Freeze,
    /// Show nothing.
    Clear,
}

/// A sound or a picture: its kind and its arguments, in the kind's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Stimulus<V = Value> {
    /// Which.
    pub kind: StimulusKind,
    /// Its arguments, as [`StimulusKind::arguments`] names them; `None` is the default.
    pub arguments: Vec<Option<V>>,
}

/// The stimuli there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StimulusKind {
    /// A pure tone: frequency, duration, level.
    Tone,
    /// White noise: duration, level.
    Noise,
    /// A grating: side (a choice of left and right), contrast from 0 to 1.
    Grating,
}

impl StimulusKind {
    /// The names of its arguments, in order.
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            StimulusKind::Tone => &["frequency", "duration", "level"],
            StimulusKind::Noise => &["duration", "level"],
            StimulusKind::Grating => &["side", "contrast"],
        }
    }

    /// Where among its arguments its duration is, for a sound.
    pub fn duration(self) -> Option<usize> {
        match self {
            StimulusKind::Tone => Some(1),
            StimulusKind::Noise => Some(0),
            StimulusKind::Grating => None,
        }
    }
}

/// What `enter` and `leave` do.
#[derive(Debug, Clone, PartialEq)]
pub enum Reaction {
    /// These, in order.
    Actions(Vec<Action>),
    /// What this function of the trial returns.
    Function(FunctionId),
}

impl Default for Reaction {
    fn default() -> Reaction {
        Reaction::Actions(Vec::new())
    }
}

/// What happens when an event comes or a time is over.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// This.
    Response(Response),
    /// What this function of the trial returns.
    Function(FunctionId),
}

/// Actions, and then where to go.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Response {
    /// Done first, in order.
    pub actions: Vec<Action>,
    /// Then this.
    pub transition: Transition,
}

/// Where a stage leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Transition {
    /// Nowhere: the stage goes on, and its clock with it.
    #[default]
    Stay,
    /// To this stage, a child of the same `states` as the stage that says so
    /// (or as the nearest stage around it that is in a `states`).
    Goto(StageId),
    /// To the end of the innermost `states` around the stage, with all its turns;
    /// where there is none, to the end of the stage itself.
    Done,
    /// To the end of the stage's turn: whatever follows it is next.
    Next,
}
