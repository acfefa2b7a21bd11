//! What a pilot and its guard say to each other, in JSON.

use std::path::PathBuf;

use bramble_value::Span;
use serde::{Deserialize, Serialize};

/// [`Order::Feed`] as it is written, for where nothing may be allocated.
pub(super) const FEED: &[u8] = b"\"Feed\"";

/// From a pilot to its guard.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// These are the outputs from now on; answered.
    Hold { lines: Vec<Line>, watchdog: Span },
    /// A session starts.
    Arm,
    /// The pilot lives.
    Feed,
    /// The session is over.
    Disarm,
    /// The pilot ends as it should.
    LetGo,
}

/// Something guarded whose file descriptor comes beside it, in the order of lines.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Line {
    /// Outputs of a GPIO character device: each one's place in the request, and its safe level.
    Gpiocdev { safe: Vec<(u32, bool)> },
    /// A pin of a Raspberry Pi, and whether it is high when it is safe.
    Rppal { pin: u8, high: bool },
    /// The folder of a channel of the kernel's PWM, and its pulse when it is safe.
    Pwm { path: PathBuf, duty_ns: u64 },
    /// Which byte of a file, and what it is when it is safe.
    File { place: u64, safe: u8 },
}

/// From a guard to its pilot.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reply {
    /// It is there.
    Ready,
    /// It can make the outputs safe, and did; or why not.
    Held(Result<(), String>),
    /// The pilot was taken for hanging.
    Tripped,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_is_written_as_it_is_read() {
        assert!(matches!(serde_json::from_slice(FEED), Ok(Order::Feed)));
    }
}
