//! Sessions, from a person's word to the subject file, with a pilot that does
//! what the test says.

use crate::common::{ONE_COLUMN, Pilot, Terminal, drop_of_water, ended, request, started, trials};
use bramble_message::{Activity, Command, PilotToTerminal, When};
use bramble_value::Seed;
use uuid::Uuid;

/// A terminal with the subject M001.
pub(crate) fn terminal() -> Terminal {
    let terminal = Terminal::start();
    terminal.say(&["subject", "add", "M001", "--species", "Mus musculus"]);
    terminal
}

/// The subject's only session, once it is as it should be.
fn session(terminal: &Terminal, so: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    let show = terminal.until(&["subject", "show", "M001", "--json"], |subject| so(&subject["sessions"][0]));
    assert_eq!(show["sessions"].as_array().unwrap().len(), 1);
    show["sessions"][0].clone()
}

/// The subject's only session, once it has ended.
fn ended_session(terminal: &Terminal) -> serde_json::Value {
    session(terminal, |session| session["end"].is_object())
}

/// Starts a session of a task on box1, which agrees.
pub(crate) fn start(terminal: &Terminal, pilot: &Pilot, arguments: &[&str]) -> Uuid {
    let mut all = vec!["start", "M001", "--pilot", "box1"];
    all.extend(arguments);
    std::thread::scope(|scope| {
        let said = scope.spawn(|| terminal.say(&all));
        let (ask, request) = pilot.start();
        let session = request.session;
        pilot.answer(ask, Ok(()));
        pilot.say(&started(request));
        assert!(said.join().unwrap().starts_with("M001 started "));
        session
    })
}

#[test]
fn what_a_pilot_sends_is_in_the_subject_file() {
    let terminal = terminal();
    let pilot = terminal.pilot("box1", Activity::Idle);
    let request = request("M001");
    let session = request.session;
    pilot.say(&started(request));
    pilot.say(&trials(session, 1, &[true, false]));
    pilot.say(&drop_of_water(session));
    pilot.say(&trials(session, 3, &[true, true]));
    pilot.say(&ended(session, false));
    let one = ended_session(&terminal);
    assert_eq!((&one["end"]["correct"], &one["end"]["water"]), (&0.75.into(), &4.0.into()));
    let shown = terminal.say(&["subject", "show", "M001"]);
    assert!(shown.contains("75 %") && shown.contains("4 uL"), "{shown}");
    assert_eq!((&one["task"], &one["pilot"], &one["trials"]), (&"t".into(), &"box1".into(), &4.into()));
    assert_eq!((&one["uuid"], &one["end"]["ending"]), (&session.to_string().into(), &"done".into()));
}

#[test]
fn a_terminal_that_comes_back_goes_on_with_the_session_it_finds() {
    let mut terminal = terminal();
    let pilot = terminal.pilot("box1", Activity::Idle);
    let request = request("M001");
    let session = request.session;
    pilot.say(&started(request));
    pilot.say(&trials(session, 1, &[true]));
    self::session(&terminal, |session| session["trials"] == 1);
    assert_eq!(terminal.end(), Some(0), "a terminal that is told to end does so well");
    pilot.say(&trials(session, 2, &[true, true]));
    terminal.restart_after_end();
    pilot.say(&ended(session, false));
    let session = ended_session(&terminal);
    assert_eq!((&session["trials"], &session["end"]["ending"]), (&3.into(), &"done".into()));
}

#[test]
fn a_terminal_that_comes_back_before_a_pilot_knows_what_that_was_doing() {
    let mut terminal = terminal();
    let pilot = terminal.pilot("box1", Activity::Idle);
    let request = request("M001");
    let session = request.session;
    pilot.say(&started(request));
    pilot.say(&trials(session, 1, &[true, false]));
    self::session(&terminal, |session| session["trials"] == 2);
    drop(pilot);
    terminal.kill();
    terminal.restart_after_end();
    let status =
        terminal.until(&["status", "--json"], |status| status["pilots"][0]["session"]["trials"] == 2);
    let away = &status["pilots"][0];
    assert_eq!((&away["name"], &away["here"]), (&"box1".into(), &false.into()));
    assert_eq!(
        (&away["session"]["subject"], &away["session"]["owner"]),
        (&"M001".into(), &"alice@desk".into())
    );
    assert!(terminal.say(&["status"]).contains("nothing was heard of it since this terminal started"));

    let _other = terminal.pilot("box2", Activity::Idle);
    let file = terminal.file("t.star", ONE_COLUMN);
    let said = terminal.refused(&["start", "M001", "--pilot", "box2", "--task", &file]);
    assert!(said.starts_with("M001 is in a session of t already, on box1"), "{said}");
    let _pilot = terminal.pilot("box1", Activity::Idle);
    terminal.until(&["status", "--json"], |status| status["pilots"][0]["session"].is_null());
}

