//! Alerts as a lab has them: a terminal that runs, a pilot that goes, and whoever is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::common::http::ask;
use crate::common::{Terminal, ended, eventually, request, started, trials};
use bramble_message::{Activity, Calibrated, PilotInPassing, PortName};
use bramble_value::Span;
use serde_json::{Value, json};
use uuid::Uuid;

/// What it answers to what it is told, one after the other; the last again and again.
#[derive(Clone, Copy)]
enum Answers {
    Status(u16),
    /// It takes it, and says nothing.
    Nothing,
}

/// Whoever is told.
struct Receiving {
    url: String,
    told: Receiver<(String, String)>,
}

impl Receiving {
    fn new(answers: &[Answers]) -> Receiving {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook?room=lab", listener.local_addr().unwrap());
        let (tell, told) = channel();
        let answers = answers.to_vec();
        std::thread::spawn(move || {
            // It ends with the test.
            let mut silent = Vec::new();
            for (place, stream) in (0..).zip(listener.incoming()) {
                let answer = answers[usize::min(place, answers.len() - 1)];
                silent.extend(hear(stream.unwrap(), answer, &tell));
            }
        });
        Receiving { url, told }
    }

    /// The next message: its head, and its body.
    fn next(&self) -> (String, String) {
        self.told.recv_timeout(std::time::Duration::from_secs(30)).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.next().1).unwrap()
    }
}

fn hear(stream: TcpStream, answer: Answers, tell: &Sender<(String, String)>) -> Option<TcpStream> {
    let mut reader = BufReader::new(&stream);
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        head.push_str(&line.to_lowercase());
        line.clear();
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().trim().parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let _ = tell.send((head, String::from_utf8(body).unwrap()));
    match answer {
        Answers::Nothing => return Some(stream),
        Answers::Status(status) => {
            let answer = format!("HTTP/1.1 {status} so\r\ncontent-length: 5\r\n\r\nheard");
            (&stream).write_all(answer.as_bytes()).unwrap();
        }
    }
    None
}

fn terminal(alerts: &str) -> Terminal {
    Terminal::start_with(&format!("name = \"desk\"\n[alerts]\n{alerts}"), |_| {})
}

/// The alerts that are on, once it is so.
fn until(terminal: &Terminal, so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let view = terminal.until(&["alerts", "--json"], |view| so(view["on"].as_array().unwrap()));
    view["on"].as_array().unwrap().clone()
}

#[test]
fn a_pilot_that_goes_is_told_though_the_other_side_fails_first_and_is_told_to_be_back() {
    let other = Receiving::new(&[Answers::Nothing, Answers::Status(500), Answers::Status(200)]);
    let webhook = format!("[alerts.webhook]\nurl = \"{}\"\ntimeout = \"2 s\"\n", other.url);
    let mut terminal = terminal(&format!("away = \"100 ms\"\n{webhook}"));
    drop(terminal.pilot("box1", Activity::Idle));
    // The third time it is taken.
    let told: Vec<Value> = (0..3).map(|_| other.json()).collect();
    assert!(told[0] == told[1] && told[1] == told[2], "{told:?}");
    let (version, event, kind) = (&told[0]["version"], &told[0]["event"], &told[0]["alert"]["kind"]);
    assert_eq!((version, event, kind), (&json!(1), &json!("begins"), &json!("pilot-away")));
    assert_eq!((&told[0]["terminal"], &told[0]["alert"]["pilot"]), (&json!("desk"), &json!("box1")));
    let id = told[0]["alert"]["id"].to_string();
    let seen = terminal.say(&["alerts", "seen", &id, "--who", "anna@desk"]);
    assert!(seen.starts_with(&format!("alert {id} was seen: box1 is away since")), "{seen}");
    // Who saw it is known after a restart, and it is no news.
    terminal.kill();
    terminal.restart_after_end();
    let on = until(&terminal, |on| !on.is_empty());
    assert_eq!((&on[0]["seen"]["who"], &on[0]["id"]), (&json!("anna@desk"), &told[0]["alert"]["id"]));
    let _pilot = terminal.pilot("box1", Activity::Idle);
    // It may be told again what it took while the terminal was killed.
    let over = std::iter::repeat_with(|| other.json()).find(|told| told["event"] == "ends").unwrap();
    assert_eq!((&over["event"], &over["alert"]["id"]), (&json!("ends"), &told[0]["alert"]["id"]));
    assert_eq!(over["alert"]["seen"]["who"], "anna@desk");
    assert!(terminal.say(&["alerts"]).starts_with("nothing is wrong"));
    assert!(terminal.say(&["alerts", "--past"]).contains("box1 is away since"));
}

