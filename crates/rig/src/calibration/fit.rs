//! The line through what was weighed: volume against open time, by least
//! squares. A point counts as much as it has openings.

use bramble_value::Span;
use thiserror::Error;

use super::Point;

/// How much of the volumes' spread the line must explain.
const LEAST_R_SQUARED: f64 = 0.9;
/// How far a point may be off the line, as a share of its volume.
const LARGEST_RESIDUAL: f64 = 0.1;

/// A line that gives an opening's volume.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    microliters_per_second: f64,
    offset: f64,
    r_squared: f64,
    shortest: Span,
    longest: Span,
    precision: Option<Precision>,
}

/// What the standard error of the line follows from.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Precision {
    /// The variance of one opening's volume about the line.
    variance: f64,
    weight: f64,
    center: f64,
    spread: f64,
}

/// Measurements that don't say how long to open a valve for a volume.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum FitError {
    /// A line needs two points.
    #[error("openings of {0} length(s) were weighed: at least 2 are needed, 4 or 5 are better")]
    TooFew(usize),
    /// A density that is none.
    #[error("{0} is not a density in mg/uL: water's is 0.9982")]
    Density(f64),
    /// Nothing was opened.
    #[error("the measurement of {open} has no openings: weigh at least 1 opening, longer than 0 s")]
    Nothing {
        /// How long.
        open: Span,
    },
    /// No liquid came out, or it weighed nothing that can be.
    #[error(
        "{pulses} openings of {open} weighed {grams} g: weigh what came out, in grams; where nothing \
         comes out, open it longer"
    )]
    Weight {
        /// How long.
        open: Span,
        /// How many.
        pulses: u32,
        /// What they weighed.
        grams: f64,
    },
    /// Longer openings gave no more.
    #[error(
        "longer openings gave no more liquid than shorter ones: look for air or a blockage, and whether \
         the weights are in the right order"
    )]
    NotRising,
    /// The volumes don't follow the time.
    #[error(
        "the volumes hardly follow the time that the valve was open (r squared {r_squared:.2}, at least \
         0.9 is needed): measure lengths further apart, or with more openings each"
    )]
    Loose {
        /// How much of the volumes' spread the line explains.
        r_squared: f64,
    },
    /// A point is far off the others' line.
    #[error(
        "the opening of {open} gave {microliters:.2} uL, {percent:.0} % off the line through all of \
         them (at most 10 % is allowed): weigh it again, or leave it out"
    )]
    OffTheLine {
        /// How long.
        open: Span,
        /// What it gave.
        microliters: f64,
        /// How far off that is.
        percent: f64,
    },
}

impl Fit {
    /// The line through these points, of a liquid with this density in mg/uL.
    pub(super) fn new(points: &[Point], density: f64) -> Result<Fit, FitError> {
        if !(density.is_finite() && density > 0.0) {
            return Err(FitError::Density(density));
        }
        for point in points {
            let Point { open, pulses, grams } = *point;
            if pulses == 0 || open == Span::ZERO {
                return Err(FitError::Nothing { open });
            }
            if !(grams > 0.0 && point.microliters(density).is_finite()) {
                return Err(FitError::Weight { open, pulses, grams });
            }
        }
        let mut lengths: Vec<Span> = points.iter().map(|point| point.open).collect();
        lengths.sort();
        lengths.dedup();
        let (shortest, longest) = match lengths.as_slice() {
            [shortest, .., longest] => (*shortest, *longest),
            few => return Err(FitError::TooFew(few.len())),
        };
        let line = Fit::line(points, density, shortest, longest);
        line.judged(points, density)
    }

    /// Least squares about the weighted means, so that nothing cancels out.
    fn line(points: &[Point], density: f64, shortest: Span, longest: Span) -> Fit {
        let measured: Vec<[f64; 3]> = points
            .iter()
            .map(|point| [f64::from(point.pulses), point.open.seconds(), point.microliters(density)])
            .collect();
        let sum = |of: &dyn Fn(&[f64; 3]) -> f64| measured.iter().map(of).sum::<f64>();
        let weight = sum(&|[w, _, _]| *w);
        let center = sum(&|[w, t, _]| w * t) / weight;
        let mean = sum(&|[w, _, v]| w * v) / weight;
        let spread = sum(&|[w, t, _]| w * (t - center) * (t - center));
        let slope = sum(&|[w, t, v]| w * (t - center) * (v - mean)) / spread;
        let offset = mean - slope * center;
        let unexplained = sum(&|[w, t, v]| w * (v - offset - slope * t) * (v - offset - slope * t));
        let all = sum(&|[w, _, v]| w * (v - mean) * (v - mean));
        let r_squared = if all > 0.0 { 1.0 - unexplained / all } else { 0.0 };
        // Two points lie on their line however wrong they are.
        let freedom = measured.len().checked_sub(2).filter(|freedom| *freedom > 0);
        let precision = freedom.map(|freedom| Precision {
            variance: unexplained / freedom as f64,
            weight,
            center,
            spread,
        });
        Fit { microliters_per_second: slope, offset, r_squared, shortest, longest, precision }
    }

    fn judged(self, points: &[Point], density: f64) -> Result<Fit, FitError> {
        // What is lost in the last digits is no rise, and what is no number neither.
        let rise = self.volume_of(self.longest) - self.volume_of(self.shortest);
        if !(rise > 1e-9 * self.volume_of(self.longest).abs() && self.offset.is_finite()) {
            return Err(FitError::NotRising);
        }
        if self.r_squared < LEAST_R_SQUARED {
            return Err(FitError::Loose { r_squared: self.r_squared });
        }
        let residuals = self.residuals(points, density);
        let shares = points.iter().zip(residuals).map(|(point, off)| {
            let microliters = point.microliters(density);
            (point.open, microliters, off.abs() / microliters)
        });
        match shares.max_by(|a, b| a.2.total_cmp(&b.2)) {
            Some((open, microliters, share)) if share > LARGEST_RESIDUAL => {
                Err(FitError::OffTheLine { open, microliters, percent: share * 100.0 })
            }
            _ => Ok(self),
        }
    }

    /// How fast the open valve gives liquid, in microliters a second.
    pub fn microliters_per_second(&self) -> f64 {
        self.microliters_per_second
    }

    /// What opening and closing add to that, in microliters; mostly less than 0.
    pub fn offset(&self) -> f64 {
        self.offset
    }

    /// How much of the volumes' spread the line explains: 1 is all.
    pub fn r_squared(&self) -> f64 {
        self.r_squared
    }

    /// The shortest and the longest opening that was measured.
    pub fn range(&self) -> (Span, Span) {
        (self.shortest, self.longest)
    }

    /// What each point gave above the line, in microliters an opening.
    pub fn residuals(&self, points: &[Point], density: f64) -> Vec<f64> {
        points.iter().map(|point| point.microliters(density) - self.volume_of(point.open)).collect()
    }

    /// How sure the mean volume of such openings is: the standard error of the
    /// line there, in microliters. Two points alone don't tell.
    pub fn standard_error(&self, open: Span) -> Option<f64> {
        let Precision { variance, weight, center, spread } = self.precision?;
        let away = open.seconds() - center;
        Some((variance * (1.0 / weight + away * away / spread)).sqrt())
    }

    pub(super) fn volume_of(&self, open: Span) -> f64 {
        self.offset + self.microliters_per_second * open.seconds()
    }

    /// `None` where that is no time.
    pub(super) fn duration_of(&self, microliters: f64) -> Option<Span> {
        Span::from_seconds((microliters - self.offset) / self.microliters_per_second)
    }
}
