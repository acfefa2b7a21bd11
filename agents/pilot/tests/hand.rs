//! The rig in a person's hand: real processes on simulated rigs, with and without
//! a pilot that runs.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Output, Stdio};

use crate::common::{Lab, eventually, program, refusal, text};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

const RIG: &str = r#"
name = "box1"
data = "data"

[rig.devices.poke]
kind = "digital_input"
driver = "simulated"
ports = { left = 17, right = 27 }

[rig.devices.wheel]
kind = "encoder"
driver = "simulated"
unit = "deg"

[rig.devices.light]
kind = "digital_output"
driver = "simulated"
ports = { left = 5, right = 6 }

[rig.devices.fan]
kind = "level_output"
driver = "simulated"
safe = "50 %"

[rig.devices.valve]
kind = "solenoid"
driver = "simulated"
ports = { left = 16, right = 20 }
longest_on = "200 ms"

[rig.devices.speaker]
kind = "sound"
driver = "simulated"
"#;

/// A box without a pilot that runs.
struct Workbench {
    folder: TempDir,
}

impl Workbench {
    fn new() -> Workbench {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pilot.toml"), RIG).unwrap();
        Workbench { folder }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command, with an animal that does what the script says.
    fn run_with(&self, script: &str, arguments: &[&str]) -> Output {
        std::fs::write(self.path("animal.txt"), script).unwrap();
        let animal = format!("scripted:{}", self.path("animal.txt").display());
        command(&self.path("pilot.toml")).args(arguments).args(["--animal", &animal]).output().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        command(&self.path("pilot.toml")).args(arguments).output().unwrap()
    }

    fn say(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    fn refused(&self, arguments: &[&str]) -> String {
        refusal(&self.run(arguments))
    }
}

fn command(config: &Path) -> std::process::Command {
    let mut command = program("bramble-pilot");
    command.args(["--config", config.to_str().unwrap()]).stdin(Stdio::null());
    command
}

/// A command that goes on until it is told to end.
struct Going(Child);

impl Going {
    /// Starts it, and waits until it says what it does.
    fn start(config: &Path, arguments: &[&str]) -> (Going, String) {
        let mut process = command(config).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        (Going(process), line)
    }

    /// Ends it as ctrl-C does; what else it said, and whether all went well.
    fn interrupt(mut self) -> (String, bool) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), Signal::SIGINT).unwrap();
        let status = self.0.wait().unwrap();
        let said = std::io::read_to_string(self.0.stdout.take().unwrap()).unwrap();
        (said, status.success())
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn monitor_shows_what_inputs_read_and_each_change() {
    let bench = Workbench::new();
    let script = "at 100 ms poke left for 50 ms\nat 200 ms wheel to -12.5\n";
    let said = text(&bench.run_with(script, &["monitor", "--for", "3s"]).stdout);
    let lines: Vec<Vec<&str>> = said.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0].join(" "), "box1: its simulated rig, for 3 s");
    assert_eq!(
        lines[1..4],
        [
            ["now", "poke.left", "low"].as_slice(),
            &["now", "poke.right", "low"],
            &["now", "wheel", "0", "deg"]
        ]
    );
    assert_eq!(
        lines[4..],
        [
            ["0.100", "s", "poke.left", "high"].as_slice(),
            &["0.150", "s", "poke.left", "low"],
            &["0.200", "s", "wheel", "-12.5", "deg"]
        ]
    );
}

#[test]
fn monitor_tells_a_script_one_object_for_each_line() {
    let bench = Workbench::new();
    let output =
        bench.run_with("at 50 ms poke right high\n", &["monitor", "poke.right", "--for", "3s", "--json"]);
    let said = text(&output.stdout);
    let lines: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["open"]["parts"].as_array().unwrap().len(), 9);
    assert_eq!(lines.len(), 2, "{said}");
    let event = &lines[1]["event"];
    assert_eq!((&event["device"], &event["kind"]), (&"poke.right".into(), &"input".into()));
    assert_eq!((event["value"].as_f64(), event["time_ns"].as_i64()), (Some(1.0), Some(50_000_000)));
}

#[test]
fn set_holds_outputs_and_makes_them_safe_again() {
    let bench = Workbench::new();
    let said = bench.say(&["set", "light.left", "on", "fan", "0.8", "--for", "50ms"]);
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            "light.left is on, for 50 ms",
            "fan is 80 %, for 50 ms",
            "light.left is off again",
            "fan is 50 % again"
        ]
    );
    let (going, said) = Going::start(&bench.path("pilot.toml"), &["set", "light.right", "on"]);
    assert_eq!(said, "light.right is on, until ctrl-C\n");
    assert_eq!(going.interrupt(), ("light.right is off again\n".to_owned(), true));
}

