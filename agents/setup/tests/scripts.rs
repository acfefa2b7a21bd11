//! Without anybody to ask: by options and files, as scripts do it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A home folder, in which a pilot is set up.
struct Home(TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self) -> String {
        fs::read_to_string(self.path("pilot.toml")).unwrap()
    }

    /// Files beside the configuration, by how their names begin.
    fn like(&self, start: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.0.path()).unwrap().flatten().map(|entry| entry.path());
        entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(start)).collect()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut setup = Command::new(env!("CARGO_BIN_EXE_bramble-setup"));
        setup
            .env("HOME", self.0.path())
            .env("NO_COLOR", "1")
            .env_remove("SUDO_USER")
            .current_dir(self.0.path());
        setup.args(["pilot", "--config", "pilot.toml", "--service", "none", "--check", "none"]);
        setup.args(arguments).output().unwrap()
    }

    fn works(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// What a command that must not work says, on one line.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        let said = text(&output.stderr);
        said.split_whitespace()
            .filter(|word| !["×", "│", "help:"].contains(word))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const RIG: &str = "\
# The box by the window.
[rig]
chip = \"pinctrl-bcm2711\"

[rig.devices.light] # a white one
kind = \"digital_output\"
driver = \"gpiocdev\"
pin = \"header 29\"
";

#[test]
fn keys_that_are_right_only_together_are_set_together_in_any_order() {
    let home = Home::new();
    fs::write(home.path("rig.toml"), RIG).unwrap();
    let usual = [
        "--from",
        "rig.toml",
        "--name",
        "box2",
        "--terminal",
        "lab",
        "--children",
        "ipc:///run/children.sock",
    ];
    let light = |key: &str| format!("rig.devices.light.{key}");
    let set = [light("driver=child"), light("child=ch1"), light("pin=")];
    for order in [[0, 1, 2], [2, 1, 0]] {
        let mut options = usual.to_vec();
        order.iter().for_each(|place| options.extend(["--set", &set[*place]]));
        let said = home.works(&[&options[..], &["--dry-run"]].concat());
        assert!(said.contains("child = \"ch1\""), "{said}");
    }
    let refused = |one: &str, other: &str| {
        home.refused(&[&usual[..], &["--set", one, "--set", other, "--yes"]].concat())
    };
    let said = refused("rig.core=3", &set[0]);
    assert!(said.contains(&format!("--set {} can't be", set[0])) && !said.contains("rig.core"), "{said}");
}

#[test]
fn a_terminal_has_the_shipped_tasks_and_keeps_what_was_made_of_them() {
    let home = Home::new();
    let run = |arguments: &[&str]| {
        let mut setup = Command::new(env!("CARGO_BIN_EXE_bramble-setup"));
        setup.env("HOME", home.0.path()).env("NO_COLOR", "1").env_remove("SUDO_USER");
        setup.current_dir(home.0.path());
        setup.args(["terminal", "--config", "terminal.toml", "--service", "none", "--yes"]);
        let output = setup.args(arguments).output().unwrap();
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    };
    let said = run(&["--set", "data=lab"]);
    assert!(said.contains("the shipped tasks and protocols are in"), "{said}");
    let protocol = home.path("lab/tasks/protocols/water_to_choice.star");
    assert!(protocol.is_file() && home.path("lab/tasks/lib/bias.star").is_file());
    fs::remove_file(&protocol).unwrap();
    let said = run(&[]);
    assert!(!said.contains("shipped tasks and protocols are"), "{said}");
    assert!(!protocol.exists(), "what was taken out doesn't come back");
    run(&["--set", "web.tasks=mine"]);
    assert!(home.path("mine/cued_choice.star").is_file(), "beside the configuration, as it says");
}

#[test]
fn a_box_is_set_up_by_the_rig_of_another_and_set_up_again() {
    let home = Home::new();
    fs::write(home.path("rig.toml"), RIG).unwrap();
    let said = home.works(&["--from", "rig.toml", "--name", "box7", "--terminal", "lab", "--yes"]);
    assert!(said.contains("is written, for box7"), "{said}");
    assert!(said.contains("bramble-terminal invite box7"), "{said}");
    let file = home.file();
    for part in
        ["name = \"box7\"", "terminal = \"tcp://lab:5600\"", "# The box by the window.", "# a white one"]
    {
        assert!(file.contains(part), "{part} is not in\n{file}");
    }

    // What a file doesn't say is kept from the one that is there.
    let wider = RIG.replace("header 29", "header 31");
    fs::write(home.path("rig.toml"), &wider).unwrap();
    home.works(&["--from", "rig.toml", "--yes"]);
    assert!(home.file().contains("header 31") && home.file().contains("name = \"box7\""), "{}", home.file());
    let copies = home.like("pilot.toml.");
    assert_eq!(fs::read_to_string(&copies[0]).unwrap(), file);

    let said = home.works(&["--yes"]);
    assert!(said.contains("says just that already"), "{said}");
    assert_eq!((copies.len(), home.like("pilot.toml.").len()), (1, 1));
}

#[test]
fn a_box_whose_rig_alone_is_known_looks_for_its_terminal() {
    let home = Home::new();
    fs::write(home.path("rig.toml"), RIG).unwrap();
    home.works(&["--from", "rig.toml", "--name", "box7", "--yes"]);
    assert!(home.file().contains("terminal = \"find\""), "{}", home.file());
}

#[test]
fn a_file_that_is_not_there_is_refused_with_one_cause() {
    let said = Home::new().refused(&["--from", "absent.toml", "--yes"]);
    assert_eq!(said.matches("No such file").count(), 1, "{said}");
}

#[test]
fn a_dry_run_shows_everything_and_writes_nothing() {
    let home = Home::new();
    let said = home.works(&["--template", "pi", "--name", "box2", "--set", "rig.core=3", "--dry-run"]);
    for part in ["1. write", "name = \"box2\"", "core = 3", "# Infrared beams"] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    assert!(home.like("").is_empty());
}

#[test]
fn an_answer_that_can_not_be_is_refused_with_what_to_write_and_nothing_is_written() {
    let home = Home::new();
    fs::write(home.path("broken.toml"), "name = \"box\n").unwrap();
    fs::write(home.path("wrong.toml"), RIG.replace("header 29", "header 6")).unwrap();
    for (arguments, says) in [
        (
            &["--template", "pi", "--terminal", "tcp://lab", "--yes"] as &[&str],
            "--terminal can't be: `tcp://lab` is not",
        ),
        (&["--template", "pi", "--journal-limit", "much", "--yes"], "--journal-limit can't be"),
        (&["--template", "pi", "--set", "rig.devices.poke.pull=\"upp\"", "--yes"], "did you mean `up`?"),
        (&["--template", "pi", "--set", "rig.devices.valve.longest_on=", "--yes"], "needs a `longest_on`"),
        (&["--template", "pi", "--set", "nonsense", "--yes"], "write KEY=VALUE"),
        (&["--template", "pi", "--listen", "tcp://0.0.0.0:1", "--yes"], "it is no answer of a pilot"),
        (&["--template", "pi", "--user", "Ada L", "--yes"], "no user's name"),
        (&["--from", "broken.toml", "--yes"], "broken.toml:1"),
        (&["--from", "absent.toml", "--yes"], "absent.toml can't be read"),
        (&["--from", "wrong.toml", "--terminal", "lab", "--yes"], "header 6 is ground"),
        (&["--from", "wrong.toml", "--yes"], "header 6 is ground"),
        (&["--template", "pi"], "say --yes"),
    ] {
        let said = home.refused(arguments);
        assert!(said.contains(says), "{arguments:?}: {said}");
        assert!(home.like("pilot").is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_configuration_that_is_there_and_broken_is_left_as_it_is() {
    let home = Home::new();
    fs::write(home.path("pilot.toml"), "name = \"box\n").unwrap();
    let said = home.refused(&["--yes"]);
    assert!(said.contains("pilot.toml:1") && said.contains("move it away"), "{said}");
    assert_eq!(home.file(), "name = \"box\n");
}

#[test]
fn a_pilot_in_a_session_is_left_alone_and_one_that_is_idle_is_not() {
    let home = Home::new();
    home.works(&["--template", "simulated", "--name", "box1", "--data", "data", "--yes"]);
    let before = home.file();
    fs::create_dir_all(home.path("data")).unwrap();
    let door = UnixListener::bind(home.path("data/hand.sock")).unwrap();
    let busy = "{\"refused\":{\"why\":\"box1 is busy: it runs a session of M001\",\"busy\":true}}\n";
    let idle = "{\"note\":{\"text\":\"x\",\"time_ns\":1}}\n{\"open\":{\"pilot\":\"box1\"}}\n";
    // Whoever asks first finds it in a session, the next finds it idle and has it in the
    // hand, and nobody else can while that is so.
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for answer in [busy, idle].into_iter().chain(std::iter::repeat(busy)) {
            let (mut stream, _) = door.accept().unwrap();
            let mut asked = String::new();
            BufReader::new(stream.try_clone().unwrap()).read_line(&mut asked).unwrap();
            assert!(asked.starts_with("{\"work\""), "{asked}");
            stream.write_all(answer.as_bytes()).unwrap();
            open.push(stream);
        }
    });
    let said = home.refused(&["--set", "journal_limit=3 GB", "--yes"]);
    assert!(said.contains("box1 is busy: it runs a session of M001"), "{said}");
    assert_eq!(home.file(), before);
    home.works(&["--set", "journal_limit=3 GB", "--yes"]);
    assert!(home.file().contains("journal_limit = \"3 GB\""));
}

#[test]
fn a_code_that_does_not_work_leaves_the_rest_done() {
    let home = Home::new();
    let joining =
        ["--template", "simulated", "--name", "box1", "--terminal", "127.0.0.1:1", "--code", "k7qf-2mxp"];
    let output = home.run(&[&joining as &[&str], &["--yes"]].concat());
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("FAILED   it did not join: no terminal answers at 127.0.0.1:1"), "{said}");
    assert!(home.file().contains("terminal = \"tcp://127.0.0.1:1\""));
}

#[test]
fn nobody_has_to_read_what_is_done() {
    let home = Home::new();
    let mut setup = Command::new(env!("CARGO_BIN_EXE_bramble-setup"));
    setup.args(["pilot", "--template", "simulated", "--config"]).arg(home.path("pilot.toml"));
    setup.args(["--service", "none", "--check", "none", "--yes"]).env("HOME", home.0.path());
    let mut setup = setup.stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(setup.stdout.take());
    assert!(setup.wait().unwrap().success());
    assert!(home.file().contains("name = "));
}

#[test]
fn nothing_works_pins_that_nobody_has_named() {
    let home = Home::new();
    let mut setup = Command::new(env!("CARGO_BIN_EXE_bramble-setup"));
    let output = setup.args(["pilot", "--pretend", "Raspberry Pi 4 Model B", "--yes"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("nothing says what the rig is"), "{}", text(&output.stderr));
    drop(home);
}
