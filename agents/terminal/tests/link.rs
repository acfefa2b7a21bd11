//! How late pilots are and how fast their links, as a running terminal says it.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::common::{Pilot, Terminal, request, started};
use bramble_message::{Activity, Bar, Delays, PilotInPassing, Reaction};
use bramble_value::Span;
use uuid::Uuid;

/// Does something while pilots answer probes of their links.
fn answering<T>(pilots: &[&Pilot], work: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for pilot in pilots {
            scope.spawn(|| pilot.answer_probes(&stop));
        }
        let done = work();
        stop.store(true, Ordering::Relaxed);
        done
    })
}

#[test]
fn links_are_measured_one_after_the_other_and_all_at_once() {
    let terminal = Terminal::start();
    let (box1, box2) = (terminal.pilot("box1", Activity::Idle), terminal.pilot("box2", Activity::Idle));
    let report =
        answering(&[&box1, &box2], || terminal.json(&["test-link", "--all", "--time", "100ms", "--json"]));
    for links in [&report["apart"], &report["together"]] {
        let links = links.as_array().unwrap();
        let names: Vec<_> = links.iter().map(|link| link["pilot"].as_str().unwrap()).collect();
        assert_eq!(names, ["box1", "box2"]);
        for link in links {
            assert!(
                link["round_trip"]["count"].as_u64() > Some(0)
                    && link["round_trip"]["p50"].as_u64() > Some(0)
            );
            assert!(
                link["to_terminal"].as_f64() > Some(0.0) && link["to_pilot"].as_f64() > Some(0.0),
                "{link}"
            );
        }
    }
    let said = answering(&[&box1], || terminal.say(&["test-link", "box1", "--time", "50ms"]));
    assert!(said.contains("MB/s") && !said.contains("all at once"), "{said}");
}

#[test]
fn a_link_that_does_not_answer_is_said_so() {
    let terminal = Terminal::start();
    let _pilot = terminal.pilot("box1", Activity::Idle);
    let said = terminal.refused(&["test-link", "box1", "--time", "50ms"]);
    assert!(said.contains("box1 answered no probe of its link"), "{said}");
    let said = terminal.refused(&["test-link", "box2"]);
    assert!(said.contains("no pilot box2 is here"), "{said}");
    let said = terminal.refused(&["test-link", "box1", "--time", "1h"]);
    assert!(said.contains("10 s for each of its parts"), "{said}");
}

#[test]
fn a_pilot_in_a_session_is_tested_only_where_that_is_said() {
    let terminal = Terminal::start();
    terminal.say(&["subject", "add", "M001"]);
    let pilot = terminal.pilot("box1", Activity::Idle);
    pilot.say(&started(request("M001")));
    terminal.until(&["status", "--json"], |status| status["pilots"][0]["session"].is_object());
    let said = terminal.refused(&["test-link", "--all", "--time", "50ms"]);
    assert!(said.contains("box1 is busy") && said.contains("--during-session"), "{said}");
    let test = ["test-link", "box1", "--time", "50ms", "--during-session", "--json"];
    let report = answering(&[&pilot], || terminal.json(&test));
    assert_eq!(report["apart"][0]["pilot"], "box1");
}

#[test]
fn how_late_a_pilot_is_is_shown_with_its_histogram() {
    let terminal = Terminal::start();
    let pilot = terminal.pilot("box1", Activity::Idle);
    let us = |us: i64| Span::from_ns(us * 1_000);
    let bars = vec![Bar { up_to: us(50), count: 990 }, Bar { up_to: us(100), count: 10 }];
    let delays = Delays { count: 1000, bars, p50: us(41), p99: us(50), p99_9: us(90), worst: us(97) };
    let reaction = Reaction { session: Uuid::from_u128(7), delays };
    pilot.say_in_passing(&PilotInPassing::Reaction(reaction));
    let timing = terminal.until(&["timing", "--json"], |timing| {
        timing[0]["reaction"].is_object() && timing[0]["round_trip"].is_object()
    });
    assert_eq!(timing[0]["reaction"]["delays"]["worst"], 97_000);
    let said = terminal.say(&["timing", "box1"]);
    assert!(said.contains("1,000  41.0 us      50.0 us      90.0 us        97.0 us"), "{said}");
    assert!(said.contains("to 50 us  ########################################  990"), "{said}");
    assert!(terminal.refused(&["timing", "box2"]).contains("no pilot box2 is known"));
}
