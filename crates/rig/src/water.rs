//! How much liquid was given, from what a session recorded of its valves.

use std::collections::BTreeMap;

use bramble_value::{Event, Kind, Source, Time};

use crate::dose::Dose;

/// Adds up what flows while valves are open.
#[derive(Debug, Clone, Default)]
pub struct WaterMeter {
    valves: BTreeMap<Source, Valve>,
    microliters: f64,
}

#[derive(Debug, Clone)]
struct Valve {
    dose: Dose,
    open_since: Option<Time>,
}

impl FromIterator<(Source, Dose)> for WaterMeter {
    fn from_iter<I: IntoIterator<Item = (Source, Dose)>>(valves: I) -> WaterMeter {
        let mut meter = WaterMeter::default();
        for (valve, dose) in valves {
            meter.measure(valve, dose);
        }
        meter
    }
}

impl WaterMeter {
    /// Measures a valve too, by the source of its events.
    pub fn measure(&mut self, valve: Source, dose: Dose) {
        self.valves.insert(valve, Valve { dose, open_since: None });
    }

    /// Whether there is nothing to measure.
    pub fn is_empty(&self) -> bool {
        self.valves.is_empty()
    }

    /// Takes in the next event of the session; only outputs matter.
    pub fn note(&mut self, event: &Event) {
        if event.kind != Kind::Output {
            return;
        }
        let Some(valve) = self.valves.get_mut(&event.source) else { return };
        if event.value > 0.0 {
            valve.open_since.get_or_insert(event.time);
        } else if let Some(since) = valve.open_since.take() {
            self.microliters += valve.dose.volume_of(event.time.since(since));
        }
    }

    /// What was given so far, in microliters. A valve that is open counts once
    /// it is closed.
    pub fn microliters(&self) -> f64 {
        self.microliters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_flows_while_a_valve_is_open_is_added_up() {
        let event = |ms: i64, source, value| Event {
            time: Time::from_ns(ms * 1_000_000),
            trial: 1,
            kind: Kind::Output,
            source: Source(source),
            value,
        };
        let flow = Dose::Flow("40 uL/s".parse().unwrap());
        let mut meter = WaterMeter::from_iter([(Source(3), flow)]);
        // Opened twice before it is closed; another output; open at the end.
        for event in
            [event(0, 3, 1.0), event(50, 3, 1.0), event(60, 4, 1.0), event(100, 3, 0.0), event(200, 3, 1.0)]
        {
            meter.note(&event);
        }
        assert!((meter.microliters() - 4.0).abs() < 1e-9);
    }
}
