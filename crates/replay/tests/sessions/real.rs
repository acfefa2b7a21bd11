//! Sessions in real time, on hardware whose lines are in memory.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use bramble_engine::Settings;
use bramble_rig::config::{DriverConfig, SyncOutput};
use bramble_rig::driver::{Hands, LineId, Post, inbox};
use bramble_rig::remote::Remotes;
use bramble_rig::session::{Around, OnThread, Recorder, RecorderError, Session};
use bramble_rig::sync::SyncPattern;
use bramble_rig::{Hardware, Request, RigConfig, Wiring};
use bramble_value::{Kind, Record, Seed, Sources, Span};

use crate::common::{Recorded, written};

/// Trains and pulses that end when states do, a function on its way into every state,
/// an opening that may be prolonged, and a time-out that edges race with.
const TASK: &str = r#"
poke = hardware(digital_input)
light = hardware(digital_output)
lamp = hardware(digital_output)
valve = hardware(solenoid)
help = message("help")
n = column(integer)
latency = column(duration)

def busy(trial):
    total = 0
    for i in range(300):
        total += i * trial.number
    return {"n": total + trial.random.choice([1, 2, 3])}

task(stages = trials(
    prepare = busy,
    body = states(
        state("wait", during = light.train("300 us", every = "700 us"),
            on = {poke.rises: [record(latency = state_time), goto("drink")], help: goto("drink")},
            after = {"3 ms": goto("drink")}),
        state("drink", enter = [valve.open("2 ms"), lamp.pulse("2 ms")],
            on = {valve.ends: goto("rest"), poke.falls: valve.open("1 ms")}),
        state("rest", enter = lamp.on(), leave = lambda trial: [lamp.off()], after = {"1 ms": done}),
    ),
))
"#;

/// Hands a session's records to a test, as they come.
struct Sent(Sender<Record>);

impl Recorder for Sent {
    fn record(&mut self, record: Record) -> Result<(), RecorderError> {
        self.0.send(record).map_err(|error| RecorderError(error.to_string()))
    }
}

/// Waits until this many more trials were recorded.
fn await_trials(records: &Receiver<Record>, kept: &mut Vec<Record>, trials: usize) {
    let mut seen = 0;
    while seen < trials {
        let record = records.recv_timeout(Duration::from_secs(60)).unwrap();
        seen += usize::from(matches!(record, Record::Row(_)));
        kept.push(record);
    }
}

/// Runs a session in real time, while `work` has a hand in it.
fn run(
    sources: Sources,
    sync: Option<SyncPattern>,
    work: impl FnOnce(&mut Hands, &Post, LineId, &Receiver<Record>, &mut Vec<Record>) + Send + 'static,
) -> Recorded {
    let task = bramble_task::load(&sources).map_err(|wrong| panic!("{wrong}")).unwrap();
    let definition = Arc::clone(&task.definition);
    let mut rig = RigConfig::simulated(&definition);
    rig.sync = sync.map(|pattern| SyncOutput {
        driver: DriverConfig::Simulated,
        pin: None,
        active: Default::default(),
        pattern,
    });
    let wiring = Wiring::new(&definition, &rig, &Default::default(), Default::default(), "box1").unwrap();
    let (mut hardware, mut hands) = Hardware::in_memory(&rig);
    let line = rig.lines().iter().position(|line| line.device.as_str() == "poke").unwrap();
    let (post, inbox) = inbox();
    let (sent, records) = channel();
    let asked = post.clone();
    let worker = std::thread::spawn(move || {
        let mut kept = Vec::new();
        work(&mut hands, &asked, LineId(line as u16), &records, &mut kept);
        kept.extend(records);
        kept
    });
    let settings = Settings::defaults(&definition, Seed(9));
    hardware
        .run(&wiring, None, |driver, _| {
            Session::new(definition, settings.clone(), wiring.clone()).unwrap().run(Around {
                driver,
                remotes: &mut Remotes::new(),
                inbox: &inbox,
                functions: &mut OnThread::start(task.functions(), post.clone()),
                recorder: &mut Sent(sent),
                judge: &mut (),
            })
        })
        .unwrap();
    Recorded {
        sources,
        parameters: settings.parameters,
        seed: 9,
        kept: Vec::new(),
        wiring,
        limit: None,
        real: true,
        records: worker.join().unwrap(),
    }
}

fn count(recorded: &Recorded, kind: Kind) -> usize {
    recorded.events().iter().filter(|event| event.kind == kind).count()
}

#[test]
fn a_session_in_real_time_comes_out_the_same_to_the_nanosecond() {
    let recorded = run(written(TASK), None, |hands, post, poke, records, kept| {
        await_trials(records, kept, 1);
        for turn in 0..400 {
            hands.set(poke, turn % 2 == 0);
            std::thread::sleep(Duration::from_micros(300 + 37 * (turn % 40)));
        }
        let (help, valve) = (kept_message(), kept_valve());
        post.request(Request::Message { message: help, value: 0.0 });
        post.request(Request::Water { port: valve, volume: "3.7 uL".parse().unwrap() });
        await_trials(records, kept, 20);
        post.request(Request::Stop { why: "enough".into() });
    });
    assert!(count(&recorded, Kind::Output) > 100, "outputs: {}", count(&recorded, Kind::Output));
    assert!(count(&recorded, Kind::Answered) > 10 && count(&recorded, Kind::Manual) == 1);
    recorded.assert_identical();

    // Also as far as a crash left it, wherever that was.
    let all = recorded.records.len();
    for share in 1..20 {
        let mut cut = recorded.clone();
        cut.records.truncate(all * share / 20);
        cut.assert_identical();
    }
}

fn definition() -> Arc<bramble_task::TaskDefinition> {
    bramble_task::load(&written(TASK)).unwrap().definition
}

fn kept_message() -> bramble_task::definition::MessageId {
    definition().message("help").unwrap().0
}

fn kept_valve() -> bramble_task::definition::PortId {
    Wiring::simulated(&definition()).unwrap().find("valve", None).unwrap()
}

#[test]
fn a_sync_line_that_tells_the_time_tells_it_again() {
    let barcode = SyncPattern::Barcode { every: Span::from_s(1), bit: Span::from_ms(1), bits: 32 };
    let recorded = run(written(TASK), Some(barcode), |_, post, _, records, kept| {
        await_trials(records, kept, 200);
        post.request(Request::StopAfterTrial { why: "enough".into() });
    });
    let start = recorded.events().into_iter().find(|event| event.kind == Kind::SessionStart).unwrap();
    assert!(start.value > 1e15, "what the wall clock said");
    recorded.assert_identical();
}
