//! What a page sees as it happens, over real WebSockets.

use std::net::TcpStream;
use std::time::Duration;

use crate::common::http::authority;
use crate::common::{Pilot, Terminal, ended, request, started, trials};
use bramble_message::{Activity, PilotToTerminal};
use bramble_value::{Event, Kind, Record, Source, Span, Time};
use nix::sys::socket::{setsockopt, sockopt::RcvBuf};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::{WebSocket, client};
use uuid::Uuid;

const SESSION: Uuid = Uuid::from_u128(7);

/// A page's WebSocket.
struct Page(WebSocket<TcpStream>);

impl Page {
    fn open(terminal: &Terminal, query: &str) -> Page {
        let host = authority(&terminal.page);
        let stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let (socket, _) = client(format!("ws://{host}/api/v1/live{query}"), stream).unwrap();
        Page(socket)
    }

    /// The next message.
    fn hears(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.0.read().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// The next message in which something is so.
    fn until(&mut self, so: impl Fn(&Value) -> bool) -> Value {
        loop {
            let said = self.hears();
            if so(&said) {
                return said;
            }
        }
    }
}

/// A terminal with a subject and a pilot that runs a session of it.
fn running() -> (Terminal, Pilot) {
    let terminal = Terminal::start();
    terminal.say(&["subject", "add", "M001"]);
    let pilot = terminal.pilot("box1", Activity::Idle);
    pilot.say(&started(request("M001")));
    let runs = |status: &Value| status["pilots"][0]["session"].is_object();
    terminal.until(&["status", "--json"], runs);
    (terminal, pilot)
}

/// Events of a valve, from this one on.
fn events(first: u32, many: u32) -> PilotToTerminal {
    let event = |number: u32| {
        let (time, source) = (Time::ZERO + Span::from_ms(number), Source(1));
        Record::Event(Event { time, trial: 1, kind: Kind::Input, source, value: f64::from(number) })
    };
    PilotToTerminal::Records { session: SESSION, records: (first..first + many).map(event).collect() }
}

#[test]
fn a_page_is_given_everything_and_then_what_changes() {
    let (terminal, pilot) = running();
    let mut page = Page::open(&terminal, "?watch=box1");
    let first = page.hears();
    assert_eq!((&first["kind"], &first["status"]["pilots"][0]["name"]), (&json!("snapshot"), &json!("box1")));
    let session = &first["sessions"]["box1"];
    assert_eq!((&session["task"]["name"], &session["rows"]), (&json!("t"), &json!([])));
    assert_eq!(session["task"]["stages"][0]["kind"], "trials");
    pilot.say(&trials(SESSION, 1, &[true, false]));
    let more = page.until(|said| said["rows"].is_object());
    assert_eq!((&more["kind"], more["rows"]["box1"].as_array().unwrap().len()), (&json!("changes"), 2));
    assert_eq!(more["rows"]["box1"][1]["values"], json!({ "outcome": "error" }));
    pilot.say(&events(1, 1));
    let more = page.until(|said| said["events"].is_object());
    let event = json!({ "t": 1_000_000, "trial": 1, "kind": "input", "source": "valve.left", "value": 1.0 });
    assert_eq!(more["events"]["box1"], json!([event]));
    pilot.say(&ended(SESSION, false));
    page.until(|said| said["pilots"][0]["name"] == "box1" && said["pilots"][0]["session"].is_null());
}

#[test]
fn a_page_sees_trials_only_of_the_pilots_that_it_watches_and_may_change_its_mind() {
    let (terminal, pilot) = running();
    let mut page = Page::open(&terminal, "");
    assert_eq!(page.hears()["sessions"], json!({}));
    pilot.say(&trials(SESSION, 1, &[true]));
    let said = page.until(|said| said["pilots"][0]["session"]["trials"] == 1);
    assert!(said["rows"].is_null(), "{said}");
    page.0.send(Message::Text(json!({ "watch": ["box1"] }).to_string().into())).unwrap();
    let said = page.until(|said| said["sessions"].is_object());
    assert_eq!(said["sessions"]["box1"]["rows"].as_array().unwrap().len(), 1);
}

#[test]
fn a_page_that_does_not_read_holds_up_nobody_and_then_has_what_is_newest() {
    const MANY: u32 = 150_000;
    let (terminal, pilot) = running();
    let mut asleep = Page::open(&terminal, "?watch=box1");
    // What the system keeps for it is little.
    setsockopt(asleep.0.get_ref(), RcvBuf, &16_384).unwrap();
    let mut awake = Page::open(&terminal, "?watch=box1");
    let sending = std::thread::spawn(move || {
        (1..=MANY).step_by(500).for_each(|first| pilot.say(&events(first, 500)));
        pilot.say(&trials(SESSION, 1, &[true]));
        pilot
    });
    let ends = |said: &Value| {
        let last =
            |rows: &Value| rows.as_array().and_then(|rows| rows.last()).is_some_and(|row| row["trial"] == 1);
        last(&said["rows"]["box1"]) || last(&said["sessions"]["box1"]["rows"])
    };
    awake.until(ends);
    let _pilot = sending.join().unwrap();
    // It wakes: what is newest comes, and far from all that was.
    let seen = std::cell::Cell::new(0);
    let count = |events: &Value| events.as_array().map_or(0, Vec::len);
    asleep.until(|said| {
        let more = count(&said["events"]["box1"]) + count(&said["sessions"]["box1"]["events"]);
        seen.set(seen.get() + more);
        ends(said)
    });
    assert!(seen.get() < MANY as usize * 3 / 4, "far from all was kept for it: {}", seen.get());
}

#[test]
fn what_a_person_notes_is_in_the_log_of_the_session_that_runs() {
    let (terminal, _pilot) = running();
    let mut page = Page::open(&terminal, "?watch=box1");
    assert_eq!(page.hears()["kind"], "snapshot");
    terminal.say(&["subject", "note", "M001", "calm", "--who", "anna@desk"]);
    let said = page.until(|said| said["notes"].is_object());
    assert_eq!(said["notes"]["box1"], json!([{ "t": 0, "text": "calm", "who": "anna@desk" }]));
}

#[test]
fn ten_pages_see_the_same() {
    let (terminal, pilot) = running();
    let mut pages: Vec<Page> = (0..10).map(|_| Page::open(&terminal, "?watch=box1")).collect();
    pages.iter_mut().for_each(|page| assert_eq!(page.hears()["kind"], "snapshot"));
    pilot.say(&trials(SESSION, 1, &[true]));
    for page in &mut pages {
        let rows = page.until(|said| said["rows"].is_object());
        assert_eq!(rows["rows"]["box1"][0]["values"]["outcome"], "correct");
    }
}

#[test]
fn a_web_socket_is_for_our_own_page_alone() {
    let terminal = Terminal::start();
    let host = authority(&terminal.page);
    let open = |origin: &str| {
        let stream = TcpStream::connect(host).unwrap();
        let request = tokio_tungstenite::tungstenite::ClientRequestBuilder::new(
            format!("ws://{host}/api/v1/live").parse().unwrap(),
        );
        client(request.with_header("origin", origin), stream).is_ok()
    };
    assert!(open(&format!("http://{host}")));
    assert!(!open("http://evil.example"));
    assert!(!open("null"));
}

#[test]
fn a_page_is_told_of_alerts_as_they_begin_and_end() {
    let terminal = Terminal::start();
    let mut page = Page::open(&terminal, "");
    assert_eq!(page.hears()["alerts"], json!([]));
    terminal.say(&["subject", "add", "M001"]);
    terminal.say(&["subject", "weigh", "M001", "25g", "--limit", "85%"]);
    terminal.say(&["subject", "weigh", "M001", "20g"]);
    let said = page.until(|said| said["alerts"][0].is_object());
    assert_eq!(said["alerts"][0]["kind"], "weight-low");
    terminal.say(&["subject", "weigh", "M001", "24g"]);
    page.until(|said| said["alerts"] == json!([]));
}
