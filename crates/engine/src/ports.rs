//! What the inputs were last known to be.

use bramble_task::TaskDefinition;
use bramble_task::definition::{DeviceId, DeviceKind, PortId};
use bramble_value::{Span, Time};

/// A port's place among all ports of the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PortIndex(pub(crate) u16);

/// Ports of one device that lie side by side: one of them, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PortRange {
    pub(crate) first: PortIndex,
    pub(crate) last: PortIndex,
}

/// An encoder that has not moved for this long stands still, whatever its last
/// two positions say.
pub(crate) const STANDSTILL: Span = Span::from_ms(100);

/// What is known of one port.
#[derive(Debug, Clone)]
pub(crate) struct Port {
    pub(crate) id: PortId,
    /// A digital input's level. What was never heard of is low.
    pub(crate) high: bool,
    /// An analog input's value, or an encoder's position as the rig counts it.
    pub(crate) value: Option<f64>,
    /// Where the task put the encoder's zero.
    pub(crate) zero: f64,
    /// Units a second, between the last two positions.
    pub(crate) speed: f64,
    /// When the last position was taken.
    pub(crate) moved: Option<Time>,
}

/// Every port of the task.
#[derive(Debug)]
pub(crate) struct Ports {
    /// Where each device's ports begin, and a last entry where they end.
    first: Vec<u16>,
    ports: Vec<Port>,
}

impl Ports {
    pub(crate) fn new(task: &TaskDefinition) -> Ports {
        let mut first = vec![0];
        let mut ports = Vec::new();
        for (device, declared) in task.devices.iter().enumerate() {
            let at_start = (declared.kind == DeviceKind::Encoder).then_some(0.0);
            for port in 0..declared.port_count() {
                let id = PortId { device: DeviceId(device as u16), port };
                ports.push(Port { id, high: false, value: at_start, zero: 0.0, speed: 0.0, moved: None });
            }
            first.push(ports.len() as u16);
        }
        Ports { first, ports }
    }

    /// Where a port is, if the task has it.
    pub(crate) fn index(&self, port: PortId) -> Option<PortIndex> {
        let range = self.all(port.device)?;
        let index = range.first.0.checked_add(port.port)?;
        (index <= range.last.0).then_some(PortIndex(index))
    }

    /// All ports of a device.
    pub(crate) fn all(&self, device: DeviceId) -> Option<PortRange> {
        let first = *self.first.get(device.index())?;
        let end = *self.first.get(device.index() + 1)?;
        Some(PortRange { first: PortIndex(first), last: PortIndex(end - 1) })
    }

    pub(crate) fn get(&self, index: PortIndex) -> &Port {
        &self.ports[usize::from(index.0)]
    }

    pub(crate) fn get_mut(&mut self, index: PortIndex) -> &mut Port {
        &mut self.ports[usize::from(index.0)]
    }
}

impl PortRange {
    pub(crate) fn one(index: PortIndex) -> PortRange {
        PortRange { first: index, last: index }
    }

    pub(crate) fn contains(self, index: PortIndex) -> bool {
        self.first <= index && index <= self.last
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = PortIndex> {
        (self.first.0..=self.last.0).map(PortIndex)
    }
}

impl Port {
    /// What is measured: a value, or a position from the task's zero.
    pub(crate) fn measured(&self) -> Option<f64> {
        self.value.map(|value| value - self.zero)
    }

    /// Takes a new position.
    pub(crate) fn move_to(&mut self, position: f64, at: Time) {
        let before = self.value.unwrap_or(position);
        match self.moved.map(|moved| at.since(moved)) {
            // Two positions of one moment say nothing of speed.
            Some(Span::ZERO) => {}
            Some(span) if span <= STANDSTILL => self.speed = (position - before) / span.seconds(),
            // From a standstill it may have moved at any time since.
            _ => self.speed = (position - before) / STANDSTILL.seconds(),
        }
        self.value = Some(position);
        self.moved = Some(at);
    }
}
