use std::collections::BTreeMap;

use bramble_subject::{SessionEnd, SessionNumber, Supply};
use bramble_value::{Ending, Kind, Names, Person, Row, Seed, Source, SourceKind, Span, Value, ValueType};
use jiff::tz::TimeZone;
use serde_json::json;
use uuid::Uuid;

use super::*;

/// What a session recorded, to be spoilt by a test.
struct Made {
    summary: SessionSummary,
    start: SessionStart,
    trials: Trials,
    events: Vec<Event>,
    notes: Vec<Note>,
    clock: Vec<ClockEstimate>,
    health: Vec<Health>,
}

const VALVE: u16 = 1;
const SYNC: u16 = 2;
const SYNC_INPUT: u16 = 3;
const SESSION: u16 = 0;

/// Where the pages are read: an hour east of Greenwich.
fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(1))
}

fn ms(ms: f64) -> Time {
    Time::from_ns((ms * 1e6) as i64)
}

fn event(at: f64, kind: Kind, source: u16, value: f64) -> Event {
    Event { time: ms(at), trial: 1, kind, source: Source(source), value }
}

/// A computer with so many of 30 GB free.
fn health(free: f64, temperature: Option<f64>, supply: Option<Supply>) -> Health {
    Health { time: ms(1.0), disk: Some(((free * 1e9) as u64, 30_000_000_000)), temperature, supply }
}

/// A session with nothing wrong: two trials, a drop of water, a sync line both ways.
fn made() -> Made {
    let port = |name: &str| (SourceKind::Port, name.to_owned());
    let names = Names {
        sources: vec![
            (SourceKind::Session, "session".to_owned()),
            port("valve.left"),
            port("sync"),
            port("sync_input"),
        ],
    };
    let outcome = ValueType::Choice(vec!["correct".parse().unwrap(), "error".parse().unwrap()].into());
    let started = "2026-03-10T09:00:00Z".parse().unwrap();
    let row = |trial, at, choice, seconds| Row {
        trial,
        start: ms(at),
        end: ms(at + 1000.0),
        ending: Ending::Done,
        values: vec![
            Some(Value::Choice(choice)),
            Some(Value::Duration(Span::from_seconds(seconds).unwrap())),
        ],
    };
    Made {
        summary: SessionSummary {
            number: SessionNumber::new(3),
            uuid: Uuid::nil(),
            task: "two_choice".to_owned(),
            pilot: "box1".to_owned(),
            protocol: None,
            started,
            end: Some(SessionEnd {
                ended: started,
                ending: Ending::Stopped,
                why: "2 trials were asked for".to_owned(),
                correct: Some(0.5),
                water: Some(4.0),
            }),
            trials: 2,
            events: 8,
        },
        start: SessionStart {
            uuid: Uuid::nil(),
            task: "two_choice".to_owned(),
            task_doc: String::new(),
            root: "t.star".to_owned(),
            sources: BTreeMap::new(),
            parameters: Vec::new(),
            columns: vec![bramble_subject::Column {
                name: "outcome".to_owned(),
                value_type: outcome.clone(),
                doc: "what the animal did".to_owned(),
            }],
            names,
            seed: Seed(1),
            pilot: "box1".to_owned(),
            protocol: None,
            started,
            start_time: ms(0.0),
            versions: BTreeMap::new(),
            provenance: json!({"pilot": {"rig": {"settings": {"devices": {"valve": {"kind": "solenoid"}}}}}}),
            texts: BTreeMap::new(),
        },
        trials: Trials {
            columns: vec![("outcome".to_owned(), outcome), ("latency".to_owned(), ValueType::Duration)],
            rows: vec![row(1, 0.0, 0, 0.25), row(2, 1000.0, 1, 0.75)],
        },
        events: vec![
            event(10.0, Kind::Moment, SESSION, 0.0),
            event(10.0, Kind::Command, VALVE, 0.1),
            event(10.1, Kind::Output, VALVE, 1.0),
            event(110.0, Kind::Moment, SESSION, 1.0),
            event(110.1, Kind::Output, VALVE, 0.0),
            event(120.0, Kind::Moment, SESSION, 1.0),
            event(120.1, Kind::Output, SYNC, 1.0),
            event(130.0, Kind::Input, SYNC_INPUT, 1.0),
        ],
        notes: Vec::new(),
        clock: vec![ClockEstimate { time: ms(0.0), offset_ns: 0, error_ns: 100_000, drift_ppb: 0 }],
        health: vec![health(12.0, Some(51.0), Some(Supply::Fine))],
    }
}