#[test]
fn an_output_that_is_on_too_long_is_cut_and_that_is_told() {
    let bench = Workbench::new();
    let output = bench.run(&["set", "valve.left", "on", "--for", "30 s"]);
    assert!(text(&output.stdout).contains("`valve.left` was on for 200 ms, the longest its rig allows"));
    let why = refusal(&output);
    assert!(why.contains("the longest its rig allows") && why.contains("longest_on"), "{why}");
    let why = bench.refused(&["pulse", "valve.left", "300ms"]);
    assert!(why.contains("the longest its rig allows"), "{why}");
}

#[test]
fn pulses_and_trains_are_counted_as_they_are_given() {
    let bench = Workbench::new();
    assert_eq!(
        bench.say(&["pulse", "valve.left", "50ms"]),
        "valve.left was on once, 50 ms in all; it is off\n"
    );
    let said = bench.say(&["train", "light.left", "5ms", "--every", "20ms", "--count", "10"]);
    assert_eq!(
        said,
        "10 turns, one every 20 ms, until ctrl-C\nlight.left was on 10 times, 50 ms in all; it is off\n"
    );
    let said = bench.say(&[
        "train",
        "light.left",
        "5ms+0ms",
        "light.right",
        "10ms+5ms",
        "--pause",
        "5ms",
        "--count",
        "4",
    ]);
    assert_eq!(
        said,
        "4 turns, one every 20 ms, until ctrl-C\nlight.left was on 4 times, 20 ms in all; it is off\n\
         light.right was on 4 times, 40 ms in all; it is off\n"
    );
}

#[test]
fn what_can_not_be_worked_is_refused_with_what_can() {
    let bench = Workbench::new();
    for (arguments, says) in [
        (&["set", "ligth.left", "on"][..], "the rig has no `ligth.left` (did you mean `light.left`?)"),
        (&["set", "poke.left", "on"], "`poke.left` is an input (digital_input): nothing can be set there"),
        (&["set", "light", "on"], "`light` has ports: say which of light.left, light.right"),
        (&["set", "light.left", "0.5"], "it is on or off, and nothing between"),
        (&["set", "light.left", "bright"], "`bright` is no level"),
        (&["set", "light.left", "on", "light.right"], "`light.right` is left over"),
        (&["pulse", "speaker", "1s"], "`speaker` is a sound, which is not switched by hand"),
        (&["pulse", "light.left", "0ms"], "no time at all"),
        (&["pulse", "light.left", "50"], "duration"),
        (&["train", "light.left", "50ms", "--every", "20ms"], "a turn lasts 50 ms"),
        (&["train", "light.left", "50ms"], "--every"),
        (&["monitor", "light"], "`light.left` is an output (digital_output): there is nothing to be read"),
        (
            &["calibrate", "light.left", "--weights", "1,2,3", "--yes"],
            "no valve: choose one of valve.left, valve.right",
        ),
    ] {
        let why = bench.refused(arguments);
        assert!(why.contains(says), "{arguments:?}: {why}");
    }
    let absent = refusal(&command(Path::new("/nowhere.toml")).arg("monitor").output().unwrap());
    assert!(absent.contains("/nowhere.toml"), "{absent}");
}

/// A check that looks at nothing that depends on how busy this computer is.
const CHECK: [&str; 7] = ["check", "--worst", "60 s", "--p99", "60 s", "--wakes", "100"];

#[test]
fn a_rig_that_works_passes_its_check() {
    let bench = Workbench::new();
    let script = "every 200 ms poke left for 50 ms\nevery 200 ms from 300 ms poke right for 50 ms\n\
                  every 100 ms from 10 ms wheel to 1\nevery 100 ms from 20 ms wheel to 2\n\
                  every 100 ms from 30 ms wheel to 3\nevery 100 ms from 40 ms wheel to 4\n\
                  every 100 ms from 50 ms wheel to 3\nevery 100 ms from 60 ms wheel to 2\n\
                  every 100 ms from 70 ms wheel to 0\n";
    let arguments = [&CHECK[..], &["--blink", "20ms", "--json"]].concat();
    let output = bench.run_with(script, &arguments);
    let checked: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success() && checked["passed"] == true, "{checked:#}");
    let outcome = |what: &str| {
        let items = checked["items"].as_array().unwrap();
        items.iter().find(|item| item["what"] == what).unwrap()["outcome"].clone()
    };
    assert_eq!(checked["timing"]["wakes"], 100);
    assert!(checked["timing"]["bars"].is_array() && checked["timing"]["p99_ns"].is_i64(), "{checked:#}");
    for what in ["rig", "timing", "poke.left", "poke.right", "wheel", "light.left", "fan", "valve.right"] {
        assert_eq!(outcome(what), "passed", "{what}");
    }
    assert_eq!(outcome("valve.left calibration"), "warning");
    assert_eq!(outcome("speaker"), "skipped");
    let kept: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(bench.path("data/check.json")).unwrap()).unwrap();
    assert_eq!(kept, checked);
}

