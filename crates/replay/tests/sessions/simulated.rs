//! Sessions in simulated time.

use bramble_replay::Difference;
use bramble_rig::config::DriverConfig;
use bramble_rig::{Request, RigConfig};
use bramble_simulation::named;
use bramble_task::definition::DeviceKind;
use bramble_value::{Asked, Kind, Record, Seed, Source, Time, Value};
use proptest::prelude::*;

use crate::common::{Plan, Recorded, shipped, written};

const TASKS: &[&str] = &[
    "bandit",
    "biased_choice",
    "blink",
    "center_hold",
    "color_choice",
    "cued_choice",
    "fixed_ratio",
    "free_water",
    "go_no_go",
    "light_2afc",
    "sugar_pellet",
    "two_choice",
    "two_step",
];

fn s(seconds: f64) -> Time {
    Time::from_ns((seconds * 1e9) as i64)
}

fn session(task: &str, seed: u64, trials: u32) -> Recorded {
    let animal = named("learner", Seed(seed + 1), "").unwrap();
    Plan::new(shipped(task), seed, trials, animal).run()
}

/// Whether an event is of the task's own doing.
fn is_made(kind: Kind) -> bool {
    matches!(kind, Kind::StageStart | Kind::StageEnd | Kind::Goto | Kind::Column | Kind::Output)
}

