//! One output line, switched plainly or so fast that it is partly on.

use std::os::fd::AsFd;

use bramble_value::{Frequency, Level, Time};
use gpiocdev::Request;

use super::chip::Opened;
use super::{DriverError, LineSpec, OpenError, Whereabouts, value};
use crate::config::Active;
use crate::driver::pwm::{Pwm, is_on_when_still};
use crate::guard::Guarded;

/// One output line.
#[derive(Debug)]
pub(super) struct Output {
    place: Whereabouts,
    request: Request,
    safe: Level,
    pwm: Option<Pwm>,
}

impl Output {
    pub(super) fn open(
        chip: &Opened,
        spec: &LineSpec,
        safe: Level,
        frequency: Option<Frequency>,
    ) -> Result<Output, OpenError> {
        let place = chip.place(spec)?;
        let request = chip.request(&[&place], |builder| {
            if spec.active == Active::Low {
                builder.as_active_low();
            }
            builder.as_output(value(is_on_when_still(safe.share())))
        })?;
        Ok(Output { place, request, safe, pwm: frequency.map(Pwm::new) })
    }

    pub(super) fn write(&mut self, level: f64, now: impl FnOnce() -> Time) -> Result<(), DriverError> {
        let on = match &mut self.pwm {
            Some(pwm) => pwm.set(level, now()),
            None => level > 0.0,
        };
        self.switch(on)
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.pwm.as_ref().and_then(Pwm::deadline)
    }

    pub(super) fn advance(&mut self, now: Time) -> Result<(), DriverError> {
        match self.pwm.as_mut().and_then(|pwm| pwm.advance(now)) {
            Some(on) => self.switch(on),
            None => Ok(()),
        }
    }

    /// The request, for somebody else to hold.
    pub(super) fn guarded(&self) -> Result<Guarded, DriverError> {
        let request = self.request.as_fd().try_clone_to_owned().map_err(|error| {
            DriverError(format!("the output `{}` can't be handed to the guard: {error}", self.place.owner))
        })?;
        Ok(Guarded::Gpiocdev { request, safe: vec![(0, is_on_when_still(self.safe.share()))] })
    }

    fn switch(&self, on: bool) -> Result<(), DriverError> {
        self.request.set_lone_value(value(on)).map_err(|error| self.place.failed(&error))
    }
}