#[test]
fn a_webhook_that_fails_is_shown_and_no_longer_once_it_works() {
    let answers = [[Answers::Status(503); 4].as_slice(), &[Answers::Status(200)]].concat();
    let other = Receiving::new(&answers);
    let terminal = terminal(&format!("away = \"100 ms\"\n[alerts.webhook]\nurl = \"{}\"\n", other.url));
    drop(terminal.pilot("box1", Activity::Idle));
    let fails = |on: &[Value]| on.iter().any(|alert| alert["kind"] == "webhook-fails");
    let on = until(&terminal, fails);
    let alert = on.iter().find(|alert| alert["kind"] == "webhook-fails").unwrap();
    assert!(alert["text"].as_str().unwrap().contains("answered 503"), "{alert}");
    until(&terminal, |on| !fails(on));
}

#[test]
fn what_was_not_taken_is_told_after_a_restart() {
    let other = Receiving::new(&[Answers::Status(503)]);
    let webhook = format!("[alerts.webhook]\nurl = \"{}\"\n", other.url);
    let mut terminal = terminal(&format!("away = \"100 ms\"\n{webhook}"));
    drop(terminal.pilot("box1", Activity::Idle));
    let first = other.json();
    terminal.kill();
    // What came until then was of the first.
    let _ = other.told.try_iter().count();
    terminal.restart_after_end();
    assert_eq!(other.json(), first);
}

