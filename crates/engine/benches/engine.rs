//! How fast the engine is: `scripts/bench engine`.

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::Instant;

use bramble_bench::{Goal, Report, median, seconds};
use bramble_engine::{Engine, Input, Output, Settings};
use bramble_task::definition::{DeviceId, PortId, Sources};
use bramble_task::{Functions, Task, load};
use bramble_value::{Kind, Seed, Span, Time};

const REACTION: &str = r#"
poke  = hardware(digital_input)
light = hardware(digital_output)

task(stages = states(
    state("dark", on = {poke.rises: goto("lit")}),
    state("lit", during = light.on(), on = {poke.falls: goto("dark")}),
))
"#;

const FUNCTION: &str = r#"
poke  = hardware(digital_input)
light = hardware(digital_output)

def lit(trial):
    return [light.on(), goto("lit")]

task(stages = states(
    state("dark", on = {poke.rises: lit}),
    state("lit", on = {poke.falls: goto("dark")}),
))
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut report = Report::from_arguments("engine");
    let (runs, turns, reactions) = if report.is_quick() { (1, 1_000, 100) } else { (5, 1_000_000, 100_000) };

    let one = format!("task(stages = sequence(delay(\"0 s\"), repeat = {turns}))");
    let speed = turns_a_second(&task(&one)?, turns, runs);
    report.measured("turns of a sequence of one zero delay", speed, "1/s", Some(Goal::AtLeast(1e6)));

    let four = ["a", "b", "c", "d"].map(|name| format!("delay(\"0 s\", name = \"{name}\")")).join(", ");
    let four = format!("task(stages = parallel({four}, repeat = {turns}))");
    let speed = turns_a_second(&task(&four)?, turns, runs);
    report.measured("turns of a parallel of four zero delays", speed, "1/s", Some(Goal::AtLeast(3e5)));

    let time = reaction_us(&task(REACTION)?, reactions);
    report.measured("from input to action", time, "us", Some(Goal::Below(1.0)));
    let time = reaction_us(&task(FUNCTION)?, reactions);
    report.measured("from input to action, by a function", time, "us", Some(Goal::Below(10.0)));

    // The script that runs this says where the programs are.
    if let Some(terminal) = std::env::var_os("BRAMBLE_TERMINAL") {
        let trials = if report.is_quick() { 100 } else { 10_000 };
        let mut times = Vec::new();
        for _ in 0..runs.min(3) {
            let mut simulate = Command::new(&terminal);
            simulate.args(["task", "simulate", "tasks/two_choice.star", "--animal", "learner", "--trials"]);
            simulate.arg(trials.to_string()).stdout(Stdio::null());
            let mut status = None;
            times.push(seconds(|| status = Some(simulate.status())));
            if !status.transpose()?.is_some_and(|status| status.success()) {
                return Err("`bramble-terminal task simulate tasks/two_choice.star` failed".into());
            }
        }
        let name = format!("simulate {trials} trials of two_choice");
        report.simulated(&name, median(times), "s", Some(Goal::Below(2.0)));
    }
    report.print();
    Ok(())
}

fn task(text: &str) -> Result<Task, Box<dyn Error>> {
    let root = "bench.star".to_owned();
    let files = BTreeMap::from([(root.clone(), text.to_owned())]);
    Ok(load(&Sources { root, files })?)
}

fn engine(task: &Task) -> Engine {
    let settings = Settings::defaults(&task.definition, Seed(1));
    Engine::new(task.definition.clone(), settings).expect("a task's defaults fit the task")
}

/// How many turns of the root stage a second, with each start and end counted.
fn turns_a_second(task: &Task, turns: u32, runs: u32) -> f64 {
    let speed = |_| {
        let mut engine = engine(task);
        let mut counts = [0u64; 4];
        let time = seconds(|| {
            engine.start(Time::ZERO);
            while let Some(output) = engine.poll() {
                if let Output::Event(event) = output {
                    match event.kind {
                        Kind::StageStart => counts[0] += 1,
                        Kind::StageEnd => counts[1] += 1,
                        Kind::TurnStart => counts[2] += 1,
                        Kind::TurnEnd => counts[3] += 1,
                        _ => {}
                    }
                    black_box(event);
                }
            }
        });
        assert!(engine.ended().is_some() && counts[0] == counts[1], "{counts:?}");
        assert!(counts[3] > u64::from(turns), "{counts:?}");
        f64::from(turns) / time
    };
    median((0..runs).map(speed).collect())
}

/// The median time from a poke that is handed in to the light's command that
/// comes back, in microseconds.
fn reaction_us(task: &Task, reactions: u32) -> f64 {
    let mut engine = engine(task);
    let mut functions = task.functions();
    let poke = PortId { device: DeviceId(0), port: 0 };
    let mut now = Time::ZERO;
    engine.start(now);
    drain(&mut engine, &mut functions);
    let mut times = Vec::new();
    for _ in 0..reactions {
        now += Span::from_ms(1);
        let begin = Instant::now();
        engine.handle(Input::Digital { port: poke, high: true }, now);
        while let Some(output) = engine.poll() {
            match output {
                Output::Device { .. } => break,
                Output::Call(call) => answer(&mut engine, &mut functions, &call),
                _ => {}
            }
        }
        times.push(begin.elapsed().as_secs_f64() * 1e6);
        drain(&mut engine, &mut functions);
        now += Span::from_ms(1);
        engine.handle(Input::Digital { port: poke, high: false }, now);
        drain(&mut engine, &mut functions);
    }
    assert!(engine.ended().is_none());
    median(times)
}

fn drain(engine: &mut Engine, functions: &mut Functions) {
    while let Some(output) = engine.poll() {
        if let Output::Call(call) = output {
            answer(engine, functions, &call);
        }
    }
}

fn answer(engine: &mut Engine, functions: &mut Functions, call: &bramble_task::call::Call) {
    let result = functions.call(call).map_err(|error| error.to_string());
    engine.answer(call.number, result);
}
