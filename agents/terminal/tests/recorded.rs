//! Sessions that are over: seen as they were when they ran, and downloaded for other programs.

use crate::common::http::{Said, ask};
use crate::common::{Terminal, drop_of_water, ended, request, started, trials};
use bramble_message::{Activity, Ended, PilotToTerminal};
use bramble_value::{Record, Span, Time};
use serde_json::{Value, json};
use uuid::Uuid;

const SESSION: Uuid = Uuid::from_u128(7);

/// A terminal with a session of M001 that is over, while which somebody noted something.
fn lab() -> Terminal {
    let terminal = Terminal::start();
    terminal.say(&["subject", "add", "M001"]);
    let pilot = terminal.pilot("box1", Activity::Idle);
    pilot.say(&started_now());
    terminal.until(&["status", "--json"], |status| status["pilots"][0]["session"].is_object());
    terminal.say(&["subject", "note", "M001", "calm"]);
    pilot.say(&trials(SESSION, 1, &[true, false, true]));
    pilot.say(&drop_of_water(SESSION));
    let note = Record::Note { time: Time::ZERO + Span::from_ms(300), text: "a line stormed".into() };
    pilot.say(&PilotToTerminal::Records { session: SESSION, records: vec![note] });
    let PilotToTerminal::Ended(end) = ended(SESSION, false) else { unreachable!("it is an end") };
    pilot.say(&PilotToTerminal::Ended(Ended { unix_ns: now() + 60_000_000_000, ..end }));
    let over = |subject: &Value| subject["sessions"][0]["end"].is_object();
    terminal.until(&["subject", "show", "M001", "--json"], over);
    terminal
}

fn now() -> i64 {
    jiff::Timestamp::now().as_nanosecond().try_into().unwrap()
}

/// As the pilots of other tests start, but by today's calendar.
fn started_now() -> PilotToTerminal {
    let PilotToTerminal::Started(mut told) = started(request("M001")) else { unreachable!("it is a start") };
    told.unix_ns = now();
    PilotToTerminal::Started(told)
}

fn get(terminal: &Terminal, path: &str) -> Said {
    ask(&terminal.page, "GET", &format!("/api/v1/subjects/{path}"), &[], b"")
}

#[test]
fn a_session_that_is_over_is_seen_as_one_that_runs() {
    let terminal = lab();
    let said = get(&terminal, "M001/sessions/1").json();
    assert_eq!(said["summary"]["trials"], 3);
    let session = &said["session"];
    assert_eq!(session["task"]["name"], "t");
    assert_eq!(session["rows"][1]["values"], json!({ "outcome": "error" }));
    let valve =
        json!({ "t": 100_000_000, "trial": 1, "kind": "output", "source": "valve.left", "value": 1.0 });
    assert_eq!(session["events"][0], valve);
    let texts: Vec<&str> =
        session["notes"].as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap()).collect();
    assert!(texts.contains(&"a line stormed") && texts.contains(&"calm"), "{texts:?}");
    let note = session["notes"].as_array().unwrap().iter().find(|note| note["text"] == "calm").unwrap();
    assert!(note["who"].is_string(), "{note}");
    assert_eq!((&said["first"], &said["last"]), (&json!(1), &json!(3)));
    // By the session's own clock, which began at 0.
    assert!(said["seconds"].as_f64().unwrap() < 10.0, "{}", said["seconds"]);
    let first = get(&terminal, "M001/sessions/1?from=1").json();
    assert_eq!(first["session"]["rows"].as_array().unwrap().len(), 3);
    assert_eq!(get(&terminal, "M001/sessions/9").status, 404);
    assert_eq!(get(&terminal, "M001/sessions/1?from=soon").status, 422);
}

#[test]
fn a_session_is_downloaded_in_every_form_under_a_name_of_its_own() {
    let terminal = lab();
    let forms = [
        ("nwb", "M001-0001.nwb", b"\x89HDF".as_slice()),
        ("csv", "M001-0001-csv.zip", b"PK"),
        ("parquet", "M001-0001-parquet.zip", b"PK"),
    ];
    for (form, name, begins) in forms {
        let said = get(&terminal, &format!("M001/sessions/1/export/{form}"));
        assert_eq!(said.status, 200, "{form}: {}", String::from_utf8_lossy(&said.body));
        let named = format!("attachment; filename=\"{name}\"");
        assert_eq!(said.header("content-disposition"), Some(named.as_str()));
        assert!(said.body.starts_with(begins), "{form}");
    }
    let all = get(&terminal, "M001/export/csv");
    assert_eq!(all.header("content-disposition"), Some("attachment; filename=\"M001-csv.zip\""));
    let has = |name: &[u8]| all.body.windows(name.len()).any(|some| some == name);
    assert!(has(b"M001/0001/trials.csv") && has(b"M001/0001/datapackage.json"));
}

#[test]
fn what_can_not_be_exported_is_refused_before_anything_is_sent() {
    let terminal = lab();
    terminal.say(&["subject", "add", "M002"]);
    let refused = |path: &str, status: u16, why: &str| {
        let said = get(&terminal, path);
        let message = said.json()["message"].as_str().unwrap().to_owned();
        assert!(said.status == status && message.contains(why), "{path}: {} {message}", said.status);
    };
    refused("M001/sessions/9/export/nwb", 404, "M001 has no session 0009");
    refused("M001/sessions/1/export/xls", 422, "`xls` is no form");
    refused("M002/export/csv", 409, "no session that is over");
    refused("M003/export/csv", 404, "no subject M003");
    // AIND wants to know who the animal is.
    refused("M001/sessions/1/export/aind", 409, "wants what isn't known");
}
