//! Events and conditions.

use starlark::values::Value;

use super::{Lowering, shown};
use crate::call::Wanted;
use crate::definition::{Condition, CounterId, Edge, Expression, MessageId, Threshold, TimerId, Trigger};
use crate::language::{Part, Verb};
use crate::sandbox::Problem;

impl<'v> Lowering<'_, 'v> {
    /// An event, or a condition that becomes one when it is met.
    pub(crate) fn trigger(&mut self, value: Value<'v>) -> Option<Trigger> {
        let Some(part) = Part::from_value(value) else {
            let problem = Problem::new(format!("{} is not an event", shown(value)));
            let help = match value.unpack_str() {
                Some(_) => "a time belongs into `after`; a message is declared: message(\"name\")",
                None => "events are poke.rises, poke.high.lasts(\"1 s\"), timer.ends, message(\"go\") ...",
            };
            return self.wrong_value(problem.help(help), value);
        };
        if !part.is_called() {
            return self.uncalled(part);
        }
        self.at(part, |this| match part.verb() {
            Verb::Rises | Verb::Falls | Verb::Changes => {
                let (port, _) = this.port(part.receiver()?, true)?;
                let edge = match part.verb() {
                    Verb::Rises => Edge::Rises,
                    Verb::Falls => Edge::Falls,
                    _ => Edge::Changes,
                };
                Some(Trigger::Edge(port, edge))
            }
            Verb::Ends => this.port(part.receiver()?, true).map(|(port, _)| Trigger::Ends(port)),
            Verb::TimerEnds => Some(Trigger::TimerEnds(TimerId(part.of()?.said.id))),
            Verb::Reaches => {
                let count = this.expression(part.arg("count")?, Wanted::Integer)?;
                Some(Trigger::Reaches(CounterId(part.of()?.said.id), count))
            }
            Verb::Message => Some(Trigger::Message(MessageId(part.said.id))),
            Verb::Lasts => {
                let lasts = this.expression(part.arg("time")?, Wanted::Duration);
                let condition = this.condition(part.receiver()?);
                Some(Trigger::Level { condition: condition?, lasts: Some(lasts?) })
            }
            Verb::Hardware | Verb::Port => {
                let help = match part.said.device.as_deref().map(|device| device.kind) {
                    Some(crate::definition::DeviceKind::DigitalInput) => {
                        "what of it? .rises, .falls, .changes, .high or .low"
                    }
                    _ => "what of it? an event is .ends, .above(x) ...",
                };
                this.wrong(Problem::new("a device is not an event").help(help))
            }
            Verb::Timer => {
                this.wrong(Problem::new("a timer is not an event").help("did you mean its `.ends`?"))
            }
            Verb::Counter => {
                this.wrong(Problem::new("a counter is not an event").help("did you mean its `.reaches(n)`?"))
            }
            _ => this.condition(value).map(|condition| Trigger::Level { condition, lasts: None }),
        })
    }

    /// Whether a value is a condition.
    pub(crate) fn is_condition(value: Value<'v>) -> bool {
        Part::whole(value).is_some_and(|part| {
            matches!(part.verb(), Verb::High | Verb::Low | Verb::Running | Verb::Above | Verb::Below)
                || matches!(
                    part.verb(),
                    Verb::Between | Verb::Beyond | Verb::Still | Verb::SpeedAbove | Verb::SpeedBelow
                )
        })
    }

    /// Something that is the case or not.
    pub(crate) fn condition(&mut self, value: Value<'v>) -> Option<Condition> {
        let Some(part) = Part::whole(value).filter(|_| Self::is_condition(value)) else {
            let problem = Problem::new(format!("{} is not a condition", shown(value)));
            return self.wrong(
                problem.help("conditions are poke.high, poke.low, wheel.beyond(x), timer.running ..."),
            );
        };
        self.at(part, |this| {
            if part.verb() == Verb::Running {
                return Some(Condition::TimerRuns(TimerId(part.of()?.said.id)));
            }
            let device = match part.verb() {
                Verb::SpeedAbove | Verb::SpeedBelow => part.of()?.receiver()?,
                _ => part.receiver()?,
            };
            let (port, info) = this.port(device, false)?;
            let unit = this.unit(info.id);
            let threshold = match part.verb() {
                Verb::High => return Some(Condition::Digital(port, true)),
                Verb::Low => return Some(Condition::Digital(port, false)),
                Verb::Above => Threshold::Above(this.threshold(part, "threshold", &unit)?),
                Verb::Below => Threshold::Below(this.threshold(part, "threshold", &unit)?),
                Verb::Between => {
                    let (low, high) =
                        (this.threshold(part, "low", &unit), this.threshold(part, "high", &unit));
                    Threshold::Between(low?, high?)
                }
                Verb::Beyond => Threshold::Beyond(this.threshold(part, "position", &unit)?),
                Verb::Still => Threshold::Still(this.threshold(part, "within", &unit)?),
                Verb::SpeedAbove => {
                    Threshold::SpeedAbove(this.threshold(part, "speed", &format!("{unit}/s"))?)
                }
                _ => Threshold::SpeedBelow(this.threshold(part, "speed", &format!("{unit}/s"))?),
            };
            Some(Condition::Measured(port, threshold))
        })
    }

    fn threshold(&mut self, part: &Part<'v>, name: &str, unit: &str) -> Option<Expression> {
        self.measured(part.arg(name)?, unit)
    }
}
