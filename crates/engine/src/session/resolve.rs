//! From a trigger as written to one whose ports and numbers are known.

use bramble_task::TaskDefinition;
use bramble_task::call::Wanted;
use bramble_task::definition::{
    Condition, Expression, PortChoice, PortId, PortRef, StageId, Threshold, Trigger,
};
use bramble_value::{Span, Value};

use super::Session;
use crate::mistake::{Mistake, Pause};
use crate::ports::{PortIndex, PortRange};
use crate::trigger::{Bound, Test, Watch};

impl Session {
    pub(crate) fn resolve_trigger(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        trigger: &Trigger,
    ) -> Result<Watch, Pause> {
        Ok(match trigger {
            Trigger::Edge(port, edge) => Watch::Edge(self.port_range(task, id, port)?, *edge),
            Trigger::Level { condition, lasts } => {
                let test = self.resolve_condition(task, id, condition)?;
                let lasts = match lasts {
                    Some(lasts) => Some(self.duration(task, id, lasts)?).filter(|lasts| *lasts > Span::ZERO),
                    None => None,
                };
                Watch::Level(test, lasts)
            }
            Trigger::Ends(port) => Watch::Ends(self.port_range(task, id, port)?),
            Trigger::TimerEnds(timer) => Watch::TimerEnds(*timer),
            Trigger::Reaches(counter, count) => {
                let count = self.integer(task, id, count)?.max(0) as u64;
                Watch::Level(Test::Reached(*counter, count), None)
            }
            Trigger::Message(message) => Watch::Message(*message),
        })
    }

    pub(crate) fn resolve_condition(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        condition: &Condition,
    ) -> Result<Test, Pause> {
        Ok(match condition {
            Condition::Digital(port, high) => Test::Digital(self.port_range(task, id, port)?, *high),
            Condition::Measured(port, threshold) => {
                let ports = self.port_range(task, id, port)?;
                Test::Measured(ports, self.resolve_threshold(task, id, threshold, ports)?)
            }
            Condition::TimerRuns(timer) => Test::TimerRuns(*timer),
        })
    }

    fn resolve_threshold(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        threshold: &Threshold,
        ports: PortRange,
    ) -> Result<Bound, Pause> {
        let mut number = |value: &Expression| self.number(task, id, value);
        Ok(match threshold {
            Threshold::Above(least) => Bound::Above(number(least)?),
            Threshold::Below(most) => Bound::Below(number(most)?),
            Threshold::Between(least, most) => Bound::Between(number(least)?, number(most)?),
            Threshold::Beyond(limit) => Bound::Beyond(number(limit)?),
            Threshold::Still(within) => {
                let within = number(within)?;
                let references = ports.iter().map(|port| self.ports.get(port).value.unwrap_or(0.0));
                Bound::Still(within, references.collect())
            }
            Threshold::SpeedAbove(least) => Bound::SpeedAbove(number(least)?),
            Threshold::SpeedBelow(most) => Bound::SpeedBelow(number(most)?),
        })
    }

    /// The one port that is meant; of a device without ports, its only one.
    pub(crate) fn one_port(
        &mut self,
        task: &TaskDefinition,
        id: StageId,
        port: &PortRef,
    ) -> Result<PortIndex, Pause> {
        Ok(self.port_range(task, id, port)?.first)
    }

    /// The ports that are meant.
    fn port_range(&mut self, task: &TaskDefinition, id: StageId, port: &PortRef) -> Result<PortRange, Pause> {
        let no_port = || Mistake::Port { device: task.devices[port.device.index()].name.to_string() };
        let chosen = match &port.port {
            PortChoice::Any => return Ok(self.ports.all(port.device).ok_or_else(no_port)?),
            PortChoice::Fixed(chosen) => *chosen,
            PortChoice::Chosen(expression) => {
                match self.needed(task, id, expression, Wanted::Port(port.device))? {
                    Value::Choice(chosen) => chosen,
                    _ => return Err(no_port().into()),
                }
            }
        };
        let port = PortId { device: port.device, port: chosen };
        Ok(PortRange::one(self.ports.index(port).ok_or_else(no_port)?))
    }
}
