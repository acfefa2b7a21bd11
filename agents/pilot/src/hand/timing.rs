//! How late this computer wakes the loop.

use bramble_health::{Meter, drawn};
use bramble_message::Delays;
use bramble_rig::calibration::Calibrations;
use bramble_rig::{Driver, Happening, Inbox, Real, RealTime, Request, Rig, RigConfig};
use bramble_value::Span;

use super::protocol::{Bar, Timing};
use super::session::wire;
use super::task::Workpiece;

/// Has the loop wait for one deadline after the other, as it does in a session on
/// real pins, and measures how late it was each time; until `inbox` says stop.
///
/// # Errors
/// A sentence, where this computer doesn't let it wait, or it was stopped.
pub(super) fn measure(wakes: u32, every: Span, core: Option<usize>, inbox: &Inbox) -> Result<Timing, String> {
    let nothing = RigConfig::default();
    let piece = Workpiece::new(&nothing)?;
    let wiring = wire(&piece, &nothing, &Calibrations::default(), "this computer")?;
    let mut rig = Rig::open(&nothing).map_err(|error| error.to_string())?;
    let real_time = RealTime::enter(core);
    let mut driver = Real::new(&mut rig, &wiring, &()).map_err(|error| error.to_string())?;
    let mut lateness = Meter::default();
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
        lateness.note(now.since(deadline));
        // What came late once does not make all that follows late.
        deadline = deadline.max(now - every);
    }
    Ok(Timing::new(lateness.delays(), real_time.shortfalls().to_vec()))
}

impl Timing {
    fn new(delays: Delays, shortfalls: Vec<String>) -> Timing {
        let Delays { count: wakes, bars, p50, p99, p99_9, worst } = delays;
        let bars = bars.into_iter().map(|bar| Bar { up_to: bar.up_to, count: bar.count }).collect();
        Timing { wakes, bars, p50, p99, p99_9, worst, shortfalls }
    }

    /// Its histogram in lines of text.
    pub(super) fn drawn(&self) -> Vec<String> {
        let bars = self.bars.iter().map(|bar| bramble_message::Bar { up_to: bar.up_to, count: bar.count });
        drawn(&bars.collect::<Vec<_>>())
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
}
