//! The rig in a person's hand from a page: a real terminal, a real pilot, and a page's WebSocket.

use std::io::ErrorKind;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use crate::common::{Lab, eventually, pilot, program, refusal};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::{Error, WebSocket, client};

/// As long as a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A page that is open.
struct Page {
    asks: Sender<Value>,
    heard: Receiver<Value>,
    stream: UnixStream,
    /// It stands still: it hears, and says nothing.
    frozen: Arc<AtomicBool>,
}

impl Page {
    fn open(lab: &Lab, pilot: &str, who: &str) -> Page {
        let stream = UnixStream::connect(lab.path("lab/terminal.sock")).unwrap();
        let url = format!("ws://terminal/api/v1/pilots/{pilot}/hand?who={who}");
        let (socket, _) = client(url, stream.try_clone().unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let ((asks, to_ask), (hears, heard)) = (channel(), channel());
        let frozen = Arc::new(AtomicBool::new(false));
        let still = Arc::clone(&frozen);
        std::thread::spawn(move || be_a_page(socket, &to_ask, &hears, &still));
        Page { asks, heard, stream, frozen }
    }

    fn ask(&self, ask: Value) {
        self.asks.send(ask).unwrap();
    }

    /// What is told next that has this name.
    fn told(&self, name: &str) -> Value {
        loop {
            let told = self.heard.recv_timeout(PATIENCE).expect(name);
            match told.get(name) {
                Some(found) => return found.clone(),
                None => {
                    assert!(["over", "refused"].iter().all(|bad| told.get(bad).is_none()), "{name}: {told}")
                }
            }
        }
    }

    /// Why it is over.
    fn over(&self) -> String {
        loop {
            let told = self.heard.recv_timeout(PATIENCE).unwrap();
            if let Some(over) = told.get("over") {
                return over.as_str().unwrap().to_owned();
            }
        }
    }

    /// The next step that has this name.
    fn step(&self, name: &str) -> Value {
        loop {
            let step = self.told("step");
            assert!(step.get("left").is_none(), "{name}: {step}");
            if let Some(found) = step.get(name) {
                return found.clone();
            }
        }
    }

    fn answer(&self, answer: Value) {
        self.ask(json!({ "answer": answer }));
    }

    /// Has the rig.
    fn work(&self) -> Value {
        self.ask(json!({ "work": { "what": "look" } }));
        self.told("open")
    }

    fn switch_on(&self, device: &str) {
        self.ask(json!({ "set": { "device": device, "level": 1.0 } }));
        let written = self.told("event");
        assert_eq!((&written["device"], &written["value"]), (&json!(device), &json!(1.0)));
    }

    /// Its connection breaks.
    fn dies(&self) {
        self.stream.shutdown(Shutdown::Both).unwrap();
    }
}

/// Answers beats, asks with the newest one, and hears.
fn be_a_page(
    mut socket: WebSocket<UnixStream>,
    to_ask: &Receiver<Value>,
    hears: &Sender<Value>,
    frozen: &AtomicBool,
) -> Option<()> {
    let mut newest = None;
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => {
                let said: Value = serde_json::from_str(&text).unwrap();
                if let Some(beat) = said.get("beat") {
                    newest = Some(beat.clone());
                    if !frozen.load(Ordering::Relaxed) {
                        socket.send(Message::Text(json!({ "beat": beat }).to_string().into())).ok()?;
                    }
                }
                for told in said["told"].as_array().into_iter().flatten() {
                    hears.send(told.clone()).ok()?;
                }
                if said.get("over").is_some() {
                    hears.send(said).ok()?;
                }
            }
            Ok(_) => {}
            Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return None,
        }
        // Before the first beat nothing can be asked.
        if let Some(beat) = &newest {
            for ask in to_ask.try_iter() {
                let said = json!({ "beat": beat, "ask": ask });
                socket.send(Message::Text(said.to_string().into())).ok()?;
            }
        }
    }
}

fn lab() -> Lab {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &["--speed", "20"]);
    lab
}

/// Waits until the pilot is there, and this is who has its rig, as the terminal knows it.
fn in_hand(lab: &Lab, who: Value) {
    lab.until(&["status", "--json"], |status| {
        let box1 = pilot(status, "box1");
        box1["here"] == true && box1["hand"]["who"] == who
    });
}