#[test]
fn a_task_is_started_with_its_sources_and_shown_while_it_runs() {
    let terminal = terminal();
    let pilot = terminal.pilot("box1", Activity::Idle);
    let file = terminal.file("lick.star", ONE_COLUMN);
    let arguments =
        ["start", "M001", "--pilot", "box1", "--task", &file, "--param", "reward=4 uL", "--trials", "50"];
    std::thread::scope(|scope| {
        let said = scope.spawn(|| terminal.say(&arguments));
        let (ask, request) = pilot.start();
        assert_eq!(request.task.files[&request.task.root], ONE_COLUMN);
        assert_eq!((request.parameters["reward"].clone(), request.trials), ("4 uL".into(), Some(50)));
        let session = request.session;
        pilot.answer(ask, Ok(()));
        pilot.say(&started(request));
        assert_eq!(said.join().unwrap(), "M001 started lick on box1\nit was never weighed");
        pilot.say(&trials(session, 1, &[true, true, false, true]));
    });
    let status =
        terminal.until(&["status", "--json"], |status| status["pilots"][0]["session"]["trials"] == 4);
    assert_eq!(status["pilots"][0]["session"]["correct"], 0.75);
    let line = terminal.say(&["status"]);
    assert!(line.contains("M001") && line.contains("lick") && line.contains("75 %"), "{line}");
}

#[test]
fn one_seed_of_the_terminal_gives_each_session_of_a_subject_its_own_every_time() {
    let seeds = || -> Vec<Seed> {
        let terminal = terminal();
        let pilot = terminal.pilot("box1", Activity::Idle);
        let file = terminal.file("lick.star", ONE_COLUMN);
        let one = || {
            std::thread::scope(|scope| {
                let said =
                    scope.spawn(|| terminal.say(&["start", "M001", "--pilot", "box1", "--task", &file]));
                let (ask, request) = pilot.start();
                let (session, seed) = (request.session, request.seed);
                pilot.answer(ask, Ok(()));
                pilot.say(&started(request));
                said.join().unwrap();
                pilot.say(&ended(session, false));
                terminal.until(&["status", "--json"], |status| status["pilots"][0]["session"].is_null());
                seed
            })
        };
        vec![one(), one()]
    };
    let first = seeds();
    assert_ne!(first[0], first[1]);
    assert_eq!(first, seeds());
}

#[test]
fn what_a_pilot_refuses_is_said_and_leaves_nothing() {
    let terminal = terminal();
    let pilot = terminal.pilot("box1", Activity::Idle);
    let file = terminal.file("lick.star", ONE_COLUMN);
    std::thread::scope(|scope| {
        let said = scope.spawn(|| terminal.refused(&["start", "M001", "--pilot", "box1", "--task", &file]));
        let (ask, _) = pilot.start();
        pilot.answer(ask, Err("the rig has no device `valve`"));
        assert_eq!(said.join().unwrap(), "box1 refused: the rig has no device `valve`");
    });
    let status = terminal.json(&["status", "--json"]);
    assert!(status["pilots"][0]["starting"].is_null() && status["pilots"][0]["session"].is_null());
    assert_eq!(terminal.json(&["subject", "show", "M001", "--json"])["sessions"], serde_json::json!([]));
}

