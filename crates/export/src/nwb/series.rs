//! What encoders and analog inputs measured: a `TimeSeries` each, in `/acquisition`.

use std::collections::BTreeMap;

use bramble_value::{Kind, Source};
use hdf5::{Group, Result};

use super::object::{self, CORE, Objects};
use crate::Session;

pub(super) fn write(objects: &Objects, acquisition: &Group, session: &Session) -> Result<()> {
    let mut series: BTreeMap<Source, (Vec<f64>, Vec<f64>, Kind)> = BTreeMap::new();
    for event in &session.events {
        if matches!(event.kind, Kind::Position | Kind::Analog) {
            let (times, values, _) =
                series.entry(event.source).or_insert_with(|| (Vec::new(), Vec::new(), event.kind));
            times.push(session.seconds(event.time));
            values.push(event.value);
        }
    }
    for (source, (times, values, kind)) in series {
        let device = session.start.names.name(source);
        let what = match kind {
            Kind::Position => format!("Position of the encoder {device}, whenever it changed"),
            _ => format!("What the analog input {device} read"),
        };
        let made = objects.group(acquisition, &object::free(acquisition, &device), "TimeSeries", CORE)?;
        object::set_text(&made, "description", &what)?;
        object::set_text(&made, "comments", "no comments")?;
        let data = object::numbers(&made, "data", &values)?;
        let unit = session.device_unit(&device);
        object::set_text(&data, "unit", if unit.is_empty() { "unknown" } else { unit })?;
        object::set_number(&data, "conversion", 1.0)?;
        object::set_number(&data, "offset", 0.0)?;
        object::set_number(&data, "resolution", -1.0)?;
        let timestamps = object::numbers(&made, "timestamps", &times)?;
        object::set_text(&timestamps, "unit", "seconds")?;
        object::set_number(&timestamps, "interval", 1_i32)?;
    }
    Ok(())
}