fn command(config: &Path, arguments: &[&str]) -> std::process::Output {
    let mut command = program("bramble-pilot");
    command.args(["--config", config.to_str().unwrap()]).args(arguments).output().unwrap()
}

/// A valve that is not calibrated, and nothing else that asks for anybody.
const VALVE: &str = "[rig.devices.valve]\nkind = \"solenoid\"\ndriver = \"simulated\"\nports = { left = 16 }\n\
                     longest_on = \"200 ms\"\n";

#[test]
fn an_output_is_switched_from_a_page_and_that_is_seen_and_only_one_has_the_rig() {
    let lab = lab();
    let page = Page::open(&lab, "box1", "alice@desk");
    page.ask(json!("known"));
    assert_eq!(page.told("known")["check"], json!(null));
    let opened = page.work();
    let parts = opened["parts"].as_array().unwrap();
    assert!(parts.iter().any(|part| part["name"] == "valve.left" && part["doses"] == true), "{opened}");
    page.switch_on("light.left");
    in_hand(&lab, json!("alice@desk"));

    // The others are told whose it is.
    let second = Page::open(&lab, "box1", "bob@desk");
    second.ask(json!({ "work": { "what": "look" } }));
    let refused = second.heard.recv_timeout(PATIENCE).unwrap();
    let why = "box1 is busy: alice@desk works its rig by hand at the page (look); ask them";
    assert_eq!(refused, json!({ "refused": { "why": why, "busy": true } }));
    let start = ["start", "M001", "--pilot", "box1", "--task", &lab.task("free_water.star")];
    assert!(lab.refused(&start).contains("alice@desk works its rig by hand"));
    let by_command = refusal(&command(&lab.path("box1.toml"), &["pulse", "light.left", "10ms"]));
    assert!(by_command.contains("alice@desk works its rig by hand"), "{by_command}");

    page.ask(json!({ "give": { "device": "valve.left", "volume": 4.0 } }));
    let given = page.told("event");
    assert_eq!((&given["kind"], &given["value"]), (&json!("manual"), &json!(4.0)));
    assert_eq!(page.told("event")["device"], "valve.left");
    page.ask(json!("done"));
    assert_eq!(page.told("closed")["failed"], false);
    in_hand(&lab, json!(null));
    lab.say(&start);
    page.ask(json!({ "work": { "what": "look" } }));
    let refused = page.told("refused");
    assert!(refused["why"].as_str().unwrap().contains("'s session of M001 (task free_water)"), "{refused}");
    lab.say(&["stop", "M001"]);
    lab.after_sessions(1);
}

#[test]
fn a_page_that_dies_leaves_the_valve_closed_and_the_rig_free() {
    let lab = lab();
    let page = Page::open(&lab, "box1", "alice@desk");
    page.work();
    page.switch_on("valve.left");
    page.dies();
    eventually("the valve is closed", || {
        lab.log("box1").contains("valve.left goes to 0: the page was closed").then_some(())
    });
    in_hand(&lab, json!(null));
    Page::open(&lab, "box1", "bob@desk").work();
}

#[test]
fn a_page_that_stands_still_loses_the_rig_and_what_it_asks_then_is_not_done() {
    let lab = lab();
    let page = Page::open(&lab, "box1", "alice@desk");
    page.work();
    page.switch_on("light.left");
    page.frozen.store(true, Ordering::Relaxed);
    assert_eq!(page.over(), "nothing was heard of the page for 3 s");
    eventually("the light is off", || {
        lab.log("box1").contains("light.left goes to 0: nothing was heard of the page").then_some(())
    });
}

#[test]
fn a_terminal_that_is_killed_leaves_the_valve_closed_and_the_rig_free() {
    let mut lab = lab();
    let page = Page::open(&lab, "box1", "alice@desk");
    page.work();
    page.switch_on("valve.left");
    lab.kill("terminal");
    eventually("the valve is closed", || {
        lab.log("box1").contains("valve.left goes to 0: the link to the terminal broke").then_some(())
    });
    lab.start_terminal();
    in_hand(&lab, json!(null));
    Page::open(&lab, "box1", "bob@desk").work();
}

