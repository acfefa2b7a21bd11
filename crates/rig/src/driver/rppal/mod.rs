//! Outputs of a Raspberry Pi, through its registers: plain ones, the Pi's own
//! PWM where the pin is set up for it, and PWM by the loop elsewhere.

mod hardware;

use std::os::fd::BorrowedFd;

use bramble_value::{Frequency, Level, Time};
use rppal::gpio::{Error, Gpio, OutputPin};
use rppal::system::DeviceInfo;

use super::chips::user_of;
use super::pwm::{Pwm, is_on_when_still};
use super::{Bank, DriverError, Edge, LineId, LineSpec, OpenError, Purpose, monotonic};
use crate::config::Active;
use crate::guard::Guarded;
use hardware::Hardware;

/// The Pi's outputs.
#[derive(Debug)]
pub(crate) struct Rppal {
    /// By the lines' numbers; `None` for those of other banks.
    outputs: Vec<Option<Output>>,
}

#[derive(Debug)]
struct Output {
    owner: String,
    active: Active,
    safe: Level,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Plain(OutputPin),
    Software(OutputPin, Pwm),
    Hardware(Hardware),
}

impl Rppal {
    /// Opens these lines. They are at their safe levels from the first moment on.
    pub(crate) fn open(lines: &[(LineId, &LineSpec)]) -> Result<Rppal, OpenError> {
        let mut outputs = Vec::new();
        for (id, spec) in lines {
            let Purpose::Output { safe, frequency } = spec.purpose else {
                return Err(OpenError::NotAnInput { owner: spec.owner.clone() });
            };
            let output = Output::open(spec, safe, frequency)?;
            outputs.resize_with(outputs.len().max(id.index() + 1), || None);
            outputs[id.index()] = Some(output);
        }
        Ok(Rppal { outputs })
    }
}

/// What this driver calls the Pi's GPIO.
const CHIP: &str = "the Raspberry Pi";

impl Output {
    fn open(spec: &LineSpec, safe: Level, frequency: Option<Frequency>) -> Result<Output, OpenError> {
        let (owner, active) = (spec.owner.clone(), spec.active);
        let Some(number) = spec.pin.map(|pin| pin.number()) else {
            return Err(OpenError::NoPin { owner, chip: CHIP.into() });
        };
        let small = u8::try_from(number).unwrap_or(u8::MAX);
        let pin =
            Gpio::new().and_then(|gpio| gpio.get(small)).map_err(|error| refused(spec, number, error))?;
        let channel = frequency.and_then(|_| Hardware::channel(small, pin.mode()));
        // The registers obey whoever writes them: that another has the pin only the
        // kernel knows. A pin of the Pi's PWM is the PWM's, as it should be.
        if channel.is_none()
            && let Some(by) = user_of(number)
        {
            return Err(OpenError::Taken { owner, pin: number, chip: CHIP.into(), by });
        }
        let way = match frequency {
            Some(frequency) => match channel {
                Some(channel) => {
                    let hardware = Hardware::open(channel, frequency, active, safe);
                    Way::Hardware(hardware.map_err(|error| OpenError::Refused {
                        owner: owner.clone(),
                        pin: number,
                        chip: CHIP.into(),
                        why: format!("its PWM can't be used: {error}"),
                    })?)
                }
                None => Way::Software(plain(pin, safe, active), Pwm::new(frequency)),
            },
            None => Way::Plain(plain(pin, safe, active)),
        };
        Ok(Output { owner, active, safe, way })
    }

    fn write(&mut self, level: f64) -> Result<(), DriverError> {
        let Output { owner, active, way, .. } = self;
        match way {
            Way::Plain(pin) => switch(pin, level > 0.0, *active),
            Way::Software(pin, pwm) => switch(pin, pwm.set(level, monotonic()), *active),
            Way::Hardware(hardware) => hardware
                .write(level)
                .map_err(|error| DriverError(format!("the PWM of `{owner}` can't be written: {error}")))?,
        }
        Ok(())
    }

    fn advance(&mut self, now: Time) {
        if let Way::Software(pin, pwm) = &mut self.way
            && let Some(on) = pwm.advance(now)
        {
            switch(pin, on, self.active);
        }
    }

    fn deadline(&self) -> Option<Time> {
        match &self.way {
            Way::Software(_, pwm) => pwm.deadline(),
            Way::Plain(_) | Way::Hardware(_) => None,
        }
    }

    fn guarded(&self) -> Guarded {
        match &self.way {
            Way::Plain(pin) | Way::Software(pin, _) => Guarded::Rppal {
                pin: pin.pin(),
                high: is_high(is_on_when_still(self.safe.share()), self.active),
            },
            Way::Hardware(hardware) => hardware.guarded(self.safe),
        }
    }
}

