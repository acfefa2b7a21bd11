//! How far a session is, as its records tell.

use std::collections::BTreeMap;

use bramble_message::{Hold, PortName, Progress, StartSession};
use bramble_rig::{Dose, WaterMeter};
use bramble_value::{Event, Kind, Person, Record, Source, Time};

/// Watches one session.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    progress: Progress,
    start: Time,
    /// Each stage's path, by its source.
    stages: BTreeMap<Source, String>,
    water: WaterMeter,
    /// The stages that are active, outermost first.
    active: Vec<Source>,
}

impl Watch {
    /// Watches a session of this task that starts now.
    pub(crate) fn new(request: &StartSession, task: String, start: Time) -> Watch {
        let StartSession { session, subject, owner, .. } = request;
        let progress = Progress::beginning(*session, subject.clone(), owner.clone(), task);
        Watch { progress, start, stages: BTreeMap::new(), water: WaterMeter::default(), active: Vec::new() }
    }

    /// Its task has this stage.
    pub(crate) fn has_stage(&mut self, source: Source, path: String) {
        self.stages.insert(source, path);
    }

    /// Its task has this valve, which gives this while it is open, as far as is known.
    pub(crate) fn has_valve(&mut self, source: Source, name: PortName, dose: Option<Dose>) {
        self.progress.valves.push(name);
        if let Some(dose) = dose {
            self.water.measure(source, dose);
        }
    }

    /// It was taken over.
    pub(crate) fn is_owned_by(&mut self, owner: Person) {
        self.progress.owner = owner;
    }

    /// Something was recorded.
    pub(crate) fn note(&mut self, record: &Record) {
        match record {
            Record::Event(event) => self.event(event),
            Record::Row(row) => {
                self.progress.trial = row.trial;
                self.has_come_to(row.end);
            }
            Record::Note { time, .. } => self.has_come_to(*time),
        }
    }

    /// How far it is.
    pub(crate) fn progress(&self) -> Progress {
        let stages = self.active.iter().filter_map(|stage| self.stages.get(stage)).cloned().collect();
        Progress { stages, water: self.water.microliters(), ..self.progress.clone() }
    }

    fn event(&mut self, event: &Event) {
        self.has_come_to(event.time);
        if event.trial > 0 {
            self.progress.trial = event.trial;
        }
        match event.kind {
            Kind::StageStart => self.active.push(event.source),
            Kind::StageEnd => self.active.retain(|stage| *stage != event.source),
            Kind::Pause => self.progress.hold = Some(Hold::Coming),
            Kind::Held => {
                self.progress.hold = Some(Hold::Since { seconds: event.time.since(self.start).seconds() });
            }
            Kind::Resume => self.progress.hold = None,
            Kind::Output => self.water.note(event),
            _ => {}
        }
    }

    fn has_come_to(&mut self, time: Time) {
        self.progress.seconds = self.progress.seconds.max(time.since(self.start).seconds());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requested::requested;
    use bramble_value::Span;

    fn event(ms: u32, trial: u32, kind: Kind, source: u16, value: f64) -> Record {
        Record::Event(Event {
            time: Time::ZERO + Span::from_ms(ms),
            trial,
            kind,
            source: Source(source),
            value,
        })
    }

    fn watch() -> Watch {
        let request = requested(0, Default::default());
        Watch::new(&request, "free_water".into(), Time::ZERO)
    }

    #[test]
    fn records_tell_whether_it_is_paused_and_since_when() {
        let mut watch = watch();
        watch.note(&event(500, 1, Kind::Pause, 0, 0.0));
        assert_eq!(watch.progress().hold, Some(Hold::Coming));
        watch.note(&event(700, 0, Kind::Held, 0, 0.0));
        assert_eq!(watch.progress().hold, Some(Hold::Since { seconds: 0.7 }));
        watch.note(&event(900, 0, Kind::Resume, 0, 0.0));
        assert_eq!(watch.progress().hold, None);
    }

    #[test]
    fn records_tell_the_the_trial_the_active_stages_the_water_and_the_time() {
        let mut watch = watch();
        watch.has_stage(Source(1), "trials".into());
        watch.has_stage(Source(2), "wait".into());
        watch.has_stage(Source(3), "reward".into());
        let left = PortName { device: "valve".parse().unwrap(), port: Some("left".parse().unwrap()) };
        watch.has_valve(Source(4), left.clone(), Some(Dose::TYPICAL));
        for record in [
            event(0, 0, Kind::StageStart, 1, 0.0),
            event(1, 1, Kind::StageStart, 2, 0.0),
            event(500, 1, Kind::StageEnd, 2, 0.0),
            event(500, 1, Kind::StageStart, 3, 0.0),
            event(500, 1, Kind::Output, 4, 1.0),
            event(600, 1, Kind::Output, 4, 0.0),
            event(700, 1, Kind::Output, 9, 1.0),
        ] {
            watch.note(&record);
        }
        let progress = watch.progress();
        assert_eq!((progress.trial, progress.water, progress.seconds), (1, 4.0, 0.7));
        assert_eq!(progress.stages, ["trials", "reward"]);
        assert_eq!(progress.valves, [left]);
    }
}
