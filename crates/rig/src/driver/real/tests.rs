use std::collections::BTreeMap;
use std::sync::Arc;

use bramble_engine::Settings;
use bramble_task::definition::{SourceMap, Sources};
use bramble_task::{Task, load};
use bramble_value::{Kind, Record, Seed};

use super::*;
use crate::config::{DriverConfig, RigConfig, SyncInput, SyncOutput};
use crate::driver::{Hands, Request, inbox};
use crate::remote::Remotes;
use crate::session::{Around, Session};
use crate::sync::SyncPattern;

const TASK: &str = r#"
poke  = hardware(digital_input)
light = hardware(digital_output)

task(stages = states(
    state("dark", on = {poke.high: goto("lit")}),
    state("lit", during = light.on(), on = {poke.low: goto("dark")}),
))
"#;

// Devices are in the order of their names on the rig.
const LIGHT: LineId = LineId(0);
const POKE: LineId = LineId(1);

/// A rig of the task's devices in memory, and what a session of it needs.
fn rig() -> (Task, Wiring, Rig, Hands) {
    rig_with(|_| {})
}

fn rig_with(change: impl FnOnce(&mut RigConfig)) -> (Task, Wiring, Rig, Hands) {
    let root = "task.star".to_owned();
    let task = load(&Sources { files: BTreeMap::from([(root.clone(), TASK.to_owned())]), root }).unwrap();
    let mut config = RigConfig::simulated(&task.definition);
    change(&mut config);
    let (rig, hands) = Rig::in_memory(&config);
    let wiring =
        Wiring::new(&task.definition, &config, &Default::default(), Default::default(), "box1").unwrap();
    (task, wiring, rig, hands)
}

fn port(wiring: &Wiring, device: &str) -> PortId {
    wiring.find(device, None).unwrap()
}

#[test]
fn a_session_answers_what_another_thread_does_and_sees_what_was_there() {
    let (task, wiring, mut rig, mut hands) = rig();
    hands.set(POKE, true);
    let (post, inbox) = inbox();
    let settings = Settings::defaults(&task.definition, Seed(1));
    let session = Session::new(Arc::clone(&task.definition), settings, wiring.clone()).unwrap();
    let animal = std::thread::spawn(move || {
        let wait_for = |hands: &Hands, level: f64| {
            while hands.level(LIGHT) != level {
                std::thread::yield_now();
            }
        };
        wait_for(&hands, 1.0);
        for _ in 0..50 {
            hands.set(POKE, false);
            wait_for(&hands, 0.0);
            hands.set(POKE, true);
            wait_for(&hands, 1.0);
        }
        post.request(Request::Stop { why: "enough".into() });
        hands
    });
    let mut records: Vec<Record> = Vec::new();
    let outcome = session.run(Around {
        driver: &mut Real::new(&mut rig, &wiring, &()).unwrap(),
        remotes: &mut Remotes::new(),
        inbox: &inbox,
        functions: &mut task.functions(),
        recorder: &mut records,
        judge: &mut (),
    });
    let hands = animal.join().unwrap();
    assert_eq!(outcome.why.as_ref(), "enough");
    assert_eq!(hands.level(LIGHT), 0.0);
    let values = |wanted: Kind| -> Vec<f64> {
        let event = |record: &Record| match record {
            Record::Event(event) if event.kind == wanted => Some(event.value),
            _ => None,
        };
        records.iter().filter_map(event).collect()
    };
    // The level at first, and each change of it; the end switches the light off.
    let inputs: Vec<f64> = (0..101).map(|n| f64::from((n + 1) % 2)).collect();
    assert_eq!(values(Kind::Input), inputs);
    assert_eq!(values(Kind::Output), [inputs.as_slice(), &[0.0]].concat());
    assert!(values(Kind::Lost).is_empty());
}

#[test]
fn the_sync_lines_of_a_rig_are_a_part_of_a_session_on_it() {
    const SYNC: LineId = LineId(2);
    const SYNC_INPUT: LineId = LineId(3);
    let (driver, ms) = (DriverConfig::Simulated, Span::from_ms);
    let pattern = SyncPattern::Random { gap: (ms(4), ms(8)), width: ms(2) };
    let (task, wiring, mut rig, mut hands) = rig_with(|config| {
        let (active, pull) = Default::default();
        config.sync = Some(SyncOutput { driver: driver.clone(), pin: None, active, pattern });
        config.sync_input = Some(SyncInput { driver, pin: None, active, pull, debounce: None });
    });
    let (post, inbox) = inbox();
    let settings = Settings::defaults(&task.definition, Seed(1));
    let session = Session::new(Arc::clone(&task.definition), settings, wiring.clone()).unwrap();
    let recorder = std::thread::spawn(move || {
        let wait_for = |hands: &Hands, level: f64| {
            while hands.level(SYNC) != level {
                std::thread::yield_now();
            }
        };
        for level in [1.0, 0.0, 1.0, 0.0] {
            wait_for(&hands, level);
            hands.set(SYNC_INPUT, level == 1.0);
        }
        // Once more round, and the loop has seen the last edge.
        wait_for(&hands, 1.0);
        post.request(Request::Stop { why: "enough".into() });
    });
    let mut records: Vec<Record> = Vec::new();
    session.run(Around {
        driver: &mut Real::new(&mut rig, &wiring, &()).unwrap(),
        remotes: &mut Remotes::new(),
        inbox: &inbox,
        functions: &mut task.functions(),
        recorder: &mut records,
        judge: &mut (),
    });
    recorder.join().unwrap();
    let sources = SourceMap::new(&task.definition);
    let edges = |kind: Kind, device: &str| -> Vec<f64> {
        let source = sources.port(port(&wiring, device));
        let edge = |record: &Record| match record {
            Record::Event(event) if event.kind == kind && event.source == source => Some(event.value),
            _ => None,
        };
        records.iter().filter_map(edge).collect()
    };
    assert_eq!(edges(Kind::Output, "sync")[..4], [1.0, 0.0, 1.0, 0.0]);
    assert_eq!(edges(Kind::Input, "sync_input"), [1.0, 0.0, 1.0, 0.0]);
}