/// An output at its safe level, which it keeps when this program ends.
fn plain(pin: rppal::gpio::Pin, safe: Level, active: Active) -> OutputPin {
    let high = is_high(is_on_when_still(safe.share()), active);
    let mut pin = if high { pin.into_output_high() } else { pin.into_output_low() };
    pin.set_reset_on_drop(false);
    pin
}

fn switch(pin: &mut OutputPin, on: bool, active: Active) {
    pin.write(if is_high(on, active) { rppal::gpio::Level::High } else { rppal::gpio::Level::Low });
}

fn is_high(on: bool, active: Active) -> bool {
    on == (active == Active::High)
}

fn refused(spec: &LineSpec, pin: u32, error: Error) -> OpenError {
    let owner = spec.owner.clone();
    match error {
        Error::UnknownModel => OpenError::NotAPi { owner, model: model() },
        // Without any of its own files, it isn't a Pi, whatever it is called.
        Error::Io(error) if DeviceInfo::new().is_err() => {
            OpenError::NotAPi { owner, model: format!("{}; {error}", model()) }
        }
        Error::PermissionDenied(path) => OpenError::NoPermission { owner, path: path.into() },
        Error::PinNotAvailable(_) => OpenError::NoLine { owner, pin, chip: CHIP.into(), lines: 54 },
        Error::PinUsed(_) => {
            OpenError::Taken { owner, pin, chip: CHIP.into(), by: "another device of this rig".into() }
        }
        error @ (Error::Io(_) | Error::ThreadPanic) => {
            OpenError::Refused { owner, pin, chip: CHIP.into(), why: error.to_string() }
        }
    }
}

/// What this machine says that it is.
fn model() -> String {
    let told = ["/proc/device-tree/model", "/sys/class/dmi/id/product_name"]
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok());
    let told = told.unwrap_or_default();
    match told.trim_matches(['\0', '\n', ' ']) {
        "" => "it doesn't say what it is".to_owned(),
        model => model.to_owned(),
    }
}

impl Bank for Rppal {
    fn wakes(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }

    fn woken(&mut self, _: usize, _: &mut Vec<Edge>) -> Result<(), DriverError> {
        Ok(())
    }

    fn needs_waking(&self) -> bool {
        false
    }

    fn level(&mut self, line: LineId) -> Result<bool, DriverError> {
        Err(no_input(line))
    }

    fn write(&mut self, line: LineId, level: f64) -> Result<(), DriverError> {
        match self.outputs.get_mut(line.index()) {
            Some(Some(output)) => output.write(level),
            _ => Err(DriverError(format!("line {} is none of the Raspberry Pi's", line.0))),
        }
    }

    fn listen(&mut self, line: LineId, _: bool) -> Result<u32, DriverError> {
        Err(no_input(line))
    }

    fn deadline(&self) -> Option<Time> {
        self.outputs.iter().flatten().filter_map(Output::deadline).min()
    }

    fn advance(&mut self, now: Time) -> Result<(), DriverError> {
        self.outputs.iter_mut().flatten().for_each(|output| output.advance(now));
        Ok(())
    }

    fn guarded(&self) -> Result<Vec<Guarded>, DriverError> {
        Ok(self.outputs.iter().flatten().map(Output::guarded).collect())
    }
}

fn no_input(line: LineId) -> DriverError {
    DriverError(format!("line {} is an output", line.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{DriverConfig, Pin, Pull};

    fn spec(purpose: Purpose) -> LineSpec {
        LineSpec {
            owner: "valve.left".into(),
            device: "valve".parse().unwrap(),
            port: Some("left".parse().unwrap()),
            driver: DriverConfig::Rppal,
            pin: Some(Pin::new(17)),
            active: Active::High,
            purpose,
        }
    }

    #[test]
    fn a_machine_that_is_no_pi_is_told_so_with_what_to_use_instead() {
        if DeviceInfo::new().is_ok() {
            return;
        }
        let spec = spec(Purpose::Output { safe: Level::default(), frequency: None });
        let error = Rppal::open(&[(LineId(0), &spec)]).unwrap_err();
        assert!(matches!(error, OpenError::NotAPi { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("valve.left") && text.contains("gpiocdev"), "{text}");
    }

    #[test]
    fn an_input_is_refused_with_the_driver_that_takes_it() {
        let spec = spec(Purpose::Input { pull: Pull::AsIs, debounce: None });
        let error = Rppal::open(&[(LineId(0), &spec)]).unwrap_err();
        assert!(error.to_string().contains("use driver = \"gpiocdev\""), "{error}");
    }

    #[test]
    fn an_output_that_is_active_low_is_high_when_it_is_off() {
        assert!(is_high(false, Active::Low) && is_high(true, Active::High));
        assert!(!is_high(true, Active::Low) && !is_high(false, Active::High));
    }
}