#[test]
fn every_shipped_task_comes_out_as_it_was_recorded() {
    for task in TASKS {
        let recorded = session(task, 7, 40);
        let replayed = recorded.replay();
        assert_eq!(replayed.difference, None, "{task}");
        assert!(replayed.of > 20 && replayed.identical == replayed.of, "{task}: {replayed:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_session_comes_out_as_it_was_recorded(task in 0..TASKS.len(), seed in 0u64..1_000_000) {
        session(TASKS[task], seed, 12).assert_identical();
    }

    #[test]
    fn a_session_that_a_crash_cut_comes_out_as_far_as_it_is_recorded(
        task in 0..TASKS.len(), seed in 0u64..1000, at in 0.0..1.0f64,
    ) {
        let mut recorded = session(TASKS[task], seed, 12);
        recorded.records.truncate((recorded.records.len() as f64 * at) as usize);
        let replayed = recorded.replay();
        prop_assert_eq!(&replayed.difference, &None);
        prop_assert!(replayed.cut);
    }

    #[test]
    fn what_was_changed_in_the_record_is_the_first_difference(
        task in 0..TASKS.len(), seed in 0u64..1000, at in 0.0..1.0f64, what in 0..4usize,
    ) {
        let mut recorded = session(TASKS[task], seed, 12);
        let mut made = recorded.records.iter_mut().filter_map(|record| match record {
            Record::Event(event) => Some(event),
            _ => None,
        }).enumerate().filter(|(_, event)| is_made(event.kind)).collect::<Vec<_>>();
        let place = (made.len() as f64 * at) as usize;
        let (place, event) = &mut made[place];
        match what {
            0 => event.value = if event.value.is_nan() { 0.0 } else { event.value + 1.0 },
            1 => event.source = Source(event.source.0 ^ 1),
            2 => event.time = Time::from_ns(event.time.ns() + 1),
            _ => event.trial += 1,
        }
        let place = *place;
        match recorded.replay().difference {
            Some(Difference::Event { place: found, .. }) => prop_assert_eq!(found, place),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn another_seed_gives_another_session(seed in 0u64..1000) {
        let mut recorded = session("two_choice", seed, 12);
        recorded.seed += 1;
        let replayed = recorded.replay();
        prop_assert!(replayed.difference.is_some());
        prop_assert!(replayed.identical < replayed.of);
    }
}

#[test]
fn a_row_that_was_changed_is_named_with_its_column() {
    let mut recorded = session("two_choice", 3, 12);
    let row = recorded.records.iter_mut().find_map(|record| match record {
        Record::Row(row) if row.trial == 5 => Some(row),
        _ => None,
    });
    let place = row.as_ref().unwrap().values.iter().position(Option::is_some).unwrap();
    row.unwrap().values[place] = None;
    let difference = recorded.replay().difference.unwrap().to_string();
    assert!(difference.starts_with("trial 5, column `"), "{difference}");
    assert!(difference.contains("recorded was `missing`"), "{difference}");
}

#[test]
fn another_parameter_or_another_source_is_noticed() {
    let text = "light = hardware(digital_output)\n\
                wait = param(duration(\"1 s\"), doc = \"how long\")\n\
                task(stages = trials(body = state(\"lit\", during = light.on(), after = {wait: done})))\n";
    let recorded = Plan::new(written(text), 1, 10, ()).run();
    recorded.assert_identical();
    let mut longer = recorded.clone();
    longer.parameters = vec![Value::Duration("2 s".parse().unwrap())];
    assert!(longer.replay().difference.unwrap().to_string().contains("turn end of"));
    let mut other = recorded;
    other.sources = written(&text.replace("during = light.on()", "enter = light.pulse(\"100 ms\")"));
    assert!(other.replay().difference.unwrap().to_string().contains("of light"));
}

#[test]
fn a_session_that_people_had_a_hand_in_comes_out_the_same() {
    let text = r#"
poke = hardware(digital_input)
light = hardware(digital_output)
valve = hardware(solenoid)
help = message("help")
reward = param(volume("4 uL"), live = True, doc = "how much")
gap = param(integers(1, 5), live = True, doc = "turns")
n = column(integer)

task(stages = trials(
    prepare = lambda trial: {"n": trial.random.draw(trial.gap)},
    body = states(
        state("wait", during = light.on(), on = {poke.rises: goto("drink"), help: goto("drink")}),
        state("drink", enter = valve.open(reward), after = {"700 ms": done}),
    ),
))
"#;
    let sources = written(text);
    let task = bramble_task::load(&sources).map_err(|wrong| panic!("{wrong}")).unwrap();
    let definition = &task.definition;
    let (help, _) = definition.message("help").unwrap();
    let (reward, _) = definition.parameter("reward").unwrap();
    let (gap, _) = definition.parameter("gap").unwrap();
    let wiring = bramble_rig::Wiring::simulated(definition).unwrap();
    let valve = wiring.find("valve", None).unwrap();
    let volume = |text: &str| text.parse().unwrap();
    let more = Value::Volume(volume("5.5 uL"));
    let mut requests = vec![
        (s(0.4), Request::Message { message: help, value: 0.0 }),
        // At the very time at which a state ends.
        (s(1.1), Request::Message { message: help, value: 0.0 }),
        (s(1.1), Request::Water { port: valve, volume: volume("3.3 uL") }),
        (s(2.0), Request::Parameter { parameter: reward, value: more }),
        (s(2.5), Request::Parameter { parameter: gap, value: Value::Integers(2, 9) }),
        // The valve can't give as little as this, so it changes nothing.
        (s(2.6), Request::Parameter { parameter: reward, value: Value::Volume(volume("0 uL")) }),
        (s(7.2), Request::Pause { why: "lunch".into() }),
        (s(19.0), Request::Resume { why: "fed".into() }),
        (s(30.0), Request::StopAfterTrial { why: "enough".into() }),
    ];
    let animal = || {
        let lines = "every 1.7 s from 1 s poke for 100 ms\nat 3.31 s poke for 20 ms";
        lines.parse::<bramble_simulation::Scripted>().unwrap()
    };
    for last in [Asked::StopAfterTrial, Asked::Stop] {
        if last == Asked::Stop {
            requests.pop();
            requests.push((s(20.35), Request::Stop { why: "at once".into() }));
        }
        let mut plan = Plan::new(sources.clone(), 5, 1000, animal());
        plan.requests = requests.clone();
        let recorded = plan.run();
        assert!(recorded.rows().len() > 5);
        let asked = recorded.events().into_iter().rfind(|event| event.kind == Kind::Asked).unwrap();
        assert_eq!(asked.value, f64::from(last as u8));
        recorded.assert_identical();
    }
}

#[test]
fn a_session_whose_devices_are_on_a_child_needs_no_child_to_come_out_the_same() {
    let sources = shipped("two_choice");
    let definition = bramble_task::load(&sources).unwrap().definition;
    let mut rig = RigConfig::simulated(&definition);
    for device in rig.devices.values_mut().filter(|device| device.kind != DeviceKind::Sound) {
        device.driver = DriverConfig::Child("side".parse().unwrap());
    }
    let animal = named("learner", Seed(4), "").unwrap();
    let mut plan = Plan::new(sources, 11, 20, animal);
    plan.child = Some(rig);
    plan.run().assert_identical();
}
