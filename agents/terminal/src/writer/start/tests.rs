//! Everything that a session starts from and ends with is in its subject's file: one thing
//! after the other is changed, and found there, and nothing else is.

#![allow(clippy::unwrap_used, reason = "a test ends where it is not as it should be")]

use std::collections::BTreeSet;
use std::path::Path;

use bramble_message::{Software, StartSession};
use bramble_subject::{Biography, ClockEstimate, SessionEnd, SubjectFile};
use bramble_value::{Ending, Names, Seed, SourceKind, Sources, Time, ValueType};
use serde_json::Value;
use uuid::Uuid;

use super::*;

const TASK: &str = "reward = param(volume(\"3 uL\"))\n";

/// A session as it is told: from its start to its end.
#[derive(Clone)]
struct Told {
    started: Started,
    clock: ClockEstimate,
    end: SessionEnd,
}

fn file(name: &str, text: &str) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

/// What an agent tells of itself.
fn agent(program: &str) -> Value {
    json!({
        "name": program,
        "arguments": [program],
        "build": {
            "program": program, "version": "0.1.0", "commit": "aaaa", "modified": false,
            "target": "aarch64-unknown-linux-gnu", "profile": "release", "lock": "1111",
        },
        "host": { "name": "box1", "board": "Pi 4", "kernel": "6.1", "cpu_governor": "performance" },
    })
}

fn told() -> Told {
    let mut terminal = agent("bramble-terminal");
    terminal["settings"] =
        json!({ "data": "/lab", "listen": "tcp://127.0.0.1:5600", "zone": "Europe/Berlin" });
    terminal["repository"] = json!({ "state": "git", "commit": "cccc", "untracked": ["notes.txt"] });
    let texts = [
        file("config/terminal.toml", "name = \"terminal\""),
        file("changes.patch", "+task"),
        file("software/1111/Cargo.lock", "serde 1"),
    ];
    let files = [file("lick.star", TASK), file("lib/lights.star", "# lights")];
    let protocol = Sources { root: "p.star".into(), files: [file("p.star", "# protocol")].into() };
    let graduation = bramble_message::Graduation { protocol, step: 1, earlier: Default::default() };
    let request = StartSession {
        session: Uuid::from_u128(7),
        subject: "M001".parse().unwrap(),
        owner: "alice@desk".parse().unwrap(),
        task: Sources { root: "lick.star".into(), files: files.into() },
        parameters: [("reward".to_owned(), json!("4 uL"))].into(),
        seed: Seed(1),
        kept: [("side".to_owned(), bramble_value::Value::Integer(1))].into(),
        graduation: Some(graduation),
        trials: Some(5),
        paused: false,
        despite_check: false,
        confirmed: Default::default(),
        unix_ns: None,
        origin: Origin { provenance: terminal, texts: texts.into() },
    };
    let mut pilot = agent("bramble-pilot");
    pilot["rig"] = json!({ "devices": [{ "name": "valve", "driver": "gpiocdev" }], "settings": {} });
    pilot["hardware"] = json!({ "lines": [{ "chip": "gpiochip0", "owner": "alice" }] });
    pilot["real_time"] = json!({ "policy": "fifo", "shortfalls": [] });
    pilot["calibrations"] = json!([{ "valve": "valve", "microliters_per_second": 40.0 }]);
    pilot["check"] = json!({ "last": { "passed": true } });
    pilot["children"] = json!({ "wheels": agent("bramble-child") });
    let texts = [
        file("config/pilot.toml", "name = \"box1\""),
        file("config/children/wheels.toml", "name = \"wheels\""),
        file("calibrations/valve/2026.toml", "density = 1"),
        file("software/2222/Cargo.lock", "serde 2"),
    ];
    let (program, version) = file("bramble-pilot", "0.1.0");
    let started = Started {
        request,
        task_name: "lick".into(),
        task_doc: "Lick.".into(),
        parameters: vec![(
            "reward".into(),
            ValueType::Volume,
            bramble_value::Value::Volume("4 uL".parse().unwrap()),
        )],
        columns: vec![ColumnInfo {
            name: "side".parse().unwrap(),
            kind: ValueType::Integer,
            doc: "a".into(),
        }],
        names: Names { sources: vec![(SourceKind::Session, "session".into())] },
        time: Time::from_ns(5),
        unix_ns: 1_700_000_000_000_000_000,
        software: Software { program, version, host: "box1".into(), system: "linux aarch64".into() },
        provenance: pilot,
        texts: texts.into(),
    };
    Told {
        started,
        clock: ClockEstimate { time: Time::from_ns(6), offset_ns: 1, error_ns: 2, drift_ppb: 3 },
        end: SessionEnd {
            ended: timestamp(1_700_000_001_000_000_000),
            ending: Ending::Done,
            why: "enough".into(),
            correct: Some(0.5),
            water: Some(4.0),
        },
    }
}

