//! How late something was, each time: a histogram, and what is said of it.

use bramble_message::{Bar, Delays};
use bramble_value::Span;
use hdrhistogram::Histogram;

/// The upper ends of the bars, in microseconds; the last one has none.
const BARS: [u64; 14] = [5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000];

/// Measures delays up to a minute, to three digits.
#[derive(Debug, Clone)]
pub struct Meter(Histogram<u64>);

impl Default for Meter {
    fn default() -> Meter {
        let histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3)
            .expect("these bounds are in order, and three digits are allowed");
        Meter(histogram)
    }
}

impl Meter {
    /// It was so late. What is later than a minute counts as that.
    pub fn note(&mut self, delay: Span) {
        self.0.saturating_record(delay.ns().unsigned_abs());
    }

    /// What is said of all.
    pub fn delays(&self) -> Delays {
        let span = |ns: u64| Span::from_ns(i64::try_from(ns).unwrap_or(i64::MAX));
        let at = |quantile| span(self.0.value_at_quantile(quantile));
        let ends: Vec<u64> = BARS.iter().map(|us| us * 1_000).chain([u64::MAX]).collect();
        let mut bars: Vec<Bar> = ends.iter().map(|end| Bar { up_to: span(*end), count: 0 }).collect();
        for step in self.0.iter_recorded() {
            bars[ends.partition_point(|end| *end < step.value_iterated_to())].count += step.count_at_value();
        }
        Delays {
            count: self.0.len(),
            bars,
            p50: at(0.5),
            p99: at(0.99),
            p99_9: at(0.999),
            worst: span(self.0.max()),
        }
    }
}

/// A histogram in lines of text, from the first bar that has something to the last.
pub fn drawn(bars: &[Bar]) -> Vec<String> {
    const WIDTH: u64 = 40;
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    let has = |bar: &Bar| bar.count > 0;
    let (Some(first), Some(last)) = (bars.iter().position(has), bars.iter().rposition(has)) else {
        return Vec::new();
    };
    let line = |bar: &Bar| {
        let end = match bar.up_to {
            Span::MAX => "later".to_owned(),
            end => format!("to {end}"),
        };
        let length = bar.count.saturating_mul(WIDTH).div_ceil(most) as usize;
        format!("{end:>9}  {:<40}  {}", "#".repeat(length), bar.count)
    };
    bars[first..=last].iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_summed_up_in_bars_and_quantiles() {
        let mut meter = Meter::default();
        (0..990).for_each(|_| meter.note(Span::from_ns(4_000)));
        (0..10).for_each(|_| meter.note(Span::from_ns(300_000)));
        let delays = meter.delays();
        assert_eq!((delays.count, delays.bars.iter().map(|bar| bar.count).sum::<u64>()), (1000, 1000));
        assert!(delays.p50 < Span::from_ns(5_000) && delays.p99 < Span::from_ns(5_000), "{delays:?}");
        let (p99_9, worst) = (Span::from_ns(299_000), Span::from_ns(300_000));
        assert!(delays.p99_9 >= p99_9 && delays.worst >= worst, "{delays:?}");
        let drawn = drawn(&delays.bars);
        assert_eq!(drawn.len(), 7, "{drawn:?}");
        assert_eq!(drawn[0], format!("  to 5 us  {}  990", "#".repeat(40)));
        assert!(drawn[1].ends_with("  0") && drawn[6].starts_with("to 500 us  #  "), "{drawn:?}");
    }

    #[test]
    fn what_is_later_than_a_minute_is_told_as_later() {
        let mut meter = Meter::default();
        meter.note(Span::MAX);
        let drawn = drawn(&meter.delays().bars);
        assert!(drawn.len() == 1 && drawn[0].starts_with("    later  #"), "{drawn:?}");
    }
}
