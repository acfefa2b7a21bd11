use bramble_config::parse;
use bramble_task::definition::Sources;
use bramble_task::load;
use bramble_value::Volume;

use super::*;
use crate::calibration::{Point, WATER};

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
    loaded(TASK)
}

fn loaded(text: &str) -> TaskDefinition {
    let sources = Sources { root: "t.star".into(), files: [("t.star".into(), text.into())].into() };
    let task = load(&sources).map_err(|mistakes| mistakes.to_string()).unwrap();
    TaskDefinition::clone(&task.definition)
}

fn misfit(rig: &str) -> Vec<String> {
    let rig: RigConfig = parse("pilot.toml", rig).unwrap();
    let none = Calibrations::default();
    Wiring::new(&task(), &rig, &none, Timestamp::UNIX_EPOCH, "box1").unwrap_err().missing
}

#[test]
fn a_rig_made_for_a_task_fits_it() {
    let wiring = Wiring::simulated(&task()).unwrap();
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
        "its `wheel` measures in mm, and the task in deg",
        "it has no display `screen`; it has beam, poke, valve, wheel",
    ] {
        assert!(missing.iter().any(|one| one.starts_with(says)), "{says}: {missing:#?}");
    }
    assert_eq!(missing.len(), 4);
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

const DRINKS: &str = r#"
reward = param(volume("4 uL"))
valve = hardware(solenoid, ports = ["left", "right", "wash"])

task(stages = states(
    state("pay", enter = [valve["left"].open(reward), valve["right"].open(volume("2 uL")),
        valve["wash"].open("1 s")], after = {"1 s": done}),
))
"#;

const VALVES: &str = r#"
[devices.valve]
kind = "solenoid"
driver = "gpiocdev"
ports = { left = 5, right = 6, wash = 7 }
longest_on = "2 s"
"#;

/// A calibration from 1 to 5 uL.
fn calibration(port: &str, made: &str) -> Calibration {
    let valve = Valve { device: "valve".parse().unwrap(), port: Some(port.parse().unwrap()) };
    let point = |ms, grams| Point { open: Span::from_ms(ms), pulses: 100, grams };
    let points = vec![point(20, 0.1 * WATER), point(100, 0.5 * WATER)];
    Calibration::new(valve, made.parse().unwrap(), WATER, points).unwrap()
}

fn drinks(calibrations: impl IntoIterator<Item = Calibration>, now: &str) -> Result<Wiring, Misfit> {
    let rig: RigConfig = parse("pilot.toml", VALVES).unwrap();
    let calibrations = calibrations.into_iter().collect();
    Wiring::new(&loaded(DRINKS), &rig, &calibrations, now.parse().unwrap(), "box1")
}

const MARCH: &str = "2026-03-01T00:00:00Z";

#[test]
fn a_real_valve_gives_volumes_by_its_newest_calibration() {
    let calibrations = [calibration("left", MARCH), calibration("right", MARCH)];
    let wiring = drinks(calibrations.clone(), MARCH).unwrap();
    let left = wiring.wire(wiring.find("valve", Some("left")).unwrap());
    let dose = left.dose.as_ref().unwrap();
    assert_eq!(dose.duration_of("4 uL".parse().unwrap()).unwrap().seconds(), 0.08);
    let used: Vec<Calibration> = wiring.calibrations().iter().map(|one| Calibration::clone(one)).collect();
    assert_eq!(used, calibrations, "what is never opened for a volume needs none");
}

#[test]
fn a_valve_without_a_calibration_is_refused_where_volumes_are_given_by_it() {
    let missing = drinks([calibration("right", MARCH)], MARCH).unwrap_err().missing;
    assert_eq!(
        missing,
        ["its valve `valve.left` gives volumes in this task and is not calibrated: run \
          `bramble-pilot calibrate valve left`, or open it for a duration"]
    );
}

#[test]
fn a_real_valve_does_not_go_by_what_was_made_up_for_a_simulated_one() {
    let made_up = [calibration("left", MARCH).of_simulated(), calibration("right", MARCH)];
    let missing = drinks(made_up.clone(), MARCH).unwrap_err().missing;
    assert_eq!(
        missing,
        [
            "its valve `valve.left` was simulated when its newest calibration was made, which says nothing of a \
          real one: run `bramble-pilot calibrate valve left`"
        ]
    );
    let simulated: RigConfig = parse("pilot.toml", &VALVES.replace("gpiocdev", "simulated")).unwrap();
    let (made_up, now) = (made_up.into_iter().collect(), MARCH.parse().unwrap());
    assert!(Wiring::new(&loaded(DRINKS), &simulated, &made_up, now, "box1").is_ok());
}

