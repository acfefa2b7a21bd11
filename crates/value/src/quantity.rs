//! Quantities other than time, each with its unit in its type.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A quantity that could not be read.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum QuantityError {
    /// There is no number, or no unit that this quantity is measured in.
    #[error("`{text}` is not a {what}: write a number and one of {units}, as in \"{example}\"")]
    Unreadable {
        /// The quantity that was wanted.
        what: &'static str,
        /// What was found.
        text: String,
        /// The units it may have.
        units: String,
        /// One that is right.
        example: &'static str,
    },
    /// It is negative, not finite, or too large.
    #[error("`{text}` is out of the range of a {what}")]
    OutOfRange {
        /// The quantity that was wanted.
        what: &'static str,
        /// What was found.
        text: String,
    },
}

/// A volume of liquid in microliters, finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = f64))]
pub struct Volume(f64);

/// A mass in grams, finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = f64))]
pub struct Mass(f64);

/// A frequency in hertz, finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Frequency(f64);

/// How bright, loud or open something is, as a share from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = f64))]
pub struct Level(f64);

impl Volume {
    /// A volume of `microliters`, or `None` where it is negative or not finite.
    pub fn from_microliters(microliters: f64) -> Option<Volume> {
        (microliters.is_finite() && microliters >= 0.0).then_some(Volume(microliters))
    }

    /// The volume in microliters.
    pub fn microliters(self) -> f64 {
        self.0
    }
}

impl Mass {
    /// A mass of `grams`, or `None` where it is negative or not finite.
    pub fn from_grams(grams: f64) -> Option<Mass> {
        (grams.is_finite() && grams >= 0.0).then_some(Mass(grams))
    }

    /// The mass in grams.
    pub fn grams(self) -> f64 {
        self.0
    }
}

impl Frequency {
    /// A frequency of `hertz`, or `None` where it is negative or not finite.
    pub fn from_hertz(hertz: f64) -> Option<Frequency> {
        (hertz.is_finite() && hertz >= 0.0).then_some(Frequency(hertz))
    }

    /// The frequency in hertz.
    pub fn hertz(self) -> f64 {
        self.0
    }
}

impl Level {
    /// A level of `share`, or `None` where it is outside 0 to 1.
    pub fn from_share(share: f64) -> Option<Level> {
        (0.0..=1.0).contains(&share).then_some(Level(share))
    }

    /// The level as a share from 0 to 1.
    pub fn share(self) -> f64 {
        self.0
    }
}

macro_rules! read_and_written_as_a_number {
    ($type:ident, $new:path, $what:literal) => {
        impl TryFrom<f64> for $type {
            type Error = QuantityError;
            fn try_from(number: f64) -> Result<$type, QuantityError> {
                $new(number)
                    .ok_or_else(|| QuantityError::OutOfRange { what: $what, text: number.to_string() })
            }
        }

        impl From<$type> for f64 {
            fn from(quantity: $type) -> f64 {
                quantity.0
            }
        }
    };
}

read_and_written_as_a_number!(Volume, Volume::from_microliters, "volume");
read_and_written_as_a_number!(Mass, Mass::from_grams, "mass");
read_and_written_as_a_number!(Frequency, Frequency::from_hertz, "frequency");
read_and_written_as_a_number!(Level, Level::from_share, "level");

impl FromStr for Volume {
    type Err = QuantityError;

    /// Reads `"4 uL"`, `"0.5 mL"`, `"800 nL"`.
    fn from_str(text: &str) -> Result<Volume, QuantityError> {
        const UNITS: &[(&str, f64)] =
            &[("nL", 1e-3), ("uL", 1.0), ("µL", 1.0), ("ul", 1.0), ("mL", 1e3), ("ml", 1e3)];
        let microliters = parse_with_unit(text, "volume", UNITS, "4 uL")?;
        Volume::from_microliters(microliters)
            .ok_or_else(|| QuantityError::OutOfRange { what: "volume", text: text.to_owned() })
    }
}

impl FromStr for Mass {
    type Err = QuantityError;

