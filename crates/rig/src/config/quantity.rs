//! Quantities as they stand in a configuration file: text with a unit.

use std::fmt::{self, Display};
use std::str::FromStr;

use bramble_value::{QuantityError, Span, Volume};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How fast an open valve gives liquid: `"40 uL/s"`. Always more than nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow(f64);

impl Flow {
    /// What a simulated valve gives: 40 uL/s.
    pub const TYPICAL: Flow = Flow(40.0);

    /// A flow of `microliters` each second, or `None` where that is nothing or
    /// not a number.
    pub fn from_microliters_per_second(microliters: f64) -> Option<Flow> {
        (microliters.is_finite() && microliters > 0.0).then_some(Flow(microliters))
    }

    /// How long the valve must be open to give this much.
    pub fn duration_of(self, volume: Volume) -> Span {
        Span::from_seconds(volume.microliters() / self.0).unwrap_or(Span::MAX)
    }

    /// How much an opening of this length gives, in microliters.
    pub fn volume_of(self, open: Span) -> f64 {
        open.seconds() * self.0
    }
}

impl FromStr for Flow {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Flow, QuantityError> {
        let unreadable = || QuantityError::Unreadable {
            what: "flow",
            text: text.to_owned(),
            units: "uL/s, mL/s, nL/s".to_owned(),
            example: "40 uL/s",
        };
        let volume = text.trim().strip_suffix("/s").ok_or_else(unreadable)?;
        let volume: Volume = volume.parse().map_err(|_| unreadable())?;
        Flow::from_microliters_per_second(volume.microliters()).ok_or_else(unreadable)
    }
}

impl Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} uL/s", self.0)
    }
}

/// How old something may be: a span that may be said in days, `"60 d"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Age(pub Span);

impl TryFrom<String> for Age {
    type Error = QuantityError;
    fn try_from(text: String) -> Result<Age, QuantityError> {
        text.parse()
    }
}

const DAY: f64 = 24.0 * 3600.0;

impl FromStr for Age {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Age, QuantityError> {
        let Some(days) = text.trim().strip_suffix('d') else { return text.parse().map(Age) };
        let days = days.trim().parse::<f64>().ok().and_then(|days| Span::from_seconds(days * DAY));
        days.map(Age).ok_or_else(|| QuantityError::Unreadable {
            what: "age",
            text: text.to_owned(),
            units: "d, h".to_owned(),
            example: "60 d",
        })
    }
}

impl Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.seconds() / DAY;
        if days.fract() == 0.0 { write!(f, "{days} d") } else { self.0.fmt(f) }
    }
}

/// A quantity that a file holds as text, so that its error has the text's place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Written<T>(pub(crate) T);

impl<T: Display> Serialize for Written<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Written<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Written).map_err(serde::de::Error::custom)
    }
}