#[test]
fn an_old_calibration_is_refused_with_its_age() {
    let calibrations = || [calibration("left", "2026-01-01T00:00:00Z"), calibration("right", MARCH)];
    assert!(drinks(calibrations(), "2026-03-02T00:00:00Z").is_ok(), "60 days may pass");
    let missing = drinks(calibrations(), "2026-03-17T00:00:00Z").unwrap_err().missing;
    assert_eq!(
        missing,
        ["its valve `valve.left` was calibrated 75 days ago, and the rig's `calibration_age` is 60 d: \
          run `bramble-pilot calibrate valve left`"]
    );
}

#[test]
fn a_valve_that_is_not_to_give_volumes_says_why_when_it_is_asked_for_one_all_the_same() {
    let fresh = [calibration("left", MARCH), calibration("right", MARCH)];
    let old = calibration("wash", "2025-01-01T00:00:00Z");
    let wiring = drinks(fresh.clone().into_iter().chain([old]), MARCH).unwrap();
    let asked = |wiring: &Wiring| {
        let wash = wiring.wire(wiring.find("valve", Some("wash")).unwrap());
        wash.opening("2 uL".parse().unwrap()).unwrap_err().to_string()
    };
    let why = asked(&wiring);
    assert!(why.starts_with("`valve.wash` was calibrated 424 days ago"), "{why}");
    let why = asked(&drinks(fresh, MARCH).unwrap());
    assert!(why.starts_with("`valve.wash` is not calibrated"), "{why}");
}

#[test]
fn a_volume_that_would_be_cut_at_the_longest_on_is_refused_before_it_is_given() {
    // 4 uL take 80 ms, and 2 uL 40 ms.
    let rig = |longest: &str| parse("pilot.toml", &VALVES.replace("2 s", longest)).unwrap();
    let calibrations = [calibration("left", MARCH), calibration("right", MARCH)].into_iter().collect();
    let wiring =
        |rig: RigConfig| Wiring::new(&loaded(DRINKS), &rig, &calibrations, MARCH.parse().unwrap(), "box1");
    let missing = wiring(rig("39 ms")).unwrap_err().missing;
    let says = "its valve `valve.right` has to be open for 40 ms to give 2 uL, and its `longest_on` is 39 ms";
    assert!(missing.len() == 1 && missing[0].starts_with(says), "{missing:?}");

    let wiring = wiring(rig("60 ms")).unwrap();
    let microliters = |volume| [Value::Volume(Volume::from_microliters(volume).unwrap())];
    assert_eq!(wiring.allow(&microliters(3.0)), Ok(()));
    let why = wiring.allow(&microliters(4.0)).unwrap_err().to_string();
    assert!(why.contains("80 ms") && why.contains("`longest_on` is 60 ms"), "{why}");
}

#[test]
fn a_volume_that_a_valve_was_not_calibrated_for_is_refused_before_it_is_given() {
    let task = DRINKS.replace("volume(\"2 uL\")", "volume(\"9 uL\")");
    let rig: RigConfig = parse("pilot.toml", VALVES).unwrap();
    let calibrations = [calibration("left", MARCH), calibration("right", MARCH)].into_iter().collect();
    let now = MARCH.parse().unwrap();
    let missing = Wiring::new(&loaded(&task), &rig, &calibrations, now, "box1").unwrap_err().missing;
    let says = "its valve `valve.right` was calibrated for 0.95 to 5.25 uL, and 9 uL is outside";
    assert!(missing.len() == 1 && missing[0].starts_with(says), "{missing:?}");

    let wiring = Wiring::new(&loaded(DRINKS), &rig, &calibrations, now, "box1").unwrap();
    let microliters = |volume| Value::Volume(Volume::from_microliters(volume).unwrap());
    assert_eq!(wiring.allow(&[microliters(4.0)]), Ok(()));
    let why = wiring.allow(&[microliters(6.0)]).unwrap_err().to_string();
    assert!(why.contains("`valve.left`") && why.contains("6 uL is outside"), "{why}");
}

#[test]
fn a_damaged_calibration_is_refused_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = crate::calibration::save(folder.path(), &calibration("left", MARCH)).unwrap();
    std::fs::write(&file, "device = ").unwrap();
    let calibrations = Calibrations::read(folder.path()).unwrap();
    let rig: RigConfig = parse("pilot.toml", VALVES).unwrap();
    let now = MARCH.parse().unwrap();
    let missing = Wiring::new(&loaded(DRINKS), &rig, &calibrations, now, "box1").unwrap_err().missing;
    assert!(missing[0].contains("2026-03-01T00-00-00.000Z.toml is damaged"), "{missing:?}");
}