#[test]
fn a_valve_is_calibrated_from_a_page_and_what_is_kept_is_what_the_command_keeps() {
    let mut lab = Lab::new();
    let config = lab.start_pilot_with("box1", VALVE);
    let page = Page::open(&lab, "box1", "alice@desk");
    let opened = page.work();
    assert_eq!(opened["parts"][0]["doses"], false);
    page.ask(json!({ "give": { "device": "valve.left", "volume": 4.0 } }));
    let refused = page.told("refused");
    assert!(refused["why"].as_str().unwrap().contains("calibrate"), "{refused}");

    let ms = |ms: i64| ms * 1_000_000;
    let durations = [ms(20), ms(40)];
    page.ask(json!({ "calibrate": { "valve": "valve.left", "pulses": 3, "durations": durations, "every": ms(60) } }));
    for (at, grams) in ["0.0024", "0.0048"].into_iter().enumerate() {
        assert_eq!(page.step("place")["at"], at);
        page.answer(json!("ready"));
        assert_eq!(page.step("opens")["pulses"], 3);
        assert_eq!(page.step("weigh")["why"], json!(null));
        page.answer(json!({ "weight": "240" }));
        let why = page.step("weigh")["why"].clone();
        assert!(why.as_str().unwrap().contains("is a flood: are these milligrams?"), "{why}");
        page.answer(json!({ "weight": grams }));
    }
    let line = page.step("line");
    assert_eq!((&line["before"], &line["calibration"]["valve"]), (&json!(null), &json!("valve.left")));
    // One that isn't trusted is weighed again.
    page.answer(json!({ "again": ms(20) }));
    page.step("place");
    page.answer(json!({ "weight": "2.5 mg" }));
    let line = page.step("line");
    assert_eq!(line["calibration"]["calibration"]["points"][0]["grams"], 0.0025);
    page.answer(json!("yes"));
    let file = page.step("kept")["file"].as_str().unwrap().to_owned();
    assert!(lab.log("box1").contains("alice@desk calibrated valve.left"));

    let listed = command(Path::new(&config), &["calibrations", "--json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed[0]["file"], file);
    assert_eq!(listed[0]["calibration"], line["calibration"]["calibration"]);
    page.ask(json!("known"));
    assert_eq!(page.told("known")["calibrations"][0]["file"], file);
}

#[test]
fn a_rig_is_checked_from_a_page_and_what_is_found_is_recorded() {
    let lab = lab();
    let page = Page::open(&lab, "box1", "alice@desk");
    page.ask(json!({ "check": { "skip_timing": true } }));
    for device in ["poke.center", "poke.left", "poke.right"] {
        let trigger = page.step("trigger");
        assert_eq!(trigger["device"], device);
        page.answer(json!("skip"));
    }
    in_hand(&lab, json!("alice@desk"));
    assert_eq!(page.step("spouts")["valves"], json!(["valve.center", "valve.left", "valve.right"]));
    page.answer(json!("no"));
    for answer in ["repeat", "yes", "no", "yes"] {
        let blinked = page.step("blinked");
        assert_eq!(blinked["was"], "on");
        page.answer(json!(answer));
    }
    let checked = page.step("checked")["checked"].clone();
    let kept: Value =
        serde_json::from_str(&std::fs::read_to_string(lab.path("box1/check.json")).unwrap()).unwrap();
    assert_eq!(checked, kept);
    assert_eq!(checked["passed"], false);
    let outcome = |what: &str| {
        let items = checked["items"].as_array().unwrap();
        items.iter().find(|item| item["what"] == what).unwrap()["outcome"].clone()
    };
    for (what, is) in [
        ("light.center", "passed"),
        ("light.left", "failed"),
        ("valve.left", "skipped"),
        ("poke.left", "skipped"),
        // The wheel is on a child that isn't there.
        ("rig", "warning"),
    ] {
        assert_eq!(outcome(what), is, "{what}");
    }
    in_hand(&lab, json!(null));
    assert!(lab.log("box1").contains("alice@desk checked the rig: it FAILED"));
    page.ask(json!("known"));
    assert_eq!(page.told("known")["check"], kept);
}

#[test]
fn a_pilot_that_is_unknown_or_away_can_not_be_worked_and_that_is_said() {
    let mut lab = lab();
    let stream = UnixStream::connect(lab.path("lab/terminal.sock")).unwrap();
    let url = "ws://terminal/api/v1/pilots/box9/hand?who=alice@desk";
    assert!(client(url, stream).is_err(), "there is no such pilot");
    let page = Page::open(&lab, "box1", "alice@desk");
    page.work();
    lab.kill("box1");
    let over = page.over();
    assert!(over.contains("away"), "{over}");
}
