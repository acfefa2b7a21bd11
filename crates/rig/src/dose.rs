//! How a valve's open time and the volume that it gives belong together.

use std::sync::Arc;

use bramble_value::{Span, Volume};

use crate::calibration::{Calibration, OutOfRange};
use crate::config::Flow;

/// What a valve gives while it is open.
#[derive(Debug, Clone, PartialEq)]
pub enum Dose {
    /// So much a second: a simulated valve.
    Flow(Flow),
    /// As was weighed.
    Calibrated(Arc<Calibration>),
}

impl Dose {
    /// What a simulated valve gives of which nothing is known.
    pub const TYPICAL: Dose = Dose::Flow(Flow::TYPICAL);

    /// How long the valve must be open to give this much.
    ///
    /// # Errors
    /// [`OutOfRange`] where it was not calibrated for as little or as much.
    pub fn duration_of(&self, volume: Volume) -> Result<Span, OutOfRange> {
        match self {
            Dose::Flow(flow) => Ok(flow.duration_of(volume)),
            Dose::Calibrated(calibration) => calibration.duration_of(volume),
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
