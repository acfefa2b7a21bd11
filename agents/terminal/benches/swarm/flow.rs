//! Events in one direction, in a journal at both ends.

use bramble_journal::Journal;
use bramble_link::{Event, JournalOutbox, now};
use bramble_message::{Bytes, PilotToTerminal, decode, encode};
use bramble_value::{Kind, Record, Source};
use uuid::Uuid;

use crate::Failed;
use crate::ends::{Ends, Pilot};

const LANE: &str = "terminal";

/// As many messages wait at most in the pilot's journal.
const MOST_WAITING: u64 = 4096;

/// As many events are made durable together, as a pilot's scribe does with what waits.
const TOGETHER: usize = 4096;

/// How many events a second arrive, so many in each message, until so many came.
pub(crate) fn measure(each: usize, events: usize) -> Result<f64, Failed> {
    let ends = Ends::start("flowing", &[&each.to_string(), &events.to_string()])?;
    let journal = Journal::open(ends.folder().join("terminal.sqlite"))?;
    let begin = now();
    let mut count = 0;
    while count < events {
        let mut messages: Vec<(u64, Bytes)> = Vec::new();
        let mut last = None;
        let mut take = |event| {
            if let Event::Message { at, payload, .. } = event {
                messages.push((at.number, payload));
                last = Some(at);
            }
            Some(())
        };
        ends.until(&mut take)?;
        while let Some(event) = ends.events.try_recv()? {
            take(event);
        }
        let Some(last) = last else { continue };
        journal.store("box1", &messages)?;
        ends.line.taken(last)?;
        // As a subject file would have them.
        journal.release("box1", last.number);
        for (_, payload) in &messages {
            if let PilotToTerminal::Records { records, .. } = decode(payload)? {
                count += records.len();
            }
        }
    }
    Ok(count as f64 / now().since(begin).seconds())
}

/// Is a pilot with so many events.
pub(crate) fn be(folder: &str, endpoint: &str, each: &str, events: &str) -> Result<(), Failed> {
    let (each, events): (usize, usize) = (each.parse()?, events.parse()?);
    let journal = Journal::open(std::path::Path::new(folder).join("box1.sqlite"))?;
    let pilot = Pilot::dial(folder, endpoint, JournalOutbox::open(journal.clone(), LANE)?)?;
    let line = pilot.dialer.line();
    let mut made = 0;
    while made < events {
        while journal.pending(LANE)? > MOST_WAITING {
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
        let message = |_| {
            let records = (0..each).map(|_| event()).collect();
            encode(&PilotToTerminal::Records { session: Uuid::nil(), records })
        };
        let messages: Vec<Bytes> = (0..(TOGETHER / each).max(1)).map(message).collect();
        made += messages.len() * each;
        journal.append(LANE, &messages)?;
        line.more()?;
    }
    while pilot.events.recv().is_ok() {}
    Ok(())
}

/// Something that a mouse did.
pub(crate) fn event() -> Record {
    Record::Event(bramble_value::Event {
        time: now(),
        trial: 1,
        kind: Kind::Input,
        source: Source(0),
        value: 1.0,
    })
}