/// What a new subject's file has of a session, read back, each thing by its path.
fn written(told: Told, folder: &Path) -> BTreeMap<String, String> {
    let path = folder.join("M001.h5");
    let by = bramble_subject::By { who: "alice@desk".into(), when: timestamp(0) };
    let mut file = SubjectFile::create(&path, &"M001".parse().unwrap(), &Biography::default(), &by).unwrap();
    let step = ProtocolStep { protocol: "p".into(), step: "2 lick".into() };
    let start = session_start(&"box1".parse().unwrap(), told.started, Some(step));
    let number = file.begin_session(&start).unwrap();
    file.add_clock(number, &[told.clock]).unwrap();
    file.end_session(number, &told.end).unwrap();
    file.pack().unwrap();
    drop(file);

    let file = SubjectFile::open_read_only(&path).unwrap();
    let mut found = BTreeMap::new();
    flatten("", &json!(file.session(number).unwrap()), &mut found);
    flatten("clock", &json!(file.clock(number).unwrap()), &mut found);
    flatten("end", &json!(file.summary(number).unwrap().end), &mut found);
    std::fs::remove_file(path).unwrap();
    found
}

fn flatten(path: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path} {key}") };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| flatten(&below(key), value, found)),
        Value::Array(all) => {
            all.iter()
                .enumerate()
                .for_each(|(place, value)| flatten(&below(&place.to_string()), value, found));
        }
        value => drop(found.insert(path.to_owned(), value.to_string())),
    }
}

/// Changes one thing.
type Change = fn(&mut Told);

