//! What children say in a session in real time, as it happens in the session.

use std::collections::BTreeMap;

use bramble_link::Clock;
use bramble_message::{ChildToPilot, PortName};
use bramble_rig::Happening;
use bramble_task::definition::PortId;
use bramble_value::Name;

use super::from_message;

/// What a child says in a session in real time, on this computer's clock; `None`
/// where it is of something that the session doesn't use.
pub(super) fn happening(
    child: &Name,
    message: ChildToPilot,
    live: &BTreeMap<PortName, PortId>,
    clock: Option<Clock>,
) -> Option<Happening> {
    // Where no heartbeat has come back yet, what comes is as old as its way here.
    let ours = |theirs| clock.map_or_else(bramble_link::now, |clock| clock.ours(theirs));
    Some(match message {
        ChildToPilot::Input { time, port, reading } => {
            Happening::Input { port: *live.get(&port)?, reading: from_message(reading), at: ours(time) }
        }
        ChildToPilot::Missed { time, port, count } => {
            Happening::Missed { port: *live.get(&port)?, count, at: ours(time) }
        }
        ChildToPilot::Note { time, text } => {
            Happening::Note { text: format!("the child {child}: {text}"), at: ours(time) }
        }
        ChildToPilot::Failed { why } => Happening::Lost { child: child.clone(), why },
        ChildToPilot::Done { .. } => return None,
    })
}
