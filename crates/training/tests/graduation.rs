//! When a subject graduates.

use crate::common::{CORRECT, ERROR, after, rule, trials};
use bramble_training::{Graduation, GraduationError, LOOK_BACK};
use bramble_value::{Ending, Trials};
use proptest::prelude::*;

fn met(graduate: &str, trials: &Trials) -> bool {
    rule(graduate).met(trials).unwrap_or_else(|error| panic!("{error}"))
}

/// After how many of these trials the rule first says yes.
fn first_met(graduate: &str, outcomes: &[Option<u16>]) -> Option<usize> {
    let rule = rule(graduate);
    (0..=outcomes.len()).find(|count| rule.met(&trials(&outcomes[..*count])).expect("a decision"))
}

const HIT: Option<u16> = Some(CORRECT);
const MISS: Option<u16> = Some(ERROR);

#[test]
fn a_step_without_a_rule_never_ends() {
    for graduate in ["never", "None"] {
        assert_eq!(first_met(graduate, &[HIT; 50]), None);
    }
}

#[test]
fn trials_count_those_that_came_to_an_end() {
    assert_eq!(first_met("trials(3)", &[HIT, MISS, None, HIT]), Some(3));
    let mut some = trials(&[HIT; 3]);
    some.rows[1].ending = Ending::Stopped;
    assert!(!met("trials(3)", &some));
    some.rows[1].ending = Ending::Timeout;
    assert!(met("trials(3)", &some));
}

#[test]
fn accuracy_is_the_share_of_the_last_trials() {
    let graduate = "accuracy(\"outcome\", of = \"correct\", at_least = 0.75, window = 4)";
    assert_eq!(first_met(graduate, &[HIT, HIT, HIT]), None, "the window is not full");
    assert_eq!(first_met(graduate, &[MISS, MISS, HIT, HIT, HIT]), Some(5));
    assert_eq!(first_met(graduate, &[HIT, None, HIT, None, HIT]), None, "a missing value counts against it");
}

#[test]
fn accuracy_may_be_enough_before_the_window_is_full() {
    let graduate = "accuracy(\"hit\", at_least = \"75 %\", window = 40, least = 3)";
    assert_eq!(first_met(graduate, &[HIT, HIT, HIT]), Some(3));
    assert_eq!(first_met(graduate, &[MISS, HIT, HIT, HIT]), Some(4));
}

#[test]
fn accuracy_counts_names_booleans_and_numbers() {
    let some = trials(&[HIT, HIT, MISS, HIT]);
    assert!(met("accuracy(\"hit\", of = False, at_least = 0.25, window = 4)", &some));
    assert!(!met("accuracy(\"hit\", of = False, at_least = 0.26, window = 4)", &some));
    assert!(met("accuracy(\"tries\", of = 1, at_least = 0.5, window = 4)", &some));
}

#[test]
fn a_rate_is_over_a_stretch_of_the_last_session() {
    // One trial a second.
    let graduate = "rate(at_least = 60, per = \"1 min\", window = \"10 s\")";
    assert_eq!(first_met(graduate, &[HIT; 20]), Some(10));
    assert_eq!(first_met("rate(at_least = 61, window = \"10 s\")", &[HIT; 20]), None);
    let (first, second) = (trials(&[HIT; 30]), trials(&[HIT; 9]));
    assert!(!met(graduate, &after(first.clone(), second)), "the new session is not yet that long");
    assert!(met(graduate, &after(first, trials(&[HIT; 10]))));
}

#[test]
fn rules_are_combined() {
    let of = |word: &str| format!("{word}(trials(3), accuracy(\"hit\", at_least = 1, window = 2))");
    assert_eq!(first_met(&of("all_of"), &[HIT, HIT, MISS, HIT, HIT]), Some(5));
    assert_eq!(first_met(&of("any_of"), &[HIT, HIT, MISS, HIT, HIT]), Some(2));
    assert_eq!(first_met("any_of(trials(9), all_of(trials(2), lambda trials: True))", &[HIT; 5]), Some(2));
}

