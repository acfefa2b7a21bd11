//! What a pilot says to a child.

use bramble_identity::Serial;
use bramble_value::{Name, Time};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Ask, PortName};

/// Everything a pilot says to a child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PilotToChild {
    /// A session will use these of the child's devices; answered by `Done`.
    Claim {
        /// Repeated in the answer.
        ask: Ask,
        /// The session.
        session: Uuid,
        /// The devices.
        devices: Vec<Name>,
        /// Whether the session's time is simulated: then nothing happens at the
        /// child but what a `Touch` brings, and stamps are the pilot's.
        simulated: bool,
    },
    /// The session is over: outputs go to their safe states. Answered by `Done`.
    Release {
        /// Repeated in the answer.
        ask: Ask,
    },
    /// Write an output. Answered by `Done` once it is written.
    Write {
        /// Repeated in the answer.
        ask: Ask,
        /// When, on the pilot's clock.
        time: Time,
        /// Which output.
        port: PortName,
        /// Its new level: 0, 1, or a share between.
        level: f64,
    },
    /// A simulated animal does something to an input of a simulated rig. The
    /// input that comes of it precedes the answer, `Done`.
    Touch {
        /// Repeated in the answer.
        ask: Ask,
        /// When, on the pilot's clock.
        time: Time,
        /// Which input.
        port: PortName,
        /// What it then reads.
        reading: Reading,
    },
    /// These certificates hold no more, and whoever shows one is no pilot of the child's. There may
    /// be some among them that were told before. Nothing is answered.
    Revoked {
        /// By their numbers.
        certificates: Vec<Serial>,
    },
}

/// What an input reads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// A digital input is high, or low.
    Digital(bool),
    /// An analog input, in its unit.
    Analog(f64),
    /// An encoder's position, in its unit.
    Position(f64),
}
