//! A session on the pilot's real loop, and the thread on the other side of its
//! lines.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bramble_engine::Settings;
use bramble_rig::driver::monotonic;
use bramble_rig::session::{Around, Recorder, RecorderError, Session};
use bramble_rig::{Post, Real, RealTime, Request, Rig, RigConfig, Wiring, inbox};
use bramble_task::definition::Sources;
use bramble_task::{Task, load};
use bramble_value::{Ending, Kind, Record, Seed, Span};
use rtrb::{Producer, RingBuffer};

/// What a session recorded of its inputs.
#[derive(Debug, Clone, Copy)]
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
/// thread of its own; what that measured, and what the session recorded.
pub(crate) fn play<T: Send>(
    task: &Task,
    config: &RigConfig,
    rig: &mut Rig,
    other: impl FnOnce() -> T + Send,
) -> Result<(T, Seen), Box<dyn Error>> {
    let wiring = Wiring::new(&task.definition, config, &Default::default(), Default::default(), "the bench")?;
    let settings = Settings::defaults(&task.definition, Seed(1));
    let session = Session::new(Arc::clone(&task.definition), settings, wiring.clone())?;
    let mut driver = Real::new(rig, &wiring, &())?;
    let (post, inbox) = inbox();
    let (ring, mut records) = RingBuffer::new(1 << 18);
    let (inputs, lost, over) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // As the pilot's scribe does: it takes records in batches, and may be slow.
            while !over.load(Ordering::Acquire) || !records.is_empty() {
                while let Ok(record) = records.pop() {
                    match record {
                        Record::Event(event) if event.kind == Kind::Input => {
                            inputs.fetch_add(1, Ordering::Relaxed);
                        }
                        Record::Event(event) if event.kind == Kind::Lost => {
                            lost.fetch_add(event.value as u64, Ordering::Relaxed);
                        }
                        Record::Note { text, .. } => eprintln!("{text}"),
                        _ => {}
                    }
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let other = scope.spawn(|| on_the_other_side(other, post));
        // Whatever way this is left, the thread of the records ends.
        let _end = End(&over);
        let _real_time = RealTime::enter(None);
        let outcome = session.run(Around {
            driver: &mut driver,
            remotes: &mut Default::default(),
            inbox: &inbox,
            functions: &mut task.functions(),
            recorder: &mut Ring(ring),
            judge: &mut (),
        });
        if outcome.ending != Ending::Stopped {
            // The other side would wait for an answer for ever.
            eprintln!("the session ended by itself: {}", outcome.why);
            std::process::exit(1);
        }
        let measured = other.join().map_err(|_| "the other side of the rig failed")?;
        let seen = |count: &AtomicU64| count.load(Ordering::Relaxed);
        over.store(true, Ordering::Release);
        Ok((measured, Seen { inputs: seen(&inputs), lost: seen(&lost) as f64 }))
    })
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Measures, as a thread that nothing keeps waiting, and then stops the session.
fn on_the_other_side<T>(measure: impl FnOnce() -> T, post: Post) -> T {
    let _real_time = RealTime::enter(None);
    let measured = measure();
    post.request(Request::Stop { why: "all is measured".into() });
    measured
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
