//! A pilot's rig in a person's hand at a page, as the terminal passes it on: a real terminal, and a
//! pilot that does what the test says.

use std::net::TcpStream;
use std::time::Duration;

use crate::common::http::{ask, authority};
use crate::common::login::{add_user, cookie};
use crate::common::{Pilot, Terminal, bramble_terminal};
use bramble_message::{Activity, HandSays, HandTold, PilotInPassing, TerminalInPassing};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::{Error, WebSocket, client};
use uuid::Uuid;

/// A page's hand.
struct Hand(WebSocket<TcpStream>);

impl Hand {
    /// Begins; the HTTP status where that is refused.
    fn begin(terminal: &Terminal, query: &str, cookie: &str) -> Result<Hand, u16> {
        let host = authority(&terminal.page);
        let stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let url = format!("ws://{host}/api/v1/pilots/box1/hand{query}");
        let mut request = url.into_client_request().unwrap();
        if !cookie.is_empty() {
            request.headers_mut().insert("cookie", cookie.parse().unwrap());
        }
        match client(request, stream) {
            Ok((socket, _)) => Ok(Hand(socket)),
            Err(tokio_tungstenite::tungstenite::HandshakeError::Failure(Error::Http(answer))) => {
                Err(answer.status().as_u16())
            }
            Err(other) => panic!("{other}"),
        }
    }

    fn says(&mut self, what: &Value) {
        self.0.send(Message::Text(what.to_string().into())).unwrap();
    }

    fn hears(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.0.read().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }
}

/// What the terminal says next of a hand.
fn said(pilot: &Pilot) -> (Uuid, HandSays) {
    match pilot.passing() {
        TerminalInPassing::Hand { lease, says } => (lease, says),
        other => panic!("{other:?}"),
    }
}

fn tells(pilot: &Pilot, lease: Uuid, told: HandTold) {
    pilot.say_in_passing(&PilotInPassing::Hand { lease, told });
}

fn begun(terminal: &Terminal, pilot: &Pilot) -> (Hand, Uuid) {
    let mut hand = Hand::begin(terminal, "?who=alice@desk", "").unwrap();
    let (lease, begin) = said(pilot);
    assert_eq!(begin, HandSays::Begin { by: "alice@desk".parse().unwrap() });
    tells(pilot, lease, HandTold::Beat(7));
    assert_eq!(hand.hears(), json!({ "beat": 7 }));
    (hand, lease)
}

#[test]
fn what_a_page_asks_and_what_it_is_told_is_passed_on_as_it_is() {
    let terminal = Terminal::start();
    let pilot = terminal.pilot("box1", Activity::Idle);
    let (mut hand, lease) = begun(&terminal, &pilot);
    hand.says(&json!({ "beat": 7, "ask": { "work": { "what": "look" } } }));
    let ask = Some(r#"{"work":{"what":"look"}}"#.to_owned());
    assert_eq!(said(&pilot), (lease, HandSays::Heard { beat: 7, ask }));
    let told = vec![r#"{"note":{"text":"read this","time_ns":7}}"#.to_owned()];
    tells(&pilot, Uuid::from_u128(1), HandTold::Told { number: 1, told: vec!["{}".into()] });
    tells(&pilot, lease, HandTold::Told { number: 1, told });
    assert_eq!(hand.hears(), json!({ "told": [{ "note": { "text": "read this", "time_ns": 7 } }] }));
    // What is missing between may have been what mattered.
    tells(&pilot, lease, HandTold::Told { number: 3, told: vec!["{}".into()] });
    assert_eq!(hand.hears(), json!({ "over": "something of what the pilot told was lost on the way" }));
    assert_eq!(said(&pilot), (lease, HandSays::End));
}

#[test]
fn what_a_page_is_told_is_as_the_description_says() {
    let terminal = Terminal::start();
    let description = ask(&terminal.page, "GET", "/api/v1/openapi.json", &[], b"").json();
    let kinds = &description["components"]["schemas"]["HandTells"]["oneOf"];
    let names = kinds.as_array().unwrap().iter().map(|kind| kind["required"][0].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["beat", "told", "over"]);
}

#[test]
fn a_pilot_hears_at_once_that_a_page_is_gone_and_a_page_that_its_pilot_is() {
    let terminal = Terminal::start();
    let pilot = terminal.pilot("box1", Activity::Idle);
    let (hand, lease) = begun(&terminal, &pilot);
    drop(hand);
    assert_eq!(said(&pilot), (lease, HandSays::End));
    let (mut hand, lease) = begun(&terminal, &pilot);
    hand.says(&json!({ "explode": {} }));
    assert!(hand.hears()["over"].as_str().unwrap().contains("can't be read"));
    assert_eq!(said(&pilot), (lease, HandSays::End));
    let (mut hand, _) = begun(&terminal, &pilot);
    drop(pilot);
    assert!(hand.hears()["over"].as_str().unwrap().contains("away"));
}

#[test]
fn a_pilot_of_an_older_version_does_not_answer_and_that_is_said() {
    let terminal = Terminal::start();
    let _pilot = terminal.pilot("box1", Activity::Idle);
    let mut hand = Hand::begin(&terminal, "", "").unwrap();
    let over = hand.hears();
    assert!(over["over"].as_str().unwrap().contains("its Bramble is older"), "{over}");
}

#[test]
fn a_hand_is_for_who_may_run_sessions_under_their_own_name_and_as_long_as_they_may() {
    let users = [("vera", "view"), ("rudi", "run")];
    let terminal = Terminal::start_with("[web]\nlogin = true\n", |data| {
        for (name, role) in users {
            add_user(data, name, role);
        }
    });
    let pilot = terminal.pilot("box1", Activity::Idle);
    assert_eq!(Hand::begin(&terminal, "", "").err(), Some(401));
    let [vera, rudi] = users.map(|(name, _)| cookie(&terminal.page, name));
    assert_eq!(Hand::begin(&terminal, "", &vera).err(), Some(403));
    assert_eq!(Hand::begin(&terminal, "?who=vera@desk", &rudi).err(), Some(403));
    let mut hand = Hand::begin(&terminal, "", &rudi).unwrap();
    let (lease, begin) = said(&pilot);
    assert!(matches!(begin, HandSays::Begin { by } if by.as_str().starts_with("rudi@")));
    tells(&pilot, lease, HandTold::Beat(1));
    hand.hears();
    // Who may no more has the rig no more.
    let mut role = bramble_terminal(&terminal.data());
    assert!(role.args(["user", "role", "rudi", "view"]).output().unwrap().status.success());
    hand.says(&json!({ "beat": 1, "ask": "known" }));
    let over = hand.hears();
    assert_eq!(over, json!({ "over": "who has logged in may do this no more" }));
    assert_eq!(said(&pilot), (lease, HandSays::End));
}

#[test]
fn a_pilot_that_nobody_knows_has_no_rig_and_without_a_websocket_there_is_none() {
    let terminal = Terminal::start();
    assert_eq!(Hand::begin(&terminal, "", "").err(), Some(404));
    let _pilot = terminal.pilot("box1", Activity::Idle);
    let said = ask(&terminal.page, "GET", "/api/v1/pilots/box1/hand", &[], b"");
    assert_eq!(said.status, 422);
    let foreign = [("origin", "http://evil.example")];
    assert_eq!(ask(&terminal.page, "GET", "/api/v1/pilots/box1/hand", &foreign, b"").status, 403);
}
