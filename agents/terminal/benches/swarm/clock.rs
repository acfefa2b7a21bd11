//! What a link says of the other's clock, where both have the same one.

use bramble_link::{Event, MemoryOutbox};

use crate::Failed;
use crate::ends::{Ends, Pilot};

/// The largest error of so many estimates, in microseconds.
pub(crate) fn measure(estimates: usize) -> Result<f64, Failed> {
    let ends = Ends::start("being-there", &[])?;
    let mut worst = 0.0f64;
    for _ in 0..estimates {
        let offset = ends.until(|event| match event {
            Event::Clock { clock, .. } => Some(clock.offset_ns),
            _ => None,
        })?;
        worst = worst.max(offset as f64 / 1e3).max(offset as f64 / -1e3);
    }
    Ok(worst)
}

/// Is a pilot that does nothing.
pub(crate) fn be(folder: &str, endpoint: &str) -> Result<(), Failed> {
    let pilot = Pilot::dial(folder, endpoint, MemoryOutbox::new())?;
    while pilot.events.recv().is_ok() {}
    Ok(())
}
