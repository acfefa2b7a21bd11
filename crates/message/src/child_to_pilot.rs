//! What a child says to its pilot.

use bramble_value::Time;
use serde::{Deserialize, Serialize};

use crate::{Ask, Origin, PortName, Reading, RigDevice, Software};

/// What a child says of itself when a link comes up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildHello {
    /// What it runs.
    pub software: Software,
    /// What it offers.
    pub offer: Offer,
    /// What it is, for the records of the sessions that use it.
    #[serde(default)]
    pub origin: Origin,
}

/// The devices that a child offers its pilot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// The devices.
    pub devices: Vec<RigDevice>,
}

/// Everything a child says to its pilot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildToPilot {
    /// What was asked is done, or why not.
    Done {
        /// The question.
        ask: Ask,
        /// What came of it.
        outcome: Result<(), String>,
    },
    /// Changes of an input were missed.
    Missed {
        /// When the next change came that was not, on the child's clock.
        time: Time,
        /// Which input.
        port: PortName,
        /// How many.
        count: u32,
    },
    /// Something that a person should read, for the session's record.
    Note {
        /// When, on the child's clock.
        time: Time,
        /// What, in a sentence.
        text: String,
    },
    /// The child's devices can no longer be used in this session.
    Failed {
        /// Why.
        why: String,
    },
    /// An input changed.
    Input {
        /// When: on the child's clock, or in a simulated session on the pilot's.
        time: Time,
        /// Which input.
        port: PortName,
        /// What it reads.
        reading: Reading,
    },
}