fn report(made: &Made) -> Report {
    let subject: SubjectId = "M001".parse().unwrap();
    Report::of(Records {
        subject: &subject,
        summary: &made.summary,
        start: &made.start,
        trials: &made.trials,
        events: &made.events,
        notes: &made.notes,
        clock: &made.clock,
        health: &made.health,
    })
}

/// The checks to look at after something was spoilt.
fn spoilt(spoil: impl FnOnce(&mut Made)) -> Vec<String> {
    let mut made = made();
    spoil(&mut made);
    let checks = report(&made).checks.into_iter();
    checks.filter(|check| check.verdict == Verdict::Look).map(|check| check.name).collect()
}

fn found(made: &Made, name: &str) -> (Verdict, String) {
    let check = report(made).checks.into_iter().find(|check| check.name == name).unwrap();
    (check.verdict, check.found)
}

#[test]
fn a_session_with_nothing_wrong_has_every_check_fine() {
    let report = report(&made());
    assert!(report.checks.iter().all(|check| check.verdict == Verdict::Fine), "{:#?}", report.checks);
}

#[test]
fn each_check_finds_what_it_is_for_and_no_other_does() {
    let add = |event: Event| move |made: &mut Made| made.events.push(event);
    assert_eq!(spoilt(|made| made.summary.end.as_mut().unwrap().ending = Ending::Error), ["ending"]);
    assert_eq!(spoilt(|made| made.trials.rows.clear()), ["trials"]);
    assert_eq!(spoilt(add(event(200.0, Kind::Command, VALVE, 0.1))), ["rewards"]);
    assert_eq!(spoilt(add(event(120.2, Kind::Output, VALVE, 1.0))), ["rewards"]);
    assert_eq!(spoilt(add(event(200.0, Kind::Lost, SYNC_INPUT, 3.0))), ["lost edges"]);
    assert_eq!(spoilt(add(event(200.0, Kind::Late, SYNC_INPUT, 0.002))), ["late inputs"]);
    assert_eq!(spoilt(add(event(125.0, Kind::Output, SYNC, 0.0))), ["output latency"]);
    assert_eq!(spoilt(|made| made.clock[0].error_ns = 6_000_000), ["clock error"]);
    assert_eq!(spoilt(|made| made.events[6].value = 0.0), ["sync pulses sent"]);
    assert_eq!(spoilt(|made| made.events[7].value = 0.0), ["sync pulses seen"]);
    let note = Note { time: ms(500.0), text: "a beam flickers".to_owned() };
    assert_eq!(spoilt(|made| made.notes.push(note)), ["warnings"]);
}

#[test]
fn what_a_session_has_nothing_to_tell_by_is_unknown_and_not_fine() {
    let mut made = made();
    made.summary.end = None;
    made.start.provenance = json!({});
    made.start.names.sources.truncate(2);
    made.events.retain(|event| event.kind != Kind::Moment);
    made.clock.clear();
    made.trials.rows.clear();
    made.start.columns.clear();
    for name in [
        "trials",
        "ending",
        "rewards",
        "output latency",
        "clock error",
        "sync pulses sent",
        "sync pulses seen",
    ] {
        assert_eq!(found(&made, name).0, Verdict::Unknown, "{name}");
    }
}

#[test]
fn a_task_with_trials_of_which_none_was_is_to_be_looked_at() {
    let mut made = made();
    made.trials.rows.clear();
    made.start.columns.clear();
    made.start.names.sources.push((SourceKind::Stage, "trials/wait".to_owned()));
    assert_eq!(found(&made, "trials").0, Verdict::Look);
}

#[test]
fn drops_that_run_into_each_other_are_all_given_and_one_whose_valve_stayed_closed_is_not() {
    let mut made = made();
    made.events.splice(2..2, [event(10.0, Kind::Command, VALVE, 0.1)]);
    assert_eq!(found(&made, "rewards").1, "2 of 2 given, 4 uL", "two at once");
    made.events
        .splice(4..4, [event(60.0, Kind::Command, VALVE, 0.05), event(60.0, Kind::Manual, VALVE, 2.0)]);
    assert_eq!(found(&made, "rewards").1, "3 of 3 given, 4 uL", "one by hand during a drop");
    made.events.splice(1..1, [event(-500.0, Kind::Command, VALVE, 0.1)]);
    assert_eq!(found(&made, "rewards"), (Verdict::Look, "3 of 4 given, 4 uL".to_owned()));
}

