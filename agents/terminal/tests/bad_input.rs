//! Each thing that a person can get wrong: one clear message, an exit status that
//! is not 0, and nothing half-written.

use std::os::unix::fs::PermissionsExt;

use crate::common::{Pilot, Terminal, bramble_terminal, eventually, refusal};
use bramble_message::{Activity, Progress};

fn busy_with(subject: &str) -> Activity {
    Activity::Running(Progress {
        session: uuid::Uuid::from_u128(1),
        subject: subject.parse().unwrap(),
        owner: "alice@desk".parse().unwrap(),
        task: "free_water".into(),
        hold: None,
        trial: 3,
        stages: Vec::new(),
        water: 12.0,
        seconds: 60.0,
        valves: Vec::new(),
    })
}

#[test]
fn a_subject_that_does_not_exist() {
    let terminal = Terminal::start();
    let said = terminal.refused(&["start", "M009", "--pilot", "box1"]);
    assert_eq!(
        said,
        "there is no subject M009\n\
         help: bramble-terminal subject list shows those there are; subject add M009 adds it"
    );
    assert!(terminal.refused(&["subject", "show", "M009"]).starts_with("there is no subject M009"));
    assert!(terminal.refused(&["subject", "history", "M009"]).starts_with("there is no subject M009"));
}

#[test]
fn a_subject_that_exists_already() {
    let terminal = Terminal::start();
    terminal.say(&["subject", "add", "M001", "--strain", "C57BL/6J"]);
    let file = terminal.data().join("subjects/M001.h5");
    let before = std::fs::read(&file).unwrap();
    let said = terminal.refused(&["subject", "add", "M001", "--strain", "other"]);
    assert_eq!(
        said,
        format!(
            "there is a subject M001 already, in {}\nhelp: choose another name; nothing was changed",
            file.display()
        )
    );
    assert!(std::fs::read(&file).unwrap() == before, "the file is untouched");
}

#[test]
fn a_subject_with_a_name_that_is_no_name() {
    let terminal = Terminal::start();
    let said = terminal.refused(&["subject", "add", "../M001"]);
    assert!(said.contains("`../M001` can't be a subject's name: use letters, digits, - and _"), "{said}");
}

#[test]
fn a_data_folder_that_can_not_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let said = refusal(&bramble_terminal(&file.join("lab")).arg("serve").output().unwrap());
    assert!(
        said.starts_with(&format!("the data folder {}/lab can't be written: ", file.display())),
        "{said}"
    );
    assert!(
        said.contains("help: give this user the right to write there, or name another folder with --data")
    );
}

#[test]
fn a_data_folder_that_can_not_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("lab");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o500)).unwrap();
    if std::fs::write(data.join("probe"), "").is_ok() {
        // To root nothing is unwritable.
        return;
    }
    let said = refusal(&bramble_terminal(&data).arg("serve").output().unwrap());
    assert!(said.starts_with(&format!("the data folder {} can't be written: ", data.display())), "{said}");
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), 0, "nothing was left in it");
}

#[test]
fn a_second_terminal_on_one_data_folder() {
    let terminal = Terminal::start();
    let said = terminal.refused(&["serve", "--listen", "tcp://127.0.0.1:0"]);
    let data = terminal.data();
    assert!(
        said.starts_with(&format!("a terminal runs on the data folder {} already: ", data.display())),
        "{said}"
    );
    terminal.say(&["status"]);
}

#[test]
fn a_command_when_no_terminal_runs() {
    let folder = tempfile::tempdir().unwrap();
    let said = refusal(&bramble_terminal(folder.path()).arg("status").output().unwrap());
    let data = folder.path().display();
    assert_eq!(
        said,
        format!(
            "no terminal runs on the data folder {data}\n\
             help: start it in another window: bramble-terminal serve --data {data}"
        )
    );
}

#[test]
fn a_pilot_that_never_called() {
    let terminal = Terminal::start();
    terminal.say(&["subject", "add", "M001"]);
    let said = terminal.refused(&["start", "M001", "--pilot", "box9"]);
    assert_eq!(
        said,
        "no pilot box9 is here (no pilot is)\nhelp: start it on its computer: bramble-pilot --config FILE"
    );
}

