//! How long a valve must be open to give a volume, from drops that were weighed.

mod fit;
mod store;

use std::fmt;

use bramble_value::{Name, Span, Volume};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::config::Written;
pub use fit::{Fit, FitError};
pub use store::{Calibrations, Kept, StoreError, kept, later, save, text};

/// What a microliter of water weighs at 20 degrees Celsius, in milligrams
/// (CRC Handbook of Chemistry and Physics, "Standard Density of Water").
pub const WATER: f64 = 0.9982;

/// How far beyond the measured range a volume may be, as a share: a line that
/// was measured from 2 to 10 uL is used from 1.9 to 10.5 uL.
pub const TOLERANCE: f64 = 0.05;

/// A valve that can be calibrated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Valve {
    /// The device.
    pub device: Name,
    /// Which of its ports; none for a single valve.
    pub port: Option<Name>,
}

/// Openings of one length, weighed together.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// How long each opening was.
    pub open: Span,
    /// How many there were.
    pub pulses: u32,
    /// What all of them weighed, in grams.
    pub grams: f64,
}

/// What was measured of a valve, and the line through it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenCalibration", into = "WrittenCalibration")]
pub struct Calibration {
    valve: Valve,
    made: Timestamp,
    density: f64,
    simulated: bool,
    points: Vec<Point>,
    fit: Fit,
}

/// A volume that a valve was not calibrated for.
#[derive(Debug, Clone, PartialEq, Error)]
#[error(
    "`{valve}` was calibrated for {lowest:.2} to {highest:.2} uL, and {} is outside: measure \
     openings that give as much, with `{}`",
    rounded(*wanted),
    valve.command()
)]
pub struct OutOfRange {
    /// The valve.
    pub valve: Valve,
    /// The volume.
    pub wanted: Volume,
    /// The least that it was calibrated for, in microliters.
    pub lowest: f64,
    /// The most that it was calibrated for, in microliters.
    pub highest: f64,
}

/// A volume for people, without digits that mean nothing.
fn rounded(volume: Volume) -> String {
    format!("{} uL", (volume.microliters() * 1e4).round() / 1e4)
}

impl Calibration {
    /// What these measurements, made at `made`, say of a valve. The liquid's
    /// `density` is in milligrams a microliter; see [`WATER`].
    ///
    /// # Errors
    /// [`FitError`] where they don't say how long to open it for a volume.
    pub fn new(
        valve: Valve,
        made: Timestamp,
        density: f64,
        points: Vec<Point>,
    ) -> Result<Calibration, FitError> {
        let fit = Fit::new(&points, density)?;
        Ok(Calibration { valve, made, density, simulated: false, points, fit })
    }

    /// It as one of a valve that was simulated: what was weighed came from no real
    /// valve, and none may go by it.
    pub fn of_simulated(self) -> Calibration {
        Calibration { simulated: true, ..self }
    }

    /// Whether the valve was simulated when this was made.
    pub fn is_simulated(&self) -> bool {
        self.simulated
    }

    /// The valve that was calibrated.
    pub fn valve(&self) -> &Valve {
        &self.valve
    }

    /// When it was measured.
    pub fn made(&self) -> Timestamp {
        self.made
    }

    /// What was weighed.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The line through it.
    pub fn fit(&self) -> &Fit {
        &self.fit
    }

    /// The least and the most that it may be asked for, in microliters:
    /// what was measured, and [`TOLERANCE`] beyond.
    pub fn range(&self) -> (f64, f64) {
        let (shortest, longest) = self.fit.range();
        (self.fit.volume_of(shortest) * (1.0 - TOLERANCE), self.fit.volume_of(longest) * (1.0 + TOLERANCE))
    }

    /// How long the valve must be open to give this much; nothing takes no time.
    ///
    /// # Errors
    /// [`OutOfRange`] where it was not calibrated for as little or as much.
    pub fn duration_of(&self, volume: Volume) -> Result<Span, OutOfRange> {
        let microliters = volume.microliters();
        if microliters == 0.0 {
            return Ok(Span::ZERO);
        }
        let (lowest, highest) = self.range();
        let outside = || OutOfRange { valve: self.valve.clone(), wanted: volume, lowest, highest };
        if !(lowest..=highest).contains(&microliters) {
            return Err(outside());
        }
        // Far below what was measured, the line may ask for less than no time.
        self.fit.duration_of(microliters).filter(|open| *open > Span::ZERO).ok_or_else(outside)
    }

