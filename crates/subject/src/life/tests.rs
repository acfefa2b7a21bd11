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
    let set = Care::Baseline(Some(Mass::from_grams(40.0).unwrap())).change(&[], &by("2026-03-02T09:00:00Z"));
    let set = life(&[set], &weights, &[]);
    assert_eq!(set.baseline.unwrap().set, Some(by("2026-03-02T09:00:00Z")));
    assert_eq!(set.weight.unwrap().share, 0.5);
}

#[test]
fn a_weight_is_below_the_limit_only_where_a_limit_was_set() {
    let weights = [weight("2026-03-01T09:00:00Z", 25.0), weight("2026-03-10T09:00:00Z", 20.0)];
    assert!(!life(&[], &weights, &[]).is_below_limit());
    let limit =
        |share| Care::Limit(Some(Level::from_share(share).unwrap())).change(&[], &by("2026-03-02T09:00:00Z"));
    assert!(!life(&[limit(0.8)], &weights, &[]).is_below_limit());
    assert!(life(&[limit(0.81)], &weights, &[]).is_below_limit());
}

#[test]
fn who_is_at_the_limit_is_not_below_it_and_who_is_the_least_below_is() {
    for (grams, baseline, limit) in [(19.2, 24.0, 0.8), (27.9, 31.0, 0.9), (21.0, 30.0, 0.7)] {
        let limit = Care::Limit(Level::from_share(limit)).change(&[], &by("2026-03-02T09:00:00Z"));
        let is_below = |grams| {
            let weights = [weight("2026-03-01T09:00:00Z", baseline), weight("2026-03-10T09:00:00Z", grams)];
            life(std::slice::from_ref(&limit), &weights, &[]).is_below_limit()
        };
        assert!(!is_below(grams) && is_below(grams - 0.0001), "{grams} of {baseline}");
    }
}

#[test]
fn a_weighing_is_of_its_day() {
    let (yesterday, today) = (weight("2026-03-09T09:00:00Z", 25.0), weight("2026-03-10T09:00:00Z", 25.0));
    assert!(!life(&[], &[], &[]).is_weighed_today());
    assert!(!life(&[], std::slice::from_ref(&yesterday), &[]).is_weighed_today());
    assert!(life(&[], &[yesterday, today], &[]).is_weighed_today());
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
        Care::Target(Some(ul(1000.0))).change(&[], &by("2026-03-02T09:00:00Z")),
        water_given(Some(ul(500.0)), None, &[], &by("2026-03-09T23:59:59Z")),
        water_given(Some(ul(200.0)), None, &[], &by("2026-03-10T10:00:00Z")),
    ];
    let sessions = [
        session("2026-03-09T09:00:00Z", Some(400.0)),
        session("2026-03-10T09:00:00Z", Some(300.5)),
        session("2026-03-10T10:00:00Z", None),
    ];
    let life = life(&history, &[], &sessions);
    assert_eq!(life.water, WaterOfDay { sessions: ul(300.5), by_hand: ul(200.0), unknown: 1 });
    assert_eq!(life.owed(), Some(ul(499.5)));
}

#[test]
fn no_less_than_nothing_is_owed_and_nothing_is_known_without_a_target() {
    let target = Care::Target(Some(ul(100.0))).change(&[], &by("2026-03-02T09:00:00Z"));
    let given = water_given(Some(ul(200.0)), None, &[], &by("2026-03-10T10:00:00Z"));
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
    let mut history = vec![water_given(Some(ul(2000.0)), None, &[], &by("2026-03-09T10:00:00Z"))];
    let wrong = water_by_hand(&history)[0];
    let right = water_given(Some(ul(200.0)), Some(&wrong), &history, &by("2026-03-10T10:00:00Z"));
    assert_eq!(right.from, "2000 uL");
    history.push(right);
    assert_eq!(water_by_hand(&history), [Given { when: at("2026-03-09T10:00:00Z"), volume: ul(200.0) }]);
    assert_eq!(life(&history, &[], &[]).water.by_hand, ul(0.0));
}

