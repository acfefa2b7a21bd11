//! A loop that is closed over the network: an input changes, a program beside the
//! terminal sees it, and has an output changed.
//!
//! The pilot's side is its real loop, on lines in memory, and what it says goes the
//! way that a pilot's does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use bramble_bench::quantile;
use bramble_engine::Settings;
use bramble_link::{Event, Reply, now};
use bramble_message::{Command, PilotInPassing, TerminalToPilot, decode, encode};
use bramble_rig::driver::{DriverError, Hands, Heartbeat, LineId};
use bramble_rig::session::{Around, Bell, Relay, Session};
use bramble_rig::{Post, Real, RealTime, Request, Rig, RigConfig, Wiring, inbox};
use bramble_task::definition::{MessageId, Sources};
use bramble_value::{Kind, Record, Seed, Time};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;
use uuid::Uuid;

use crate::Failed;
use crate::apart::say;
use crate::ends::{Hearing, Pilot};
use crate::turns::command;

/// How long the output took to follow the input, in microseconds.
pub(crate) struct Closed {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// The messages that the client has for the task: their names and places in it.
const LIT: (&str, u16) = ("lit", 0);
const DARK: (&str, u16) = ("dark", 1);

const TASK: &str = r#"
poke = hardware(digital_input)
light = hardware(digital_output)
lit = message("lit")
dark = message("dark")

task(
    stages = states(
        state("dark", on = {lit: goto("lit")}),
        state("lit", during = light.on(), on = {dark: goto("dark")}),
    ),
)
"#;

/// Is the client, until the pilot has made so many turns, each so long after the last.
pub(crate) fn measure(turns: u64, apart: Duration) -> Result<Closed, Failed> {
    let mut seen = 0;
    let client = move |event| {
        let Event::Passing { payload, .. } = event else { return None };
        let Ok(PilotInPassing::Live { records, .. }) = decode(&payload) else { return None };
        let high = records.into_iter().filter_map(edge).next_back()?;
        seen += 1;
        let (name, _) = if high { LIT } else { DARK };
        Some(Reply::Message(command(seen, name)))
    };
    let mut ends = Hearing::start("closing", &[&turns.to_string(), &apart.as_micros().to_string()], client)?;
    let times = ends.other.wait_for("took")?;
    let times: Result<Vec<f64>, _> = times.split_whitespace().map(str::parse).collect();
    let mut times = times?;
    Ok(Closed { p50: quantile(&mut times, 0.5), p99: quantile(&mut times, 0.99) })
}

/// The level that an input has now, where that is what was recorded.
fn edge(record: Record) -> Option<bool> {
    match record {
        Record::Event(event) if event.kind == Kind::Input => Some(event.value > 0.0),
        _ => None,
    }
}

/// Is the pilot.
pub(crate) fn be(folder: &str, endpoint: &str, turns: &str, apart: &str) -> Result<(), Failed> {
    let (turns, apart) = (turns.parse()?, Duration::from_micros(apart.parse()?));
    let root = "closed.star".to_owned();
    let files = BTreeMap::from([(root.clone(), TASK.to_owned())]);
    let task = bramble_task::load(&Sources { files, root })?;
    let config = RigConfig::simulated(&task.definition);
    let wiring =
        Wiring::new(&task.definition, &config, &Default::default(), Default::default(), "the bench")?;
    let session = Session::new(
        Arc::clone(&task.definition),
        Settings::defaults(&task.definition, Seed(1)),
        wiring.clone(),
    )?;
    let (mut rig, hands) = Rig::in_memory(&config);
    let (post, inbox) = inbox();

    let commands = post.clone();
    let (taken, messages) = channel();
    let dialer = Pilot::dial_hearing(folder, endpoint, move |event| {
        let Event::Message { at, payload, .. } = event else { return None };
        if let Ok(TerminalToPilot::Command { command: Command::Message { name, .. }, .. }) = decode(&payload)
        {
            let (_, place) = if name == LIT.0 { LIT } else { DARK };
            commands.request(Request::Message { message: MessageId(place), value: 0.0 });
        }
        // Where nobody acknowledges, this process is about to end.
        let _ = taken.send(at);
        None
    })?;
    let (line, live) = (dialer.line(), dialer.line());
    // Where the link has ended, so does this process.
    std::thread::spawn(move || messages.iter().try_for_each(|at| line.taken(at)));
    let show =
        move |records| _ = live.passing(encode(&PilotInPassing::Live { session: Uuid::nil(), records }));
    let (_relay, mut ring, bell) = Relay::start(show)?;
    let animal = std::thread::spawn(move || animal(hands, turns, apart, &post));
    let ringing = Ringing(bell);
    let mut driver = Real::new(&mut rig, &wiring, &ringing)?.bearing_storms();
    let _real_time = RealTime::enter(last_core());
    let outcome = session.run(Around {
        driver: &mut driver,
        remotes: &mut Default::default(),
        inbox: &inbox,
        functions: &mut task.functions(),
        recorder: &mut ring,
        judge: &mut (),
    });
    let times = animal.join().map_err(|_| format!("the loop was not closed: {}", outcome.why))?;
    let times: Vec<String> = times.iter().map(f64::to_string).collect();
    say(&format!("took {}", times.join(" ")))
}

/// Changes the input so many times in both directions, each so long after the last, and
/// sees when the output followed.
fn animal(mut hands: Hands, turns: u64, apart: Duration, post: &Post) -> Vec<f64> {
    // The devices' lines follow each other by name: the light, then the poke.
    let (light, poke) = (LineId(0), LineId(1));
    std::thread::sleep(Duration::from_millis(100));
    let mut times = Vec::new();
    for turn in 0..2 * turns {
        let high = turn % 2 == 0;
        let begin = now();
        hands.set(poke, high);
        // It sleeps meanwhile: an animal needs no processor.
        times.push(hands.wait_for(light, high).since(begin).seconds() * 1e6);
        if !apart.is_zero() {
            std::thread::sleep(apart);
        }
    }
    post.request(Request::Stop { why: "all is measured".into() });
    times
}

/// Rings the relay's bell, as a pilot's loop does.
struct Ringing(Bell);

impl Heartbeat for Ringing {
    fn beat(&self, _: Time) -> Result<(), DriverError> {
        self.0.ring();
        Ok(())
    }
}

/// The core for the loop, where there are two.
fn last_core() -> Option<usize> {
    let had = sched_getaffinity(Pid::from_raw(0)).unwrap_or_default();
    let cores: Vec<usize> = (0..CpuSet::count()).filter(|core| had.is_set(*core).unwrap_or(false)).collect();
    if cores.len() > 1 { cores.last().copied() } else { None }
}
