//! A stream of blocks from a pilot, and what it does to events beside it. A
//! stream has a link of its own, so that no event waits behind its blocks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bramble_bench::quantile;
use bramble_link::{Event, LineError, MemoryOutbox, now};
use bramble_message::{PilotInPassing, decode, encode};
use bramble_value::{Kind, Record, Source};
use uuid::Uuid;

use crate::Failed;
use crate::ends::{Ends, Pilot};

const BLOCK: usize = 32 << 10;

/// Between two events.
const APART: Duration = Duration::from_millis(1);

/// How long a stream is measured that is as fast as it can be.
const FLOOD: Duration = Duration::from_secs(2);

/// How long events took to arrive, in microseconds.
pub(crate) struct Events {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// How many megabytes a second come of a stream that is as fast as it can be, alone.
pub(crate) fn flood(quick: bool) -> Result<f64, Failed> {
    let stream = Ends::start("streaming", &["0"])?;
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let taking = scope.spawn(|| take(stream, &over).map_err(|error| error.to_string()));
        std::thread::sleep(if quick { FLOOD / 20 } else { FLOOD });
        over.store(true, Ordering::Relaxed);
        Ok(taking.join().map_err(|_| "the stream's thread failed")??)
    })
}

/// So many events alone, then beside a stream of so many megabytes a second; and how many
/// came then.
pub(crate) fn measure(events: usize, rate: u32) -> Result<(Events, Events, f64), Failed> {
    let ends = Ends::start("telling", &[])?;
    let alone = hear(&ends, events)?;
    let stream = Ends::start("streaming", &[&rate.to_string()])?;
    let over = AtomicBool::new(false);
    let (beside, rate) = std::thread::scope(|scope| {
        let taking = scope.spawn(|| take(stream, &over).map_err(|error| error.to_string()));
        let beside = hear(&ends, events);
        over.store(true, Ordering::Relaxed);
        let rate = taking.join().map_err(|_| "the stream's thread failed")??;
        Ok::<_, Failed>((beside?, rate))
    })?;
    Ok((alone, beside, rate))
}

fn hear(ends: &Ends, events: usize) -> Result<Events, Failed> {
    // What came before is of another time.
    while ends.events.try_recv()?.is_some() {}
    let mut times = Vec::new();
    while times.len() < events {
        let time = ends.until(|event| {
            let Event::Passing { payload, .. } = event else { return None };
            match decode(&payload) {
                Ok(PilotInPassing::Live { records, .. }) => match records.first() {
                    Some(Record::Event(event)) => Some(event.time),
                    _ => None,
                },
                _ => None,
            }
        })?;
        times.push(now().since(time).seconds() * 1e6);
    }
    Ok(Events { p50: quantile(&mut times, 0.5), p99: quantile(&mut times, 0.99) })
}

/// Takes a stream's blocks until it is over, and says how many megabytes a second came.
fn take(stream: Ends, over: &AtomicBool) -> Result<f64, Failed> {
    let begin = now();
    let mut bytes = 0;
    while !over.load(Ordering::Relaxed) {
        let mut last = None;
        let mut one = |event| {
            if let Event::Message { at, payload, .. } = event {
                bytes += payload.len();
                last = Some(at);
            }
            Some(())
        };
        stream.until(&mut one)?;
        while let Some(event) = stream.events.try_recv()? {
            one(event);
        }
        if let Some(last) = last {
            stream.line.taken(last)?;
        }
    }
    Ok(bytes as f64 / now().since(begin).seconds() / 1e6)
}

/// Is a pilot that tells of an event now and then.
pub(crate) fn be_telling(folder: &str, endpoint: &str) -> Result<(), Failed> {
    let pilot = Pilot::dial(folder, endpoint, MemoryOutbox::new())?;
    let line = pilot.dialer.line();
    loop {
        let event =
            bramble_value::Event { time: now(), trial: 1, kind: Kind::Input, source: Source(0), value: 1.0 };
        let records = vec![Record::Event(event)];
        line.passing(encode(&PilotInPassing::Live { session: Uuid::nil(), records }))?;
        std::thread::sleep(APART);
    }
}

/// Is a pilot with a stream of so many megabytes a second, or as fast as it can be where
/// that is 0.
pub(crate) fn be_streaming(folder: &str, endpoint: &str, rate: &str) -> Result<(), Failed> {
    let rate: u32 = rate.parse()?;
    let pilot = Pilot::dial(folder, endpoint, MemoryOutbox::new())?;
    let line = pilot.dialer.line();
    let block = bramble_message::Bytes::from((0..BLOCK).map(|at| at as u8).collect::<Vec<u8>>());
    let begin = now();
    let mut sent = 0u64;
    loop {
        let due = sent as f64 * BLOCK as f64 / (f64::from(rate) * 1e6);
        let early = due - now().since(begin).seconds();
        if rate > 0 && early > 0.0 {
            std::thread::sleep(Duration::from_secs_f64(early).max(Duration::from_micros(500)));
        }
        match line.send(block.clone()) {
            Ok(()) => sent += 1,
            // So much waits already.
            Err(LineError::NotQueued(_)) => std::thread::sleep(Duration::from_millis(1)),
            Err(error) => return Err(error.into()),
        }
    }
}
