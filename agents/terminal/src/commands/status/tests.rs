use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::*;

fn with(mut one: serde_json::Value, more: serde_json::Value) -> serde_json::Value {
    one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    one
}

fn health(more: serde_json::Value) -> serde_json::Value {
    let disk = json!({ "free": 12_400_000_000u64, "size": 31_000_000_000u64 });
    with(json!({ "time": 0, "unix_ns": 0, "disk": disk, "temperature": null, "power": null }), more)
}

fn quality(wall_ahead: f64) -> serde_json::Value {
    json!({ "round_trip": 85_000, "clock_error": 43_000, "drift_ppm": 12.4, "wall_ahead": wall_ahead })
}

fn pilot(more: serde_json::Value) -> serde_json::Value {
    let software =
        json!({ "program": "bramble-pilot", "version": "0.1.0", "host": "pi", "system": "linux aarch64" });
    let pilot = json!({
        "name": "box1", "here": true, "since": "2026-01-01T00:00:00Z", "why": null, "rig": [], "children": [],
        "software": software, "unacknowledged": 0, "catching_up": false, "quality": quality(0.012),
        "health": health(json!({})), "starting": null, "session": null, "notice": null,
    });
    with(pilot, more)
}

fn child(more: serde_json::Value) -> serde_json::Value {
    let child = json!({
        "name": "wheel", "here": true, "since": "2026-01-01T00:00:00Z", "why": null,
        "quality": quality(-0.5), "health": health(json!({})),
    });
    with(child, more)
}

fn session(more: serde_json::Value) -> serde_json::Value {
    let session = json!({
        "session": "00000000-0000-0000-0000-000000000001", "subject": "M001", "task": "two_choice",
        "owner": "alice@desk", "hold": null, "trials": 120, "correct": 0.75, "water": 361.6,
        "seconds": 3723.4, "stages": [],
    });
    with(session, more)
}

/// What is shown a minute and a half after everybody came.
fn picture(pilots: serde_json::Value, brief: bool) -> String {
    let status = json!({
        "data": "/lab", "listen": "tcp://127.0.0.1:5600", "health": health(json!({})), "pilots": pilots,
        "refused": [], "notice": null,
    });
    let now: Timestamp = "2026-01-01T00:01:30Z".parse().unwrap();
    show(&serde_json::from_value(status).unwrap(), brief, &now.to_zoned(TimeZone::UTC))
}

/// Its three parts, each a list of lines: the sessions, the agents, what needs a person.
fn shown(pilots: serde_json::Value) -> Vec<Vec<String>> {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let picture = picture(pilots, false);
    picture.split("\n\n").map(|part| part.lines().map(words).collect()).collect()
}

#[test]
fn a_running_session_is_one_line() {
    let parts = shown(json!([pilot(json!({ "session": session(json!({})) }))]));
    assert_eq!(parts[0][1], "box1 M001 two_choice 120 75 % 362 uL 1:02:03 alice");
    assert_eq!(parts.len(), 2, "nothing needs a person");
}

#[test]
fn owners_at_several_computers_are_told_with_theirs() {
    let bobs = session(json!({ "owner": "bob@laptop" }));
    let parts =
        shown(json!([pilot(json!({ "session": session(json!({})) })), pilot(json!({ "session": bobs }))]));
    assert!(parts[0][1].ends_with("alice@desk") && parts[0][2].ends_with("bob@laptop"), "{parts:?}");
}

#[test]
fn who_is_idle_away_paused_starting_or_lacks_a_child_is_told_apart() {
    let gone = child(json!({ "here": false, "why": "it ended the link" }));
    let held = json!({ "since": { "seconds": 60.0 } });
    let pilots = [
        json!({}),
        json!({ "here": false, "why": "nothing was heard of it for 2.5 s" }),
        json!({ "children": [gone] }),
        json!({ "starting": { "subject": "M001", "owner": "alice@desk" } }),
        json!({ "session": session(json!({ "hold": "coming" })) }),
        json!({ "session": session(json!({ "hold": held })) }),
        json!({ "session": session(json!({ "stopping": true })) }),
        json!({ "catching_up": true, "unacknowledged": 2113 }),
        json!({ "hand": { "who": "alice@desk", "what": "calibrate" } }),
    ];
    let parts = shown(pilots.into_iter().map(pilot).collect());
    let states = [
        "idle",
        "away",
        "wheel away",
        "starting",
        "pausing",
        "paused",
        "stopping",
        "2,113 to come",
        "by hand",
    ];
    for (line, state) in parts[0][1..].iter().zip(states) {
        assert!(line.ends_with(state), "{line} is {state}");
    }
    assert_eq!(
        parts[2],
        [
            "box1 is away since 00:00:00, for 0:01:30: nothing was heard of it for 2.5 s",
            "box1's child wheel is away since 00:00:00, for 0:01:30: it ended the link",
        ]
    );
}

