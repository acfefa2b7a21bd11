//! Lines that the guard holds, each with the way to make it safe.

use std::fs::File;
use std::os::unix::fs::FileExt;

use gpiocdev_uapi::v2::{LineValues, set_line_values};
use rppal::gpio::{Gpio, OutputPin};

use super::Guarded;

/// What is opened before it is needed, so that nothing can be missing then.
pub(super) enum Held {
    Request { request: File, safe: LineValues },
    Pin { pin: OutputPin, high: bool },
    Pwm { duty: File, safe: String },
    Byte { file: File, place: u64, safe: u8 },
}

impl Held {
    /// Opens what is needed.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn open(guarded: Guarded) -> Result<Held, String> {
        Ok(match guarded {
            Guarded::Gpiocdev { request, safe } => {
                let mut values = LineValues::default();
                for (place, level) in safe {
                    // A request of the kernel's has 64 lines at most.
                    if place < 64 {
                        values.set(place as usize, level);
                    }
                }
                Held::Request { request: request.into(), safe: values }
            }
            Guarded::Rppal { pin: number, high } => {
                let pin = Gpio::new().and_then(|gpio| gpio.get(number));
                let mut pin = pin.map_err(|error| format!("pin {number}: {error}"))?.into_output();
                pin.set_reset_on_drop(false);
                Held::Pin { pin, high }
            }
            Guarded::Pwm { path, duty_ns } => {
                let path = path.join("duty_cycle");
                let duty = File::options().write(true).open(&path);
                let duty = duty.map_err(|error| format!("{}: {error}", path.display()))?;
                Held::Pwm { duty, safe: format!("{duty_ns}\n") }
            }
            Guarded::File { file, place, safe } => Held::Byte { file: file.into(), place, safe },
        })
    }

    /// Brings its outputs to their safe levels.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn make_safe(&mut self) -> Result<(), String> {
        match self {
            Held::Request { request, safe } if safe.mask != 0 => {
                set_line_values(request, safe).map_err(|error| format!("lines can't be set: {error}"))
            }
            Held::Request { .. } => Ok(()),
            Held::Pin { pin, high } => {
                pin.write((*high).into());
                Ok(())
            }
            Held::Pwm { duty, safe } => duty
                .write_all_at(safe.as_bytes(), 0)
                .map_err(|error| format!("PWM can't be brought to its safe level: {error}")),
            Held::Byte { file, place, safe } => {
                file.write_all_at(&[*safe], *place).map_err(|error| format!("a line in memory: {error}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would read of a file.
    fn line(folder: &std::path::Path, name: &str) -> String {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        text.lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn pwm_that_is_made_safe_stays_on_for_whoever_writes_it_next() {
        for (share, safe) in [("0", 0), ("1000000", 1_000_000)] {
            let folder = tempfile::tempdir().unwrap();
            for (name, text) in [("enable", "1"), ("polarity", "inversed"), ("duty_cycle", "250000")] {
                std::fs::write(folder.path().join(name), text).unwrap();
            }
            let guarded = Guarded::Pwm { path: folder.path().to_owned(), duty_ns: safe };
            Held::open(guarded).unwrap().make_safe().unwrap();
            assert_eq!(line(folder.path(), "duty_cycle"), share);
            assert_eq!(line(folder.path(), "enable"), "1");
            assert_eq!(line(folder.path(), "polarity"), "inversed");
        }
    }
}
