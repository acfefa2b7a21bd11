//! What holds of every task and every input.

use std::collections::HashMap;
use std::sync::Arc;

use bramble_engine::{Engine, Input, Output, Settings};
use bramble_task::TaskDefinition;
use bramble_task::definition::{Command, SourceMap, StageId};
use bramble_value::{Event, Kind, Seed, Time};
use proptest::prelude::*;

use crate::bench::at;
use crate::random_tree::{answer, inputs, plans, task};
use crate::rig::LIGHT;

/// Runs a task. `patience` says how many inputs come before a call is answered.
fn run(task: &Arc<TaskDefinition>, inputs: &[(i64, Input)], seed: u64, patience: usize) -> Vec<Output> {
    let settings = Settings::defaults(task, Seed(seed));
    let mut engine = Engine::new(task.clone(), settings).unwrap();
    let mut outputs = Vec::new();
    let mut waiting = None;
    let mut waited = 0;
    let mut go_on = |engine: &mut Engine, patience: usize| {
        loop {
            while let Some(output) = engine.poll() {
                if let Output::Call(call) = &output {
                    waiting = Some((call.number, answer(task, seed, call)));
                }
                outputs.push(output);
            }
            let Some((number, answer)) = waiting.take_if(|_| waited >= patience) else {
                waited += 1;
                return;
            };
            waited = 0;
            engine.answer(number, answer);
        }
    };
    engine.start(at(0));
    go_on(&mut engine, patience);
    let mut time = 0;
    for (gap, input) in inputs {
        time += gap;
        engine.handle(input.clone(), at(time));
        go_on(&mut engine, patience);
        engine.advance(at(time + 5));
        go_on(&mut engine, patience);
    }
    engine.handle(Input::Stop { why: "the end".into() }, at(time.max(0) + 500));
    go_on(&mut engine, 0);
    assert!(engine.ended().is_some());
    assert_eq!(engine.running().count(), 0);
    outputs
}

fn events(outputs: &[Output]) -> impl Iterator<Item = &Event> {
    outputs.iter().filter_map(|output| match output {
        Output::Event(event) => Some(event),
        _ => None,
    })
}

/// Follows stages through their starts and ends.
fn check_stages(task: &TaskDefinition, outputs: &[Output]) {
    let sources = SourceMap::new(task);
    let ids: HashMap<_, _> =
        (0..task.stages.len()).map(|place| (sources.stage(StageId(place as u16)), place)).collect();
    let mut started = vec![false; task.stages.len()];
    let mut in_turn: Vec<Option<f64>> = vec![None; task.stages.len()];
    for event in events(outputs) {
        let Some(&id) = ids.get(&event.source) else { continue };
        let stage = &task.stages[id];
        match event.kind {
            Kind::StageStart => {
                assert!(!started[id], "{} starts twice", stage.path);
                let inside = stage.parent.is_none_or(|parent| in_turn[parent.index()].is_some());
                assert!(inside, "{} starts outside of a turn", stage.path);
                started[id] = true;
            }
            Kind::TurnStart => {
                assert!(started[id] && in_turn[id].is_none());
                in_turn[id] = Some(event.value);
            }
            Kind::TurnEnd => {
                assert_eq!(in_turn[id].take(), Some(event.value), "{}", stage.path);
                for child in stage.kind.children() {
                    assert!(!started[child.index()], "a turn of {} ends before what is in it", stage.path);
                }
            }
            Kind::StageEnd => {
                assert!(started[id] && in_turn[id].is_none(), "{} ends", stage.path);
                started[id] = false;
            }
            _ => {}
        }
    }
    assert!(started.iter().all(|started| !started), "a stage was left");
}

fn check_times(outputs: &[Output]) {
    let late = |place: usize| {
        let next = outputs.get(place + 1);
        matches!(next, Some(Output::Event(Event { kind: Kind::Late, .. })))
    };
    let mut last = Time::from_ns(i64::MIN);
    for (place, output) in outputs.iter().enumerate() {
        let time = match output {
            Output::Event(_) if late(place) => continue,
            Output::Event(event) => event.time,
            Output::Device { time, .. } | Output::Note { time, .. } | Output::Ended { time, .. } => *time,
            Output::Row(row) => row.end,
            // A call sees its event's own time.
            Output::Call(_) => continue,
        };
        assert!(time >= last, "time goes back at {output:?}");
        last = time;
    }
}