/// What can be changed, and where it is found then.
const CHANGES: &[(Change, &[&str])] = &[
    (
        |told| drop(told.started.request.task.files.insert("lick.star".into(), format!("{TASK}# more"))),
        &["sources lick.star"],
    ),
    (|told| edit(&mut told.started.request.task.files, "lib/lights.star"), &["sources lib/lights.star"]),
    (
        |told| edit(&mut told.started.request.graduation.as_mut().unwrap().protocol.files, "p.star"),
        &["sources p.star"],
    ),
    (|told| edit(&mut told.started.texts, "config/pilot.toml"), &["texts config/pilot.toml"]),
    (
        |told| edit(&mut told.started.texts, "config/children/wheels.toml"),
        &["texts config/children/wheels.toml"],
    ),
    (
        |told| edit(&mut told.started.request.origin.texts, "config/terminal.toml"),
        &["texts config/terminal.toml"],
    ),
    (
        |told| edit(&mut told.started.texts, "calibrations/valve/2026.toml"),
        &["texts calibrations/valve/2026.toml"],
    ),
    (
        |told| told.started.provenance["calibrations"][0]["microliters_per_second"] = json!(41.5),
        &["provenance pilot calibrations 0 microliters_per_second"],
    ),
    (
        |told| told.started.parameters[0].2 = bramble_value::Value::Volume("5 uL".parse().unwrap()),
        &["parameters 0 value volume"],
    ),
    (
        |told| drop(told.started.request.parameters.insert("reward".into(), json!("0.004 mL"))),
        &["provenance request parameters reward"],
    ),
    (|told| told.started.request.seed = Seed(2), &["seed"]),
    (
        |told| {
            told.started.request.kept.insert("side".into(), bramble_value::Value::Integer(2));
        },
        &["provenance request kept side integer"],
    ),
    (|told| told.started.request.trials = Some(6), &["provenance request trials"]),
    (|told| told.started.request.despite_check = true, &["provenance request despite_check"]),
    (
        |told| drop(told.started.request.confirmed.insert("unweighed".into(), "not weighed".into())),
        &["provenance request confirmed unweighed"],
    ),
    (|told| told.started.request.owner = "bob@desk".parse().unwrap(), &["provenance request owner"]),
    (|told| repository(told)["commit"] = json!("dddd"), &["provenance repository commit"]),
    (|told| repository(told)["untracked"][0] = json!("other.txt"), &["provenance repository untracked 0"]),
    (|told| edit(&mut told.started.request.origin.texts, "changes.patch"), &["texts changes.patch"]),
    (
        |told| told.started.software.version = "0.2.0".into(),
        &["provenance pilot_software version", "versions bramble-pilot"],
    ),
    (|told| told.started.provenance["build"]["commit"] = json!("bbbb"), &["provenance pilot build commit"]),
    (|told| told.started.provenance["build"]["lock"] = json!("3333"), &["provenance pilot build lock"]),
    (|told| edit(&mut told.started.texts, "software/2222/Cargo.lock"), &["texts software/2222/Cargo.lock"]),
    (
        |told| terminal(told)["build"]["version"] = json!("0.2.0"),
        &["provenance terminal build version", "versions bramble-terminal"],
    ),
    (|told| terminal(told)["build"]["commit"] = json!("bbbb"), &["provenance terminal build commit"]),
    (|told| terminal(told)["build"]["lock"] = json!("3333"), &["provenance terminal build lock"]),
    (|told| terminal(told)["settings"]["data"] = json!("/other"), &["provenance terminal settings data"]),
    (|told| terminal(told)["settings"]["zone"] = json!("UTC"), &["provenance terminal settings zone"]),
    (
        |told| edit(&mut told.started.request.origin.texts, "software/1111/Cargo.lock"),
        &["texts software/1111/Cargo.lock"],
    ),
    (
        |told| child(told)["build"]["version"] = json!("0.2.0"),
        &["provenance pilot children wheels build version", "versions bramble-child wheels"],
    ),
    (|told| child(told)["build"]["commit"] = json!("b"), &["provenance pilot children wheels build commit"]),
    (|told| child(told)["build"]["lock"] = json!("b"), &["provenance pilot children wheels build lock"]),
    (|told| child(told)["host"]["kernel"] = json!("6.2"), &["provenance pilot children wheels host kernel"]),
    (|told| told.started.provenance["host"]["name"] = json!("box2"), &["provenance pilot host name"]),
    (|told| told.started.provenance["host"]["board"] = json!("Pi 5"), &["provenance pilot host board"]),
    (|told| told.started.provenance["host"]["kernel"] = json!("6.2"), &["provenance pilot host kernel"]),
    (
        |told| told.started.provenance["host"]["cpu_governor"] = json!("powersave"),
        &["provenance pilot host cpu_governor"],
    ),
    (
        |told| told.started.provenance["real_time"]["policy"] = json!("other"),
        &["provenance pilot real_time policy"],
    ),
    (
        |told| told.started.provenance["rig"]["devices"][0]["driver"] = json!("rppal"),
        &["provenance pilot rig devices 0 driver"],
    ),
    (
        |told| told.started.provenance["hardware"]["lines"][0]["chip"] = json!("gpiochip4"),
        &["provenance pilot hardware lines 0 chip"],
    ),
    (
        |told| told.started.provenance["check"]["last"]["passed"] = json!(false),
        &["provenance pilot check last passed"],
    ),
    (|told| told.clock.offset_ns = 9, &["clock 0 offset_ns"]),
    (|told| told.clock.error_ns = 9, &["clock 0 error_ns"]),
    (|told| told.clock.drift_ppb = 9, &["clock 0 drift_ppb"]),
    (|told| told.end.ending = Ending::Stopped, &["end ending"]),
    (|told| told.end.why = "the tube is loose".into(), &["end why"]),
    (|told| told.end.water = Some(8.0), &["end water"]),
    (|told| told.end.ended = timestamp(1_700_000_002_000_000_000), &["end ended"]),
];

fn edit(texts: &mut BTreeMap<String, String>, path: &str) {
    texts.get_mut(path).expect("it is there").push_str("\n# edited");
}

fn terminal(told: &mut Told) -> &mut Value {
    &mut told.started.request.origin.provenance
}

fn repository(told: &mut Told) -> &mut Value {
    &mut terminal(told)["repository"]
}

fn child(told: &mut Told) -> &mut Value {
    &mut told.started.provenance["children"]["wheels"]
}

#[test]
fn each_thing_that_a_session_is_of_is_found_in_its_file_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let before = written(told(), folder.path());
    for (change, wanted) in CHANGES {
        let mut told = told();
        change(&mut told);
        let after = written(told, folder.path());
        let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let changed: Vec<&str> =
            keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).map(String::as_str).collect();
        assert_eq!(changed, *wanted);
    }
}

#[test]
fn a_session_of_a_pilot_and_a_terminal_that_tell_nothing_of_themselves_is_written_all_the_same() {
    let mut told = told();
    told.started.request.origin = Origin::default();
    told.started.provenance = Value::Null;
    told.started.texts.clear();
    let start = session_start(&"box1".parse().unwrap(), told.started, None);
    assert_eq!(start.versions["bramble-terminal"], env!("CARGO_PKG_VERSION"));
    assert_eq!((start.texts.len(), &start.provenance["repository"]), (0, &Value::Null));
}
