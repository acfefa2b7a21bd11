//! What a line is told: which one it is, and how its levels are meant.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A line of its driver's chip; on a Raspberry Pi its BCM (GPIO) number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin(u32);

impl Pin {
    /// The line of this number.
    pub const fn new(number: u32) -> Pin {
        Pin(number)
    }

    /// Its number on its chip.
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What holds an input while nothing drives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pull {
    /// Whatever the chip does; where the board has resistors of its own.
    #[default]
    AsIs,
    /// A resistor of the chip, to high.
    Up,
    /// A resistor of the chip, to low.
    Down,
    /// Nothing.
    Off,
}

/// Which electrical level is *on*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Active {
    /// High is on.
    #[default]
    High,
    /// Low is on: a beam that pulls its line down, a driver that inverts.
    Low,
}

/// A pin as it is written: `17`, `"GPIO17"`, or `"header 11"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrittenPin {
    /// A line of its chip.
    Number(u32),
    /// A position of a Raspberry Pi's header.
    Header(u8),
}

impl WrittenPin {
    fn read(text: &str) -> Option<WrittenPin> {
        let text = text.trim();
        if let Some(position) = text.strip_prefix("header") {
            return position.trim().parse().ok().map(WrittenPin::Header);
        }
        text.strip_prefix("GPIO").unwrap_or(text).trim().parse().ok().map(WrittenPin::Number)
    }
}

impl<'de> Deserialize<'de> for WrittenPin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WrittenPin, D::Error> {
        struct Written;

        const FORMS: &str = "write 17, \"GPIO17\", or \"header 11\" on a Raspberry Pi";

        impl Visitor<'_> for Written {
            type Value = WrittenPin;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a pin: {FORMS}")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<WrittenPin, E> {
                WrittenPin::read(text).ok_or_else(|| E::custom(format!("`{text}` is not a pin: {FORMS}")))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<WrittenPin, E> {
                let pin = u32::try_from(number).map(WrittenPin::Number);
                pin.map_err(|_| E::custom(format!("{number} is not a pin: {FORMS}")))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<WrittenPin, E> {
                self.visit_i64(i64::try_from(number).unwrap_or(-1))
            }
        }

        deserializer.deserialize_any(Written)
    }
}

impl Serialize for WrittenPin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            WrittenPin::Number(number) => serializer.serialize_u32(*number),
            WrittenPin::Header(position) => serializer.collect_str(&format_args!("header {position}")),
        }
    }
}

impl From<Pin> for WrittenPin {
    fn from(pin: Pin) -> WrittenPin {
        WrittenPin::Number(pin.number())
    }
}