#[test]
fn only_the_inputs_of_the_session_are_listened_to_and_only_while_it_runs() {
    let (_, wiring, mut rig, mut hands) = rig();
    let (_post, inbox) = inbox();
    hands.set(POKE, true);
    hands.set(POKE, false);
    let mut real = Real::new(&mut rig, &wiring, &()).unwrap();
    real.initial().unwrap();
    hands.set(POKE, true);
    let Some(Happening::Input { port: poke, reading, at }) = real.wait(None, &inbox).unwrap() else {
        panic!()
    };
    assert_eq!((poke, reading), (port(&wiring, "poke"), Reading::Digital(true)));
    assert!(at <= real.now());
    drop(real);
    hands.set(POKE, false);
    let mut real = Real::new(&mut rig, &wiring, &()).unwrap();
    let until = real.now();
    assert!(real.wait(Some(until), &inbox).unwrap().is_none());
}

#[test]
fn what_is_posted_ends_a_wait_without_end() {
    let (_, wiring, mut rig, _hands) = rig();
    let (post, inbox) = inbox();
    let mut real = Real::new(&mut rig, &wiring, &()).unwrap();
    let poster = std::thread::spawn(move || post.request(Request::Stop { why: "enough".into() }));
    let Some(Happening::Request(Request::Stop { .. })) = real.wait(None, &inbox).unwrap() else { panic!() };
    assert!(poster.join().unwrap());
}

#[test]
fn a_deadline_is_never_early() {
    let (_, wiring, mut rig, _hands) = rig();
    let (_post, inbox) = inbox();
    let mut real = Real::new(&mut rig, &wiring, &()).unwrap();
    for wait in ["0 s", "10 us", "1 ms", "30 ms"] {
        let until = real.now() + wait.parse().unwrap();
        assert!(real.wait(Some(until), &inbox).unwrap().is_none());
        assert!(real.now() >= until, "{wait}");
    }
}

#[test]
fn an_edge_before_a_deadline_that_is_past_comes_first_and_one_after_it_second() {
    let (_, wiring, mut rig, mut hands) = rig();
    let (_post, inbox) = inbox();
    let mut real = Real::new(&mut rig, &wiring, &()).unwrap();
    real.initial().unwrap();
    hands.set(POKE, true);
    let between = real.now();
    hands.set(POKE, false);
    let is_high =
        |happening| matches!(happening, Some(Happening::Input { reading: Reading::Digital(true), .. }));
    assert!(is_high(real.wait(Some(between), &inbox).unwrap()));
    assert!(real.wait(Some(between), &inbox).unwrap().is_none());
    assert!(real.wait(None, &inbox).unwrap().is_some());
}

/// Gives up after so many signs of life.
struct Impatient(std::cell::Cell<u32>);

impl Heartbeat for Impatient {
    fn beat(&self, _: Time) -> Result<(), DriverError> {
        let left = self.0.get().checked_sub(1).ok_or_else(|| DriverError("the guard gave up".into()))?;
        self.0.set(left);
        Ok(())
    }
}

#[test]
fn a_loop_that_waits_without_end_gives_signs_of_life() {
    let (_, wiring, mut rig, _hands) = rig();
    let (_post, inbox) = inbox();
    let heart = Impatient(std::cell::Cell::new(3));
    let mut real = Real::new(&mut rig, &wiring, &heart).unwrap();
    assert_eq!(real.wait(None, &inbox).unwrap_err(), DriverError("the guard gave up".into()));
}

#[test]
fn outputs_are_written_to_their_lines_and_safe_when_the_rig_is_let_go() {
    let (_, wiring, mut rig, hands) = rig();
    let mut real = Real::new(&mut rig, &wiring, &()).unwrap();
    real.write(port(&wiring, "light"), &Signal::Level(1.0)).unwrap();
    drop(real);
    assert_eq!(hands.level(LIGHT), 1.0);
    drop(rig);
    assert_eq!(hands.level(LIGHT), 0.0);
}