    /// Reads `"21.4 g"`, `"21400 mg"`, `"0.3 kg"`.
    fn from_str(text: &str) -> Result<Mass, QuantityError> {
        const UNITS: &[(&str, f64)] = &[("mg", 1e-3), ("g", 1.0), ("kg", 1e3)];
        let grams = parse_with_unit(text, "mass", UNITS, "21.4 g")?;
        Mass::from_grams(grams)
            .ok_or_else(|| QuantityError::OutOfRange { what: "mass", text: text.to_owned() })
    }
}

impl FromStr for Frequency {
    type Err = QuantityError;

    /// Reads `"5 kHz"`, `"440 Hz"`.
    fn from_str(text: &str) -> Result<Frequency, QuantityError> {
        const UNITS: &[(&str, f64)] = &[("Hz", 1.0), ("kHz", 1e3), ("MHz", 1e6)];
        let hertz = parse_with_unit(text, "frequency", UNITS, "5 kHz")?;
        Frequency::from_hertz(hertz)
            .ok_or_else(|| QuantityError::OutOfRange { what: "frequency", text: text.to_owned() })
    }
}

impl FromStr for Level {
    type Err = QuantityError;

    /// Reads `"50 %"`.
    fn from_str(text: &str) -> Result<Level, QuantityError> {
        let share = parse_with_unit(text, "level", &[("%", 0.01)], "50 %")?;
        Level::from_share(share)
            .ok_or_else(|| QuantityError::OutOfRange { what: "level", text: text.to_owned() })
    }
}

impl Volume {
    /// The volume as it can be measured, to a tenth of a microliter.
    pub fn tenths(self) -> String {
        format!("{} uL", libm::round(self.0 * 10.0) / 10.0)
    }
}

impl fmt::Display for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} uL", self.0)
    }
}

impl fmt::Display for Mass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} g", self.0)
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 1e3 { write!(f, "{} kHz", self.0 / 1e3) } else { write!(f, "{} Hz", self.0) }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 0.07 times 100 is 7.000000000000001.
        write!(f, "{} %", libm::round(self.0 * 1e12) / 1e10)
    }
}

/// Reads a number followed by one of `units`; the result is in the unit whose
/// factor is 1.
pub(crate) fn parse_with_unit(
    text: &str,
    what: &'static str,
    units: &[(&str, f64)],
    example: &'static str,
) -> Result<f64, QuantityError> {
    let unreadable = || QuantityError::Unreadable {
        what,
        text: text.to_owned(),
        units: units.iter().map(|(unit, _)| *unit).collect::<Vec<_>>().join(", "),
        example,
    };
    let trimmed = text.trim();
    let split = trimmed
        .find(|c: char| c.is_alphabetic() && !"eE".contains(c) || "µ%".contains(c))
        .ok_or_else(unreadable)?;
    let (number, unit) = trimmed.split_at(split);
    let number: f64 = number.trim().parse().map_err(|_| unreadable())?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(unreadable)?;
    if number.is_finite() && number >= 0.0 {
        Ok(number * factor)
    } else {
        Err(QuantityError::OutOfRange { what, text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_with_their_units() {
        assert_eq!("4 uL".parse::<Volume>().unwrap().microliters(), 4.0);
        assert_eq!("0.5mL".parse::<Volume>().unwrap().microliters(), 500.0);
        assert_eq!("21.4g".parse::<Mass>().unwrap().grams(), 21.4);
        assert_eq!("0.3 kg".parse::<Mass>().unwrap().to_string(), "300 g");
        assert_eq!("5 kHz".parse::<Frequency>().unwrap().hertz(), 5000.0);
        assert_eq!("50 %".parse::<Level>().unwrap().share(), 0.5);
    }

    #[test]
    fn a_quantity_of_another_kind_is_refused_with_the_units_that_would_do() {
        let error = "4 ms".parse::<Volume>().unwrap_err().to_string();
        assert!(error.contains("uL") && error.contains("4 ms"), "{error}");
        assert!("150 %".parse::<Level>().is_err());
    }

    #[test]
    fn a_level_is_written_as_it_was_read() {
        for text in ["0 %", "7 %", "29 %", "33.3 %", "100 %"] {
            assert_eq!(text.parse::<Level>().unwrap().to_string(), text);
        }
    }
}
