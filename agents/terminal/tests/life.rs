//! An animal's life between its sessions, as people write it down and read it.

#![allow(clippy::unwrap_used, reason = "a test ends where it is not as it should be")]

mod common;

use bramble_message::Activity;
use common::{ONE_COLUMN, Terminal, drop_of_water, ended, request, started, trials};

fn terminal() -> Terminal {
    let terminal = Terminal::start();
    terminal.say(&["subject", "add", "M001", "--species", "Mus musculus", "--genotype", "wt"]);
    terminal
}

/// What changed, from what to what, oldest first.
fn history(terminal: &Terminal) -> Vec<[String; 3]> {
    let changes = terminal.json(&["subject", "history", "M001", "--json"]);
    let changes = changes.as_array().unwrap().iter();
    let text = |change: &serde_json::Value, field: &str| change[field].as_str().unwrap().to_owned();
    changes.map(|change| ["what", "from", "to"].map(|field| text(change, field))).collect()
}

#[test]
fn a_weight_is_shown_as_a_share_of_the_baseline_and_warned_of_below_the_limit() {
    let terminal = terminal();
    let said = terminal.say(&["subject", "weigh", "M001", "25g", "--before"]);
    assert!(
        said.starts_with("M001 weighs 25 g, 100.0 % of its baseline of 25 g, its first weighing"),
        "{said}"
    );
    terminal.say(&["subject", "weigh", "M001", "--baseline", "24 g", "--limit", "85%"]);
    let said = terminal.say(&["subject", "weigh", "M001", "20g", "--after"]);
    assert!(said.contains("83.3 % of its baseline of 24 g, set by "), "{said}");
    assert!(said.ends_with("warning: M001 is below its limit of 85 %"), "{said}");
    let shown = terminal.say(&["subject", "show", "M001"]);
    assert!(shown.contains("20 g today, 83.3 % of its baseline"), "{shown}");
    assert!(shown.contains("below its limit of 85 %"), "{shown}");
}

#[test]
fn a_mistyped_weight_is_corrected_and_both_are_kept() {
    let terminal = terminal();
    terminal.say(&["subject", "weigh", "M001", "214g", "--before"]);
    terminal.say(&["subject", "weigh", "M001", "21.4g", "--instead"]);
    let weights = terminal.json(&["subject", "weigh", "M001", "--json"]);
    assert_eq!(weights.as_array().unwrap().len(), 1);
    let weight = &weights[0]["weight"];
    assert_eq!((&weight["grams"], &weight["occasion"]), (&21.4.into(), &"before".into()));
    let corrected = ["weight", "214 g, before", "21.4 g, before"].map(str::to_owned);
    assert_eq!(history(&terminal).last(), Some(&corrected));
}

#[test]
fn water_is_owed_less_what_a_session_and_a_person_gave() {
    let terminal = terminal();
    let pilot = terminal.pilot("box1", Activity::Idle);
    let request = request("M001");
    let session = request.session;
    pilot.say(&started(request));
    pilot.say(&trials(session, 1, &[true]));
    pilot.say(&drop_of_water(session));
    pilot.say(&ended(session, false));
    let over = |subject: &serde_json::Value| subject["sessions"][0]["end"].is_object();
    let show = terminal.until(&["subject", "show", "M001", "--json"], over);
    terminal.say(&["subject", "water", "M001", "--target", "1mL"]);
    terminal.say(&["subject", "water", "M001", "2mL"]);
    let said = terminal.say(&["subject", "water", "M001", "200uL", "--instead"]);
    assert!(said.starts_with("M001 was given 200 uL and not 2000 uL"), "{said}");
    // The session of a made-up pilot began on another day than that of this test.
    let today = show["life"]["water"]["sessions"].as_f64().unwrap();
    let owed = format!("is owed {} uL of 1000 uL", 800.0 - today);
    assert!(terminal.say(&["subject", "water", "M001"]).ends_with(&owed), "{owed}");
}

#[test]
fn notes_and_edits_are_in_the_history_with_what_was_before() {
    let terminal = terminal();
    terminal.say(&["subject", "note", "M001", "left ear clipped", "--who", "ada@desk"]);
    terminal.say(&["subject", "edit", "M001", "--genotype", "het", "--extra", "cage=14"]);
    let history = history(&terminal);
    let changes = [["note", "", "left ear clipped"], ["biography.genotype", "wt", "het"]];
    for change in changes {
        assert!(history.contains(&change.map(str::to_owned)), "{history:?}");
    }
    assert!(terminal.say(&["subject", "history", "M001"]).contains("ada@desk"));
    let same = terminal.say(&["subject", "edit", "M001", "--genotype", "het"]);
    assert!(same.ends_with("nothing was changed"), "{same}");
}

#[test]
fn what_is_no_weight_no_water_and_no_note_is_refused() {
    let terminal = terminal();
    for (wrong, said) in [
        (&["subject", "weigh", "M001", "21.4"][..], "21.4 g"),
        (&["subject", "weigh", "M001", "0g"], "no animal weighs nothing"),
        (&["subject", "weigh", "M001", "-3g"], ""),
        (&["subject", "weigh", "M001", "--limit", "120%"], "level"),
        (&["subject", "weigh", "M001", "21g", "--instead"], "no weighing that could be wrong"),
        (&["subject", "water", "M001", "200"], "4 uL"),
        (&["subject", "note", "M001", "  "], "the note is empty"),
        (&["subject", "weigh", "M009", "21g"], "there is no subject M009"),
        (&["subject", "edit", "M009", "--sex", "male"], "there is no subject M009"),
    ] {
        let refused = terminal.refused(wrong);
        assert!(refused.contains(said), "{wrong:?}: {refused}");
    }
    assert_eq!(history(&terminal).len(), 1, "nothing was changed");
}

#[test]
fn a_start_without_todays_weight_is_refused_until_it_is_confirmed() {
    let terminal = terminal();
    let pilot = terminal.pilot("box1", Activity::Idle);
    let file = terminal.file("t.star", ONE_COLUMN);
    terminal.say(&["subject", "weigh", "M001", "--baseline", "25g", "--limit", "80%"]);
    let start = ["start", "M001", "--pilot", "box1", "--task", &file];
    let said = terminal.refused(&start);
    assert!(said.contains("M001 was not weighed today; it was never weighed"), "{said}");
    assert!(said.contains("--confirm unweighed"), "{said}");
    terminal.say(&["subject", "weigh", "M001", "19g", "--before"]);
    let said = terminal.refused(&start);
    assert!(said.contains("--confirm underweight"), "{said}");
    let confirmed = [&start[..], &["--confirm", "underweight"]].concat();
    std::thread::scope(|scope| {
        let said = scope.spawn(|| terminal.say(&confirmed));
        let (ask, request) = pilot.start();
        pilot.answer(ask, Ok(()));
        pilot.say(&started(request));
        let said = said.join().unwrap();
        assert!(said.contains("\nits weight: 19 g today, 76.0 % of its baseline of 25 g"), "{said}");
    });
}