#[test]
fn each_agent_is_a_line_with_what_it_tells_of_itself() {
    let pi = health(
        json!({ "temperature": 48.3, "power": { "low": false, "throttled": false, "earlier": true } }),
    );
    let children = [child(json!({ "health": pi })), child(json!({ "name": "lamp", "here": false }))];
    let parts = shown(json!([pilot(json!({ "children": children, "unacknowledged": 17 }))]));
    assert_eq!(
        parts[1],
        [
            "agent round trip clock wall to come disk temp supply",
            "box1 here 85 us ±43 us +12 ms 17 12 GB - -",
            "wheel here 85 us ±43 us -500 ms - 12 GB 48 °C was low",
            "lamp away - - - - - - -",
        ]
    );
}

#[test]
fn what_no_board_tells_has_no_column() {
    let parts = shown(json!([pilot(json!({}))]));
    assert_eq!(parts[1][0], "agent round trip clock wall to come disk");
}

#[test]
fn what_needs_a_person_is_below_the_tables() {
    let low = health(json!({
        "disk": { "free": 312_000_000, "size": 31_000_000_000u64 },
        "power": { "low": true, "throttled": true, "earlier": true },
    }));
    let parts = shown(json!([
        pilot(json!({ "notice": "what it sent waits in the journal: the disk is full" })),
        pilot(json!({ "quality": quality(-10_807.0), "health": low })),
        pilot(json!({ "children": [
            child(json!({ "here": false, "since": null, "why": null })),
            child(json!({ "name": "lamp", "health": low })),
        ] })),
    ]));
    assert_eq!(
        parts[2],
        [
            "box1: what it sent waits in the journal: the disk is full",
            "box1's wall clock is 3 h behind this computer's: dates are wrong by that; set it, or use a time server",
            "box1's voltage is too low: give it a better supply or cable",
            "box1's child wheel never came",
            "box1's child lamp has only 312 MB of disk left: make room",
            "box1's child lamp's voltage is too low: give it a better supply or cable",
        ]
    );
}

#[test]
fn sixteen_boxes_fit_on_a_screen_of_80_columns() {
    let pi =
        health(json!({ "temperature": 48.3, "power": { "low": false, "throttled": true, "earlier": true } }));
    let boxes: Vec<_> = (1..=16)
        .map(|number| {
            let wheel = child(json!({ "name": format!("wheel-{number}"), "health": pi }));
            pilot(json!({
                "name": format!("box{number}"), "children": [wheel], "health": pi, "unacknowledged": 12345,
                "session": session(json!({ "hold": "coming" })),
            }))
        })
        .collect();
    let picture = picture(boxes.clone().into(), true);
    assert_eq!(picture.split("\n\n").next().unwrap().lines().count(), 17);
    let picture = self::picture(boxes.into(), false);
    assert!(
        picture.split("\n\n").take(2).all(|table| on_lines(table) == table),
        "a table is too wide:\n{picture}"
    );
    for line in on_lines(&picture).lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
}

#[test]
fn numbers_are_told_as_a_person_reads_them() {
    let spans = [85e-6, 0.012, -2.5, 185.0, 7200.0, 10_807.0, 1e9];
    assert_eq!(spans.map(about), ["85 us", "12 ms", "2 s", "3 min", "120 min", "3 h", "11574 days"]);
    assert_eq!([0, 999, 1000, 2_113, 1_234_567].map(grouped), ["0", "999", "1,000", "2,113", "1,234,567"]);
    assert_eq!([5_300_000_000, 12_400_000_000].map(bytes), ["5300 MB", "12 GB"]);
}

#[test]
fn a_picture_that_is_higher_than_the_screen_ends_with_how_much_more_there_is() {
    let picture = "a\nb\nc\nd";
    assert_eq!(fitting(picture, 5), picture);
    assert_eq!(fitting(picture, 4), "a\nb\n... 2 more lines: make the window higher, or --brief");
    assert_eq!(fitting(picture, 0), "a\n... 3 more lines: make the window higher, or --brief");
}
