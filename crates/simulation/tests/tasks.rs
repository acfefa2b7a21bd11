//! The shipped tasks, each with the animals that there are.

use std::path::Path;

use bramble_engine::Settings;
use bramble_rig::driver::{Pace, Simulated};
use bramble_rig::remote::Remotes;
use bramble_rig::session::{Around, Session};
use bramble_rig::{Wiring, inbox};
use bramble_simulation::{Limits, Simulation, named, simulate};
use bramble_task::{Task, load, read};
use bramble_value::{Ending, Event, Kind, Record, Seed, Span, Trials, Value};

fn tasks() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tasks"))
}

fn task(name: &str) -> Task {
    let sources = read(&tasks().join(name)).expect("a shipped task is there");
    load(&sources).unwrap_or_else(|mistakes| panic!("{name}: {mistakes}"))
}

fn run(task: &Task, animal: &str, memory: &str, seed: u64, limits: Limits) -> Simulation {
    let animal = named(animal, Seed(seed), memory).expect("there is such an animal");
    let settings = Settings::defaults(&task.definition, Seed(seed));
    simulate(task.definition.clone(), &mut task.functions(), settings, animal, limits)
        .expect("a shipped task fits a rig made for it")
}

fn trials(trials: u32) -> Limits {
    Limits { trials: Some(trials), time: None }
}

fn notes(simulation: &Simulation) -> Vec<&str> {
    let notes = simulation.records.iter().filter_map(|record| match record {
        Record::Note { text, .. } => Some(text.as_str()),
        _ => None,
    });
    notes.collect()
}

/// The share of trials in which `column` is `value`, among those that have one.
fn share(trials: &Trials, column: &str, value: &str, rows: std::ops::Range<usize>) -> f64 {
    let (kind, values) = trials.column(column).expect("the task has the column");
    let wanted = match value {
        "true" => Value::Boolean(true),
        value => kind.choice(value).expect("the column has the value"),
    };
    let known: Vec<Value> = values.collect::<Vec<_>>()[rows].iter().copied().flatten().collect();
    known.iter().filter(|value| **value == wanted).count() as f64 / known.len() as f64
}

fn hours(hours: u32) -> Limits {
    Limits { trials: None, time: Some(Span::from_s(3600 * hours)) }
}

#[test]
fn every_shipped_task_runs_with_the_learner() {
    let files = std::fs::read_dir(tasks()).unwrap().map(|file| file.unwrap().file_name());
    let mut files: Vec<String> = files.map(|name| name.into_string().unwrap()).collect();
    files.retain(|name| name.ends_with(".star"));
    assert!(files.len() >= 7, "{files:?}");
    for name in files {
        let task = task(&name);
        let limits = Limits { trials: Some(120), time: Some(Span::from_s(3 * 3600)) };
        let simulation = run(&task, "learner", "", 1, limits);
        assert_eq!(notes(&simulation), [""; 0], "{name}");
        assert_ne!(simulation.outcome.ending, Ending::Error, "{name}");
        if task.definition.trials().is_some() {
            assert!(simulation.summary.trials >= 100, "{name}: {:?}", simulation.summary);
        } else {
            let end = simulation.outcome.ending;
            assert!(matches!(end, Ending::Done | Ending::Stopped), "{name}: {end:?}");
        }
    }
}

#[test]
fn the_learner_starts_near_chance_and_learns_a_cued_choice() {
    let task = task("light_2afc.star");
    for seed in 1..=5 {
        let done = run(&task, "learner", "", seed, trials(700)).trials;
        let count = done.rows.len();
        let early = share(&done, "outcome", "correct", 0..30);
        let late = share(&done, "outcome", "correct", count - 100..count);
        assert!((0.3..0.85).contains(&early), "seed {seed}: {early} of its first 30 trials were correct");
        assert!(late > 0.85 && late > early + 0.1, "seed {seed}: from {early} to {late}");
    }
}

#[test]
fn the_learner_learns_which_tone_means_which_side_and_the_harder_ones_less() {
    let done = run(&task("two_choice.star"), "learner", "", 2, trials(4000)).trials;
    let pitches: Vec<f64> = done.column("pitch").unwrap().1.flatten().map(Value::to_f64).collect();
    let correct = done.column("outcome").unwrap().0.choice("correct").unwrap();
    let outcomes: Vec<_> = done.column("outcome").unwrap().1.collect();
    let share = |wanted: &dyn Fn(f64) -> bool| {
        let chosen = (2000..4000).filter(|row| wanted(pitches[*row]));
        let (all, right) = chosen
            .fold((0, 0), |(all, right), row| (all + 1, right + usize::from(outcomes[row] == Some(correct))));
        right as f64 / all as f64
    };
    let easy = share(&|pitch| !(5000.0..13000.0).contains(&pitch));
    let hard = share(&|pitch| (6500.0..10000.0).contains(&pitch));
    assert!(easy > 0.85, "{easy} of the easy tones");
    assert!(hard > 0.5 && hard < easy - 0.05, "{hard} of the hard tones, {easy} of the easy ones");
}

