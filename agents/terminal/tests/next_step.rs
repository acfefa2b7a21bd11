//! What follows a session that ended because its subject graduated, and what is stopped before it begins.

use std::io::Write;
use std::os::unix::net::UnixStream;

use crate::common::{Pilot, Terminal, ended, started, trials};
use crate::sessions::{assigned, start, terminal};
use bramble_message::{Activity, Command, PilotInPassing, PilotToTerminal, Status};
use bramble_value::Time;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// The end of a session, an hour ago, whose subject graduated in it.
fn graduated_long_ago(session: Uuid) -> PilotToTerminal {
    let PilotToTerminal::Ended(end) = ended(session, true) else { unreachable!("it is an end") };
    let then = Timestamp::now() - SignedDuration::from_hours(1);
    PilotToTerminal::Ended(bramble_message::Ended {
        unix_ns: i64::try_from(then.as_nanosecond()).unwrap(),
        ..end
    })
}

/// M001 in the first step of its protocol on box1.
fn in_first_step() -> (Terminal, Pilot, Uuid) {
    let terminal = terminal();
    assigned(&terminal);
    let pilot = terminal.pilot("box1", Activity::Idle);
    let session = start(&terminal, &pilot, &[]);
    pilot.say(&trials(session, 1, &[true, false, true]));
    (terminal, pilot, session)
}

/// Starts M001 on box1, whose pilot is asked for nothing else before. Says at which step.
fn starts_at(terminal: &Terminal, pilot: &Pilot) -> u32 {
    std::thread::scope(|scope| {
        let said = scope.spawn(|| terminal.say(&["start", "M001", "--pilot", "box1"]));
        let (ask, request) = pilot.start();
        let step = request.graduation.as_ref().unwrap().step;
        pilot.answer(ask, Ok(()));
        pilot.say(&started(request));
        said.join().unwrap();
        step
    })
}

/// The pilot says that it's idle, and not yet how its session ended.
fn is_idle(terminal: &Terminal, pilot: &Pilot) {
    pilot.say_in_passing(&PilotInPassing::Status(Box::new(Status {
        time: Time::ZERO,
        activity: Activity::Idle,
        unacknowledged: 1,
        children: Vec::new(),
        health: None,
        notice: None,
        hand: None,
    })));
    terminal.until(&["status", "--json"], |status| status["pilots"][0]["session"].is_null());
}

#[test]
fn a_graduation_that_is_heard_of_late_starts_nothing_and_says_how_to() {
    let (terminal, pilot, session) = in_first_step();
    pilot.say(&graduated_long_ago(session));
    let status = terminal.until(&["status", "--json"], |status| status["pilots"][0]["notice"].is_string());
    let notice = status["pilots"][0]["notice"].as_str().unwrap();
    assert!(notice.starts_with("M001's next step did not start by itself: it graduated at 2"), "{notice}");
    assert!(notice.ends_with("bramble-terminal start M001 --pilot box1"), "{notice}");
    let subject = terminal.json(&["subject", "show", "M001", "--json"]);
    assert_eq!(subject["training"]["label"], "2 hard");
    assert_eq!(starts_at(&terminal, &pilot), 1, "a person starts it");
    assert!(terminal.json(&["status", "--json"])["pilots"][0]["notice"].is_null());
}

#[test]
fn a_step_that_is_to_follow_can_be_stopped_before_it_does() {
    let (terminal, pilot, session) = in_first_step();
    pilot.say(&ended(session, true));
    let (ask, _) = pilot.start();
    let said = std::thread::scope(|scope| {
        let said = scope.spawn(|| terminal.say(&["stop", "M001"]));
        pilot.answer(ask, Err("box1 is busy: it puts a session away"));
        pilot.refuse_starts(|| said.is_finished());
        said.join().unwrap()
    });
    assert_eq!(said, "M001 starts no session on box1: it was stopped before");
    assert_eq!(starts_at(&terminal, &pilot), 1);
}

#[test]
fn a_session_that_is_only_being_started_is_stopped() {
    let (terminal, pilot, session) = in_first_step();
    pilot.say(&ended(session, false));
    terminal.until(&["status", "--json"], |status| status["pilots"][0]["session"].is_null());
    std::thread::scope(|scope| {
        let start = scope.spawn(|| terminal.run(&["start", "M001", "--pilot", "box1"]));
        let (ask, request) = pilot.start();
        let stop = scope.spawn(|| terminal.say(&["stop", "M001"]));
        // By then the other has come too, as a rule.
        terminal.say(&["status"]);
        let session = request.session;
        pilot.answer(ask, Ok(()));
        pilot.say(&started(request));
        let (ask, command) = pilot.command();
        assert!(matches!(command, Command::Stop { session: stopped, .. } if stopped == session));
        pilot.answer(ask, Ok(()));
        pilot.say(&ended(session, false));
        assert_eq!(stop.join().unwrap(), "M001's session of lick on box1 was stopped");
        start.join().unwrap();
    });
}

#[test]
fn a_start_waits_for_the_end_of_the_session_before_and_what_came_of_it() {
    let (terminal, pilot, session) = in_first_step();
    is_idle(&terminal, &pilot);
    std::thread::scope(|scope| {
        let said = scope.spawn(|| terminal.say(&["start", "M001", "--pilot", "box1"]));
        terminal.until(&["status", "--json"], |status| status["pilots"][0]["starting"].is_object());
        pilot.say(&ended(session, true));
        let (ask, request) = pilot.start();
        assert_eq!(request.graduation.as_ref().unwrap().step, 1, "it has left the first step");
        pilot.answer(ask, Ok(()));
        pilot.say(&started(request));
        assert!(said.join().unwrap().starts_with("M001 started step 2 hard (lick) on box1"));
    });
    let history = terminal.json(&["subject", "history", "M001", "--json"]);
    let graduated = history.as_array().unwrap().iter().filter(|change| change["what"] == "graduated");
    assert_eq!(graduated.count(), 1);
}

#[test]
fn a_start_whose_client_has_gone_before_its_pilot_was_asked_starts_nothing() {
    let (terminal, pilot, session) = in_first_step();
    is_idle(&terminal, &pilot);
    let mut stream = UnixStream::connect(terminal.data().join("terminal.sock")).unwrap();
    let confirm = ["second-today", "other-box"];
    let asked = serde_json::json!({
        "subject": "M001", "pilot": "box1", "who": "ada@desk", "confirm": confirm, "parameters": {}, "keep": {},
        "despite_check": false, "abandon": false,
    });
    let asked = asked.to_string();
    write!(
        stream,
        "POST /api/v1/sessions HTTP/1.1\r\nhost: terminal\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{asked}",
        asked.len()
    )
    .unwrap();
    terminal.until(&["status", "--json"], |status| status["pilots"][0]["starting"].is_object());
    drop(stream);
    terminal.say(&["status"]);
    pilot.say(&ended(session, false));
    terminal.until(&["status", "--json"], |status| status["pilots"][0]["starting"].is_null());
    std::thread::scope(|scope| {
        let said = scope.spawn(|| terminal.say(&["start", "M001", "--pilot", "box1", "--who", "bob@desk"]));
        let (ask, request) = pilot.start();
        assert_eq!(request.owner.as_str(), "bob@desk", "it is the first that the pilot hears of");
        pilot.answer(ask, Ok(()));
        pilot.say(&started(request));
        said.join().unwrap();
    });
}
