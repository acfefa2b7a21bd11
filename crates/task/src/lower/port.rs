//! Devices and their ports.

use std::sync::Arc;

use bramble_value::Name;
use starlark::values::Value;

use super::outline::texts;
use super::{Lowering, shown};
use crate::call::Wanted;
use crate::definition::{DeviceId, DeviceKind, PortChoice, PortRef, PortTable, Trigger};
use crate::language::{DeviceInfo, Part, Verb};
use crate::mistake::one_of;
use crate::sandbox::Problem;

impl<'v> Lowering<'_, 'v> {
    /// The port that a part is, or is said of. `any`: a group as a whole will do.
    pub(crate) fn port(&mut self, value: Value<'v>, any: bool) -> Option<(PortRef, Arc<DeviceInfo>)> {
        let part = Part::whole(value).filter(|part| matches!(part.verb(), Verb::Hardware | Verb::Port));
        let Some((part, info)) = part.and_then(|part| Some((part, part.said.device.clone()?))) else {
            return self.wrong(
                Problem::new(format!("{} is not a device", shown(value))).help("hardware(...) declares one"),
            );
        };
        let device = info.id;
        let index = part.arg("port");
        let port = match index {
            None if info.ports.is_empty() => PortChoice::Fixed(0),
            None if any => PortChoice::Any,
            None => {
                let name = self.task.devices[device.index()].name.clone();
                let first = info.ports.first().map_or("", Name::as_str);
                let problem = Problem::new(format!("`{name}` has ports: which?"));
                return self.wrong_in(problem.help(format!("{name}[\"{first}\"]")), name.as_str());
            }
            Some(_) if info.ports.is_empty() => {
                let name = &self.task.devices[device.index()].name;
                let problem = Problem::new(format!("`{name}` has no ports"));
                return self.wrong(problem.help(format!("write `{name}` without brackets")));
            }
            Some(index) => match index.unpack_str() {
                Some(name) => match info.check_port(name) {
                    Ok(place) => PortChoice::Fixed(place),
                    Err(problem) => return self.wrong_in(problem, &format!("\"{name}\"")),
                },
                None => PortChoice::Chosen(Box::new(self.expression(index, Wanted::Port(device))?)),
            },
        };
        Some((PortRef { device, port }, info))
    }

    /// A port of a device of one of these kinds.
    pub(crate) fn port_of(&mut self, value: Value<'v>, kinds: &[DeviceKind]) -> Option<PortRef> {
        let (port, info) = self.port(value, false)?;
        if kinds.contains(&info.kind) {
            return Some(port);
        }
        let name = &self.task.devices[port.device.index()].name;
        let problem = Problem::new(format!("`{name}` is a {}", info.kind.word()));
        let name = name.to_string();
        self.wrong_in(
            problem.help(format!("here a {} is wanted", one_of(kinds.iter().map(|kind| kind.word())))),
            &name,
        )
    }

    /// What is wrong where the event's port is none of the names that are wanted.
    pub(crate) fn port_lacks(&self, event: &Trigger, tables: &PortTable, to: &[Name]) -> Option<Problem> {
        let port = event_port(event)?;
        let device = &self.task.devices[port.device.index()];
        let lacking: Vec<&str> = match port.port {
            _ if device.ports.is_empty() => {
                return Some(Problem::new(format!(
                    "`{}` has no ports: `event.port` says nothing",
                    device.name
                )));
            }
            PortChoice::Fixed(place) => {
                device.ports.get(usize::from(place)).into_iter().map(Name::as_str).collect()
            }
            PortChoice::Any => texts(&device.ports).collect(),
            PortChoice::Chosen(_) => return None,
        };
        let table = &tables[port.device.index()];
        let place = |name: &str| device.ports.iter().position(|port| port.as_str() == name);
        let lacking = lacking.into_iter().filter(|name| place(name).and_then(|place| table[place]).is_none());
        let lacking = one_of(lacking);
        (lacking != "nothing").then(|| {
            Problem::new(format!("`event.port` may be {lacking} here"))
                .help(format!("it can only be {}", one_of(texts(to))))
        })
    }

    /// The unit that a device measures in.
    pub(crate) fn unit(&self, device: DeviceId) -> String {
        self.task.devices[device.index()].unit.clone()
    }
}

/// The port that an event comes from, if from one.
fn event_port(event: &Trigger) -> Option<&PortRef> {
    use crate::definition::Condition;
    match event {
        Trigger::Edge(port, _) | Trigger::Ends(port) => Some(port),
        Trigger::Level { condition: Condition::Digital(port, _) | Condition::Measured(port, _), .. } => {
            Some(port)
        }
        _ => None,
    }
}