#[test]
fn inputs_that_are_swapped_or_dead_fail_the_check() {
    let bench = Workbench::new();
    let arguments = [&CHECK[..], &["--timeout", "500ms", "--skip-outputs"]].concat();
    let output = bench.run_with("at 100 ms poke right high\n", &arguments);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.contains("1 of 3: poke.left is low: trigger it (within 500 ms)"), "{said}");
    assert!(said.contains("poke.right was triggered, and poke.left is waited for"), "{said}");
    assert!(said.contains("poke.right was instead: their cables may be swapped"), "{said}");
    assert!(said.contains("the rig of box1 FAILED: 3 of"), "{said}");
    // What failed is not mended by not looking at it.
    let again = bench.run(&[&CHECK[..], &["--skip-inputs", "--skip-outputs"]].concat());
    assert_eq!(again.status.code(), Some(1), "{}", text(&again.stdout));
}

#[test]
fn a_loop_that_is_later_than_allowed_fails_the_check() {
    let bench = Workbench::new();
    let output = bench.run(&["check", "--skip-inputs", "--skip-outputs", "--wakes", "100", "--worst", "1ns"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.contains("timing") && said.contains("--worst allows 1 ns"), "{said}");
}

#[test]
fn a_check_of_a_rig_is_for_everyone_to_read() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Workbench::new();
    bench.run(&["check", "--skip-inputs", "--skip-outputs", "--skip-timing"]);
    // As readable as any file that this user makes.
    std::fs::write(bench.path("any"), "").unwrap();
    let mode = |file: &str| std::fs::metadata(bench.path(file)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("data/check.json"), mode("any") & 0o644);
}

#[test]
fn a_valve_is_calibrated_and_its_calibrations_are_listed() {
    let bench = Workbench::new();
    assert!(bench.say(&["calibrations"]).contains("no valve was calibrated"));
    let calibrate = ["calibrate", "valve", "left", "--pulses", "4", "--every", "90ms", "--yes"];
    let said = bench.say(&[&calibrate[..], &["--weights", "0.0032,0.0064,0.0128"]].concat());
    assert!(!said.contains("valve.left opens"), "what was weighed before needs no more water: {said}");
    assert!(said.contains("valve.left is simulated"), "{said}");
    assert!(said.contains("valve.left gives 40.07 uL/s"), "{said}");
    assert!(said.contains("kept in "), "{said}");
    // A scale that shows more water each time it is read.
    let scale = format!(
        "f={}; echo x >> $f; wc -l < $f | awk '{{print $1 * $1 * 0.001}}'",
        bench.path("scale").display()
    );
    let said = bench.say(&[&calibrate[..], &["--durations", "20ms,60ms", "--scale", &scale]].concat());
    assert!(said.contains("valve.left opens 4 times for 20 ms"), "{said}");
    assert!(said.contains("by the calibration of"), "{said}");
    let newest: serde_json::Value = serde_json::from_str(&bench.say(&["calibrations", "--json"])).unwrap();
    assert_eq!(newest.as_array().unwrap().len(), 1, "{newest:#}");
    assert_eq!((&newest[0]["valve"], &newest[0]["stale"]), (&"valve.left".into(), &false.into()));
    assert_eq!(newest[0]["calibration"]["simulated"], true, "no real valve may go by it");
    let all: serde_json::Value =
        serde_json::from_str(&bench.say(&["calibrations", "--all", "--json"])).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 2, "{all:#}");
    assert!(bench.say(&["calibrations"]).contains("two points don't tell"));
}

