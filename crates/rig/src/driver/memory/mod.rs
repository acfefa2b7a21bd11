//! Lines in memory, whose other side is another thread: for trying the loop and
//! measuring it, and for the simulated devices of a real rig, which nobody works.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;

use bramble_value::Time;
use rtrb::{Consumer, Producer, RingBuffer};

use super::inbox::{Bell, bell};
use super::{Bank, DriverError, Edge, LineId, monotonic};

/// So many changes wait at most; those that come then are counted as lost.
const WAITING: usize = 4096;

/// So many changes are taken at once at most.
const AT_ONCE: usize = 256;

/// The bank.
#[derive(Debug)]
pub struct Memory {
    shared: Arc<Shared>,
    changes: Consumer<Edge>,
    /// Since when each line is listened to.
    listening: Vec<Option<Time>>,
}

/// The other side: who holds it works the inputs and sees the outputs.
#[derive(Debug)]
pub struct Hands {
    shared: Arc<Shared>,
    changes: Producer<Edge>,
    lost: Vec<u32>,
}

#[derive(Debug)]
struct Shared {
    /// What each line is at, as the bits of a share.
    levels: Vec<AtomicU64>,
    /// When each was written last, in nanoseconds of the monotonic clock.
    written: Vec<AtomicI64>,
    /// Woken when the loop has written; set by the first who waits for that.
    waits: OnceLock<Thread>,
    /// The loop sleeps, and has to be woken by the bell.
    asleep: AtomicBool,
    bell: Bell,
}

impl Memory {
    /// So many lines, all off.
    pub fn new(lines: usize) -> (Memory, Hands) {
        let (producer, consumer) = RingBuffer::new(WAITING);
        let shared = Arc::new(Shared {
            levels: (0..lines).map(|_| AtomicU64::new(0)).collect(),
            written: (0..lines).map(|_| AtomicI64::new(0)).collect(),
            waits: OnceLock::new(),
            asleep: AtomicBool::new(false),
            bell: bell(),
        });
        (
            Memory { shared: Arc::clone(&shared), changes: consumer, listening: vec![None; lines] },
            Hands { shared, changes: producer, lost: vec![0; lines] },
        )
    }
}

impl Shared {
    fn level(&self, line: LineId) -> f64 {
        f64::from_bits(self.levels[line.index()].load(Ordering::Acquire))
    }

    fn write(&self, line: LineId, level: f64) {
        self.written[line.index()].store(monotonic().ns(), Ordering::Relaxed);
        self.levels[line.index()].store(level.to_bits(), Ordering::Release);
    }
}

impl Bank for Memory {
    fn wakes(&self) -> Vec<BorrowedFd<'_>> {
        self.shared.bell.iter().map(|bell| bell.as_fd()).collect()
    }

    fn woken(&mut self, _: usize, _: &mut Vec<Edge>) -> Result<(), DriverError> {
        if let Some(bell) = &self.shared.bell {
            // It only fails where it doesn't ring.
            let _ = bell.read();
        }
        Ok(())
    }

    fn look(&mut self, into: &mut Vec<Edge>) {
        for _ in 0..AT_ONCE {
            let Ok(edge) = self.changes.pop() else { return };
            if self.listening[edge.line.index()].is_some_and(|since| since <= edge.at) {
                into.push(edge);
            }
        }
    }

    fn rest(&mut self) -> bool {
        self.shared.asleep.store(true, Ordering::Relaxed);
        // Either the hands see that the loop sleeps, or the loop sees their change.
        fence(Ordering::SeqCst);
        let may = self.changes.is_empty();
        if !may {
            self.shared.asleep.store(false, Ordering::Relaxed);
        }
        may
    }

    fn needs_waking(&self) -> bool {
        false
    }

    fn level(&mut self, line: LineId) -> Result<bool, DriverError> {
        Ok(self.shared.level(line) > 0.0)
    }

    fn write(&mut self, line: LineId, level: f64) -> Result<(), DriverError> {
        self.shared.write(line, level);
        // Either who waits sees the level, or this sees that someone waits.
        fence(Ordering::SeqCst);
        if let Some(thread) = self.shared.waits.get() {
            thread.unpark();
        }
        Ok(())
    }

    fn listen(&mut self, line: LineId, on: bool) -> Result<u32, DriverError> {
        self.listening[line.index()] = on.then(monotonic);
        Ok(0)
    }
}

impl Hands {
    /// Brings an input to a level, now.
    pub fn set(&mut self, line: LineId, high: bool) {
        self.shared.write(line, f64::from(u8::from(high)));
        let lost = &mut self.lost[line.index()];
        match self.changes.push(Edge { line, high, at: monotonic(), lost: *lost }) {
            Ok(()) => *lost = 0,
            Err(_) => *lost = lost.saturating_add(1),
        }
        fence(Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::Relaxed)
            && self.shared.asleep.swap(false, Ordering::Relaxed)
            && let Some(bell) = &self.shared.bell
        {
            // It only fails where it rings already.
            let _ = bell.write(1);
        }
    }

    /// What a line is at: 0, 1, or a share.
    pub fn level(&self, line: LineId) -> f64 {
        self.shared.level(line)
    }

    /// Sleeps until a line is on, or off, and says when it was written. It is for one
    /// thread, the first that calls it.
    pub fn wait_for(&self, line: LineId, on: bool) -> Time {
        self.shared.waits.get_or_init(std::thread::current);
        fence(Ordering::SeqCst);
        while (self.level(line) > 0.0) != on {
            std::thread::park();
        }
        Time::from_ns(self.shared.written[line.index()].load(Ordering::Relaxed))
    }
}
