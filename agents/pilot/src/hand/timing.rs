//! How late this computer wakes the loop.

use bramble_rig::{Driver, Happening, Inbox, Real, RealTime, Request, Rig, RigConfig};
use bramble_value::Span;
use hdrhistogram::Histogram;

use super::protocol::{Bar, Timing};
use super::session::wire;
use super::task::Workpiece;

/// The upper ends of the bars, in microseconds; the last one has none.
const BARS: [u64; 12] = [5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000];

/// Has the loop wait for one deadline after the other, as it does in a session on
/// real pins, and measures how late it was each time; until `inbox` says stop.
///
/// # Errors
/// A sentence, where this computer doesn't let it wait, or it was stopped.
pub(super) fn measure(wakes: u32, every: Span, core: Option<usize>, inbox: &Inbox) -> Result<Timing, String> {
    let nothing = RigConfig::default();
    let piece = Workpiece::new(&nothing)?;
    let wiring = wire(&piece, &nothing, "this computer")?;
    let mut rig = Rig::open(&nothing).map_err(|error| error.to_string())?;
    let real_time = RealTime::enter(core);
    let mut driver = Real::new(&mut rig, &wiring, &()).map_err(|error| error.to_string())?;
    let mut lateness = histogram();
    let mut deadline = driver.now();
    for _ in 0..wakes {
        deadline += every;
        // Nothing else is asked of a loop without a rig.
        while let Some(happening) = driver.wait(Some(deadline), inbox).map_err(|error| error.to_string())? {
            if let Happening::Request(Request::Stop { why }) = happening {
                return Err(format!("the measurement was stopped: {why}"));
            }
        }
        let now = driver.now();
        // Whatever is later than the histogram goes counts as its end.
        lateness.saturating_record(now.since(deadline).ns().unsigned_abs());
        // What came late once does not make all that follows late.
        deadline = deadline.max(now - every);
    }
    Ok(summary(&lateness, real_time.shortfalls().to_vec()))
}

/// Nanoseconds up to a minute, to three digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3)
        .expect("these bounds are in order, and three digits are allowed")
}

fn summary(lateness: &Histogram<u64>, shortfalls: Vec<String>) -> Timing {
    let span = |ns: u64| Span::from_ns(i64::try_from(ns).unwrap_or(i64::MAX));
    let at = |quantile| span(lateness.value_at_quantile(quantile));
    let mut from = 0;
    let ends = BARS.iter().map(|us| us * 1_000).chain([u64::MAX]);
    let bars = ends.map(|end| {
        let count = lateness.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value()));
        let count = count.filter(|(value, _)| (from..=end).contains(value)).map(|(_, count)| count).sum();
        from = end.saturating_add(1);
        Bar { up_to: span(end), count }
    });
    Timing {
        wakes: lateness.len(),
        bars: bars.collect(),
        p50: at(0.5),
        p99: at(0.99),
        p99_9: at(0.999),
        worst: span(lateness.max()),
        shortfalls,
    }
}

impl Timing {
    /// Its histogram in lines of text, from the first bar that has something to
    /// the last.
    pub(super) fn drawn(&self) -> Vec<String> {
        const WIDTH: u64 = 40;
        let most = self.bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
        let has = |bar: &Bar| bar.count > 0;
        let (Some(first), Some(last)) = (self.bars.iter().position(has), self.bars.iter().rposition(has))
        else {
            return Vec::new();
        };
        let line = |bar: &Bar| {
            let end = match bar.up_to {
                Span::MAX => "later".to_owned(),
                end => format!("to {end}"),
            };
            let length = (bar.count * WIDTH).div_ceil(most) as usize;
            format!("{end:>9}  {:<40}  {}", "#".repeat(length), bar.count)
        };
        self.bars[first..=last].iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_ends_when_it_is_stopped() {
        let (post, inbox) = bramble_rig::inbox();
        post.request(Request::Stop { why: "the pilot was told to end".into() });
        let stopped = measure(u32::MAX, Span::from_ms(1), None, &inbox).unwrap_err();
        assert_eq!(stopped, "the measurement was stopped: the pilot was told to end");
    }

    #[test]
    fn lateness_is_summed_up_in_bars_and_quantiles() {
        let mut lateness = histogram();
        for _ in 0..990 {
            lateness.record(4_000).unwrap();
        }
        for _ in 0..10 {
            lateness.record(300_000).unwrap();
        }
        let timing = summary(&lateness, Vec::new());
        assert_eq!((timing.wakes, timing.bars.iter().map(|bar| bar.count).sum::<u64>()), (1000, 1000));
        assert!(timing.p50 < Span::from_ns(5_000) && timing.p99 < Span::from_ns(5_000), "{timing:?}");
        assert!(
            timing.p99_9 >= Span::from_ns(299_000) && timing.worst >= Span::from_ns(300_000),
            "{timing:?}"
        );
        let drawn = timing.drawn();
        assert_eq!(drawn.len(), 7, "{drawn:?}");
        assert_eq!(drawn[0], format!("  to 5 us  {}  990", "#".repeat(40)));
        assert!(drawn[1].ends_with("  0") && drawn[6].starts_with("to 500 us  #  "), "{drawn:?}");
    }

    #[test]
    fn a_wake_that_comes_after_a_minute_is_told_as_later() {
        let mut lateness = histogram();
        lateness.saturating_record(u64::MAX);
        let drawn = summary(&lateness, Vec::new()).drawn();
        assert!(drawn.len() == 1 && drawn[0].starts_with("    later  #"), "{drawn:?}");
    }
}
