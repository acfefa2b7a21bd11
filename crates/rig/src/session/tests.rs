use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use bramble_task::call::{Call, Returned};
use bramble_task::definition::*;
use bramble_value::{Seed, Value};

use super::*;
use crate::calibration::{Calibration, Point, Valve, WATER};
use crate::config::{DriverConfig, RigConfig, SyncInput, SyncOutput};
use crate::driver::{Pace, Simulated, World, inbox};
use crate::remote::{Offered, Remote, Remotes};
use crate::signal::Signal;
use crate::sync::SyncPattern;
use crate::wiring::Wire;

const POKE: PortId = PortId { device: DeviceId(0), port: 0 };
const LIGHT: PortId = PortId { device: DeviceId(1), port: 0 };
const VALVE: PortId = PortId { device: DeviceId(2), port: 0 };
const SYNC: PortId = PortId { device: DeviceId(3), port: 0 };
const SYNC_INPUT: PortId = PortId { device: DeviceId(4), port: 0 };

fn device(name: &str, kind: DeviceKind) -> Device {
    Device {
        name: name.parse().unwrap(),
        kind,
        ports: Vec::new(),
        unit: String::new(),
        doc: String::new(),
        place: Place::default(),
    }
}

fn stage(name: &str, parent: u16, kind: StageKind) -> Stage {
    Stage {
        name: name.to_owned(),
        path: name.to_owned(),
        parent: Some(StageId(parent)),
        kind,
        repeat: Repeat::Once,
        timeout: None,
        repeat_timeout: None,
        skip_if: None,
        disabled: None,
        during: Vec::new(),
        enter: Reaction::default(),
        leave: Reaction::default(),
        on: Handlers::default(),
        after: Vec::new(),
        then: None,
        place: Place::default(),
    }
}

fn leads(transition: Transition) -> What {
    What::Response(Response { actions: Vec::new(), transition })
}

/// The light is on until a poke, which gives 4 uL; the next trial comes a
/// second later. With a function, each trial is prepared by it.
fn free_water(prepare: Option<FunctionId>) -> Arc<TaskDefinition> {
    let trials = StageKind::Trials(Trials { prepare, body: StageId(1), until: None });
    let mut wait = stage("wait", 1, StageKind::State);
    wait.during = vec![Action::Device(PortRef::fixed(LIGHT), Command::On(None))];
    wait.on = Handlers::Listed(vec![Handler {
        trigger: Trigger::Edge(PortRef::fixed(POKE), Edge::Rises),
        what: leads(Transition::Goto(StageId(3))),
    }]);
    let mut reward = stage("reward", 1, StageKind::State);
    let drop = Expression::Value(Value::Volume("4 uL".parse().unwrap()));
    reward.enter = Reaction::Actions(vec![Action::Device(PortRef::fixed(VALVE), Command::Open(drop))]);
    reward.after = vec![(Expression::Value(Value::Duration(Span::from_s(1))), leads(Transition::Done))];
    Arc::new(TaskDefinition {
        name: "free_water".into(),
        doc: String::new(),
        parameters: Vec::new(),
        devices: vec![
            device("poke", DeviceKind::DigitalInput),
            device("light", DeviceKind::DigitalOutput),
            device("valve", DeviceKind::Solenoid),
        ],
        columns: Vec::new(),
        messages: Vec::new(),
        timers: Vec::new(),
        counters: Vec::new(),
        stages: vec![
            Stage { parent: None, repeat: Repeat::Forever, ..stage("trials", 0, trials) },
            stage("states", 0, StageKind::States(vec![StageId(2), StageId(3)])),
            wait,
            reward,
        ],
        plots: Vec::new(),
    })
}

/// Pokes for 100 ms every 1.7 s, and remembers how each output was last seen.
#[derive(Debug, Clone, Default)]
struct Metronome {
    pokes: u32,
    levels: Arc<Mutex<BTreeMap<PortId, f64>>>,
}

impl Metronome {
    fn is_on(&self, port: PortId) -> bool {
        self.levels.lock().unwrap().get(&port).is_some_and(|level| *level > 0.0)
    }
}

