//! A session on the pilot's real loop, and the thread on the other side of its
//! lines.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bramble_engine::Settings;
use bramble_rig::driver::monotonic;
use bramble_rig::session::{Around, Recorder, RecorderError, Session};
use bramble_rig::{Post, Real, RealTime, Request, Rig, RigConfig, Wiring, inbox};
use bramble_task::definition::Sources;
use bramble_task::{Task, load};
use bramble_value::{Ending, Kind, Record, Seed, Span};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use rtrb::{Producer, RingBuffer};

/// What a session recorded of its inputs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    /// Changes of inputs.
    pub(crate) inputs: u64,
    /// Changes that were missed.
    pub(crate) lost: f64,
}

/// A task from its source.
pub(crate) fn task(text: &str) -> Result<Task, Box<dyn Error>> {
    let root = "bench.star".to_owned();
    Ok(load(&Sources { files: BTreeMap::from([(root.clone(), text.to_owned())]), root })?)
}

/// Runs a task on a rig, in real time, while `other` works the other side on a
/// thread of its own; what that measured, and what the session recorded. The
/// other side may be in real time too, where the kernel's own threads have no
/// part in what it does.
pub(crate) fn play<T: Send>(
    task: &Task,
    config: &RigConfig,
    rig: &mut Rig,
    both: bool,
    other: impl FnOnce() -> T + Send,
) -> Result<(T, Seen), Box<dyn Error>> {
    let wiring = Wiring::new(&task.definition, config, &Default::default(), Default::default(), "the bench")?;
    let settings = Settings::defaults(&task.definition, Seed(1));
    let session = Session::new(Arc::clone(&task.definition), settings, wiring.clone())?;
    let mut driver = Real::new(rig, &wiring, &())?.bearing_storms();
    let (post, inbox) = inbox();
    let (ring, mut records) = RingBuffer::new(1 << 18);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let scribe = scope.spawn(|| {
            let mut seen = Seen::default();
            // As the pilot's scribe does: it takes records in batches, and may be slow.
            while !over.load(Ordering::Acquire) || !records.is_empty() {
                while let Ok(record) = records.pop() {
                    seen.take(&record);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            seen
        });
        let other = scope.spawn(move || on_the_other_side(other, both, post));
        let real_time = on_its_core(Side::Loop);
        let outcome = session.run(Around {
            driver: &mut driver,
            remotes: &mut Default::default(),
            inbox: &inbox,
            functions: &mut task.functions(),
            recorder: &mut Ring(ring),
            judge: &mut (),
        });
        drop(real_time);
        over.store(true, Ordering::Release);
        if outcome.ending != Ending::Stopped {
            // The other side would wait for an answer for ever.
            eprintln!("the session ended by itself: {}", outcome.why);
            std::process::exit(1);
        }
        let measured = other.join().map_err(|_| "the other side of the rig failed")?;
        Ok((measured, scribe.join().map_err(|_| "the thread of the records failed")?))
    })
}

impl Seen {
    fn take(&mut self, record: &Record) {
        match record {
            Record::Event(event) if event.kind == Kind::Input => self.inputs += 1,
            Record::Event(event) if event.kind == Kind::Lost => self.lost += event.value,
            Record::Note { text, .. } => eprintln!("{text}"),
            _ => {}
        }
    }
}

/// Measures, and then stops the session.
fn on_the_other_side<T>(measure: impl FnOnce() -> T, in_real_time: bool, post: Post) -> T {
    let _real_time = in_real_time.then(|| on_its_core(Side::Other));
    keep_to_core();
    let measured = measure();
    post.request(Request::Stop { why: "all is measured".into() });
    measured
}

/// One of the two threads that are measured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Side {
    /// The loop that answers.
    Loop,
    /// The thread that asks.
    Other,
}

/// Makes this thread a real-time one with a core of its own, as `core` of a
/// rig's configuration gives the loop one; where there is one core, they share it.
pub(crate) fn on_its_core(side: Side) -> RealTime {
    RealTime::enter(core_of(side))
}

/// Keeps this thread, the one that asks, off the core of the loop.
pub(crate) fn keep_to_core() {
    if let Some(core) = core_of(Side::Other) {
        let mut set = CpuSet::new();
        // What can't be had makes the answers slower, and no more.
        let _ = set.set(core).and_then(|()| sched_setaffinity(Pid::from_raw(0), &set));
    }
}

fn core_of(side: Side) -> Option<usize> {
    let had = sched_getaffinity(Pid::from_raw(0)).unwrap_or_default();
    let cores: Vec<usize> = (0..CpuSet::count()).filter(|core| had.is_set(*core).unwrap_or(false)).collect();
    match (side, cores.as_slice()) {
        (Side::Loop, [_, .., last]) => Some(*last),
        (Side::Other, [first, _, ..]) => Some(*first),
        _ => None,
    }
}

/// The records' way off the loop, which never waits.
struct Ring(Producer<Record>);

impl Recorder for Ring {
    fn record(&mut self, record: Record) -> Result<(), RecorderError> {
        self.0.push(record).map_err(|_| RecorderError("too much waits to be recorded".into()))
    }
}

/// Waits for so long: asleep, and the last of it awake.
pub(crate) fn rest(span: Span) {
    let end = monotonic() + span;
    let awake = Span::from_ns(50_000);
    if span > awake {
        std::thread::sleep(Duration::from_nanos((span.ns() - awake.ns()).unsigned_abs()));
    }
    while monotonic() < end {
        std::hint::spin_loop();
    }
}

/// The value that this share of the others is below; 0 of none.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * share) as usize;
    values.get(place.min(values.len().saturating_sub(1))).copied().unwrap_or_default()
}