#[test]
fn what_was_learned_is_there_in_the_next_session() {
    let task = task("light_2afc.star");
    let first = run(&task, "learner", "", 3, trials(500));
    let second = run(&task, "learner", &first.animal.memory(), 4, trials(60));
    let naive = share(&first.trials, "outcome", "correct", 0..50);
    let trained = share(&second.trials, "outcome", "correct", 0..50);
    assert!(trained > naive + 0.1, "{naive} at first, {trained} in the next session");
}

#[test]
fn a_learner_that_has_drunk_enough_stops() {
    let task = task("free_water.star");
    let simulation = run(&task, "learner:thirst=0.4mL", "", 1, hours(5));
    assert!((360.0..=404.0).contains(&simulation.summary.water), "{}", simulation.summary.water);
    let rows = &simulation.trials.rows;
    let length = |rows: &[bramble_value::Row]| -> f64 {
        rows.iter().map(|row| row.end.since(row.start).seconds()).sum::<f64>() / rows.len() as f64
    };
    assert!(length(&rows[rows.len() - 11..rows.len() - 1]) > length(&rows[30..60]), "it slows down before");
}

#[test]
fn a_bias_shows_in_the_choices() {
    let task = task("bandit.star");
    let share = |animal| share(&run(&task, animal, "", 1, trials(100)).trials, "response", "right", 0..100);
    let (left, right) = (share("learner:bias=-2,learning=0"), share("learner:bias=2,learning=0"));
    assert!(left < 0.35 && right > 0.65, "{left} and {right}");
}

#[test]
fn the_same_seed_gives_the_same_session_and_another_seed_another() {
    let task = task("two_choice.star");
    let first = run(&task, "learner", "", 7, trials(50));
    let again = run(&task, "learner", "", 7, trials(50));
    assert_eq!(first.records, again.records);
    assert_eq!(first.animal.memory(), again.animal.memory());
    assert_ne!(first.records, run(&task, "learner", "", 8, trials(50)).records);
}

#[test]
fn the_pace_does_not_change_what_an_animal_does() {
    let task = task("free_water.star");
    let minute = Span::from_s(60);
    let free = run(&task, "learner", "", 5, Limits { trials: None, time: Some(minute) });
    let wiring = Wiring::simulated(&task.definition).unwrap();
    let mut records = Vec::new();
    let settings = Settings::defaults(&task.definition, Seed(5));
    let session = Session::new(task.definition.clone(), settings, wiring.clone()).unwrap();
    session.at_most(minute).run(Around {
        driver: &mut Simulated::new(&wiring, named("learner", Seed(5), "").unwrap(), Pace::Times(300.0)),
        remotes: &mut Remotes::new(),
        inbox: &inbox().1,
        functions: &mut task.functions(),
        recorder: &mut records,
        judge: &mut (),
    });
    assert_eq!(records, free.records);
}

#[test]
fn an_animal_written_in_the_task_language_does_a_task() {
    let animal = tasks().join("animals/light_follower.star");
    let simulation = run(&task("two_choice.star"), animal.to_str().unwrap(), "", 1, trials(100));
    assert!(simulation.summary.trials >= 100);
    let again = run(&task("two_choice.star"), animal.to_str().unwrap(), "", 1, trials(100));
    assert_eq!(simulation.records, again.records);
}

#[test]
fn an_animal_that_stays_for_another_session_begins_it_afresh() {
    let task = task("free_water.star");
    let follower = tasks().join("animals/light_follower.star");
    for name in ["learner:learning=0,thirst=0.2mL", follower.to_str().unwrap()] {
        let first = run(&task, name, "", 1, trials(45));
        let settings = Settings::defaults(&task.definition, Seed(2));
        let second =
            simulate(task.definition.clone(), &mut task.functions(), settings, first.animal, trials(45))
                .unwrap();
        assert_eq!(second.summary.trials, 45, "{name} is thirsty again");
    }
}

#[test]
fn a_script_is_followed_to_the_nanosecond() {
    let script = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&script, "every 2 s from 1.5 s poke left for 100 ms\nat 2 s poke up for 1 s\n").unwrap();
    let animal = format!("scripted:{}", script.path().display());
    let simulation = run(&task("bandit.star"), &animal, "", 1, hours(1));
    let inputs: Vec<(i64, f64)> = simulation
        .records
        .iter()
        .filter_map(|record| match record {
            Record::Event(Event { time, kind: Kind::Input, value, .. }) => Some((time.ns(), *value)),
            _ => None,
        })
        .collect();
    assert_eq!(inputs[..3], [(1_500_000_000, 1.0), (1_600_000_000, 0.0), (3_500_000_000, 1.0)]);
    assert_eq!(inputs.len(), 2 * 1800 - 1 + 1);
}
