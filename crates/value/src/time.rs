//! Moments and stretches of time, in whole nanoseconds.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::quantity::{QuantityError, parse_with_unit};

/// A moment on one clock: nanoseconds since that clock's own beginning (a
/// pilot's monotonic clock, or the start of a simulated session).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = i64))]
pub struct Time(i64);

/// A length of time, never negative, in nanoseconds (at most 292 years).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = i64))]
pub struct Span(i64);

impl Time {
    /// The beginning of the clock.
    pub const ZERO: Time = Time(0);

    /// The moment `ns` nanoseconds after the clock's beginning.
    pub const fn from_ns(ns: i64) -> Time {
        Time(ns)
    }

    /// Nanoseconds since the clock's beginning.
    pub const fn ns(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0).max(0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// The longest span that can be written down, about 292 years.
    pub const MAX: Span = Span(i64::MAX);

    /// A span of `ns` nanoseconds; a negative number becomes zero.
    pub const fn from_ns(ns: i64) -> Span {
        Span(if ns < 0 { 0 } else { ns })
    }

    /// A span of `ms` milliseconds.
    pub const fn from_ms(ms: u32) -> Span {
        Span(ms as i64 * 1_000_000)
    }

    /// A span of whole `s` seconds.
    pub const fn from_s(s: u32) -> Span {
        Span(s as i64 * 1_000_000_000)
    }

    /// The nearest whole nanosecond to `seconds`, or `None` where that is
    /// negative, not a number, or longer than [`Span::MAX`].
    pub fn from_seconds(seconds: f64) -> Option<Span> {
        let ns = libm::round(seconds * 1e9);
        (0.0..9.2e18).contains(&ns).then_some(Span(ns as i64))
    }

    /// Length in nanoseconds.
    pub const fn ns(self) -> i64 {
        self.0
    }

    /// Length in seconds.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub<Span> for Time {
    type Output = Time;
    fn sub(self, span: Span) -> Time {
        Time(self.0.saturating_sub(span.0))
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl TryFrom<i64> for Span {
    type Error = QuantityError;

    /// A span of `ns` nanoseconds, as it came from elsewhere.
    fn try_from(ns: i64) -> Result<Span, QuantityError> {
        let below_zero = || QuantityError::OutOfRange { what: "duration", text: format!("{ns} ns") };
        (ns >= 0).then_some(Span(ns)).ok_or_else(below_zero)
    }
}

impl From<Span> for i64 {
    fn from(span: Span) -> i64 {
        span.0
    }
}

impl FromStr for Span {
    type Err = QuantityError;

    /// Reads `"200 ms"`, `"1.5 s"`, `"90 min"`, `"50 us"`, `"1 h"`, `"800 ns"`.
    fn from_str(text: &str) -> Result<Span, QuantityError> {
        const UNITS: &[(&str, f64)] = &[
            ("ns", 1e-9),
            ("us", 1e-6),
            ("µs", 1e-6),
            ("ms", 1e-3),
            ("s", 1.0),
            ("min", 60.0),
            ("h", 3600.0),
        ];
        let seconds = parse_with_unit(text, "duration", UNITS, "200 ms")?;
        Span::from_seconds(seconds)
            .ok_or_else(|| QuantityError::OutOfRange { what: "duration", text: text.to_owned() })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0 as f64;
        let (scale, unit) = match self.0 {
            0 => return write!(f, "0 s"),
            1..=999 => (1.0, "ns"),
            1_000..=999_999 => (1e3, "us"),
            1_000_000..=999_999_999 => (1e6, "ms"),
            _ => (1e9, "s"),
        };
        write!(f, "{} {unit}", ns / scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_with_its_unit_and_written_back() {
        for (text, ns, shown) in [
            ("200 ms", 200_000_000, "200 ms"),
            ("1.5s", 1_500_000_000, "1.5 s"),
            ("90 min", 5_400_000_000_000, "5400 s"),
            ("50us", 50_000, "50 us"),
            ("0 s", 0, "0 s"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.ns(), ns, "{text}");
            assert_eq!(span.to_string(), shown);
        }
    }

    #[test]
    fn a_span_without_a_unit_or_below_zero_is_refused() {
        for text in ["5", "ms", "", "-1 s", "5 parsecs", "nan s", "1e300 s"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
