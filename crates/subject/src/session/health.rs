//! How the computer fared that a session ran on: `health/table`.

use bramble_value::Time;
use serde::{Deserialize, Serialize};

use crate::hdf::layout::{Cursor, Field, FieldType, Rows};

/// How a computer fared at a moment. What it doesn't tell is missing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// When, on the pilot's clock; that is another than the session's own in a simulated one.
    pub time: Time,
    /// What is free of the disk that it keeps what it observes on, and all of it, in bytes.
    pub disk: Option<(u64, u64)>,
    /// The hottest sensor of its processor, in degrees Celsius.
    pub temperature: Option<f64>,
    /// Its supply, where it watches that.
    pub supply: Option<Supply>,
}

/// What a computer says of its supply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supply {
    /// It is as it should be.
    Fine,
    /// Its voltage is too low.
    Low,
    /// Its processor is slowed down, for want of power or for heat.
    Slowed,
}

impl Supply {
    const ALL: [Supply; 3] = [Supply::Fine, Supply::Low, Supply::Slowed];

    fn word(self) -> &'static str {
        match self {
            Supply::Fine => "fine",
            Supply::Low => "low",
            Supply::Slowed => "slowed",
        }
    }
}

impl Health {
    pub(crate) fn write(&self, rows: &mut Rows<'_>) {
        let bytes = |count: Option<u64>| count.map_or(f64::NAN, |count| count as f64);
        rows.i64(self.time.ns()).f64(bytes(self.disk.map(|disk| disk.0)));
        rows.f64(bytes(self.disk.map(|disk| disk.1))).f64(self.temperature.unwrap_or(f64::NAN));
        rows.text(self.supply.map_or("", Supply::word));
    }

    pub(crate) fn read(row: &mut Cursor<'_>) -> Health {
        let (time, free, size) = (Time::from_ns(row.i64()), row.f64(), row.f64());
        let (temperature, supply) = (row.f64(), row.text());
        Health {
            time,
            disk: (!free.is_nan() && !size.is_nan()).then_some((free as u64, size as u64)),
            temperature: (!temperature.is_nan()).then_some(temperature),
            supply: Supply::ALL.into_iter().find(|known| known.word() == supply),
        }
    }
}

pub(crate) fn fields() -> Vec<Field> {
    let number = |name: &str, doc: &str| Field::new(name, FieldType::F64, doc);
    vec![
        Field::new("time_ns", FieldType::I64, "when, on the pilot's clock [ns]"),
        number("disk_free", "what is free of the pilot's disk [bytes]; NaN: not known"),
        number("disk_size", "all of that disk [bytes]; NaN: not known"),
        number("temperature", "the hottest sensor of its processor [degrees Celsius]; NaN: not known"),
        Field::new("supply", FieldType::Text(8), "fine, low: voltage too low, slowed; empty: not known"),
    ]
}
