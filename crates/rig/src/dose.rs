//! How a valve's open time and the volume that it gives belong together.

use std::sync::Arc;

use bramble_value::{Span, Volume};
use thiserror::Error;

use crate::calibration::{Calibration, OutOfRange, Valve};
use crate::config::Flow;

/// What a valve gives while it is open.
#[derive(Debug, Clone, PartialEq)]
pub enum Dose {
    /// So much a second: a simulated valve.
    Flow(Flow),
    /// As was weighed.
    Calibrated(Arc<Calibration>),
}

/// An opening that gives a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    /// How long it is.
    pub(crate) length: Span,
    /// How much longer it makes one that is not over yet. A valve gives or keeps
    /// a little whenever it opens and closes, and then does so once for both.
    pub(crate) prolongs: Span,
}

/// Why a valve can't give a volume. Each says which valve first.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DoseError {
    /// Nothing is known of what it gives.
    #[error("`{valve}` is not calibrated: run `{}`", valve.command())]
    Uncalibrated {
        /// The valve.
        valve: Valve,
    },
    /// It has a calibration that doesn't count: a sentence says why.
    #[error("{0}")]
    Unusable(String),
    /// It was not calibrated for as little or as much.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// It would be open for longer than its rig allows.
    #[error(
        "`{valve}` has to be open for {:.0} ms to give {volume}, and its `longest_on` is {longest}: give less, \
         or raise `longest_on`",
        open.seconds() * 1e3
    )]
    TooLong {
        /// The valve.
        valve: Valve,
        /// What it should give.
        volume: Volume,
        /// How long it would be open.
        open: Span,
        /// The longest that it may be.
        longest: Span,
    },
}

impl Dose {
    /// What a simulated valve gives of which nothing is known.
    pub const TYPICAL: Dose = Dose::Flow(Flow::TYPICAL);

    /// How long the valve must be open to give this much.
    ///
    /// # Errors
    /// [`OutOfRange`] where it was not calibrated for as little or as much.
    pub fn duration_of(&self, volume: Volume) -> Result<Span, OutOfRange> {
        self.opening(volume).map(|opening| opening.length)
    }

    /// The opening that gives this much.
    pub(crate) fn opening(&self, volume: Volume) -> Result<Opening, OutOfRange> {
        match self {
            Dose::Flow(flow) => Ok(Opening::of(flow.duration_of(volume))),
            Dose::Calibrated(calibration) => {
                let length = calibration.duration_of(volume)?;
                let seconds = volume.microliters() / calibration.fit().microliters_per_second();
                Ok(Opening { length, prolongs: Span::from_seconds(seconds).unwrap_or(length) })
            }
        }
    }

    /// How much an opening of this length gives, in microliters.
    pub fn volume_of(&self, open: Span) -> f64 {
        match self {
            Dose::Flow(flow) => flow.volume_of(open),
            Dose::Calibrated(calibration) => calibration.volume_of(open),
        }
    }

    /// The calibration that says so, if one does.
    pub fn calibration(&self) -> Option<&Arc<Calibration>> {
        match self {
            Dose::Flow(_) => None,
            Dose::Calibrated(calibration) => Some(calibration),
        }
    }
}

impl Opening {
    /// One of this length, of which nothing else is known.
    pub(crate) fn of(length: Span) -> Opening {
        Opening { length, prolongs: length }
    }
}