#[test]
fn a_function_sees_the_columns_with_their_units_and_what_is_missing() {
    let graduate = "lambda trials: len(trials) == 3 and trials[0].outcome == \"correct\" and trials[1].outcome == None \
                    and trials[-1].latency < \"300 ms\" and trials[2].trial == 3 and trials[2].ending == \"done\" \
                    and trials[2].end - trials[0].start == \"3 s\"";
    assert_eq!(first_met(graduate, &[HIT, None, MISS, HIT]), Some(3));
}

#[test]
fn a_function_sees_no_more_than_the_recent_trials() {
    let some = trials(&vec![HIT; LOOK_BACK + 5]);
    assert!(met(
        &format!("lambda trials: len(trials) == {LOOK_BACK} and trials[0].trial == 6 or len(trials) <= 100"),
        &some
    ));
}

#[test]
fn a_rule_says_how_far_it_looks_back() {
    let back = |graduate: &str| rule(graduate).looks_back();
    assert_eq!(back("never"), 0);
    assert_eq!(back("rate(at_least = 1, window = \"1 h\")"), 0);
    assert!(back("trials(60)") >= 60);
    assert_eq!(back("accuracy(\"hit\", at_least = 1, window = 40)"), 40);
    assert_eq!(back("any_of(accuracy(\"hit\", at_least = 1, window = 40), lambda trials: False)"), LOOK_BACK);
}

#[test]
fn a_mistake_of_a_function_is_told_with_its_line_and_is_no_decision() {
    // Right for the trials that are tried out when it is loaded, wrong for no trial.
    let Err(GraduationError::Function(failure)) = rule("lambda trials: trials[0].hit").met(&trials(&[]))
    else {
        panic!("a mistake")
    };
    assert_eq!(failure.place.expect("a place").line, 1);
    let error = rule("lambda trials: trials[-1].hit").met(&trials(&[None])).expect_err("not a boolean");
    assert!(error.to_string().contains("True or False"), "{error}");
}

#[test]
fn trials_of_another_task_are_no_decision() {
    let error =
        rule("accuracy(\"hit\", at_least = 1, window = 2)").met(&Trials::default()).expect_err("no column");
    assert_eq!(error, GraduationError::NoColumn("hit".to_owned()));
}

#[test]
fn a_function_that_never_ends_is_cut_off() {
    let graduate = "lambda trials: len(trials) > 1000 or max([i for i in range(10) for j in range(10)]) > 0 \
                    if len(trials) > 0 else len([i for i in range(1000) for j in range(1000)]) > 0";
    let error = rule(graduate).met(&trials(&[])).expect_err("too long");
    assert!(error.to_string().contains("too"), "{error}");
}

fn outcome() -> impl Strategy<Value = Option<u16>> {
    prop::option::of(0..3u16)
}

proptest! {
    #[test]
    fn accuracy_is_what_counting_by_hand_gives(
        outcomes in prop::collection::vec(outcome(), 0..60),
        window in 1..30u32,
        percent in 1..=100u32,
    ) {
        let rule = Graduation::Accuracy {
            column: "outcome".to_owned(),
            of: bramble_training::Wanted::Name("correct".to_owned()),
            at_least: f64::from(percent) / 100.0,
            window,
            least: window,
        };
        let last = &outcomes[outcomes.len().saturating_sub(window as usize)..];
        let hits = last.iter().filter(|outcome| **outcome == HIT).count();
        let enough = hits as f64 / f64::from(window) >= f64::from(percent) / 100.0;
        let all = trials(&outcomes);
        prop_assert_eq!(rule.met(&all), Ok(last.len() == window as usize && enough));
        // It looks no further back than it says.
        let mut recent = all.clone();
        recent.rows.drain(..all.rows.len().saturating_sub(rule.looks_back()));
        prop_assert_eq!(rule.met(&recent), rule.met(&all));
    }

    #[test]
    fn more_trials_never_take_a_graduation_on_trials_back(count in 0..100usize, wanted in 1..100u32) {
        let rule = Graduation::Trials(wanted);
        prop_assert_eq!(rule.met(&trials(&vec![HIT; count])), Ok(count >= wanted as usize));
    }
}
