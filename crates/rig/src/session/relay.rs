//! The way from the real-time loop to whoever keeps its records: a ring that the
//! loop never waits for, and a thread that empties it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use bramble_value::Record;
use rtrb::{Consumer, Producer, RingBuffer};

use super::{Recorder, RecorderError};

/// As many records wait. The loop makes at most some thousands a second.
const ROOM: usize = 65_536;

/// Room that is left for the end of a session that must end for want of room.
const RESERVE: usize = 2_048;

/// As many records are handed on at once.
const BATCH: usize = 128;

/// The thread looks by itself this often.
const LOOK: Duration = Duration::from_millis(50);

/// The loop's end of a relay.
#[derive(Debug)]
pub struct Ring {
    records: Producer<Record>,
    new: Arc<AtomicBool>,
    /// It was said that there is no more room.
    full: bool,
}

impl Recorder for Ring {
    fn record(&mut self, record: Record) -> Result<(), RecorderError> {
        let lost = self.records.push(record).is_err();
        self.new.store(true, Ordering::Release);
        let full = lost || self.records.slots() < RESERVE;
        if full && !std::mem::replace(&mut self.full, true) {
            return Err(RecorderError(format!("the disk is behind by {} records", ROOM - RESERVE)));
        }
        Ok(())
    }
}

/// Wakes a relay that has something to do.
#[derive(Debug)]
pub struct Bell {
    thread: std::thread::Thread,
    new: Arc<AtomicBool>,
}

impl Bell {
    /// It is cheap where there is nothing new, and never waits.
    pub fn ring(&self) {
        if self.new.swap(false, Ordering::AcqRel) {
            self.thread.unpark();
        }
    }
}

/// The thread. It ends after its ring is gone and empty.
#[derive(Debug)]
pub struct Relay {
    thread: JoinHandle<()>,
}

impl Relay {
    /// Starts one that hands every record to `pass`, with those that are there too,
    /// in their order. It may take its time.
    ///
    /// # Errors
    /// Where there can't be another thread.
    pub fn start(pass: impl FnMut(Vec<Record>) + Send + 'static) -> std::io::Result<(Relay, Ring, Bell)> {
        let (producer, consumer) = RingBuffer::new(ROOM);
        let new = Arc::new(AtomicBool::new(false));
        let thread =
            std::thread::Builder::new().name("relay".to_owned()).spawn(move || empty(consumer, pass))?;
        let bell = Bell { thread: thread.thread().clone(), new: new.clone() };
        Ok((Relay { thread }, Ring { records: producer, new, full: false }, bell))
    }

    /// Waits until all was handed on. The ring should be gone.
    pub fn finish(self) {
        self.thread.thread().unpark();
        // Were it to panic, it would have said so.
        let _ = self.thread.join();
    }
}

fn empty(mut records: Consumer<Record>, mut pass: impl FnMut(Vec<Record>)) {
    loop {
        // Looked at before what is left: nothing comes after it.
        let over = records.is_abandoned();
        loop {
            let there: Vec<Record> = std::iter::from_fn(|| records.pop().ok()).take(BATCH).collect();
            if there.is_empty() {
                break;
            }
            pass(there);
        }
        if over {
            return;
        }
        std::thread::park_timeout(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bramble_value::Time;

    fn note(at: i64) -> Record {
        Record::Note { time: Time::from_ns(at), text: String::new() }
    }

    fn ring() -> (Ring, Consumer<Record>) {
        let (records, consumer) = RingBuffer::new(ROOM);
        (Ring { records, new: Arc::default(), full: false }, consumer)
    }

    #[test]
    fn every_record_is_passed_on_in_order_before_the_relay_ends() {
        let (mut ring, consumer) = ring();
        let (sender, passed) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || empty(consumer, |there| sender.send(there).unwrap()));
        for at in 0..10_000 {
            ring.record(note(at)).unwrap();
        }
        drop(ring);
        thread.join().unwrap();
        assert!(passed.iter().flatten().eq((0..10_000).map(note)));
    }

    #[test]
    fn a_disk_that_is_behind_ends_the_session_once_and_leaves_room_for_its_end() {
        let (mut ring, mut consumer) = ring();
        let mut count = 0;
        let failed = loop {
            count += 1;
            if let Err(error) = ring.record(note(count)) {
                break error;
            }
        };
        assert!(failed.to_string().contains("the disk is behind"), "{failed}");
        for at in 1..=1000 {
            ring.record(note(count + at)).unwrap();
        }
        drop(ring);
        let kept = std::iter::from_fn(|| consumer.pop().ok());
        assert!(kept.eq((1..=count + 1000).map(note)), "none is lost, and the one that did not fit least");
    }
}