impl World for Metronome {
    fn begin(&mut self, _: &Wiring, _: Time) {}
    fn see(&mut self, port: PortId, signal: &Signal, _: Time) {
        if let Signal::Level(level) = signal {
            self.levels.lock().unwrap().insert(port, *level);
        }
    }
    fn next(&self) -> Option<Time> {
        let (turn, released) = (self.pokes / 2 + 1, self.pokes % 2);
        Some(Time::ZERO + Span::from_ms(1700 * turn + 100 * released))
    }
    fn act(&mut self, _: Time) -> Option<(PortId, Reading)> {
        self.pokes += 1;
        Some((POKE, Reading::Digital(self.pokes % 2 == 1)))
    }
}

/// Answers every call with no columns.
struct Prepares;

impl FunctionHost for Prepares {
    fn call(&mut self, _: Box<Call>) -> Option<Result<Returned, String>> {
        Some(Ok(Returned::Columns(Vec::new())))
    }
    fn row(&mut self, _: &Row) {}
}

/// What one run of free water came to.
struct Run {
    records: Vec<Record>,
    outcome: Outcome,
}

impl Run {
    fn rows(&self) -> usize {
        self.records.iter().filter(|record| matches!(record, Record::Row(_))).count()
    }

    fn notes(&self) -> Vec<&str> {
        let notes = self.records.iter().filter_map(|record| match record {
            Record::Note { text, .. } => Some(text.as_str()),
            _ => None,
        });
        notes.collect()
    }

    /// Milliseconds and values of this kind of event of this port.
    fn events(&self, kind: Kind, port: PortId) -> Vec<(i64, f64)> {
        let source = SourceMap::new(&free_water(None)).port(port);
        let event = |record: &Record| match record {
            Record::Event(event) if event.kind == kind && event.source == source => {
                Some((event.time.ns() / 1_000_000, event.value))
            }
            _ => None,
        };
        self.records.iter().filter_map(event).collect()
    }
}

