use bramble_rig::driver::{Pace, Simulated, inbox};
use bramble_rig::{Driver, Happening};

use super::*;

fn animal(text: &str, memory: &str) -> Result<Written, AnimalError> {
    let sources = Sources { root: "rat.star".into(), files: [("rat.star".into(), text.into())].into() };
    Written::new(&sources, Seed(1), memory)
}

/// A rig with a lever and a dimmer, and what happens on it in 3 s.
fn on_a_rig(text: &str) -> (Written, Vec<(i64, Reading)>) {
    use bramble_task::definition::*;
    let sources = Sources {
        root: "task.star".into(),
        files: [(
            "task.star".into(),
            "lever = hardware(digital_input)\nlight = hardware(digital_output)\n\
             task(stages = state(\"on\", during = light.on(), on = {lever.rises: done}))\n"
                .into(),
        )]
        .into(),
    };
    let task: std::sync::Arc<TaskDefinition> = bramble_task::load(&sources).unwrap().definition;
    let wiring = Wiring::simulated(&task).unwrap();
    let mut driver = Simulated::new(&wiring, animal(text, "").unwrap(), Pace::Free);
    let (_post, inbox) = inbox();
    let mut seen = Vec::new();
    let light = wiring.find("light", None).unwrap();
    driver.write(light, &Signal::Level(1.0)).unwrap();
    while let Some(Happening::Input { reading, at, .. }) =
        driver.wait(Some(Time::ZERO + Span::from_s(3)), &inbox).unwrap()
    {
        seen.push((at.ns() / 1_000_000, reading));
    }
    (driver.into_world(), seen)
}

#[test]
fn what_it_says_is_done_and_then_it_is_asked_again() {
    let (_, seen) = on_a_rig(
        "def act(see):\n  return poke(\"lever\", after = \"1 s\", hold = \"0.5 s\") if see.lit else None\n",
    );
    let (high, low) = (Reading::Digital(true), Reading::Digital(false));
    assert_eq!(seen, [(1000, high), (1500, low), (2501, high)]);
}

#[test]
fn it_remembers_for_its_next_session() {
    let text = "def act(see):\n  return [remember((see.memory or 0) + 1), wait(\"1 s\")]\n";
    let (rat, _) = on_a_rig(text);
    assert_eq!(rat.memory(), "4");
    assert_eq!(animal(text, &rat.memory()).unwrap().memory(), "4");
}

#[test]
fn a_mistake_is_kept_to_be_told() {
    for (text, says) in [
        ("def act(see):\n  return poke(\"levre\")\n", "it has lever"),
        ("def act(see):\n  return poke(\"lever\", hold = \"5\")\n", "200 ms"),
        ("def act(see):\n  return 3\n", "poke, turn, press, wait and remember"),
        ("def act(see):\n  return see.smell\n", "smell"),
        ("def act(see):\n  return [1] * 1000000000\n", "too long"),
    ] {
        let (rat, seen) = on_a_rig(text);
        assert!(rat.mistake().is_some_and(|mistake| mistake.contains(says)), "{text}: {:?}", rat.mistake());
        assert_eq!(seen, []);
    }
}

#[test]
fn a_file_without_act_or_with_a_mistake_is_refused() {
    for (text, says) in [("x = 1\n", "def act(see):"), ("def act(see)\n  return 1\n", "rat.star")] {
        let error = animal(text, "").unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let error = animal("def act(see):\n  return None\n", "{").unwrap_err().to_string();
    assert!(error.contains("remembers"), "{error}");
}
