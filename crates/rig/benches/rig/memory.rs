//! The loop on lines in memory.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};

use bramble_bench::median;
use bramble_rig::driver::{Hands, LineId, monotonic};
use bramble_rig::{Rig, RigConfig};
use bramble_value::{Span, Time};
use nix::sys::eventfd::EventFd;

use crate::stage::{Side, on_its_core, play, quantile, rest, task};

/// Between two turns the loop goes to sleep.
pub(crate) const REST: Span = Span::from_ms(1);
/// The next turn comes as soon as this one is answered.
pub(crate) const NO_REST: Span = Span::ZERO;

/// So many pairs of an input and an output.
const PAIRS: usize = 14;

/// How long answers took, in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Answered edges a second.
    pub(crate) rate: f64,
    pub(crate) missed: f64,
}

/// One pair of an input and an output, with turns that are so far apart.
pub(crate) fn reactions(turns: usize, apart: Span, runs: usize) -> Result<Answers, Box<dyn Error>> {
    answers(1, turns, apart, runs)
}

/// All pairs at once.
pub(crate) fn pairs(turns: usize, apart: Span, runs: usize) -> Result<Answers, Box<dyn Error>> {
    answers(PAIRS, turns, apart, runs)
}

/// The medians of several runs, of which nothing may be missed in any.
fn answers(pairs: usize, turns: usize, apart: Span, runs: usize) -> Result<Answers, Box<dyn Error>> {
    let runs = (0..runs).map(|_| run(pairs, turns, apart)).collect::<Result<Vec<_>, _>>()?;
    let middle = |of: fn(&Answers) -> f64| median(runs.iter().map(of).collect());
    Ok(Answers {
        p50: middle(|run| run.p50),
        p99: middle(|run| run.p99),
        rate: middle(|run| run.rate),
        missed: runs.iter().map(|run| run.missed).sum(),
    })
}

