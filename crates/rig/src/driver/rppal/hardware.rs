//! The Pi's own PWM, which needs no loop. Which pins it is on, the Pi's
//! configuration decides (`dtoverlay=pwm-2chan`); a pin that isn't set up for
//! it is left to the loop.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bramble_value::{Frequency, Level};
use rppal::gpio::Mode;
use rppal::pwm::{Error, Polarity, Pwm};

use crate::config::Active;
use crate::guard::Guarded;

/// A channel of the Pi's PWM.
#[derive(Debug)]
pub(super) struct Hardware {
    pwm: Pwm,
    period: Duration,
    chip: u8,
    channel: u8,
}

impl Hardware {
    /// The channel that drives this pin in this mode, if one does.
    pub(super) fn channel(pin: u8, mode: Mode) -> Option<u8> {
        match (pin, mode) {
            (12, Mode::Alt0) | (18, Mode::Alt5) => Some(0),
            (13, Mode::Alt0) | (19, Mode::Alt5) => Some(1),
            // The Pi 5 has four.
            (18, Mode::Alt3) => Some(2),
            (19, Mode::Alt3) => Some(3),
            _ => None,
        }
    }

    pub(super) fn open(
        channel: u8,
        frequency: Frequency,
        active: Active,
        safe: Level,
    ) -> Result<Hardware, Error> {
        // The Pi 5's is the third chip on kernels before 6.12.
        let chip = if folder(2, None).exists() { 2 } else { 0 };
        let period = Duration::from_secs_f64((1.0 / frequency.hertz().max(1e-3)).min(1000.0));
        let mut pwm = Pwm::with_pwmchip(chip, channel)?;
        pwm.set_reset_on_drop(false);
        // The period may not be shorter than the width that is set. Kernels before
        // 6.11 refuse any width of a channel that has no period yet, and then none
        // is set.
        let _ = pwm.set_pulse_width(Duration::ZERO);
        pwm.set_period(period)?;
        pwm.set_polarity(match active {
            Active::High => Polarity::Normal,
            Active::Low => Polarity::Inverse,
        })?;
        let hardware = Hardware { pwm, period, chip, channel };
        hardware.write(safe.share())?;
        hardware.pwm.enable()?;
        Ok(hardware)
    }

    pub(super) fn write(&self, share: f64) -> Result<(), Error> {
        self.pwm.set_pulse_width(width(self.period, share))
    }

    /// What somebody else needs to bring it to this level.
    pub(super) fn guarded(&self, safe: Level) -> Guarded {
        // A period is 1000 s at most.
        let duty_ns = width(self.period, safe.share()).as_nanos().try_into().unwrap_or(u64::MAX);
        Guarded::Pwm { path: folder(self.chip, Some(self.channel)), duty_ns }
    }
}

/// For how long of each period it is on.
fn width(period: Duration, share: f64) -> Duration {
    period.mul_f64(share.clamp(0.0, 1.0))
}

fn folder(chip: u8, channel: Option<u8>) -> PathBuf {
    let chip = Path::new("/sys/class/pwm").join(format!("pwmchip{chip}"));
    match channel {
        Some(channel) => chip.join(format!("pwm{channel}")),
        None => chip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pin_that_is_set_up_for_it_has_the_pi_s_own_pwm() {
        assert_eq!(Hardware::channel(12, Mode::Alt0), Some(0));
        assert_eq!(Hardware::channel(19, Mode::Alt5), Some(1));
        assert_eq!(Hardware::channel(12, Mode::Input), None);
        assert_eq!(Hardware::channel(17, Mode::Alt0), None);
    }
}
