use bramble_config::parse;
use bramble_task::definition::Sources;
use bramble_task::load;

use super::*;

const TASK: &str = r#"
reward = param(volume("4 uL"))
poke  = hardware(digital_input, ports = ["left", "up"])
beam  = hardware(digital_input)
valve = hardware(solenoid, ports = ["left"])
wheel = hardware(encoder, unit = "deg")
screen = hardware(display)

task(stages = states(
    state("wait", enter = screen.clear(), on = {poke["left"].rises: goto("pay"), poke["up"].rises: goto("pay"),
        beam.rises: goto("pay"), wheel.beyond(5): goto("pay")}),
    state("pay", enter = valve["left"].open(reward), after = {"1 s": done}),
))
"#;

fn task() -> TaskDefinition {
    let sources = Sources { root: "t.star".into(), files: [("t.star".into(), TASK.into())].into() };
    let task = load(&sources).map_err(|mistakes| mistakes.to_string()).unwrap();
    TaskDefinition::clone(&task.definition)
}

fn misfit(rig: &str) -> Vec<String> {
    let rig: RigConfig = parse("pilot.toml", rig).unwrap();
    Wiring::new(&task(), &rig, "box1").unwrap_err().missing
}

#[test]
fn a_rig_made_for_a_task_fits_it() {
    let wiring = Wiring::new(&task(), &RigConfig::simulated(&task()), "box1").unwrap();
    let up = wiring.find("poke", Some("up")).unwrap();
    assert_eq!(wiring.wire(up).to_string(), "poke.up");
    assert_eq!(wiring.find("poke", None), None);
    assert_eq!(wiring.ports().count(), 6);
}

#[test]
fn all_that_a_rig_lacks_is_said_at_once() {
    let missing = misfit(
        r#"
        [devices]
        poke = { kind = "digital_input", driver = "simulated", ports = { left = 1, center = 2 } }
        beam = { kind = "analog_input", driver = "simulated" }
        valve = { kind = "solenoid", driver = "simulated", ports = { left = 3 } }
        wheel = { kind = "encoder", driver = "child", child = "wheel-child", unit = "mm" }
        "#,
    );
    for says in [
        "it has no port `up` of `poke`; it has center, left",
        "its `beam` is of kind analog_input, and the task wants digital_input",
        "its valve `valve` gives volumes in this task and was not calibrated",
        "its `wheel` measures in mm, and the task in deg",
        "it has no display `screen`; it has beam, poke, valve, wheel",
    ] {
        assert!(missing.iter().any(|one| one.starts_with(says)), "{says}: {missing:#?}");
    }
    assert_eq!(missing.len(), 5);
}

#[test]
fn a_pin_belongs_to_one_device_of_a_driver() {
    let missing = misfit(
        r#"
        [devices]
        poke = { kind = "digital_input", driver = "simulated", ports = { left = 1, up = 2 } }
        beam = { kind = "digital_input", driver = "simulated", pin = 2 }
        valve = { kind = "solenoid", driver = "simulated", ports = { left = 3 }, flow = "40 uL/s" }
        wheel = { kind = "encoder", driver = "child", child = "side", pin = 1 }
        screen = { kind = "display", driver = "simulated" }
        "#,
    );
    assert_eq!(missing, ["its pin 2 is given to both beam and poke.up: give each its own"]);
}

#[test]
fn a_group_and_a_single_device_are_told_apart() {
    let missing = misfit(
        r#"
        [devices]
        poke = { kind = "digital_input", driver = "simulated", pin = 1 }
        beam = { kind = "digital_input", driver = "simulated", ports = { a = 2, b = 3 } }
        valve = { kind = "solenoid", driver = "simulated", ports = { left = 4 }, flow = "40 uL/s" }
        wheel = { kind = "encoder", driver = "simulated" }
        screen = { kind = "display", driver = "child", child = "side" }
        "#,
    );
    assert_eq!(missing.len(), 3, "{missing:#?}");
    assert!(missing[0].contains("`poke` has no ports, and the task wants left, up"));
    assert!(missing[1].contains("hardware(digital_input, ports = [...])"));
    assert!(missing[2].contains("is on a child"));
}