#[test]
fn a_drop_that_was_cut_off_was_not_given_and_one_that_was_a_moment_short_was() {
    let mut made = made();
    // Told to stay open for 100 ms, from 10 ms on.
    made.events[4].time = ms(39.5);
    made.summary.end.as_mut().unwrap().water = Some(1.18);
    assert_eq!(found(&made, "rewards"), (Verdict::Look, "0 of 1 given, 1 cut short, 1.2 uL".to_owned()));
    // One that was over before the other was cut.
    made.events.splice(4..4, [event(12.0, Kind::Command, VALVE, 0.02)]);
    assert_eq!(found(&made, "rewards").1, "1 of 2 given, 1 cut short, 1.2 uL");
    // Another computer's times are moved to the pilot's clock.
    made.events[5].time = ms(109.5);
    assert_eq!(found(&made, "rewards"), (Verdict::Fine, "2 of 2 given, 1.2 uL".to_owned()));
}

#[test]
fn water_is_said_to_a_tenth_of_a_microliter() {
    let mut made = made();
    for (water, said) in [(29.5, "29.5 uL"), (304.5, "304.5 uL"), (124.0, "124 uL"), (0.04, "0 uL")] {
        made.summary.end.as_mut().unwrap().water = Some(water);
        assert_eq!(found(&made, "rewards").1, format!("1 of 1 given, {said}"));
    }
}

#[test]
fn what_a_person_did_to_a_session_is_shown_and_is_no_warning() {
    let mut made = made();
    let by: Person = "alice@desk".parse().unwrap();
    for text in [by.did("paused", "the plug: again"), by.did("resumed", ""), by.took_over(&by)] {
        made.notes.push(Note { time: ms(500.0), text });
    }
    assert_eq!(found(&made, "warnings"), (Verdict::Fine, "0".to_owned()));
    let text = report(&made).text(&zone());
    assert!(text.contains("\nnotes\n") && text.contains("0.5 s  resumed by alice@desk"), "{text}");
    made.notes.push(Note { time: ms(500.0), text: "`valve` was on for 2 s".to_owned() });
    assert_eq!(found(&made, "warnings"), (Verdict::Look, "1".to_owned()));
}

#[test]
fn small_numbers_are_said_with_three_digits_and_large_ones_to_a_thousandth() {
    let mut made = made();
    made.trials.columns[1].1 = ValueType::Number;
    let median = |made: &mut Made, number: f64| {
        for row in &mut made.trials.rows {
            row.values[1] = Some(Value::Number(number));
        }
        let text = crate::text::held(&report(made).columns[1]);
        text.split([' ', ',']).nth(1).unwrap().to_owned()
    };
    let said = [0.0, 0.25, 0.0004, 0.000_300_4, -0.012_345, 12.345_67, 1200.0, 0.000_000_3];
    let said = said.map(|number| median(&mut made, number));
    assert_eq!(said, ["0", "0.25", "0.0004", "0.0003", "-0.0123", "12.346", "1200", "3.00e-7"]);
}

#[test]
fn a_page_says_its_times_on_the_wall_where_it_is_read() {
    let report = report(&made());
    let begun = "started 2026-03-10 10:00:00 +01:00, ";
    assert!(report.text(&zone()).contains(begun) && report.html(&zone()).contains(begun));
}