/// Runs free water with a metronome, after `change` of what it runs with.
fn run(
    rig: &RigConfig,
    task: Arc<TaskDefinition>,
    animal: Metronome,
    pace: Pace,
    with: impl FnOnce(&mut Around<'_>),
) -> Run {
    let wiring = Wiring::new(&task, rig, &Default::default(), Default::default(), "box1").unwrap();
    let mut driver = Simulated::new(&wiring, animal, pace);
    let session = Session::new(Arc::clone(&task), Settings::defaults(&task, Seed(1)), wiring).unwrap();
    let (_post, inbox) = inbox();
    let mut records = Vec::new();
    let mut judge = |row: &Row| match row.trial {
        5 => Verdict::EndAfterTrial("five trials".into()),
        _ => Verdict::Continue,
    };
    let mut around = Around {
        driver: &mut driver,
        remotes: &mut Remotes::new(),
        inbox: &inbox,
        functions: &mut Prepares,
        recorder: &mut records,
        judge: &mut judge,
    };
    with(&mut around);
    let outcome = session.run(around);
    Run { records, outcome }
}

fn plain(pace: Pace) -> Run {
    let task = free_water(None);
    run(&RigConfig::simulated(&task), task, Metronome::default(), pace, |_| {})
}

#[test]
fn a_poke_opens_the_valve_at_the_time_of_the_poke() {
    let run = plain(Pace::Free);
    assert_eq!(run.events(Kind::Input, POKE)[..2], [(1700, 1.0), (1800, 0.0)]);
    assert_eq!(run.events(Kind::Output, VALVE)[..3], [(1700, 1.0), (1800, 0.0), (3400, 1.0)]);
    assert_eq!(run.events(Kind::Command, VALVE)[0], (1700, 0.1));
    assert_eq!(run.events(Kind::Ends, VALVE)[0], (1800, 0.0));
    assert_eq!(run.events(Kind::Output, LIGHT)[..3], [(0, 1.0), (1700, 0.0), (2700, 1.0)]);
}

/// A simulated rig with both sync lines.
fn in_sync() -> RigConfig {
    let simulated = RigConfig::simulated(&free_water(None));
    let random =
        SyncPattern::Random { gap: (Span::from_ms(100), Span::from_ms(300)), width: Span::from_ms(10) };
    let driver = || DriverConfig::Simulated;
    let (active, pull) = Default::default();
    RigConfig {
        sync: Some(SyncOutput { driver: driver(), pin: None, active, pattern: random }),
        sync_input: Some(SyncInput { driver: driver(), pin: None, active, pull, debounce: None }),
        ..simulated
    }
}

#[test]
fn the_sync_line_runs_in_every_session_and_changes_nothing_else() {
    let animal = Metronome::default();
    let synced = run(&in_sync(), free_water(None), animal.clone(), Pace::Free, |_| {});
    let edges = synced.events(Kind::Output, SYNC);
    assert!(edges.len() > 50, "{edges:?}");
    assert!(edges.chunks(2).all(|pulse| (pulse[0].1, pulse[1].1) == (1.0, 0.0)), "{edges:?}");
    // The end of the session may cut the last one.
    let whole = &edges[..edges.len() - 2];
    assert!(whole.chunks(2).all(|pulse| (9..=11).contains(&(pulse[1].0 - pulse[0].0))), "{whole:?}");
    let source = SourceMap::new(&free_water(None)).port(SYNC);
    let others = synced.records.into_iter();
    let others = others.filter(|record| !matches!(record, Record::Event(event) if event.source == source));
    assert_eq!(others.collect::<Vec<_>>(), plain(Pace::Free).records);
    assert!(!animal.levels.lock().unwrap().contains_key(&SYNC), "the animal sees nothing of it");
}

#[test]
fn what_comes_in_on_the_sync_line_is_recorded_and_kept_from_the_task() {
    let (post, told) = inbox();
    for (at, high) in [(0, true), (0, false)] {
        let at = Time::ZERO + Span::from_ms(at);
        post.send(Happening::Input { port: SYNC_INPUT, reading: Reading::Digital(high), at });
    }
    let run = run(&in_sync(), free_water(None), Metronome::default(), Pace::Free, |around| {
        around.inbox = Box::leak(Box::new(told));
    });
    assert_eq!(run.events(Kind::Input, SYNC_INPUT), [(0, 1.0), (0, 0.0)]);
    assert_eq!((run.rows(), run.outcome.why.as_ref()), (5, "five trials"));
}

#[test]
fn the_names_of_a_session_end_with_its_sync_lines() {
    let task = free_water(None);
    let wiring = Wiring::new(&task, &in_sync(), &Default::default(), Default::default(), "box1").unwrap();
    let names = wiring.names(&task);
    assert_eq!(names.sources[..names.sources.len() - 2], task.names().sources);
    let sources = SourceMap::new(&task);
    assert_eq!(names.name(sources.port(SYNC)), "sync");
    assert_eq!(names.name(sources.port(SYNC_INPUT)), "sync_input");
    assert_eq!(wiring.of_task().ports().count(), 3);
}

#[test]
fn the_judge_ends_the_session_between_two_trials() {
    let run = plain(Pace::Free);
    assert_eq!((run.rows(), run.outcome.trials), (5, 5));
    assert_eq!(run.outcome.why.as_ref(), "five trials");
    assert_eq!(run.outcome.end, Time::ZERO + Span::from_ms(5 * 1700 + 1000));
}

#[test]
fn the_pace_does_not_change_what_happens() {
    assert_eq!(plain(Pace::Free).records, plain(Pace::Times(500.0)).records);
}

#[test]
fn outputs_are_safe_before_the_end_is_recorded() {
    let task = free_water(None);
    let animal = Metronome::default();
    let (post, stopped) = inbox();
    post.request(Request::Stop { why: "enough".into() });
    let run = run(&RigConfig::simulated(&task), task, animal.clone(), Pace::Free, |around| {
        around.inbox = Box::leak(Box::new(stopped));
    });
    assert_eq!(run.events(Kind::Output, LIGHT), [(0, 1.0), (0, 0.0)]);
    assert!(matches!(run.records.last(), Some(Record::Event(Event { kind: Kind::SessionEnd, .. }))));
    assert_eq!((run.outcome.ending, run.outcome.why.as_ref()), (Ending::Stopped, "enough"));
    assert!(!animal.is_on(LIGHT));
}

#[test]
fn water_by_hand_goes_through_the_valve_and_is_recorded() {
    let task = free_water(None);
    let (post, asked) = inbox();
    post.request(Request::Water { port: VALVE, volume: "2 uL".parse().unwrap() });
    post.request(Request::Water { port: LIGHT, volume: "2 uL".parse().unwrap() });
    let run = run(&RigConfig::simulated(&task), task, Metronome::default(), Pace::Free, |around| {
        around.inbox = Box::leak(Box::new(asked));
    });
    assert_eq!(run.events(Kind::Manual, VALVE), [(0, 2.0)]);
    assert_eq!(run.events(Kind::Output, VALVE)[..2], [(0, 1.0), (50, 0.0)]);
    assert!(run.notes()[0].contains("no water was given by hand"), "{:?}", run.notes());
}

#[test]
fn a_live_parameter_is_not_changed_to_what_its_valve_was_not_calibrated_for() {
    const TASK: &str = "reward = param(volume(\"2 uL\"), live = True)\nvalve = hardware(solenoid)\n\
        task(stages = states(state(\"pay\", enter = valve.open(reward), after = {\"1 s\": done})))\n";
    let sources = Sources { root: "t.star".into(), files: [("t.star".into(), TASK.into())].into() };
    let task =
        Arc::clone(&bramble_task::load(&sources).map_err(|error| error.to_string()).unwrap().definition);
    let mut rig = RigConfig::simulated(&task);
    rig.devices.values_mut().for_each(|device| device.flow = None);
    let point = |ms, grams| Point { open: Span::from_ms(ms), pulses: 100, grams };
    let points = vec![point(20, 0.1 * WATER), point(100, 0.5 * WATER)];
    let valve = Valve { device: "valve".parse().unwrap(), port: None };
    let calibration = Calibration::new(valve, Default::default(), WATER, points).unwrap();
    let calibrations = [calibration].into_iter().collect();
    let wiring = Wiring::new(&task, &rig, &calibrations, Default::default(), "box1").unwrap();

    let (post, inbox) = inbox();
    let volume = |text: &str| Value::Volume(text.parse().unwrap());
    for value in [volume("3 uL"), volume("9 uL")] {
        post.request(Request::Parameter { parameter: ParameterId(0), value });
    }
    let mut driver = Simulated::new(&wiring, Metronome::default(), Pace::Free);
    let mut records = Vec::new();
    let outcome =
        Session::new(Arc::clone(&task), Settings::defaults(&task, Seed(1)), wiring).unwrap().run(Around {
            driver: &mut driver,
            remotes: &mut Remotes::new(),
            inbox: &inbox,
            functions: &mut Prepares,
            recorder: &mut records,
            judge: &mut |_: &Row| Verdict::Continue,
        });
    let run = Run { records, outcome };
    assert_eq!(run.outcome.ending, Ending::Done);
    let says = "a parameter was not changed: the valve `valve` was calibrated for 0.95 to 5.25 uL";
    assert!(run.notes().len() == 1 && run.notes()[0].starts_with(says), "{:?}", run.notes());
}

#[test]
fn a_command_by_hand_is_carried_out_and_recorded_like_a_task_s() {
    let task = free_water(None);
    let (post, asked) = inbox();
    let on = Value::Duration(Span::from_ms(30));
    post.request(Request::Command { port: VALVE, command: Command::Pulse { on, after: None, level: None } });
    post.request(Request::Command { port: POKE, command: Command::Off });
    let run = run(&RigConfig::simulated(&task), task, Metronome::default(), Pace::Free, |around| {
        around.inbox = Box::leak(Box::new(asked));
    });
    assert_eq!(run.events(Kind::Command, VALVE)[0], (0, 0.03));
    assert_eq!(run.events(Kind::Output, VALVE)[..2], [(0, 1.0), (30, 0.0)]);
    assert!(run.notes()[0].starts_with("a command by hand was not carried out: `poke`"), "{:?}", run.notes());
}

#[test]
fn no_time_passes_while_a_function_is_evaluated_on_its_thread() {
    let task = free_water(Some(FunctionId(0)));
    let rig = RigConfig::simulated(&task);
    let at_once = run(&rig, Arc::clone(&task), Metronome::default(), Pace::Free, |_| {});
    let (post, answers) = inbox();
    let mut thread = OnThread::start(Prepares, post);
    let wiring = Wiring::new(&task, &rig, &Default::default(), Default::default(), "box1").unwrap();
    let mut records = Vec::new();
    let outcome = Session::new(Arc::clone(&task), Settings::defaults(&task, Seed(1)), wiring.clone())
        .unwrap()
        .at_most(at_once.outcome.end.since(Time::ZERO))
        .run(Around {
            driver: &mut Simulated::new(&wiring, Metronome::default(), Pace::Free),
            remotes: &mut Remotes::new(),
            inbox: &answers,
            functions: &mut thread,
            recorder: &mut records,
            judge: &mut (),
        });
    assert_eq!(outcome.why.as_ref(), "the session has lasted as long as it may");
    let rows = |records: &[Record]| -> Vec<Row> {
        let row = |record: &Record| match record {
            Record::Row(row) if row.ending == Ending::Done => Some(row.clone()),
            _ => None,
        };
        records.iter().filter_map(row).collect()
    };
    assert_eq!(rows(&records), rows(&at_once.records));
}

/// A child that is gone after so many questions.
struct Failing(Offered, u32);

impl Remote for Failing {
    fn touch(&mut self, wire: &Wire, reading: Reading, at: Time) -> Result<(Reading, Time), RemoteError> {
        self.1 = self.1.checked_sub(1).ok_or_else(|| RemoteError("no answer for 3 s".into()))?;
        Remote::touch(&mut self.0, wire, reading, at)
    }
    fn write(&mut self, wire: &Wire, level: f64, at: Time) -> Result<(), RemoteError> {
        Remote::write(&mut self.0, wire, level, at)
    }
}

/// The rig of free water, with its poke and its light on a child.
fn divided(task: &TaskDefinition) -> RigConfig {
    let mut rig = RigConfig::simulated(task);
    for name in ["poke", "light"] {
        let child = crate::config::DriverConfig::Child("side".parse().unwrap());
        rig.devices.get_mut(&name.parse().unwrap()).unwrap().driver = child;
    }
    rig
}

#[test]
fn devices_on_a_child_behave_like_the_rig_s_own() {
    let task = free_water(None);
    let child = Offered::new(RigConfig::simulated(&task));
    let run = run(&divided(&task), task, Metronome::default(), Pace::Free, |around| {
        around.remotes.insert("side".parse().unwrap(), Box::new(child));
    });
    assert_eq!(run.records, plain(Pace::Free).records);
}

#[test]
fn losing_a_child_ends_the_session_with_an_error_and_safe_outputs() {
    let task = free_water(None);
    let child = Failing(Offered::new(RigConfig::simulated(&task)), 3);
    let animal = Metronome::default();
    let run = run(&divided(&task), task, animal.clone(), Pace::Free, |around| {
        around.remotes.insert("side".parse().unwrap(), Box::new(child));
    });
    assert_eq!(run.outcome.ending, Ending::Error);
    assert!(run.outcome.why.contains("lost its child `side`: no answer for 3 s"), "{}", run.outcome.why);
    assert_eq!(run.notes(), [run.outcome.why.as_ref()]);
    assert!(!animal.is_on(VALVE) && !animal.is_on(LIGHT));
    let end = run.records.iter().rev().find_map(|record| match record {
        Record::Event(event) if event.kind == Kind::SessionEnd => Some(event.value),
        _ => None,
    });
    assert_eq!(end, Some(f64::from(Ending::Error as u8)));
}

#[test]
fn a_child_that_never_came_up_ends_the_session_before_anything_happens() {
    let task = free_water(None);
    let run = run(&divided(&task), task, Metronome::default(), Pace::Free, |_| {});
    assert!(run.outcome.why.contains("has not come up"), "{}", run.outcome.why);
    assert_eq!(run.rows(), 0);
}

struct Full(u32);

impl Recorder for Full {
    fn record(&mut self, _: Record) -> Result<(), RecorderError> {
        self.0 = self.0.checked_sub(1).ok_or_else(|| RecorderError("the disk is full".into()))?;
        Ok(())
    }
}

#[test]
fn a_session_that_cannot_be_recorded_ends() {
    let task = free_water(None);
    let mut full = Full(50);
    let run = run(&RigConfig::simulated(&task), task, Metronome::default(), Pace::Free, |around| {
        around.recorder = Box::leak(Box::new(std::mem::replace(&mut full, Full(0))));
    });
    assert_eq!(run.outcome.ending, Ending::Error);
    assert!(run.outcome.why.contains("the disk is full"));
}

struct Panics;

impl FunctionHost for Panics {
    fn call(&mut self, _: Box<Call>) -> Option<Result<Returned, String>> {
        panic!("for the test");
    }
    fn row(&mut self, _: &Row) {}
}

#[test]
fn outputs_are_safe_even_when_the_loop_panics() {
    let task = free_water(Some(FunctionId(0)));
    let animal = Metronome::default();
    let mut rig = RigConfig::simulated(&task);
    let light = rig.devices.get_mut(&"light".parse().unwrap()).unwrap();
    light.safe = bramble_value::Level::from_share(1.0).unwrap();
    let seen = animal.clone();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        run(&rig, task, animal, Pace::Free, |around| {
            around.functions = Box::leak(Box::new(Panics));
        });
    }));
    assert!(panicked.is_err());
    assert!(seen.is_on(LIGHT) && !seen.is_on(VALVE));
}