#[test]
fn a_calibration_that_can_not_be_is_refused_and_nothing_is_kept() {
    let bench = Workbench::new();
    let calibrate =
        ["calibrate", "valve.left", "--pulses", "2", "--durations", "20ms,40ms", "--every", "60ms"];
    for (rest, says) in [
        (&["--weights", "0.002,0.004"][..], "nobody is there to be asked whether to keep it: say --yes"),
        (&["--yes"], "nobody is there to type the weights"),
        (&["--yes", "--weights", "0.002"], "1 weights for 2 durations"),
        (&["--yes", "--weights", "0.002,-1"], "tare the scale"),
        (&["--yes", "--weights", "2,4"], "milligrams"),
        (&["--yes", "--weights", "0.004,0.002"], "longer openings gave no more"),
        (&["--yes", "--scale", "echo full"], "it printed `full`"),
    ] {
        let why = bench.refused(&[&calibrate[..], rest].concat());
        assert!(why.contains(says), "{rest:?}: {why}");
    }
    let odd = bench.run(&[&calibrate[..], &["--yes", "--weights", "0.004,0.002"]].concat());
    assert!(text(&odd.stdout).contains("0.004"), "what was weighed is shown: {}", text(&odd.stdout));
    let long =
        bench.refused(&["calibrate", "valve.left", "--yes", "--weights", "1,2", "--durations", "20ms,300ms"]);
    assert!(long.contains("may be open for 200 ms at most"), "{long}");
    assert!(!bench.path("data/calibrations").exists());
}

#[test]
fn a_running_pilot_lends_its_rig_while_it_is_idle() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &["--speed", "20"]);
    let config = lab.path("box1.toml");
    let start = ["start", "M001", "--pilot", "box1", "--task", &lab.task("free_water.star")];

    let (going, said) = Going::start(&config, &["set", "light.left", "on"]);
    assert_eq!(said, "light.left is on, until ctrl-C\n");
    let why = lab.refused(&start);
    assert!(why.contains("box1 is busy: someone works its rig by hand (bramble-pilot set)"), "{why}");
    let second = refusal(&command(&config).args(["pulse", "light.right", "10ms"]).output().unwrap());
    assert!(second.contains("someone works its rig by hand (bramble-pilot set)"), "{second}");
    // Whoever dies with the rig in hand lets it go.
    drop(going);
    eventually("the rig is free", || {
        command(&config)
            .args(["pulse", "light.right", "10ms"])
            .output()
            .unwrap()
            .status
            .success()
            .then_some(())
    });

    lab.say(&start);
    let why = refusal(&command(&config).args(["set", "light.left", "on"]).output().unwrap());
    assert!(why.contains("'s session of M001 (task free_water)"), "{why}");
    // That a rig is in use is not what a check found.
    let why = refusal(&command(&config).args(["check", "--skip-timing"]).output().unwrap());
    assert!(why.contains("'s session of M001") && !lab.path("box1/check.json").exists(), "{why}");
    lab.say(&["stop", "M001"]);
    lab.after_sessions(1);
}

#[test]
fn what_is_not_on_a_child_that_is_there_is_left_out_and_told() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &[]);
    let config = lab.path("box1.toml");
    let monitor = || text(&command(&config).args(["monitor", "--for", "10ms"]).output().unwrap().stdout);
    let said = monitor();
    assert!(
        said.contains("(left out: `wheel` is on the child wheels, which is not at this pilot)"),
        "{said}"
    );
    lab.start_child("box1");
    let said = monitor();
    assert!(said.contains("wheel") && !said.contains("left out"), "{said}");
    assert!(command(&config).args(["pulse", "lamp", "10ms"]).output().unwrap().status.success());
}

#[test]
fn a_pilot_that_ends_makes_what_is_in_a_hand_safe_and_says_so() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &[]);
    let (mut going, _) = Going::start(&lab.path("box1.toml"), &["set", "light.left", "on"]);
    assert_eq!(lab.end("box1"), Some(0));
    assert_eq!(going.0.wait().unwrap().code(), Some(1));
    assert!(!lab.path("box1/hand.sock").exists());
}

#[test]
fn the_socket_of_a_pilot_takes_nothing_amiss() {
    use std::os::unix::fs::PermissionsExt;
    let mut lab = Lab::new();
    lab.start_pilot("box1", &[]);
    let path = lab.path("box1/hand.sock");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
    stream
        .write_all(
            b"hello\n{\"set\":{\"device\":\"light.left\",\"level\":1}}\n{\"work\":{\"what\":\"test\"}}\n",
        )
        .unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap())
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap());
    let why = lines.next().unwrap();
    assert!(why["refused"]["why"].as_str().unwrap().contains("can't be read"), "{why}");
    let why = lines.next().unwrap();
    assert!(why["refused"]["why"].as_str().unwrap().contains("ask to work it first"), "{why}");
    assert!(lines.next().unwrap()["open"].is_object());
    stream.write_all(&vec![b'x'; 3 << 20]).unwrap();
    drop(stream);
    drop(lines);
    eventually("the rig is free", || {
        let pulse = command(&lab.path("box1.toml")).args(["pulse", "light.left", "10ms"]).output().unwrap();
        pulse.status.success().then_some(())
    });
}
