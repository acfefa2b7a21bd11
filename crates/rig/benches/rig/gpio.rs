//! The loop on lines of the kernel's GPIO simulator (gpio-sim), beside a bare
//! loop on such lines: what the platform gives, and what the loop makes of it.

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bramble_bench::{Goal, Report, median};
use bramble_rig::config::{DriverConfig, Lines, Pin};
use bramble_rig::driver::monotonic;
use bramble_rig::{Rig, RigConfig};
use bramble_value::Span;
use gpiocdev::Request;
use gpiocdev::line::{EdgeDetection, EdgeKind, EventClock, Value};

use crate::stage::{Side, keep_to_core, on_its_core, play, quantile, rest, task};

const FOLLOWER: &str = r#"
poke  = hardware(digital_input)
light = hardware(digital_output)

task(stages = states(
    state("dark", on = {poke.high: goto("lit")}),
    state("lit", during = light.on(), on = {poke.low: goto("dark")}),
))
"#;

/// The lines of the loop, and those of the bare one.
const LOOP: Pair = Pair { input: 4, output: 17 };
const BARE: Pair = Pair { input: 5, output: 18 };

/// The next turn comes as soon as this one is answered.
const NO_REST: Span = Span::ZERO;
/// Between two turns both loops go to sleep.
const REST: Span = Span::from_ms(3);

/// So many times the one loop is measured before it is the other's turn.
const TURNS: usize = 100;

#[derive(Debug, Clone, Copy)]
struct Pair {
    input: u32,
    output: u32,
}

/// A simulated chip.
#[derive(Debug)]
pub(crate) struct Gpio {
    /// Where the simulator shows the lines' other side.
    folder: PathBuf,
    chip: String,
}

impl Gpio {
    /// `--gpio DIR --chip CHIP`, if that was given.
    pub(crate) fn from_arguments() -> Result<Option<Gpio>, Box<dyn Error>> {
        let value = |wanted: &str| {
            let mut arguments = std::env::args().skip_while(|argument| argument != wanted);
            arguments.next().and_then(|_| arguments.next())
        };
        match (value("--gpio"), value("--chip")) {
            (Some(folder), Some(chip)) => Ok(Some(Gpio { folder: folder.into(), chip })),
            (None, None) => Ok(None),
            _ => Err("--gpio DIR and --chip CHIP go together: --gpio /sim --chip gpiochip0".into()),
        }
    }

    /// Measures both loops in turns, so that both meet the same machine: what it
    /// has to do besides changes from one second to the next.
    pub(crate) fn measure(&self, report: &mut Report, runs: usize) -> Result<(), Box<dyn Error>> {
        let goal = Some(Goal::Below(1.3));
        self.compare(report, runs, "", NO_REST, goal)?;
        self.compare(report, runs, " after a rest", REST, None)
    }

    fn compare(
        &self,
        report: &mut Report,
        runs: usize,
        when: &str,
        apart: Span,
        goal: Option<Goal>,
    ) -> Result<(), Box<dyn Error>> {
        let (mut bare, mut real, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..3 * runs {
            let (mut floor, mut ours) = (self.bare(apart)?, self.real(apart)?);
            ratios.push(quantile(&mut ours, 0.5) / quantile(&mut floor, 0.5));
            bare.append(&mut floor);
            real.append(&mut ours);
        }
        for (whose, times) in [("bare loop", &mut bare), ("session's loop", &mut real)] {
            for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
                report.simulated(
                    &format!("gpio-sim, {whose}{when}, {name}"),
                    quantile(times, share),
                    "us",
                    None,
                );
            }
        }
        let name = format!("session's loop over bare loop{when}, p50");
        report.simulated(&name, median(ratios), "times", goal);
        Ok(())
    }

    /// The least that can be done: wait for an edge, write an output.
    fn bare(&self, apart: Span) -> Result<Vec<f64>, Box<dyn Error>> {
        let chip = if self.chip.starts_with('/') { self.chip.clone() } else { format!("/dev/{}", self.chip) };
        let input = Request::builder()
            .on_chip(&chip)
            .with_line(BARE.input)
            .with_edge_detection(EdgeDetection::BothEdges)
            .with_event_clock(EventClock::Monotonic)
            .request()?;
        let output =
            Request::builder().on_chip(&chip).with_line(BARE.output).as_output(Value::Inactive).request()?;
        let other = Other::open(&self.folder, BARE)?;
        std::thread::scope(|scope| {
            let other = scope.spawn(move || {
                keep_to_core();
                other.work(apart)
            });
            let _real_time = on_its_core(Side::Loop);
            for _ in 0..2 * TURNS {
                let edge = input.read_edge_event()?;
                output.set_lone_value(match edge.kind {
                    EdgeKind::Rising => Value::Active,
                    EdgeKind::Falling => Value::Inactive,
                })?;
            }
            Ok(other.join().map_err(|_| "the other side of the lines failed")??)
        })
    }

    /// A session's loop, as a pilot runs it.
    fn real(&self, apart: Span) -> Result<Vec<f64>, Box<dyn Error>> {
        let task = task(FOLLOWER)?;
        let mut config = RigConfig::simulated(&task.definition);
        for (name, device) in &mut config.devices {
            let pin = if name.as_str() == "poke" { LOOP.input } else { LOOP.output };
            device.driver = DriverConfig::Gpiocdev { chip: self.chip.clone() };
            device.lines = Lines::Single(Some(Pin::new(pin)));
        }
        let mut rig = Rig::open(&config)?;
        let other = Other::open(&self.folder, LOOP)?;
        let (times, _) = play(&task, &config, &mut rig, false, move || other.work(apart))?;
        Ok(times?)
    }
}

/// The other side of a pair of lines.
struct Other {
    pull: File,
    value: File,
}

impl Other {
    fn open(folder: &Path, pair: Pair) -> std::io::Result<Other> {
        let line = |line: u32| folder.join(format!("sim_gpio{line}"));
        let other = Other {
            pull: OpenOptions::new().write(true).open(line(pair.input).join("pull"))?,
            value: File::open(line(pair.output).join("value"))?,
        };
        other.set(false)?;
        Ok(other)
    }

    fn set(&self, high: bool) -> std::io::Result<()> {
        self.pull.write_all_at(if high { b"pull-up" } else { b"pull-down" }, 0)
    }

    fn is_high(&self) -> std::io::Result<bool> {
        let mut value = [0];
        self.value.read_exact_at(&mut value, 0)?;
        Ok(value == *b"1")
    }

    /// Turns the input on and off so many times and waits for the output each
    /// time: how long each took, in microseconds.
    fn work(&self, apart: Span) -> std::io::Result<Vec<f64>> {
        // Usually who answers is there by then; else it sees the first level.
        rest(Span::from_ms(100));
        let mut times = Vec::with_capacity(2 * TURNS);
        for turn in 0..2 * TURNS {
            let high = turn % 2 == 0;
            let begin = monotonic();
            self.set(high)?;
            while self.is_high()? != high {}
            times.push(monotonic().since(begin).seconds() * 1e6);
            rest(apart);
        }
        Ok(times)
    }
}
