//! How late the outputs of a session in real time are after what led to them, as its records tell.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bramble_health::Meter;
use bramble_message::{PilotInPassing, Reaction};
use bramble_value::{Kind, Record, Time};
use uuid::Uuid;

/// How often the terminal is told, while there is something new.
const EVERY: Duration = Duration::from_secs(2);
/// How often it is told what it may have been told before.
const AGAIN: Duration = Duration::from_secs(30);

/// The reactions of the session that runs, or ran last. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reactions(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    session: Option<Uuid>,
    meter: Meter,
    /// When the last thing happened to the task: an edge came, a time was over.
    happened: Time,
    /// What is decided now follows of that, and not of what a device does by itself.
    follows: bool,
    new: bool,
    told: Option<Instant>,
}

impl Reactions {
    /// A session in real time begins.
    pub(crate) fn begin(&self, session: Uuid) {
        *self.inner() = Inner { session: Some(session), ..Inner::default() };
    }

    /// What was observed in it, in order.
    pub(crate) fn note(&self, records: &[Record]) {
        let mut inner = self.inner();
        for record in records {
            let Record::Event(event) = record else { continue };
            match event.kind {
                // A pulse that ends, or a sync line's edge, is no reaction.
                Kind::Moment => inner.follows = event.value == 0.0,
                Kind::Output if inner.follows => {
                    let late = event.time.since(inner.happened);
                    inner.meter.note(late);
                    inner.new = true;
                }
                // These are of when they were taken, and not of what they are about.
                Kind::Output | Kind::Answered | Kind::Waits | Kind::Lost | Kind::Late => {}
                _ => inner.happened = event.time,
            }
        }
    }

    /// What the terminal is told now, where there is something.
    pub(crate) fn due(&self) -> Option<PilotInPassing> {
        let mut inner = self.inner();
        let session = inner.session?;
        let wait = if inner.new { EVERY } else { AGAIN };
        if inner.told.is_some_and(|told| told.elapsed() < wait) {
            return None;
        }
        (inner.new, inner.told) = (false, Some(Instant::now()));
        Some(PilotInPassing::Reaction(Reaction { session, delays: inner.meter.delays() }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing that is done under the lock can leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use bramble_value::{Event, Source};

    use super::*;

    fn event(us: i64, kind: Kind, value: f64) -> Record {
        Record::Event(Event { time: Time::from_ns(us * 1_000), trial: 1, kind, source: Source(1), value })
    }

    #[test]
    fn an_output_is_held_against_the_edge_or_the_deadline_that_led_to_it() {
        let reactions = Reactions::default();
        assert_eq!(reactions.due(), None, "no session ran");
        reactions.begin(Uuid::from_u128(7));
        reactions.note(&[
            // An edge, and the valve that opens 40 us after it.
            event(1_000, Kind::Input, 1.0),
            event(1_000, Kind::StageEnd, 0.0),
            event(1_000, Kind::StageStart, 0.0),
            event(1_030, Kind::Moment, 0.0),
            event(1_040, Kind::Output, 1.0),
            // It closes by itself.
            event(31_050, Kind::Moment, 1.0),
            event(31_055, Kind::Output, 0.0),
            // A time that is over, and a light that goes on 90 us later.
            event(50_000, Kind::StageStart, 0.0),
            event(50_080, Kind::Moment, 0.0),
            event(50_090, Kind::Output, 1.0),
        ]);
        let Some(PilotInPassing::Reaction(Reaction { session, delays })) = reactions.due() else { panic!() };
        assert_eq!((session, delays.count), (Uuid::from_u128(7), 2));
        assert_eq!((delays.p50.ns() / 1_000, delays.worst.ns() / 1_000), (40, 90));
        assert_eq!(reactions.due(), None, "it was just told");
    }
}
