//! The task that has every device of a rig and waits for ever: what runs while
//! somebody else, a person or a pilot, says what the outputs do.

use std::fmt::Write as _;

use bramble_task::definition::DeviceKind;
use bramble_task::{Mistakes, Task};
use bramble_value::Sources;

use crate::config::RigConfig;

const FILE: &str = "by_hand.star";

/// The task of the whole rig.
///
/// # Errors
/// [`Mistakes`] where the rig has something that no task can have.
pub fn task(rig: &RigConfig) -> Result<Task, Mistakes> {
    let files = [(FILE.to_owned(), source(rig))].into();
    bramble_task::load(&Sources { root: FILE.to_owned(), files })
}

/// Its source. Devices are called by their names on the rig, which need
/// not be names of variables.
fn source(rig: &RigConfig) -> String {
    let mut text = String::new();
    for (place, (name, device)) in rig.devices.iter().enumerate() {
        let ports = device.ports();
        // Writing to a string can't fail.
        let _ = write!(text, "device_{place} = hardware({}, name = \"{name}\"", device.kind.word());
        if !ports.is_empty() {
            let ports: Vec<String> = ports.iter().map(|port| format!("\"{port}\"")).collect();
            let _ = write!(text, ", ports = [{}]", ports.join(", "));
        }
        if !device.unit.is_empty() && matches!(device.kind, DeviceKind::Encoder | DeviceKind::AnalogInput) {
            let unit = device.unit.replace('\\', "\\\\").replace('"', "\\\"");
            let _ = write!(text, ", unit = \"{unit}\"");
        }
        text.push_str(")\n");
    }
    // Nobody sends the message: the session ends when the rig is let go.
    text.push_str("by_hand_is_over = message(\"by_hand_is_over\")\n");
    text.push_str("task(name = \"by_hand\", stages = state(\"by_hand\", on = {by_hand_is_over: done}))\n");
    text
}
