use bramble_value::Ending;
use uuid::Uuid;

use super::*;
use crate::{Occasion, SessionEnd, SessionNumber};

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn by(time: &str) -> By {
    By { who: "ada@desk".to_owned(), when: at(time) }
}

fn weight(time: &str, grams: f64) -> Weight {
    Weight { when: at(time), grams, occasion: Occasion::Before, who: "ada@desk".to_owned() }
}

fn session(started: &str, water: Option<f64>) -> SessionSummary {
    SessionSummary {
        number: SessionNumber::new(1),
        uuid: Uuid::nil(),
        task: "free_water".to_owned(),
        pilot: "box1".to_owned(),
        protocol: None,
        started: at(started),
        end: Some(SessionEnd {
            ended: at(started),
            ending: Ending::Done,
            why: String::new(),
            correct: None,
            water,
        }),
        trials: 0,
        events: 0,
    }
}

fn ul(microliters: f64) -> Volume {
    Volume::from_microliters(microliters).unwrap()
}

/// How an animal fares at noon of 10 March.
fn life(history: &[Change], weights: &[Weight], sessions: &[SessionSummary]) -> Life {
    Life::of(history, weights, sessions, at("2026-03-10T12:00:00Z"), &TimeZone::UTC)
}

#[test]
fn the_first_weighing_is_the_baseline_until_a_person_sets_one() {
    let weights = [weight("2026-03-01T09:00:00Z", 25.0), weight("2026-03-10T09:00:00Z", 20.0)];
    let first = life(&[], &weights, &[]);
    assert_eq!(first.baseline.unwrap().set, None);
    assert_eq!(first.weight.unwrap().share, 0.8);
    let set = Care::Baseline(Mass::from_grams(40.0).unwrap()).change(&[], &by("2026-03-02T09:00:00Z"));
    let set = life(&[set], &weights, &[]);
    assert_eq!(set.baseline.unwrap().set, Some(by("2026-03-02T09:00:00Z")));
    assert_eq!(set.weight.unwrap().share, 0.5);
}

#[test]
fn a_weight_is_below_the_limit_only_where_a_limit_was_set() {
    let weights = [weight("2026-03-01T09:00:00Z", 25.0), weight("2026-03-10T09:00:00Z", 20.0)];
    assert!(!life(&[], &weights, &[]).is_below_limit());
    let limit =
        |share| Care::Limit(Level::from_share(share).unwrap()).change(&[], &by("2026-03-02T09:00:00Z"));
    assert!(!life(&[limit(0.8)], &weights, &[]).is_below_limit());
    assert!(life(&[limit(0.81)], &weights, &[]).is_below_limit());
}

#[test]
fn an_animal_with_a_limit_is_to_be_weighed_every_day() {
    let limit = [Care::Limit(Level::from_share(0.8).unwrap()).change(&[], &by("2026-03-02T09:00:00Z"))];
    let (yesterday, today) = (weight("2026-03-09T09:00:00Z", 25.0), weight("2026-03-10T09:00:00Z", 25.0));
    assert!(life(&limit, &[], &[]).is_unweighed());
    assert!(life(&limit, std::slice::from_ref(&yesterday), &[]).is_unweighed());
    assert!(!life(&limit, &[yesterday.clone(), today], &[]).is_unweighed());
    assert!(!life(&[], &[yesterday], &[]).is_unweighed());
}

#[test]
fn a_corrected_weighing_counts_in_the_place_of_the_wrong_one() {
    let wrong = [weight("2026-03-01T09:00:00Z", 25.0), weight("2026-03-10T09:00:00Z", 214.0)];
    let all = [wrong[0].clone(), wrong[1].clone(), weight("2026-03-10T09:00:00Z", 21.4)];
    assert_eq!(counted(&all).len(), 2);
    assert_eq!(life(&[], &all, &[]).weight.unwrap().weight.grams, 21.4);
}

#[test]
fn water_is_owed_less_what_sessions_and_people_gave_today() {
    let history = [
        Care::Target(ul(1000.0)).change(&[], &by("2026-03-02T09:00:00Z")),
        water_given(ul(500.0), None, &by("2026-03-09T23:59:59Z")),
        water_given(ul(200.0), None, &by("2026-03-10T10:00:00Z")),
    ];
    let sessions = [
        session("2026-03-09T09:00:00Z", Some(400.0)),
        session("2026-03-10T09:00:00Z", Some(300.5)),
        session("2026-03-10T10:00:00Z", None),
    ];
    let life = life(&history, &[], &sessions);
    assert_eq!(life.water, WaterToday { sessions: ul(300.5), by_hand: ul(200.0), unknown: 1 });
    assert_eq!(life.owed(), Some(ul(499.5)));
}

#[test]
fn no_less_than_nothing_is_owed_and_nothing_is_known_without_a_target() {
    let target = Care::Target(ul(100.0)).change(&[], &by("2026-03-02T09:00:00Z"));
    let given = water_given(ul(200.0), None, &by("2026-03-10T10:00:00Z"));
    assert_eq!(life(&[target, given.clone()], &[], &[]).owed(), Some(ul(0.0)));
    assert_eq!(life(&[given], &[], &[]).owed(), None);
}

#[test]
fn where_nothing_was_given_that_is_nothing_and_not_minus_nothing() {
    assert_eq!(life(&[], &[], &[]).water.total().to_string(), "0 uL");
    assert_eq!(life(&[], &[], &[]).water.sessions.to_string(), "0 uL");
}

#[test]
fn corrected_water_is_of_the_time_at_which_it_was_given() {
    let given = water_given(ul(2000.0), None, &by("2026-03-09T10:00:00Z"));
    let right = water_given(ul(200.0), last_given(std::slice::from_ref(&given)), &by("2026-03-10T10:00:00Z"));
    assert_eq!(right.from, "2000 uL");
    let history = [given, right];
    assert_eq!(last_given(&history), Some(ul(200.0)));
    assert_eq!(life(&history, &[], &[]).water.by_hand, ul(0.0));
}

#[test]
fn days_are_those_of_the_lab() {
    let zone = TimeZone::fixed(jiff::tz::offset(9));
    // Midnight in the lab is 15:00 UTC.
    let given = [
        water_given(ul(1.0), None, &by("2026-03-09T14:59:00Z")),
        water_given(ul(2.0), None, &by("2026-03-09T15:01:00Z")),
    ];
    let life = Life::of(&given, &[], &[], at("2026-03-10T12:00:00Z"), &zone);
    assert_eq!(life.water.by_hand, ul(2.0));
}

#[test]
fn a_new_limit_says_what_it_was() {
    let first = Care::Limit(Level::from_share(0.8).unwrap()).change(&[], &by("2026-03-01T09:00:00Z"));
    let history = [first];
    let second = Care::Limit(Level::from_share(0.85).unwrap()).change(&history, &by("2026-03-02T09:00:00Z"));
    assert_eq!((second.from.as_str(), second.to.as_str()), ("80 %", "85 %"));
}