#[test]
fn a_pilot_that_is_busy() {
    let terminal = Terminal::start();
    terminal.say(&["subject", "add", "M001"]);
    let _pilot = terminal.pilot("box1", busy_with("M002"));
    let said = terminal.refused(&["start", "M001", "--pilot", "box1"]);
    assert_eq!(
        said,
        "box1 is busy: it runs alice@desk's session of M002 (free_water)\n\
         help: wait for its end, or stop it: bramble-terminal stop --pilot box1"
    );
}

#[test]
fn a_subject_that_is_in_a_session_elsewhere() {
    let terminal = Terminal::start();
    terminal.say(&["subject", "add", "M001"]);
    let _one = terminal.pilot("box1", busy_with("M001"));
    let _other = terminal.pilot("box2", Activity::Idle);
    let said = terminal.refused(&["start", "M001", "--pilot", "box2"]);
    assert_eq!(
        said,
        "M001 is in a session of free_water already, on box1\n\
         help: stop that session first: bramble-terminal stop M001"
    );
}

#[test]
fn a_pilot_that_went_away() {
    let terminal = Terminal::start();
    terminal.say(&["subject", "add", "M001"]);
    drop(terminal.pilot("box1", Activity::Idle));
    terminal.until(&["status", "--json"], |status| status["pilots"][0]["here"] == false);
    let said = terminal.refused(&["start", "M001", "--pilot", "box1"]);
    assert!(said.starts_with("box1 is away since "), "{said}");
}

#[test]
fn a_pilot_of_another_version() {
    let terminal = Terminal::start();
    terminal.say(&["subject", "add", "M001"]);
    let _pilot = Pilot::dial(terminal.folder.path(), "box1", Activity::Idle, 999);
    let said = eventually(|| {
        let said = terminal.refused(&["start", "M001", "--pilot", "box1"]);
        said.starts_with("box1 can't be talked to").then_some(said)
    });
    assert!(said.contains("version 999") && said.contains("install the same Bramble on both"), "{said}");
}

#[test]
fn a_subject_without_a_protocol() {
    let terminal = Terminal::start();
    terminal.say(&["subject", "add", "M001"]);
    let _pilot = terminal.pilot("box1", Activity::Idle);
    let said = terminal.refused(&["start", "M001", "--pilot", "box1"]);
    assert_eq!(
        said,
        "M001 is assigned to no protocol\n\
         help: assign it: bramble-terminal subject assign M001 PROTOCOL; or run one task: --task FILE"
    );
}

#[test]
fn a_stop_of_a_subject_that_is_in_no_session() {
    let terminal = Terminal::start();
    terminal.say(&["subject", "add", "M001"]);
    assert_eq!(
        terminal.refused(&["stop", "M001"]),
        "M001 is in no session\nhelp: bramble-terminal status shows who is"
    );
}

#[test]
fn a_configuration_with_a_misspelt_setting() {
    let terminal = Terminal::start();
    let config = terminal.file("terminal.toml", "litsen = \"tcp://127.0.0.1:5600\"\n");
    let said = terminal.refused(&["status", "--config", &config]);
    assert!(said.contains(&format!("{config}:1:1: unknown field `litsen`")), "{said}");
    assert!(said.contains("did you mean `listen`?"), "{said}");
}

#[test]
fn an_endpoint_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bramble_terminal(folder.path());
    let said = refusal(&command.args(["serve", "--listen", "tcp://*:5600"]).output().unwrap());
    assert!(said.contains("`tcp://*:5600` is not an endpoint"), "{said}");
}

#[test]
fn keys_that_others_can_read() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    bramble_identity::Authority::open(&keys).unwrap();
    let secret = keys.join("authority.pem");
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let mut command = bramble_terminal(folder.path());
    let said = refusal(&command.args(["serve", "--listen", "tcp://127.0.0.1:0"]).output().unwrap());
    assert!(said.contains("authority.pem is a secret") && said.contains("chmod 600"), "{said}");
}