#[test]
fn a_test_says_what_the_other_side_answered() {
    let other = Receiving::new(&[Answers::Status(200), Answers::Status(404)]);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let url = file("url", &format!("{}\n", other.url));
    let headers = file("headers", "Authorization: Bearer secret\n\nX-Lab: one\n");
    let template = file("t.json", r#"{"blocks": [{"say": "{{summary}}", "of": "{{terminal}}"}]}"#);
    let webhook = format!("url_file = \"{url}\"\nheaders = \"{headers}\"\ntemplate = \"{template}\"\n");
    let terminal = terminal(&format!("[alerts.webhook]\n{webhook}"));
    let said = terminal.say(&["alerts", "test", "--who", "anna@desk"]);
    assert_eq!(said, "127.0.0.1 answered 200 OK: heard");
    let (head, body) = other.next();
    assert!(head.starts_with("post /hook?room=lab http/1.1"), "{head}");
    assert!(head.contains("authorization: bearer secret") && head.contains("x-lab: one"), "{head}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["blocks"][0]["of"], "desk");
    assert!(body["blocks"][0]["say"].as_str().unwrap().starts_with("[desk] anna@desk tries"), "{body}");
    let said = terminal.refused(&["alerts", "test"]);
    assert!(said.contains("the test was not taken: 127.0.0.1 answered 404 Not Found"), "{said}");
}

#[test]
fn a_mail_goes_through_a_program() {
    let folder = tempfile::tempdir().unwrap();
    let (program, mail) = (folder.path().join("sendmail"), folder.path().join("mail"));
    std::fs::write(&program, format!("cat > {}\n", mail.display())).unwrap();
    let command = format!("command = [\"sh\", \"{}\", \"-t\"]", program.display());
    let mut terminal =
        terminal(&format!("[alerts.webhook]\n{command}\nform = \"mail\"\nto = \"anna@lab.org\"\n"));
    assert_eq!(terminal.say(&["alerts", "test"]), "sh took it");
    let text = std::fs::read_to_string(&mail).unwrap();
    assert!(text.starts_with("To: anna@lab.org\nSubject: [desk] "), "{text}");
    std::fs::write(&program, "echo no such address >&2; exit 67\n").unwrap();
    let said = terminal.refused(&["alerts", "test"]);
    assert!(said.contains("sh failed (exit status: 67): no such address"), "{said}");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn a_configuration_that_cannot_be_meant_is_refused_when_the_terminal_starts() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |alerts: &str| {
        let config = folder.path().join("terminal.toml");
        std::fs::write(&config, alerts).unwrap();
        let listen = format!("ipc://{}/pilots.sock", folder.path().display());
        let mut serve = crate::common::bramble_terminal(&folder.path().join("lab"));
        serve.arg("--config").arg(&config).args(["serve", "--listen", &listen, "--web", "off"]);
        crate::common::refusal(&serve.output().unwrap())
    };
    let said = refused("[alerts]\noff = [\"pilot-gone\"]\n");
    assert!(said.contains("pilot-away"), "{said}");
    let said = refused("[alerts.webhook]\nform = \"chat\"\n");
    assert!(said.contains("one of `url`, `url_file` and `command`"), "{said}");
    let said = refused("[alerts.webhook]\nurl = \"chat.example.org\"\n");
    assert!(said.contains("begins with https:// or http://"), "{said}");
    std::fs::write(folder.path().join("t.txt"), "\n{{who}}").unwrap();
    let said = refused("[alerts.webhook]\nurl = \"http://127.0.0.1:1/\"\ntemplate = \"t.txt\"\n");
    assert!(said.contains("line 2: there is no `who`"), "{said}");
}

#[test]
fn an_animal_whose_session_ended_is_left_until_it_is_taken_out() {
    let terminal = terminal("left = \"0 s\"\n");
    terminal.say(&["subject", "add", "M001"]);
    let pilot = terminal.pilot("box1", Activity::Idle);
    assert!(terminal.refused(&["subject", "out", "M001"]).contains("M001 had no session yet"));
    let now = jiff::Timestamp::now().as_nanosecond() as i64;
    let (mut begins, mut ends) = (started(request("M001")), ended(Uuid::from_u128(7), false));
    if let bramble_message::PilotToTerminal::Started(started) = &mut begins {
        started.unix_ns = now - 60_000_000_000;
    }
    if let bramble_message::PilotToTerminal::Ended(ended) = &mut ends {
        ended.unix_ns = now;
    }
    pilot.say(&begins);
    eventually(|| terminal.refused(&["subject", "out", "M001"]).contains("is in a session").then_some(()));
    pilot.say(&ends);
    let on = until(&terminal, |on| !on.is_empty());
    assert_eq!(
        (&on[0]["kind"], &on[0]["subject"], &on[0]["pilot"]),
        (&json!("animal-left"), &json!("M001"), &json!("box1"))
    );
    let said = ask(&terminal.page, "POST", "/api/v1/subjects/M001/out", &[], b"{}");
    assert_eq!(said.json()["done"], "M001 was taken out of box1");
    until(&terminal, |on| on.is_empty());
    assert!(terminal.say(&["subject", "history", "M001"]).contains("taken out"));
}

#[test]
fn an_animal_that_is_weighed_too_light_is_an_alert_and_can_be_silenced() {
    let terminal = terminal("");
    terminal.say(&["subject", "add", "M001"]);
    terminal.say(&["subject", "weigh", "M001", "25g", "--limit", "85%"]);
    terminal.say(&["subject", "weigh", "M001", "20g"]);
    let on = until(&terminal, |on| !on.is_empty());
    assert_eq!((&on[0]["kind"], &on[0]["about"]), (&json!("weight-low"), &json!("M001")));
    let said = terminal.say(&["alerts", "silence", "1", "2h"]);
    assert!(said.starts_with("nobody is told of alert 1 before "), "{said}");
    assert!(terminal.say(&["alerts"]).contains("silent until"));
    assert!(terminal.refused(&["alerts", "seen", "2"]).contains("no alert 2 is on"));
    terminal.say(&["subject", "weigh", "M001", "24g"]);
    until(&terminal, |on| on.is_empty());
}

#[test]
fn a_session_without_a_trial_stalls_until_the_next() {
    let terminal = terminal("stalled = \"100 ms\"\n");
    terminal.say(&["subject", "add", "M001"]);
    let pilot = terminal.pilot("box1", Activity::Idle);
    pilot.say(&started(request("M001")));
    let on = until(&terminal, |on| !on.is_empty());
    assert_eq!((&on[0]["kind"], &on[0]["subject"]), (&json!("session-stalled"), &json!("M001")));
    pilot.say(&trials(Uuid::from_u128(7), 1, &[true]));
    pilot.say(&ended(Uuid::from_u128(7), false));
    until(&terminal, |on| on.is_empty());
}

#[test]
fn a_valve_that_was_calibrated_long_ago_is_an_alert_until_it_is_calibrated() {
    let terminal = terminal("calibration = \"3 d\"\n");
    let pilot = terminal.pilot("box1", Activity::Idle);
    let days = |days: u32| Span::from_s(days * 24 * 3600);
    let calibrated = |ago: Span| {
        let made_unix_s = jiff::Timestamp::now().as_second() - ago.ns() / 1_000_000_000;
        let valve = PortName { device: "valve".parse().unwrap(), port: Some("left".parse().unwrap()) };
        PilotInPassing::Calibrated(vec![Calibrated { valve, made_unix_s, age: days(60) }])
    };
    pilot.say_in_passing(&calibrated(days(58)));
    let on = until(&terminal, |on| !on.is_empty());
    assert_eq!((&on[0]["kind"], &on[0]["about"]), (&json!("calibration-old"), &json!("box1 valve.left")));
    pilot.say_in_passing(&calibrated(days(0)));
    until(&terminal, |on| on.is_empty());
}
