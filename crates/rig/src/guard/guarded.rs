//! What the guard needs to make outputs safe without the pilot.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// One way to make some outputs safe, as the bank that opened them gives it.
#[derive(Debug)]
pub enum Guarded {
    /// Lines of a GPIO character device.
    Gpiocdev {
        /// The request that holds the lines. As long as the guard has it, the
        /// lines stay at their levels whatever becomes of the pilot.
        request: OwnedFd,
        /// Each output's place in the request and its safe level, as the request
        /// counts levels (after its polarity).
        safe: Vec<(u32, bool)>,
    },
    /// A pin of a Raspberry Pi, by its BCM number. The guard has the registers
    /// from its own start on.
    Rppal {
        /// The pin.
        pin: u8,
        /// Whether the pin itself is high when it is safe.
        high: bool,
    },
    /// A channel of the kernel's PWM, which stays switched on: what one that is
    /// off puts out, its polarity doesn't say.
    Pwm {
        /// Its folder: `/sys/class/pwm/pwmchip0/pwm0`.
        path: PathBuf,
        /// For how long of each period it is on when it is safe, in ns.
        duty_ns: u64,
    },
    /// A line in memory: a byte of a file that other processes see.
    File {
        /// The file.
        file: OwnedFd,
        /// Which byte.
        place: u64,
        /// What it is when it is safe.
        safe: u8,
    },
}
