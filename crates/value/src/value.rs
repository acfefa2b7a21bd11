//! The values that columns and parameters take.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Frequency, Level, Name, Span, Volume};

/// What a column or a parameter holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A range of whole numbers to draw from (parameters only).
    Integers,
    /// A number without a unit.
    Number,
    /// A length of time.
    Duration,
    /// A volume of liquid.
    Volume,
    /// A frequency.
    Frequency,
    /// A share from 0 to 1.
    Level,
    /// One of these names.
    Choice(Arc<[Name]>),
}

/// A value of one of the [`ValueType`]s. A missing value is `None` of an
/// `Option<Value>`, and is never one of these.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A range of whole numbers, both ends included.
    Integers(i32, i32),
    /// A finite number without a unit.
    Number(f64),
    /// A length of time.
    Duration(Span),
    /// A volume of liquid.
    Volume(Volume),
    /// A frequency.
    Frequency(Frequency),
    /// A share from 0 to 1.
    Level(Level),
    /// The place of a name in its type's list.
    Choice(u16),
}

impl ValueType {
    /// The unit that [`Value::to_f64`] is in, as written in files; empty for
    /// what has none.
    pub fn unit(&self) -> &'static str {
        match self {
            ValueType::Duration => "s",
            ValueType::Volume => "uL",
            ValueType::Frequency => "Hz",
            _ => "",
        }
    }

    /// The names of a choice, or nothing.
    pub fn choices(&self) -> &[Name] {
        match self {
            ValueType::Choice(names) => names,
            _ => &[],
        }
    }

    /// The place of `name` in a choice.
    pub fn choice(&self, name: &str) -> Option<Value> {
        let place = self.choices().iter().position(|choice| choice.as_str() == name)?;
        u16::try_from(place).ok().map(Value::Choice)
    }

    /// Whether `value` is of this type.
    pub fn accepts(&self, value: Value) -> bool {
        match (self, value) {
            (ValueType::Boolean, Value::Boolean(_))
            | (ValueType::Integer, Value::Integer(_))
            | (ValueType::Integers, Value::Integers(..))
            | (ValueType::Duration, Value::Duration(_))
            | (ValueType::Volume, Value::Volume(_))
            | (ValueType::Frequency, Value::Frequency(_))
            | (ValueType::Level, Value::Level(_)) => true,
            (ValueType::Number, Value::Number(number)) => number.is_finite(),
            (ValueType::Choice(names), Value::Choice(place)) => usize::from(place) < names.len(),
            _ => false,
        }
    }

    /// The value of this type that [`Value::to_f64`] made `number` of.
    pub fn value_from_f64(&self, number: f64) -> Option<Value> {
        let value = match self {
            ValueType::Boolean => Value::Boolean(number != 0.0),
            // Below 2^53, where every whole number is a number of its own.
            ValueType::Integer if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 => {
                Value::Integer(number as i64)
            }
            ValueType::Number => Value::Number(number),
            ValueType::Duration => Value::Duration(Span::from_seconds(number)?),
            ValueType::Volume => Value::Volume(Volume::from_microliters(number)?),
            ValueType::Frequency => Value::Frequency(Frequency::from_hertz(number)?),
            ValueType::Level => Value::Level(Level::from_share(number)?),
            ValueType::Choice(_) if number.fract() == 0.0 && (0.0..=65535.0).contains(&number) => {
                Value::Choice(number as u16)
            }
            _ => return None,
        };
        self.accepts(value).then_some(value)
    }

    /// `value` as a person reads it: `left`, `200 ms`, `4 uL`, `true`.
    pub fn show(&self, value: Value) -> String {
        match value {
            Value::Boolean(flag) => flag.to_string(),
            Value::Integer(number) => number.to_string(),
            Value::Integers(least, most) => format!("{least} to {most}"),
            Value::Number(number) => number.to_string(),
            Value::Duration(span) => span.to_string(),
            Value::Volume(volume) => volume.to_string(),
            Value::Frequency(frequency) => frequency.to_string(),
            Value::Level(level) => level.to_string(),
            Value::Choice(place) => match self.choices().get(usize::from(place)) {
                Some(name) => name.to_string(),
                None => format!("choice {place}"),
            },
        }
    }
}

impl Value {
    /// The value as one number: seconds, microliters, hertz, a share, the place
    /// of a choice, 0 or 1 for a boolean, the lower end of a range.
    pub fn to_f64(self) -> f64 {
        match self {
            Value::Boolean(flag) => f64::from(u8::from(flag)),
            Value::Integer(number) => number as f64,
            Value::Integers(least, _) => f64::from(least),
            Value::Number(number) => number,
            Value::Duration(span) => span.seconds(),
            Value::Volume(volume) => volume.microliters(),
            Value::Frequency(frequency) => frequency.hertz(),
            Value::Level(level) => level.share(),
            Value::Choice(place) => f64::from(place),
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            ValueType::Boolean => "boolean",
            ValueType::Integer => "integer",
            ValueType::Integers => "integers",
            ValueType::Number => "number",
            ValueType::Duration => "duration",
            ValueType::Volume => "volume",
            ValueType::Frequency => "frequency",
            ValueType::Level => "level",
            ValueType::Choice(names) => {
                let names: Vec<&str> = names.iter().map(Name::as_str).collect();
                return write!(f, "choice of {}", names.join(", "));
            }
        };
        f.write_str(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_same_after_it_was_a_number() {
        let sides = ValueType::Choice(["left", "right"].map(|name| name.parse().unwrap()).into());
        for (kind, value) in [
            (ValueType::Boolean, Value::Boolean(true)),
            (ValueType::Integer, Value::Integer(-7)),
            (ValueType::Number, Value::Number(0.1)),
            (ValueType::Duration, Value::Duration(Span::from_ms(250))),
            (ValueType::Volume, Value::Volume("4 uL".parse().unwrap())),
            (ValueType::Frequency, Value::Frequency("5 kHz".parse().unwrap())),
            (ValueType::Level, Value::Level("7 %".parse().unwrap())),
            (sides.clone(), sides.choice("right").unwrap()),
        ] {
            assert_eq!(kind.value_from_f64(value.to_f64()), Some(value), "{kind}");
            assert_eq!(kind.value_from_f64(f64::NAN).filter(|_| kind != ValueType::Boolean), None, "{kind}");
        }
        for (kind, number) in [
            (ValueType::Integer, 1.5),
            (ValueType::Integer, 1e300),
            (ValueType::Duration, -1.0),
            (ValueType::Level, 1.1),
            (sides.clone(), 0.5),
            (sides, 2.0),
        ] {
            assert_eq!(kind.value_from_f64(number), None, "{kind} {number}");
        }
    }
}