/// The outputs follow the inputs, each by a task of two states.
fn followers(pairs: usize) -> String {
    let ports: Vec<String> = (0..pairs).map(|pair| format!("\"p{pair:02}\"")).collect();
    let ports = ports.join(", ");
    format!(
        "poke  = hardware(digital_input, ports = [{ports}])
light = hardware(digital_output, ports = [{ports}])

def follower(port):
    return states(
        state(\"dark\", on = {{poke[port].high: goto(\"lit\")}}),
        state(\"lit\", during = light[port].on(), on = {{poke[port].low: goto(\"dark\")}}),
        name = port,
    )

task(stages = parallel(*[follower(port) for port in [{ports}]]))
"
    )
}

fn run(pairs: usize, turns: usize, apart: Span) -> Result<Answers, Box<dyn Error>> {
    let task = task(&followers(pairs))?;
    let config = RigConfig::simulated(&task.definition);
    let (mut rig, hands) = Rig::in_memory(&config);
    // The devices' lines follow each other by name: the lights, then the pokes.
    let line = |place: usize| LineId(u16::try_from(place).unwrap_or(u16::MAX));
    let lights: Vec<LineId> = (0..pairs).map(line).collect();
    let pokes: Vec<LineId> = (pairs..2 * pairs).map(line).collect();
    let other = move || work(hands, &pokes, &lights, turns, apart);
    let ((mut times, seconds), seen) = play(&task, &config, &mut rig, true, other)?;
    let edges = times.len() as f64;
    // Before the session starts it is told what each input reads.
    let taken = seen.inputs as f64 - pairs as f64;
    Ok(Answers {
        p50: quantile(&mut times, 0.5),
        p99: quantile(&mut times, 0.99),
        rate: edges / seconds,
        missed: (edges - taken).abs() + seen.lost,
    })
}

/// Turns every input on and off so many times and waits for its output each
/// time: how long each took, in microseconds, and all of it, in seconds.
fn work(mut hands: Hands, pokes: &[LineId], lights: &[LineId], turns: usize, apart: Span) -> (Vec<f64>, f64) {
    // Usually the session has started by then; else it sees the first level.
    rest(Span::from_ms(50));
    let mut times = Vec::with_capacity(2 * turns * pokes.len());
    let begin = monotonic();
    let mut set = vec![Time::ZERO; pokes.len()];
    let mut waiting = Vec::with_capacity(pokes.len());
    for turn in 0..2 * turns {
        let high = turn % 2 == 0;
        for (place, poke) in pokes.iter().enumerate() {
            set[place] = monotonic();
            hands.set(*poke, high);
        }
        waiting.extend(0..pokes.len());
        while !waiting.is_empty() {
            waiting.retain(|place| {
                let answered = (hands.level(lights[*place]) > 0.0) == high;
                if answered {
                    times.push(monotonic().since(set[*place]).seconds() * 1e6);
                }
                !answered
            });
        }
        if apart > Span::ZERO {
            rest(apart);
        }
    }
    let seconds = monotonic().since(begin).seconds();
    (times, seconds)
}

/// What the machine itself needs to wake a real-time thread, in microseconds:
/// the median of so many times. Whatever sleeps is not answered faster.
pub(crate) fn waking(turns: usize) -> Result<f64, Box<dyn Error>> {
    let bell = EventFd::new()?;
    let answered = AtomicU64::new(0);
    let times = std::thread::scope(|scope| {
        scope.spawn(|| {
            let _real_time = on_its_core(Side::Loop);
            for _ in 0..turns {
                if bell.read().is_ok() {
                    answered.fetch_add(1, Ordering::Release);
                }
            }
        });
        let ask = || {
            let _real_time = on_its_core(Side::Other);
            let ask = |turn: usize| {
                rest(REST);
                let begin = monotonic();
                bell.write(1)?;
                while answered.load(Ordering::Acquire) <= turn as u64 {
                    std::hint::spin_loop();
                }
                Ok(monotonic().since(begin).seconds() * 1e6)
            };
            (0..turns).map(ask).collect::<Result<Vec<f64>, nix::Error>>()
        };
        scope.spawn(ask).join()
    });
    Ok(median(times.map_err(|_| "the thread that wakes another failed")??))
}

/// How even a beat is, in microseconds.
#[derive(Debug)]
pub(crate) struct Beat {
    /// How wrong the lengths of pulses are.
    pub(crate) width_p99: f64,
    /// How much later, or earlier, the last periods are than the first say.
    pub(crate) drift: f64,
}

const BEAT: &str = r#"
light = hardware(digital_output)
pulse = hardware(digital_output)

task(stages = states(
    state("on", during = light.on(), enter = pulse.pulse("10 ms"), after = {"20 ms": goto("off")}),
    state("off", after = {"30 ms": goto("on")}),
))
"#;

const PERIOD: Span = Span::from_ms(50);

/// A loop of 20 + 30 ms, with a pulse of 10 ms in each period.
pub(crate) fn beat(periods: usize) -> Result<Beat, Box<dyn Error>> {
    let task = task(BEAT)?;
    let config = RigConfig::simulated(&task.definition);
    let (mut rig, hands) = Rig::in_memory(&config);
    let (light, pulse) = (LineId(0), LineId(1));
    let watch = move || {
        let mut beats = Vec::with_capacity(periods);
        // From somewhere in the second period on.
        until(&hands, light, 0.0);
        while beats.len() < periods {
            // Who watches may oversleep, and then can't tell when something was.
            let awake = hands.level(light) == 0.0;
            until(&hands, light, 1.0);
            let on = monotonic();
            until(&hands, pulse, 1.0);
            let start = monotonic();
            rest(Span::from_ms(8));
            let awake = awake && hands.level(pulse) == 1.0;
            until(&hands, pulse, 0.0);
            let width = monotonic().since(start);
            rest(Span::from_ms(8));
            until(&hands, light, 0.0);
            if awake {
                beats.push((on, width));
            }
            rest(Span::from_ms(28));
        }
        beats
    };
    let (beats, _) = play(&task, &config, &mut rig, true, watch)?;
    let ten = Span::from_ms(10).seconds();
    let mut errors: Vec<f64> = beats.iter().map(|(_, width)| (width.seconds() - ten).abs() * 1e6).collect();
    let first = beats.first().map_or(Time::ZERO, |(on, _)| *on);
    // How far each period is from where the first says that it should be. The
    // watcher may have slept through one: the nearest counts.
    let late = |on: Time| {
        let (since, period) = (on.since(first).ns(), PERIOD.ns());
        ((since + period / 2) % period - period / 2) as f64 / 1e3
    };
    let late: Vec<f64> = beats.iter().map(|(on, _)| late(*on)).collect();
    let some = (periods / 10).max(1);
    let (head, tail) = (late[..some].to_vec(), late[periods - some..].to_vec());
    Ok(Beat { width_p99: quantile(&mut errors, 0.99), drift: (median(tail) - median(head)).abs() })
}

fn until(hands: &Hands, line: LineId, level: f64) {
    while hands.level(line) != level {
        std::hint::spin_loop();
    }
}
