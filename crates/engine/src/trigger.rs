//! Triggers whose ports and numbers are known, and what makes them fire.

use bramble_task::definition::{CounterId, Edge, MessageId, TimerId};
use bramble_value::{Span, Time};

use crate::ports::{PortIndex, PortRange, Ports};

/// A trigger that is being waited for.
#[derive(Debug, Clone)]
pub(crate) struct Armed {
    /// What it does when it fires.
    pub(crate) answer: Answer,
    pub(crate) watch: Watch,
    /// Whether its condition was the case when last looked at.
    pub(crate) was: bool,
    /// The port that made its condition the case.
    pub(crate) port: Option<PortIndex>,
    /// The deadline of its `lasts` that stands; 0 for none.
    pub(crate) serial: u64,
}

/// What an armed trigger does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The handler of this place in the stage's list.
    Handler(u16),
    /// The stage, a leaf, has what it waited for.
    Leaf,
}

/// A trigger, resolved.
#[derive(Debug, Clone)]
pub(crate) enum Watch {
    Edge(PortRange, Edge),
    Level(Test, Option<Span>),
    Ends(PortRange),
    TimerEnds(TimerId),
    Message(MessageId),
}

/// A condition, resolved.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Digital(PortRange, bool),
    Measured(PortRange, Bound),
    TimerRuns(TimerId),
    Reached(CounterId, u64),
}

/// A threshold, resolved.
#[derive(Debug, Clone)]
pub(crate) enum Bound {
    Above(f64),
    Below(f64),
    Between(f64, f64),
    Beyond(f64),
    /// Within so much of a reference, of which each port has its own.
    Still(f64, Vec<f64>),
    SpeedAbove(f64),
    SpeedBelow(f64),
}

/// Something that triggers may be waiting for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Occurrence {
    /// A digital input changed; true is up.
    Edge(PortIndex, bool),
    /// What is measured at a port was read anew.
    Measured(PortIndex),
    /// What an output did came to its end.
    Ends(PortIndex),
    /// A timer ran out.
    TimerEnds(TimerId),
    /// A timer was started or stopped.
    TimerChanged(TimerId),
    /// A counter has another count.
    Counted(CounterId),
    /// A message came.
    Message(MessageId),
}

/// What triggers look at.
pub(crate) struct World<'a> {
    pub(crate) ports: &'a Ports,
    /// Each timer's standing deadline; 0 where it doesn't run.
    pub(crate) timers: &'a [u64],
    pub(crate) counts: &'a [u64],
}

/// What an occurrence means to a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Nothing,
    /// It fires.
    Fires,
    /// Its condition has become the case, and has now to last this long.
    Begins(Span),
}

impl Armed {
    pub(crate) fn new(answer: Answer, watch: Watch) -> Armed {
        Armed { answer, watch, was: false, port: None, serial: 0 }
    }

    /// What something that happened `at` a time means to this trigger of a stage
    /// that was entered then.
    pub(crate) fn see(
        &mut self,
        occurrence: Occurrence,
        at: Time,
        entered: Time,
        world: &World<'_>,
    ) -> Effect {
        let fires = match (&mut self.watch, occurrence) {
            (Watch::Edge(ports, edge), Occurrence::Edge(port, up)) => {
                let wanted = match edge {
                    Edge::Rises => up,
                    Edge::Falls => !up,
                    Edge::Changes => true,
                };
                wanted && ports.contains(port) && at >= entered
            }
            (Watch::Ends(ports), Occurrence::Ends(port)) => ports.contains(port),
            (Watch::TimerEnds(timer), Occurrence::TimerEnds(ended)) => *timer == ended,
            (Watch::Message(message), Occurrence::Message(came)) => *message == came,
            (Watch::Level(test, _), _) if test.concerns(occurrence) => {
                let moved = test.follow(world);
                return self.look(world, moved);
            }
            _ => false,
        };
        if fires { Effect::Fires } else { Effect::Nothing }
    }

    /// Looks whether a condition is the case. `anew` says that it was broken
    /// since it was last looked at.
    pub(crate) fn look(&mut self, world: &World<'_>, anew: bool) -> Effect {
        let Watch::Level(test, lasts) = &self.watch else {
            return Effect::Nothing;
        };
        let (holds, port) = test.holds(world);
        let becomes = holds && !self.was;
        self.was = holds;
        if becomes {
            self.port = port;
        }
        match lasts {
            None if becomes => Effect::Fires,
            Some(lasts) if becomes || holds && anew => Effect::Begins(*lasts),
            _ => {
                if !holds {
                    self.serial = 0;
                }
                Effect::Nothing
            }
        }
    }
}

impl Test {
    /// Whether this may have changed by what happened.
    fn concerns(&self, occurrence: Occurrence) -> bool {
        match (self, occurrence) {
            (Test::Digital(ports, _), Occurrence::Edge(port, _))
            | (Test::Measured(ports, _), Occurrence::Measured(port)) => ports.contains(port),
            (Test::TimerRuns(timer), Occurrence::TimerEnds(changed) | Occurrence::TimerChanged(changed)) => {
                *timer == changed
            }
            (Test::Reached(counter, _), Occurrence::Counted(counted)) => *counter == counted,
            _ => false,
        }
    }

    /// Sets the reference of what has to be still anew where it was left, and
    /// says whether it was.
    fn follow(&mut self, world: &World<'_>) -> bool {
        let Test::Measured(ports, Bound::Still(within, references)) = self else {
            return false;
        };
        let mut left = false;
        for (port, reference) in ports.iter().zip(references) {
            let position = world.ports.get(port).value.unwrap_or(*reference);
            if (position - *reference).abs() > *within {
                *reference = position;
                left = true;
            }
        }
        left
    }

    /// Whether it is the case, and the port that makes it so.
    pub(crate) fn holds(&self, world: &World<'_>) -> (bool, Option<PortIndex>) {
        let port = match self {
            Test::Digital(ports, high) => ports.iter().find(|port| world.ports.get(*port).high == *high),
            Test::Measured(ports, bound) => ports.iter().find(|port| bound.holds(world, *port)),
            Test::TimerRuns(timer) => return (world.timers[timer.index()] != 0, None),
            Test::Reached(counter, count) => return (world.counts[counter.index()] >= *count, None),
        };
        (port.is_some(), port)
    }
}

impl Bound {
    fn holds(&self, world: &World<'_>, port: PortIndex) -> bool {
        let port = world.ports.get(port);
        let Some(measured) = port.measured() else {
            return false;
        };
        match *self {
            Bound::Above(least) => measured > least,
            Bound::Below(most) => measured < most,
            Bound::Between(least, most) => (least..=most).contains(&measured),
            Bound::Beyond(limit) if limit < 0.0 => measured <= limit,
            Bound::Beyond(limit) => measured >= limit,
            // Its reference is always within reach: see `follow`.
            Bound::Still(..) => true,
            Bound::SpeedAbove(least) => port.speed.abs() > least,
            Bound::SpeedBelow(most) => port.speed.abs() < most,
        }
    }
}