    /// How much an opening of this length gives, in microliters.
    pub fn volume_of(&self, open: Span) -> f64 {
        if open == Span::ZERO { 0.0 } else { self.fit.volume_of(open).max(0.0) }
    }

    /// How old it is; nothing where its date is yet to come.
    pub fn age(&self, now: Timestamp) -> Span {
        let ns = now.as_nanosecond().saturating_sub(self.made.as_nanosecond());
        Span::from_ns(i64::try_from(ns.max(0)).unwrap_or(i64::MAX))
    }
}

impl Point {
    /// What one opening gave, in microliters of a liquid of this density.
    pub fn microliters(&self, density: f64) -> f64 {
        self.grams * 1e3 / density / f64::from(self.pulses)
    }
}

impl Valve {
    /// What a person runs to calibrate it.
    pub fn command(&self) -> String {
        match &self.port {
            Some(port) => format!("bramble-pilot calibrate {} {port}", self.device),
            None => format!("bramble-pilot calibrate {}", self.device),
        }
    }
}

impl fmt::Display for Valve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.port {
            Some(port) => write!(f, "{}.{port}", self.device),
            None => self.device.fmt(f),
        }
    }
}

/// A calibration as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCalibration {
    device: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<Name>,
    made: Timestamp,
    density: f64,
    /// Only written where it is so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    simulated: bool,
    fit: WrittenFit,
    points: Vec<WrittenPoint>,
}

/// The line, for people and other programs; it follows from the points.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFit {
    microliters_per_second: f64,
    offset_microliters: f64,
    r_squared: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPoint {
    open: Written<Span>,
    pulses: u32,
    grams: f64,
    residual_microliters: f64,
}

/// What is written and can't be a calibration.
#[derive(Debug, Error)]
enum WrittenError {
    #[error(transparent)]
    Fit(#[from] FitError),
    #[error(
        "its line is not that of its points ({expected} uL/s): calibrate again, instead of changing the file"
    )]
    Changed { expected: f64 },
}

impl From<Calibration> for WrittenCalibration {
    fn from(calibration: Calibration) -> WrittenCalibration {
        let Calibration { valve, made, density, simulated, points, fit } = calibration;
        let residuals = fit.residuals(&points, density);
        let point = |(point, residual): (Point, f64)| WrittenPoint {
            open: Written(point.open),
            pulses: point.pulses,
            grams: point.grams,
            residual_microliters: residual,
        };
        WrittenCalibration {
            device: valve.device,
            port: valve.port,
            made,
            density,
            simulated,
            fit: WrittenFit::from(&fit),
            points: points.into_iter().zip(residuals).map(point).collect(),
        }
    }
}

impl From<&Fit> for WrittenFit {
    fn from(fit: &Fit) -> WrittenFit {
        WrittenFit {
            microliters_per_second: fit.microliters_per_second(),
            offset_microliters: fit.offset(),
            r_squared: fit.r_squared(),
        }
    }
}

impl TryFrom<WrittenCalibration> for Calibration {
    type Error = WrittenError;

    fn try_from(written: WrittenCalibration) -> Result<Calibration, WrittenError> {
        let points = written.points.into_iter().map(|point| Point {
            open: point.open.0,
            pulses: point.pulses,
            grams: point.grams,
        });
        let valve = Valve { device: written.device, port: written.port };
        let calibration = Calibration::new(valve, written.made, written.density, points.collect())?;
        let calibration = Calibration { simulated: written.simulated, ..calibration };
        let expected = calibration.fit.microliters_per_second();
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * expected;
        let same = near(written.fit.microliters_per_second, expected)
            && near(written.fit.offset_microliters, calibration.fit.offset());
        if same { Ok(calibration) } else { Err(WrittenError::Changed { expected }) }
    }
}

#[cfg(test)]
mod tests;