#[test]
fn a_task_with_a_mistake_is_refused_before_the_pilot_hears_of_it() {
    let terminal = terminal();
    let _pilot = terminal.pilot("box1", Activity::Idle);
    let file = terminal.file("wrong.star", &ONE_COLUMN.replace("poke[\"left\"]", "poke[\"lefft\"]"));
    let said = terminal.refused(&["start", "M001", "--pilot", "box1", "--task", &file]);
    assert!(said.contains("wrong.star:10:") && said.contains("lefft"), "{said}");
    let gone = terminal.refused(&["start", "M001", "--pilot", "box1", "--task", "/nowhere/t.star"]);
    assert!(gone.contains("/nowhere/t.star"), "{gone}");
}

#[test]
fn a_parameter_out_of_its_range_is_refused() {
    let terminal = terminal();
    let _pilot = terminal.pilot("box1", Activity::Idle);
    let file = terminal.file("lick.star", ONE_COLUMN);
    let start = ["start", "M001", "--pilot", "box1", "--task", &file, "--param"];
    let too_much = terminal.refused(&[&start[..], &["reward=50 uL"]].concat());
    assert!(too_much.contains("reward") && too_much.contains("10 uL"), "{too_much}");
    let unknown = terminal.refused(&[&start[..], &["rewrad=5 uL"]].concat());
    assert!(unknown.contains("rewrad") && unknown.contains("reward"), "{unknown}");
}

#[test]
fn a_session_is_stopped_and_told_by_whom() {
    let terminal = terminal();
    let pilot = terminal.pilot("box1", Activity::Idle);
    let file = terminal.file("lick.star", ONE_COLUMN);
    let session = start(&terminal, &pilot, &["--task", &file]);
    std::thread::scope(|scope| {
        let said = scope.spawn(|| terminal.say(&["stop", "M001", "--why", "it sleeps"]));
        let (ask, command) = pilot.command();
        let Command::Stop { session: stopped, when, why } = command else { panic!("no stop: {command:?}") };
        assert_eq!((stopped, when), (session, When::Now));
        assert!(why.starts_with("stopped by ") && why.ends_with(": it sleeps"), "{why}");
        pilot.answer(ask, Ok(()));
        pilot.say(&ended(session, false));
        assert_eq!(said.join().unwrap(), "M001's session of lick on box1 was stopped");
    });
}

#[test]
fn a_session_is_spoken_to_while_it_runs() {
    let terminal = terminal();
    let pilot = terminal.pilot("box1", Activity::Idle);
    let file = terminal.file("lick.star", ONE_COLUMN);
    start(&terminal, &pilot, &["--task", &file]);
    let told = |arguments: &[&str]| {
        std::thread::scope(|scope| {
            let said = scope.spawn(|| terminal.say(arguments));
            let (ask, command) = pilot.command();
            pilot.answer(ask, Ok(()));
            (command, said.join().unwrap())
        })
    };
    let (command, said) = told(&["set", "M001", "reward=5 uL"]);
    assert!(
        matches!(command, Command::SetParameter { name, value, .. } if name == "reward" && value == "5 uL")
    );
    assert_eq!(said, "reward is 5 uL from M001's next trial on");
    let (command, _) = told(&["message", "M001", "help_animal"]);
    assert!(matches!(command, Command::Message { name, .. } if name == "help_animal"));
    let (command, said) = told(&["reward", "M001", "valve.left", "4 uL"]);
    assert!(matches!(command, Command::Reward { port, .. } if port.to_string() == "valve.left"));
    assert_eq!(said, "M001 got 4 uL from valve.left");
}

/// Two steps of one task.
pub(crate) const PROTOCOL: &str = r#"
protocol(
    name = "water",
    steps = [
        step("easy", task = "lick.star", params = {"reward": "5 uL"}, graduate = trials(3)),
        step("hard", task = "lick.star", graduate = accuracy("outcome", of = "correct", at_least = 0.9, window = 10)),
    ],
)
"#;

/// M001 on the protocol.
pub(crate) fn assigned(terminal: &Terminal) -> String {
    terminal.file("lick.star", ONE_COLUMN);
    let protocol = terminal.file("water.star", PROTOCOL);
    let said = terminal.say(&["subject", "assign", "M001", &protocol]);
    assert_eq!(said, format!("M001 is at step 1 easy of {protocol}"));
    protocol
}

