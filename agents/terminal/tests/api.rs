//! The HTTP API as a script uses it: JSON in, JSON out, over a Unix socket.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use crate::common::Terminal;
use crate::common::http::ask_over;
use serde_json::{Value, json};

/// Says one request in plain HTTP; returns the status and the body.
fn ask(terminal: &Terminal, method: &str, path: &str, body: &str) -> (u16, Value) {
    let mut stream = UnixStream::connect(terminal.data().join("terminal.sock")).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: terminal\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(body).unwrap())
}

#[test]
fn a_subject_is_added_and_read_back() {
    let terminal = Terminal::start();
    let new =
        json!({ "id": "M001", "who": "script@desk", "biography": { "strain": "C57BL/6J", "sex": "female" } });
    let (status, done) = ask(&terminal, "POST", "/api/v1/subjects", &new.to_string());
    assert_eq!((status, done), (200, json!({ "done": "M001 was added" })));
    let (status, subject) = ask(&terminal, "GET", "/api/v1/subjects/M001", "");
    assert_eq!((status, &subject["biography"]["strain"]), (200, &"C57BL/6J".into()));
    let (_, history) = ask(&terminal, "GET", "/api/v1/subjects/M001/history", "");
    assert_eq!((&history[0]["who"], &history[0]["to"]), (&"script@desk".into(), &"M001".into()));
    let (_, subjects) = ask(&terminal, "GET", "/api/v1/subjects", "");
    assert_eq!(subjects[0]["id"], "M001");
}

#[test]
fn a_refusal_has_a_status_a_message_and_advice() {
    let terminal = Terminal::start();
    let (status, refusal) = ask(&terminal, "GET", "/api/v1/subjects/M009", "");
    assert_eq!((status, &refusal["message"]), (404, &"there is no subject M009".into()));
    assert!(refusal["help"].is_string());
    assert_eq!(ask(&terminal, "GET", "/api/v1/nowhere", "").0, 404);
    assert_eq!(ask(&terminal, "GET", "/api/v1/subjects/..%2Fetc", "").0, 422);
}

#[test]
fn a_body_that_is_not_what_it_should_be_is_refused_with_what_is_missing() {
    let terminal = Terminal::start();
    let (status, refusal) = ask(&terminal, "POST", "/api/v1/subjects", "{");
    assert_eq!((status, &refusal["reason"]), (422, &"wrong".into()));
    let (status, refusal) = ask(&terminal, "POST", "/api/v1/sessions", "{\"subject\": \"M001\"}");
    assert_eq!(status, 422);
    assert!(refusal["message"].as_str().unwrap().contains("missing field `pilot`"), "{refusal}");
}

#[test]
fn a_day_of_which_it_is_not_said_what_was_on_it_is_not_taken_for_today() {
    let terminal = Terminal::start();
    terminal.say(&["subject", "add", "M001"]);
    for (path, asked) in [
        ("weights", r#"{"mass": 22, "day": "2026-03-01", "who": "script@desk"}"#),
        ("water", r#"{"volume": 200, "day": "2026-03-01", "who": "script@desk"}"#),
    ] {
        let (status, refusal) = ask(&terminal, "POST", &format!("/api/v1/subjects/M001/{path}"), asked);
        assert_eq!(status, 422, "{refusal}");
        assert_eq!(refusal["message"], "it isn't said what is of 2026-03-01");
    }
}

#[test]
fn what_a_terminal_that_hung_was_asked_it_does_not_do_later() {
    let terminal = Terminal::start();
    let new = json!({ "id": "M001", "who": "script@desk" }).to_string();
    let post = |ago: i64| {
        let asked = (bramble_link::now().ns() - ago * 1_000_000_000).to_string();
        let stream = UnixStream::connect(terminal.data().join("terminal.sock")).unwrap();
        let headers = [("host", "terminal"), ("bramble-asked", asked.as_str())];
        ask_over(stream, "", "POST", "/api/v1/subjects", &headers, new.as_bytes())
    };
    let late = post(60);
    assert_eq!(late.status, 500);
    let said = late.json()["message"].as_str().unwrap().to_owned();
    assert!(said.contains("s ago, and the terminal hung meanwhile: nothing was done"), "{said}");
    assert_eq!(post(0).json(), json!({ "done": "M001 was added" }));
}

#[test]
fn only_the_user_of_the_terminal_may_connect() {
    let terminal = Terminal::start();
    let socket = std::fs::metadata(terminal.data().join("terminal.sock")).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_socket_that_a_killed_terminal_left_is_in_nobodys_way() {
    let mut terminal = Terminal::start();
    terminal.say(&["subject", "add", "M001"]);
    terminal.kill();
    assert!(terminal.data().join("terminal.sock").exists());
    terminal.restart_after_end();
    assert!(terminal.say(&["subject", "list"]).contains("M001"));
}
