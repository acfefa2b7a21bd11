//! The five tasks that the language was made for load as they stand, and mean
//! what they say.

use std::path::Path;

use bramble_task::definition::{Expression, First, PortChoice, StageKind, Transition, Trigger, What};
use bramble_task::{Task, load, read};
use bramble_value::Value;

fn example(name: &str) -> Task {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples").join(name);
    load(&read(&path).unwrap()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

#[test]
fn free_water_lights_a_port_and_pays_a_poke_there() {
    let task = example("free_water.star");
    let definition = task.definition();
    let paths: Vec<&str> = definition.stages.iter().map(|stage| stage.path.as_str()).collect();
    assert_eq!(paths, ["trials", "states", "wait", "reward"]);
    let wait = &definition.stages[2];
    let bramble_task::definition::Handlers::Listed(handlers) = &wait.on else { panic!() };
    let Trigger::Edge(port, _) = &handlers[0].trigger else { panic!() };
    // The choices of `target` are the ports themselves, so that nothing is mapped.
    let target = definition.column("target").unwrap().0;
    assert_eq!(port.port, PortChoice::Chosen(Box::new(Expression::Column(target))));
    let What::Response(response) = &handlers[0].what else { panic!() };
    assert_eq!(response.actions.len(), 1);
    let Transition::Goto(reward) = response.transition else { panic!() };
    assert_eq!(definition.stages[reward.index()].name, "reward");
    assert_eq!(
        definition.doc.lines().next(),
        Some("Free water: one port lights up; a poke there pays a drop.")
    );
}

#[test]
fn sugar_pellet_is_a_tree_without_trials() {
    let task = example("sugar_pellet.star");
    let kinds: Vec<&str> = task.definition().stages.iter().map(|stage| stage.kind.word()).collect();
    assert_eq!(kinds, ["sequence", "delay", "sequence", "gate", "pulse", "delay", "delay"]);
    assert!(task.definition().trials().is_none());
}

#[test]
fn light_2afc_maps_sides_to_the_ports_of_each_device() {
    let task = example("light_2afc.star");
    let definition = task.definition();
    let choose = definition.stages.iter().find(|stage| stage.name == "choose").unwrap();
    let bramble_task::definition::Handlers::Listed(handlers) = &choose.on else { panic!() };
    let Trigger::Level { condition: bramble_task::definition::Condition::Digital(port, true), .. } =
        &handlers[1].trigger
    else {
        panic!()
    };
    let PortChoice::Chosen(chosen) = &port.port else { panic!() };
    let Expression::Mapped(inner, table) = &**chosen else { panic!() };
    assert!(matches!(**inner, Expression::Other(_)));
    // left and right among left, center and right.
    assert_eq!(table.to_vec(), [Some(0), Some(2)]);
}

#[test]
fn two_step_carries_columns_from_trial_to_trial() {
    let task = example("two_step.star");
    let first = |name: &str| task.definition().column(name).unwrap().1.carry.clone().unwrap().first;
    assert!(matches!(first("good"), First::Function(_)));
    assert_eq!(first("average"), First::Value(Value::Number(0.5)));
    assert!(task.definition().column("paid").unwrap().1.carry.is_none());
}

#[test]
fn biased_choice_holds_the_wheel_and_answers_by_a_function() {
    let task = example("biased_choice.star");
    let gate = task.definition().stages.iter().find(|stage| stage.name == "quiescence").unwrap();
    let StageKind::Gate { hold: Some(Expression::Column(quiet)), .. } = &gate.kind else { panic!() };
    assert_eq!(task.definition().columns[quiet.index()].name.as_str(), "quiet");
    let respond = task.definition().stages.iter().find(|stage| stage.name == "respond").unwrap();
    assert!(matches!(respond.on, bramble_task::definition::Handlers::Function(_)));
    // What the function may lead to is known without calling it.
    let picture = task.mermaid();
    for state in ["correct", "error"] {
        let id = task.definition().stages.iter().position(|stage| stage.name == state).unwrap();
        let respond = task.definition().stages.iter().position(|stage| stage.name == "respond").unwrap();
        assert!(picture.contains(&format!("s{respond} --> s{id} : events of answers(trial)")), "{picture}");
    }
}

#[test]
fn every_example_can_be_drawn() {
    for name in ["free_water", "sugar_pellet", "light_2afc", "two_step", "biased_choice"] {
        let task = example(&format!("{name}.star"));
        let picture = task.svg();
        for stage in &task.definition().stages {
            let title = if stage.name == stage.kind.word() { stage.kind.word() } else { &stage.name };
            assert!(picture.contains(&format!(">{title}")), "{name}: {}", stage.path);
        }
        assert!(task.mermaid().starts_with("stateDiagram-v2\n"));
    }
}