#[test]
fn a_subject_that_graduates_goes_on_with_the_next_step_by_itself_until_its_protocol_is_finished() {
    let terminal = terminal();
    let protocol = assigned(&terminal);
    let pilot = terminal.pilot("box1", Activity::Idle);
    let first = start(&terminal, &pilot, &["--trials", "10"]);
    pilot.say(&trials(first, 1, &[true, false, true]));
    pilot.say(&ended(first, true));

    let (ask, request) = pilot.start();
    let graduation = request.graduation.clone().unwrap();
    assert_eq!(
        (graduation.step, request.trials),
        (1, Some(7)),
        "the next step, with the trials that are left"
    );
    assert!(!request.parameters.contains_key("reward"), "its parameters are its own");
    let second = request.session;
    pilot.answer(ask, Ok(()));
    pilot.say(&started(request));
    let training = terminal.json(&["subject", "show", "M001", "--json"])["training"].clone();
    assert_eq!((&training["label"], &training["finished"]), (&"2 hard".into(), &false.into()));
    pilot.say(&ended(second, true));

    terminal.until(&["subject", "show", "M001", "--json"], |subject| subject["training"]["finished"] == true);
    let history = terminal.json(&["subject", "history", "M001", "--json"]);
    let changes: Vec<_> = history.as_array().unwrap()[1..]
        .iter()
        .map(|change| ["what", "from", "to"].map(|field| change[field].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(
        changes,
        [
            ["protocol", "", &protocol],
            ["step", "", "1 easy"],
            ["graduated", "1 easy", "2 hard"],
            ["graduated", "2 hard", "protocol finished"],
        ]
    );
    let said = terminal.refused(&["start", "M001", "--pilot", "box1"]);
    assert!(said.starts_with("M001 has finished its protocol"), "{said}");
}

#[test]
fn a_session_is_over_once_its_pilot_is_here_without_the_journal_that_has_its_end() {
    let terminal = terminal();
    let pilot = terminal.pilot("box1", Activity::Idle);
    let task = terminal.file("lick.star", ONE_COLUMN);
    let session = start(&terminal, &pilot, &["--task", &task]);
    pilot.say(&trials(session, 1, &[true, false]));
    terminal.until(&["subject", "show", "M001", "--json"], |subject| subject["sessions"][0]["trials"] == 2);
    drop(pilot);
    let _new = terminal.pilot("box1", Activity::Idle);
    let one = ended_session(&terminal);
    assert_eq!((&one["end"]["ending"], &one["trials"]), (&"error".into(), &2.into()));
    let why = "box1 came back with another journal: what it observed last is not here";
    assert_eq!(one["end"]["why"], why);
    assert_eq!(one["end"]["correct"], 0.5);
}

#[test]
fn a_session_that_is_given_up_for_another_start_is_over() {
    let terminal = terminal();
    let pilot = terminal.pilot("box1", Activity::Idle);
    let task = terminal.file("lick.star", ONE_COLUMN);
    start(&terminal, &pilot, &["--task", &task]);
    drop(pilot);
    terminal.until(&["status", "--json"], |status| status["pilots"][0]["here"] == false);
    let other = terminal.pilot("box2", Activity::Idle);
    let all = ["start", "M001", "--pilot", "box2", "--task", &task, "--abandon", "--who", "ada@desk"];
    std::thread::scope(|scope| {
        let said = scope.spawn(|| terminal.say(&all));
        let (ask, request) = other.start();
        other.answer(ask, Ok(()));
        other.say(&started(request));
        assert!(said.join().unwrap().starts_with("M001 started "));
    });
    let is_over = |subject: &serde_json::Value| subject["sessions"][0]["end"].is_object();
    let shown = terminal.until(&["subject", "show", "M001", "--json"], is_over);
    assert_eq!(shown["sessions"][0]["end"]["why"], "given up: M001 began another session, on box2");
    assert!(shown["sessions"][1]["end"].is_null());
}

#[test]
fn a_session_that_began_before_and_is_told_of_late_ends_none_that_runs() {
    let terminal = terminal();
    let pilot = terminal.pilot("box1", Activity::Idle);
    let task = terminal.file("lick.star", ONE_COLUMN);
    let session = start(&terminal, &pilot, &["--task", &task]);
    let other = terminal.pilot("box2", Activity::Idle);
    let PilotToTerminal::Started(mut older) = started(request("M001")) else { panic!("it started") };
    older.unix_ns -= 3_600_000_000_000;
    other.say(&PilotToTerminal::Started(older));
    terminal.until(&["subject", "show", "M001", "--json"], |subject| subject["sessions"][1].is_object());
    pilot.say(&trials(session, 1, &[true]));
    let shown = terminal
        .until(&["subject", "show", "M001", "--json"], |subject| subject["sessions"][0]["trials"] == 1);
    assert!(shown["sessions"][0]["end"].is_null(), "{shown}");
}

#[test]
fn graduation_is_told_the_trials_of_the_step_that_came_before() {
    let terminal = terminal();
    assigned(&terminal);
    let pilot = terminal.pilot("box1", Activity::Idle);
    let first = start(&terminal, &pilot, &[]);
    pilot.say(&trials(first, 1, &[true, false]));
    pilot.say(&ended(first, false));
    terminal.until(&["status", "--json"], |status| status["pilots"][0]["session"].is_null());
    std::thread::scope(|scope| {
        let said = scope.spawn(|| terminal.say(&["start", "M001", "--pilot", "box1"]));
        let (ask, request) = pilot.start();
        assert_eq!(request.graduation.as_ref().unwrap().earlier.rows.len(), 2);
        pilot.answer(ask, Ok(()));
        pilot.say(&started(request));
        let said = said.join().unwrap();
        let (first, last) = said.split_once('\n').unwrap();
        assert_eq!(first, "M001 started step 1 easy (lick) on box1");
        assert!(
            last.starts_with("its last session: lick on box1, ")
                && last.ends_with(", 2 trials\nit was never weighed"),
            "{last}"
        );
    });
}

#[test]
fn a_person_who_moves_a_subject_while_it_runs_has_the_last_word() {
    let terminal = terminal();
    let protocol = assigned(&terminal);
    let pilot = terminal.pilot("box1", Activity::Idle);
    let session = start(&terminal, &pilot, &[]);
    terminal.say(&["subject", "assign", "M001", &protocol, "--step", "2"]);
    pilot.say(&ended(session, true));
    assert_eq!(ended_session(&terminal)["end"]["ending"], "done");
    let history = terminal.json(&["subject", "history", "M001", "--json"]);
    assert!(!history.as_array().unwrap().iter().any(|change| change["what"] == "graduated"), "{history}");
}

#[test]
fn a_protocol_whose_file_is_gone_is_named_and_nothing_starts() {
    let terminal = terminal();
    let protocol = assigned(&terminal);
    let _pilot = terminal.pilot("box1", Activity::Idle);
    std::fs::remove_file(&protocol).unwrap();
    let said = terminal.refused(&["start", "M001", "--pilot", "box1"]);
    assert!(said.starts_with("the protocol's file is gone: ") && said.contains(&protocol), "{said}");
    assert!(said.contains("help: put it back, or assign another protocol"), "{said}");
    let subject = terminal.json(&["subject", "show", "M001", "--json"]);
    assert_eq!(subject["sessions"], serde_json::json!([]));
}

#[test]
fn a_protocol_that_lacks_the_step_or_has_a_mistake_is_not_assigned() {
    let terminal = terminal();
    let protocol = assigned(&terminal);
    let said = terminal.refused(&["subject", "assign", "M001", &protocol, "--step", "3"]);
    assert!(said.contains("no step 3"), "{said}");
    let wrong = terminal.file("wrong.star", &PROTOCOL.replace("graduate = trials", "graduaet = trials"));
    let said = terminal.refused(&["subject", "assign", "M001", &wrong]);
    assert!(said.contains("wrong.star:5:") && said.contains("graduaet"), "{said}");
    let gone = terminal.refused(&["subject", "assign", "M001", "/nowhere/p.star"]);
    assert!(gone.contains("/nowhere/p.star"), "{gone}");
    let history = terminal.json(&["subject", "history", "M001", "--json"]);
    assert_eq!(history.as_array().unwrap().len(), 3, "the subject stays where it was");
}
