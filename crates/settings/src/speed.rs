//! How fast simulated time passes.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer};
use thiserror::Error;

/// How fast simulated time passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// As many times faster than real time; positive and finite.
    Times(f64),
    /// As fast as the computer can.
    Max,
}

/// A speed that is not one.
#[derive(Debug, Error)]
#[error("`{0}` is not a speed: write 1 for real time, 20 for twenty times faster, or max")]
pub struct SpeedError(String);

impl Speed {
    fn from_times(times: f64) -> Option<Speed> {
        (times.is_finite() && times > 0.0).then_some(Speed::Times(times))
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Speed::Times(times) => times.fmt(f),
            Speed::Max => f.write_str("max"),
        }
    }
}

impl FromStr for Speed {
    type Err = SpeedError;

    fn from_str(text: &str) -> Result<Speed, SpeedError> {
        let wrong = || SpeedError(text.to_owned());
        match text {
            "max" => Ok(Speed::Max),
            number => number.parse().ok().and_then(Speed::from_times).ok_or_else(wrong),
        }
    }
}

impl<'de> Deserialize<'de> for Speed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Speed, D::Error> {
        struct Written;

        impl Visitor<'_> for Written {
            type Value = Speed;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number above 0 or \"max\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Speed, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_f64<E: serde::de::Error>(self, times: f64) -> Result<Speed, E> {
                Speed::from_times(times).ok_or_else(|| E::custom(SpeedError(times.to_string())))
            }
            fn visit_i64<E: serde::de::Error>(self, times: i64) -> Result<Speed, E> {
                self.visit_f64(times as f64)
            }
        }

        deserializer.deserialize_any(Written).map_err(D::Error::custom)
    }
}
