//! A pilot with a rig of real lines, on a computer that has none of them.

use crate::common::{Lab, eventually, program, text};

const RIG: &str = r#"
[rig.devices.poke]
kind = "digital_input"
driver = "gpiocdev"
chip = "gpiochip77"
ports = { left = 17, center = 27, right = 22 }

[rig.devices.light]
kind = "digital_output"
driver = "gpiocdev"
chip = "gpiochip77"
ports = { left = 5, center = 6, right = 13 }
"#;

const TASK: &str = r#"
poke  = hardware(digital_input, ports = ["left"])
light = hardware(digital_output, ports = ["left"])

task(stages = trials(body = state("wait", during = light["left"].on(), on = {poke["left"].rises: done})))
"#;

#[test]
fn a_rig_that_can_not_be_opened_keeps_sessions_from_starting_and_not_the_pilot() {
    let mut lab = Lab::new();
    lab.start_pilot_with("box1", RIG);
    let task = lab.file("poke.star", TASK);
    let start = ["start", "M001", "--pilot", "box1", "--task", &task];
    for _ in 0..2 {
        let why = lab.refused(&start);
        assert!(why.contains("no GPIO chip `gpiochip77`"), "{why}");
    }
    assert!(lab.log("box1").contains("tried again whenever a session starts"), "{}", lab.log("box1"));
    assert!(lab.path("box1/guard.sock").exists());
    assert_eq!(lab.end("box1"), Some(0));
    eventually("its guard ends with it", || (!lab.path("box1/guard.sock").exists()).then_some(()));
}

#[test]
fn a_rig_that_failed_its_check_refuses_sessions_unless_told_otherwise() {
    let mut lab = Lab::new();
    let config = lab.start_pilot_with("box1", RIG);
    let task = lab.file("poke.star", TASK);
    let start = ["start", "M001", "--pilot", "box1", "--task", &task];
    let mut check = program("bramble-pilot");
    check.args(["--config", &config, "check", "--skip-timing", "--skip-inputs", "--skip-outputs"]);
    let checked = check.output().unwrap();
    assert_eq!(checked.status.code(), Some(1), "{}{}", text(&checked.stdout), text(&checked.stderr));

    let why = lab.refused(&start);
    assert!(why.contains("failed its check") && why.contains("--despite-check"), "{why}");
    let why = lab.refused(&[&start[..], &["--despite-check"]].concat());
    assert!(!why.contains("failed its check") && why.contains("gpiochip77"), "{why}");
}