#[test]
fn water_that_is_written_down_later_is_of_its_own_day() {
    let given = Given { when: at("2026-03-08T12:00:00Z"), volume: ul(200.0) };
    let mut history = vec![water_given_then(given, &by("2026-03-09T10:00:00Z"))];
    assert_eq!(water_by_hand(&history), [given]);
    let days = water_by_day(&history, &[session("2026-03-08T09:00:00Z", Some(100.0))], &TimeZone::UTC);
    assert_eq!(days.len(), 1);
    let sunday = days["2026-03-08".parse::<Date>().as_ref().unwrap()];
    assert_eq!((sunday.total(), sunday.unknown), (ul(300.0), 0));
    history.push(water_given(Some(ul(250.0)), Some(&given), &history, &by("2026-03-09T11:00:00Z")));
    assert_eq!(water_by_hand(&history), [Given { volume: ul(250.0), ..given }]);
}

#[test]
fn an_animal_was_in_hand_when_something_was_and_not_when_it_is_written_down() {
    let weight = Weight {
        when: at("2026-03-08T12:00:00Z"),
        grams: 21.0,
        occasion: Occasion::After,
        who: "ana".into(),
    };
    let given = Given { when: at("2026-03-08T13:00:00Z"), volume: ul(200.0) };
    let late = by("2026-03-09T10:00:00Z");
    let history = [weighed_then(&weight, &late), water_given_then(given, &late)];
    assert_eq!(handled(&history, &[weight]), Some(given.when));
}

#[test]
fn water_of_before_the_last_is_corrected_and_taken_back_by_its_time() {
    let mut history = Vec::new();
    for (time, volume) in
        [("2026-03-09T10:00:00Z", 1.0), ("2026-03-10T08:00:00Z", 2.0), ("2026-03-10T09:00:00Z", 4.0)]
    {
        history.push(water_given(Some(ul(volume)), None, &history, &by(time)));
    }
    let wrong = water_by_hand(&history)[0];
    history.push(water_given(Some(ul(8.0)), Some(&wrong), &history, &by("2026-03-10T10:00:00Z")));
    assert_eq!(history[3].from, "1 uL, 2026-03-09T10:00:00Z");
    let volumes = |history: &[Change]| -> Vec<f64> {
        water_by_hand(history).iter().map(|given| given.volume.microliters()).collect()
    };
    assert_eq!(volumes(&history), [8.0, 2.0, 4.0]);
    let wrong = water_by_hand(&history)[1];
    history.push(water_given(None, Some(&wrong), &history, &by("2026-03-10T10:01:00Z")));
    assert_eq!(volumes(&history), [8.0, 4.0]);
    assert_eq!(life(&history, &[], &[]).water.by_hand, ul(4.0));
}

#[test]
fn what_was_taken_back_counts_no_more_and_is_kept() {
    let set = Care::Baseline(Mass::from_grams(40.0)).change(&[], &by("2026-03-02T09:00:00Z"));
    let mut history = vec![set];
    history.push(Care::Baseline(None).change(&history, &by("2026-03-03T09:00:00Z")));
    assert_eq!([history[1].from.as_str(), &history[1].to], ["40 g", ""]);
    let mut weights = vec![weight("2026-03-01T09:00:00Z", 25.0), weight("2026-03-10T09:00:00Z", 214.0)];
    weights.push(weight_taken_back(&weights[1], &by("2026-03-10T10:00:00Z")));
    let fares = life(&history, &weights, &[]);
    assert_eq!(fares.baseline.unwrap().mass.grams(), 25.0, "the first weighing again");
    assert_eq!(fares.weight.unwrap().weight.grams, 25.0);
    let told = weight_corrected(&weights[1], None, &by("2026-03-10T10:00:00Z"));
    assert_eq!([told.from.as_str(), &told.to], ["214 g, before, 2026-03-10T09:00:00Z", ""]);
}

#[test]
fn days_are_those_of_the_lab() {
    let zone = TimeZone::fixed(jiff::tz::offset(9));
    // Midnight in the lab is 15:00 UTC.
    let given = [
        water_given(Some(ul(1.0)), None, &[], &by("2026-03-09T14:59:00Z")),
        water_given(Some(ul(2.0)), None, &[], &by("2026-03-09T15:01:00Z")),
    ];
    let life = Life::of(&given, &[], &[], at("2026-03-10T12:00:00Z"), &zone);
    assert_eq!(life.water.by_hand, ul(2.0));
}

#[test]
fn a_new_limit_says_what_it_was() {
    let first = Care::Limit(Some(Level::from_share(0.8).unwrap())).change(&[], &by("2026-03-01T09:00:00Z"));
    let history = [first];
    let second =
        Care::Limit(Some(Level::from_share(0.85).unwrap())).change(&history, &by("2026-03-02T09:00:00Z"));
    assert_eq!((second.from.as_str(), second.to.as_str()), ("80 %", "85 %"));
}
