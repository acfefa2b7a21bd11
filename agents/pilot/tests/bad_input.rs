//! What bad input gets: one clear message, an exit status that is not 0, and
//! nothing half-written.

use std::process::Output;

use crate::common::{Lab, eventually, pilot, program, refusal};
use bramble_link::{Endpoint, Event, Me, MemoryOutbox, Terms, dial, listen};

/// Runs a pilot that must not start.
fn start_pilot(config: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pilot.toml");
    std::fs::write(&path, config.replace("FOLDER", &folder.path().display().to_string())).unwrap();
    let mut pilot = program("bramble-pilot");
    pilot.current_dir(&folder).args(["--config", path.to_str().unwrap()]).args(arguments).output().unwrap()
}

const SMALL: &str = "name = \"box1\"\nterminal = \"ipc://FOLDER/terminal.sock\"\ndata = \"data\"\n";

#[test]
fn a_configuration_with_a_mistake_is_shown_with_its_place() {
    let misspelt = refusal(&start_pilot(&format!("{SMALL}sped = 3\n"), &[]));
    assert!(misspelt.contains("pilot.toml:4:1: unknown field `sped`"), "{misspelt}");
    let nowhere = refusal(&start_pilot("name = \"box1\"\nterminal = \"tcp://192.168.1.5\"\n", &[]));
    assert!(nowhere.contains("pilot.toml:2:12:") && nowhere.contains("desktop:5600"), "{nowhere}");
    let absent =
        refusal(&program("bramble-pilot").args(["--config", "/nowhere/pilot.toml"]).output().unwrap());
    assert!(absent.contains("/nowhere/pilot.toml"), "{absent}");
}

#[test]
fn a_pilot_that_is_not_enrolled_goes_nowhere_on_the_network_and_says_how_to_be() {
    let abroad = "name = \"box1\"\nterminal = \"tcp://192.168.1.5:5600\"\ndata = \"data\"\n";
    let said = refusal(&start_pilot(abroad, &[]));
    assert!(said.contains("bramble-terminal invite box1"), "{said}");
    let children = format!("{SMALL}children = \"tcp://0.0.0.0:0\"\n");
    let said = refusal(&start_pilot(&children, &[]));
    assert!(said.contains("the pilot `box1` isn't enrolled"), "{said}");
}

#[test]
fn arguments_that_can_not_be_are_refused_with_what_could() {
    let animal = refusal(&start_pilot(SMALL, &["--animal", "lerner"]));
    assert!(animal.contains("did you mean `learner`"), "{animal}");
    let speed = refusal(&start_pilot(SMALL, &["--speed", "fast"]));
    assert!(speed.contains("`fast` is not a speed"), "{speed}");
    let name = refusal(&start_pilot(SMALL, &["--name", "box 1"]));
    assert!(name.contains("can't be a name"), "{name}");
}

#[test]
fn a_data_folder_that_can_not_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let data = file.join("data");
    let said = refusal(&start_pilot(SMALL, &["--data", data.to_str().unwrap()]));
    assert!(said.contains("the data folder") && said.contains("--data DIR"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "in the way");
}

#[test]
fn two_pilots_can_not_have_one_data_folder() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &[]);
    let config = lab.path("box1.toml");
    let mut second = program("bramble-pilot");
    let said =
        refusal(&second.args(["--config", config.to_str().unwrap(), "--name", "box2"]).output().unwrap());
    assert!(said.contains("journal.sqlite"), "{said}");
}

#[test]
fn a_start_that_can_not_be_is_refused_before_anything_is_written() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &["--speed", "20"]);
    let start = |task: &str| lab.refused(&["start", "M001", "--pilot", "box1", "--task", task]);

    let port = lab.file(
        "up.star",
        "poke = hardware(digital_input, ports = [\"up\"])\n\
         task(stages = trials(body = state(\"wait\", on = {poke[\"up\"].rises: done})))\n",
    );
    let said = start(&port);
    assert!(said.contains("no port `up` of `poke`; it has center, left, right"), "{said}");

    let said = start(&lab.task("fixed_ratio.star"));
    assert!(said.contains("the child wheels, which has `wheel`, is not there"), "{said}");

    let mistake = lab.file("mistake.star", "task(stages = trials(body = stat(\"wait\")))\n");
    let said = start(&mistake);
    assert!(said.contains("mistake.star:1:") && said.contains("stat"), "{said}");

    let said = lab.refused(&["start", "M002", "--pilot", "box1", "--task", &lab.task("free_water.star")]);
    assert!(said.contains("M002"), "{said}");

    let protocol = lab.file(
        "tasks/protocols/short.star",
        "protocol(name = \"short\", steps = [step(\"first\", task = \"../free_water.star\", graduate = trials(5))])\n",
    );
    lab.say(&["subject", "assign", "M001", &protocol]);
    std::fs::remove_file(&protocol).unwrap();
    let said = lab.refused(&["start", "M001", "--pilot", "box1"]);
    assert!(said.contains("short.star"), "{said}");

    let subject = lab.until(&["subject", "show", "M001", "--json"], |_| true);
    assert_eq!(subject["sessions"], serde_json::json!([]), "nothing was started");
}

#[test]
fn a_busy_pilot_says_whose_session_it_runs() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &["--speed", "20"]);
    lab.say(&["subject", "add", "M002"]);
    let task = lab.task("free_water.star");
    lab.say(&["start", "M001", "--pilot", "box1", "--task", &task]);
    let said = lab.refused(&["start", "M002", "--pilot", "box1", "--task", &task]);
    assert!(said.contains("box1") && said.contains("M001"), "{said}");
    lab.say(&["stop", "M001"]);
    lab.after_sessions(1);
}

#[test]
fn agents_of_another_version_are_told_so_and_harm_nothing() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &["--speed", "max"]);
    let mut child = Me::new("wheels".parse().unwrap(), "child", "pilot");
    child.version = bramble_link::VERSION + 1;
    let pilot_listens: Endpoint = lab.endpoint("box1").parse().unwrap();
    let (_dialer, events) = dial(pilot_listens, child, Terms::new(MemoryOutbox::new())).unwrap();
    let refusal = eventually("the child is refused", || match events.recv().unwrap() {
        Event::Refused(refusal) => Some(refusal.to_string()),
        _ => None,
    });
    assert!(refusal.contains("version"), "{refusal}");
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["children"][0]["here"] == false);

    let mut terminal = Me::new("desk".parse().unwrap(), "terminal", "pilot");
    terminal.version = bramble_link::VERSION + 1;
    let elsewhere = lab.endpoint("newer");
    let terms = |_: &bramble_value::Name| Ok(Terms::new(MemoryOutbox::new()));
    let (_listener, _events) = listen(elsewhere.parse::<Endpoint>().unwrap(), terminal, terms).unwrap();
    lab.end("box1");
    lab.start_pilot_alone("box1", &["--terminal", &elsewhere]);
    eventually("the pilot says so", || lab.log("box1").contains("does not talk to this pilot").then_some(()));
    assert!(lab.log("box1").contains("version"), "{}", lab.log("box1"));
    assert_eq!(lab.end("box1"), Some(0));
}
