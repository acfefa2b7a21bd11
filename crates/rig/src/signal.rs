//! What is written to an output: the last word before the hardware.

use bramble_task::definition::PortId;
use bramble_value::{Frequency, Level, Span};

/// What an output does from now on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Signal {
    /// A digital output or solenoid is off (0) or on (1), a level output at this share.
    Level(f64),
    /// A speaker starts this sound.
    Play(Sound),
    /// A speaker is silent.
    Silence,
    /// A screen shows this.
    Show(Grating),
    /// What a screen shows moves with an encoder, by this many degrees a unit.
    Follow(PortId, f64),
    /// What a screen shows goes to the middle.
    Center,
    /// What a screen shows stays where it is.
    Freeze,
    /// A screen shows nothing.
    Clear,
    /// A camera records, or no longer.
    Film(bool),
}

/// A sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sound {
    /// A pure tone.
    Tone {
        /// Its pitch.
        frequency: Frequency,
        /// How long it lasts.
        length: Span,
        /// How loud it is.
        level: Level,
    },
    /// White noise.
    Noise {
        /// How long it lasts.
        length: Span,
        /// How loud it is.
        level: Level,
    },
}

impl Sound {
    /// How long it lasts.
    pub fn length(self) -> Span {
        match self {
            Sound::Tone { length, .. } | Sound::Noise { length, .. } => length,
        }
    }
}

/// A grating.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grating {
    /// Where it is.
    pub side: Side,
    /// Its contrast, from 0 to 1.
    pub contrast: f64,
}

/// A side of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Left.
    Left,
    /// Right.
    Right,
}

/// What an input reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    /// A digital input is high, or low.
    Digital(bool),
    /// An analog input, in its unit.
    Analog(f64),
    /// An encoder's position, in its unit.
    Position(f64),
}

impl Reading {
    /// It as the value of an event: a level is 1 or 0.
    pub fn number(self) -> f64 {
        match self {
            Reading::Digital(high) => f64::from(u8::from(high)),
            Reading::Analog(value) | Reading::Position(value) => value,
        }
    }
}