fn count(outputs: &[Output], wanted: impl Fn(&Command) -> bool) -> usize {
    let is_light = |output: &&Output| matches!(output, Output::Device { port, command, .. } if port.device == LIGHT && wanted(command));
    outputs.iter().filter(is_light).count()
}

fn check_rows(task: &TaskDefinition, outputs: &[Output]) {
    let rows: Vec<u32> = outputs
        .iter()
        .filter_map(|output| match output {
            Output::Row(row) => Some(row.trial),
            _ => None,
        })
        .collect();
    let trials = task.trials().map(|(stage, _)| SourceMap::new(task).stage(stage));
    let turns =
        events(outputs).filter(|event| event.kind == Kind::TurnStart && Some(event.source) == trials).count();
    assert_eq!(rows, (1..=turns as u32).collect::<Vec<_>>());
}

/// No trial begins between a pause and its resumption.
fn check_pauses(task: &TaskDefinition, outputs: &[Output]) {
    let trials = task.trials().map(|(stage, _)| SourceMap::new(task).stage(stage));
    let mut paused = false;
    for event in events(outputs) {
        match event.kind {
            Kind::Pause => assert!(!std::mem::replace(&mut paused, true), "a pause in a pause"),
            Kind::Resume => assert!(std::mem::replace(&mut paused, false), "it was not paused"),
            Kind::Held => assert!(paused, "what is not paused is not held"),
            Kind::TurnStart => assert!(!paused || Some(event.source) != trials, "a trial begins in a pause"),
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn every_session_is_whole(plan in plans(), inputs in inputs(), seed in any::<u64>(), as_trials: bool) {
        let task = task(&plan, as_trials);
        let outputs = run(&task, &inputs, seed, 0);
        check_stages(&task, &outputs);
        check_times(&outputs);
        check_rows(&task, &outputs);
        check_pauses(&task, &outputs);
        // Lights are told something only by `during`.
        let on = count(&outputs, |command| matches!(command, Command::On(_)));
        let off = count(&outputs, |command| matches!(command, Command::Off));
        prop_assert_eq!(on, off);
        let ended = outputs.iter().filter(|output| matches!(output, Output::Ended { .. })).count();
        prop_assert_eq!(ended, 1);
        let is_last = matches!(outputs.last(), Some(Output::Ended { .. }));
        prop_assert!(is_last, "nothing follows the end");
    }

    #[test]
    fn a_pause_that_holds_no_trial_changes_nothing_else(
        plan in plans(), inputs in inputs(), seed in any::<u64>()
    ) {
        let task = task(&plan, true);
        let inputs: Vec<_> =
            inputs.into_iter().filter(|(_, input)| !matches!(input, Input::Pause | Input::Resume)).collect();
        let paused: Vec<_> = inputs
            .iter()
            .flat_map(|(gap, input)| [(*gap, input.clone()), (0, Input::Pause), (0, Input::Resume)])
            .collect();
        let told = |inputs: &[(i64, Input)]| -> Vec<String> {
            let pause = |output: &&Output| {
                matches!(output, Output::Event(Event { kind: Kind::Pause | Kind::Resume, .. }))
            };
            // The number of a call counts calls alone, and draws don't depend on pauses.
            run(&task, inputs, seed, 0).iter().filter(|one| !pause(one)).map(|one| format!("{one:?}")).collect()
        };
        let with = run(&task, &paused, seed, 0);
        prop_assume!(events(&with).all(|event| event.kind != Kind::Held));
        prop_assert_eq!(told(&inputs), told(&paused));
    }

    #[test]
    fn the_same_inputs_give_the_same_outputs_however_long_answers_take(
        plan in plans(), inputs in inputs(), seed in any::<u64>(), as_trials: bool, patience in 1usize..8
    ) {
        let task = task(&plan, as_trials);
        // As text: a column that is made missing is not a number, which equals nothing.
        let told = |patience| -> Vec<String> {
            run(&task, &inputs, seed, patience).iter().map(|output| format!("{output:?}")).collect()
        };
        let outputs = told(0);
        prop_assert_eq!(&outputs, &told(0));
        prop_assert_eq!(&outputs, &told(patience));
    }
}
