//! Everything on a rig that a hand can work.

use bramble_rig::{Reading, RigConfig, Wiring, whole};
use bramble_task::Task;
use bramble_task::definition::{PortId, SourceMap};
use bramble_value::Source;

use super::protocol::Part;

/// Everything on a rig that a hand can work: the task that has it, and the name
/// of each part.
pub(super) struct Workpiece {
    pub(super) task: Task,
    pub(super) parts: Vec<(PortId, Part)>,
    sources: SourceMap,
}

impl Workpiece {
    /// The parts of this rig.
    ///
    /// # Errors
    /// A sentence, where the rig has something that no task can have.
    pub(super) fn new(rig: &RigConfig) -> Result<Workpiece, String> {
        let task = whole::task(rig).map_err(|mistakes| mistakes.to_string())?;
        let sources = SourceMap::new(&task.definition);
        Ok(Workpiece { task, parts: Vec::new(), sources })
    }

    /// Takes the parts from the wiring of the task on its rig; `is_simulated` tells
    /// those with nothing real behind them.
    pub(super) fn wired(
        &mut self,
        rig: &RigConfig,
        wiring: &Wiring,
        is_simulated: impl Fn(PortId, &bramble_rig::Wire) -> bool,
    ) {
        let part = |(port, wire): (PortId, &bramble_rig::Wire)| {
            let unit = rig.devices.get(&wire.device).map(|device| device.unit.clone());
            let part = Part {
                name: wire.to_string(),
                kind: wire.kind,
                unit: unit.unwrap_or_default(),
                safe: wire.safe,
                longest_on: wire.longest_on,
                simulated: is_simulated(port, wire),
                reads: None,
                doses: wire.dose.is_some(),
            };
            (port, part)
        };
        // What is said on the rig's own sync line is for its file to say.
        let workable =
            |(port, wire): &(PortId, &bramble_rig::Wire)| !(wiring.is_standing(*port) && wire.is_output());
        self.parts = wiring.ports().filter(workable).map(part).collect();
    }

    /// Takes what the inputs read; one of which nothing is known is low, or at 0.
    pub(super) fn read(&mut self, readings: &[(PortId, Reading)]) {
        for (port, part) in self.parts.iter_mut().filter(|(_, part)| part.is_input()) {
            let reading = readings.iter().find(|(of, _)| of == port).map(|(_, reading)| *reading);
            part.reads = Some(match reading {
                None => 0.0,
                Some(Reading::Digital(high)) => f64::from(u8::from(high)),
                Some(Reading::Analog(value) | Reading::Position(value)) => value,
            });
        }
    }

    /// The part that an event is of; none where it is the session's own.
    pub(super) fn part(&self, source: Source) -> Option<&Part> {
        self.parts.iter().find(|(port, _)| self.sources.port(*port) == source).map(|(_, part)| part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rig(text: &str) -> RigConfig {
        bramble_config::parse("pilot.toml", text).unwrap()
    }

    #[test]
    fn every_part_of_a_rig_can_be_worked_whatever_it_is_called() {
        let rig = rig("[devices.poke]\nkind = \"digital_input\"\ndriver = \"simulated\"\n\
             ports = { left = 17, right = 27 }\n\
             [devices.house-light]\nkind = \"digital_output\"\ndriver = \"simulated\"\n\
             [devices.if]\nkind = \"solenoid\"\ndriver = \"simulated\"\nlongest_on = \"2 s\"\n\
             [devices.wheel]\nkind = \"encoder\"\ndriver = \"simulated\"\nunit = \"deg\"\n\
             [devices.speaker]\nkind = \"sound\"\ndriver = \"simulated\"\n");
        let mut piece = Workpiece::new(&rig).unwrap();
        let wiring = super::super::session::wire(&piece, &rig, &Default::default(), "box1").unwrap();
        piece.wired(&rig, &wiring, |_, _| true);
        let names: Vec<&str> = piece.parts.iter().map(|(_, part)| part.name.as_str()).collect();
        assert_eq!(names, ["house-light", "if", "poke.left", "poke.right", "speaker", "wheel"]);
        assert_eq!(piece.parts[5].1.unit, "deg");
        piece.read(&[(piece.parts[3].0, Reading::Digital(true))]);
        let reads = piece.parts.iter().map(|(_, part)| part.reads);
        assert_eq!(reads.collect::<Vec<_>>(), [None, None, Some(0.0), Some(1.0), None, Some(0.0)]);
        for (port, part) in &piece.parts {
            assert_eq!(piece.part(piece.sources.port(*port)), Some(part));
        }
    }

    #[test]
    fn a_rig_without_devices_can_be_opened_too() {
        assert!(Workpiece::new(&RigConfig::default()).is_ok());
    }
}