#[test]
fn the_score_counts_what_is_fine_of_what_could_be_told_and_is_kept() {
    let mut made = made();
    assert_eq!(report(&made).score.to_string(), "13 of 13 checks are fine, nothing to look at");
    made.clock.clear();
    made.events.push(event(200.0, Kind::Lost, SYNC_INPUT, 3.0));
    let report = report(&made);
    assert_eq!(report.score, Score { fine: 11, of: 12 });
    let shown = "11 of 12 checks are fine, 1 to look at";
    assert!(report.text(&zone()).ends_with(shown) && report.html(&zone()).contains(shown));
    assert_eq!(serde_json::to_value(&report).unwrap()["score"], json!({"fine": 11, "of": 12}));
    let kept = report.to_keep("bramble-terminal 0.1.0".to_owned(), made.summary.started);
    assert!(kept.contains(r#""score":{"fine":11,"of":12}"#), "{kept}");
    // The first form had none.
    let first = kept.replace(r#""score":{"fine":11,"of":12},"#, "");
    let first = report.clone().as_kept(Kept::read(&first).unwrap());
    assert_eq!(first.score, report.score);
}

#[test]
fn a_check_says_its_number_with_its_unit() {
    let made = made();
    assert_eq!(found(&made, "rewards").1, "1 of 1 given, 4 uL");
    assert_eq!(found(&made, "trials").1, "2, 50 % correct");
    assert_eq!(found(&made, "clock error").1, "up to 0.100 ms");
}

#[test]
fn columns_are_counted_or_have_their_median() {
    let columns = report(&made()).columns;
    assert_eq!(columns[0].held, Held::Counts(vec![("correct".to_owned(), 1), ("error".to_owned(), 1)]));
    assert_eq!(columns[1].held, Held::Numbers { least: 0.25, median: 0.5, most: 0.75 });
    assert_eq!((columns[0].doc.as_str(), columns[1].unit.as_str()), ("what the animal did", "s"));
}

#[test]
fn a_page_of_text_is_80_columns_wide_whatever_is_said() {
    let mut made = made();
    made.notes.push(Note { time: ms(500.0), text: "a word after another ".repeat(12) });
    let text = report(&made).text(&zone());
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.ends_with("12 of 13 checks are fine, 1 to look at"), "{text}");
}

#[test]
fn a_page_of_html_leads_nowhere_and_takes_no_text_for_markup() {
    let mut made = made();
    made.notes.push(Note { time: ms(500.0), text: "<script>alert(1)</script> & more".to_owned() });
    let html = report(&made).html(&zone());
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; more"));
    assert!(!html.contains("<script") && !html.contains("http"), "{html}");
    assert_eq!(html.matches("<svg").count(), 2);
    assert!(Report::is_page(html.as_bytes()) && !Report::is_page(b"<!doctype html>\n<html>mine</html>"));
}

#[test]
fn a_session_of_no_trials_and_no_events_has_a_page() {
    let mut made = made();
    made.trials.rows.clear();
    made.events.clear();
    let report = report(&made);
    assert_eq!(report.seconds, 0.0);
    assert!(report.text(&zone()).contains("trials") && !report.html(&zone()).contains("NaN"));
}

#[test]
fn a_full_disk_heat_and_a_weak_supply_are_to_be_looked_at() {
    assert_eq!(found(&made(), "disk"), (Verdict::Fine, "at least 12.0 of 30.0 GB free".to_owned()));
    assert_eq!(found(&made(), "temperature"), (Verdict::Fine, "up to 51.0 C".to_owned()));
    assert_eq!(found(&made(), "supply").0, Verdict::Fine);
    let looked_at = spoilt(|made| {
        made.health.push(health(1.9, Some(81.5), Some(Supply::Slowed)));
        made.health.push(health(12.0, None, Some(Supply::Fine)));
    });
    assert_eq!(looked_at, ["disk", "temperature", "supply"]);
    let nothing = Made { health: Vec::new(), ..made() };
    assert_eq!(
        ["disk", "temperature", "supply"].map(|name| found(&nothing, name).0),
        [Verdict::Unknown, Verdict::Unknown, Verdict::Unknown]
    );
}

#[test]
fn the_checks_that_a_file_keeps_are_shown_with_what_would_be_said_otherwise() {
    let when = "2026-03-10T09:30:00Z".parse().unwrap();
    let text = report(&made()).to_keep("bramble-terminal 0.1.0".to_owned(), when);
    assert!(!text.contains("M001"), "whose it is stands elsewhere");
    let kept = Kept::read(&text).unwrap();
    let same = report(&made()).as_kept(kept.clone());
    assert_eq!(same.checks, report(&made()).checks);
    assert_eq!(same.checked.as_ref().unwrap().otherwise, [""; 0]);
    assert!(
        same.text(&zone())
            .contains("checked when it ended, 2026-03-10 10:30:00 +01:00, by bramble-terminal 0.1.0")
    );
    assert!(!same.text(&zone()).contains("say otherwise"));

    let mut older = kept;
    older.checks.retain(|check| check.name != "disk");
    older.checks[1].found = "another number".to_owned();
    let shown = report(&made()).as_kept(older);
    assert_eq!(shown.checked.as_ref().unwrap().otherwise, ["trials", "disk"]);
    assert!(shown.text(&zone()).contains("another number"), "what was kept is shown");
    assert!(shown.html(&zone()).contains("say otherwise of: trials, disk"));
    assert_eq!(Kept::read("{\"version\": 9}"), None);
}
