//! What a line is told: which one it is, and how its levels are meant.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A line of its driver's chip; on a Raspberry Pi its BCM (GPIO) number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
