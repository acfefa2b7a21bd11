//! An animal's life between its sessions, as people write it down and read it.

use crate::common::{ONE_COLUMN, Terminal, drop_of_water, ended, request, started, trials};
use bramble_message::Activity;

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
fn a_share_is_told_from_the_limit_that_it_is_below_and_at_the_limit_nothing_is_warned_of() {
    let terminal = terminal();
    terminal.say(&["subject", "weigh", "M001", "--baseline", "24 g", "--limit", "80%"]);
    let said = terminal.say(&["subject", "weigh", "M001", "19.2g"]);
    assert!(said.starts_with("M001 weighs 19.2 g, 80.0 % of") && !said.contains("warning"), "{said}");
    terminal.say(&["subject", "weigh", "M001", "--baseline", "25 g", "--limit", "85%"]);
    let said = terminal.say(&["subject", "weigh", "M001", "21.2499g"]);
    assert!(said.starts_with("M001 weighs 21.2499 g, 84.9996 % of"), "{said}");
    assert!(said.ends_with("warning: M001 is below its limit of 85 %"), "{said}");
    let shown = terminal.say(&["subject", "show", "M001"]);
    assert!(
        shown.contains("84.9996 % of its baseline") && shown.contains("below its limit of 85 %"),
        "{shown}"
    );
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
    // Which weighing it was is said too.
    let wrong = format!("214 g, before, {}", weight["when"].as_str().unwrap());
    let corrected = ["weight", &wrong, "21.4 g, before"].map(str::to_owned);
    assert_eq!(history(&terminal).last(), Some(&corrected));
}

#[test]
fn what_was_on_another_day_is_written_down_for_that_day() {
    let terminal = terminal();
    terminal.say(&["subject", "weigh", "M001", "25g"]);
    let said = terminal.say(&["subject", "weigh", "M001", "22g", "--after", "--on", "2026-03-01"]);
    assert!(said.starts_with("M001 weighed on 2026-03-01 22 g, "), "{said}");
    assert!(said.contains("22 g is its baseline from now on, since it is its first weighing"), "{said}");
    terminal.say(&["subject", "weigh", "M001", "23g", "--after", "--on", "2026-03-01"]);
    terminal.say(&["subject", "weigh", "M001", "21g", "--before", "--on", "2026-03-01 08:30"]);
    let weights = terminal.json(&["subject", "weigh", "M001", "--json"]);
    let grams: Vec<f64> =
        weights.as_array().unwrap().iter().map(|one| one["weight"]["grams"].as_f64().unwrap()).collect();
    assert_eq!(grams, [21.0, 22.0, 23.0, 25.0], "by their times, and none takes another's place");
    let [what, from, to] = history(&terminal).pop().unwrap();
    assert!(what == "weight" && from.is_empty() && to.starts_with("21 g, before, 2026-"), "{to}");

    terminal.say(&["subject", "water", "M001", "--target", "1mL"]);
    let said = terminal.say(&["subject", "water", "M001", "200uL", "--on", "2026-03-01"]);
    assert!(said.starts_with("M001 was given 200 uL on 2026-03-01; it had 0 uL today"), "{said}");
    terminal.say(&["subject", "water", "M001", "50uL"]);
    let days = terminal.json(&["subject", "water", "M001", "--days", "--json"]);
    assert_eq!(days[0]["day"], "2026-03-01");
    assert_eq!((&days[0]["water"]["by_hand"], &days[1]["water"]["by_hand"]), (&200.0.into(), &50.0.into()));
    let shown = terminal.say(&["subject", "water", "M001", "--days"]);
    assert!(shown.contains("2026-03-01") && shown.contains("200 uL"), "{shown}");

    terminal.say(&["subject", "water", "M001", "250uL", "--instead=2026-03-01"]);
    let days = terminal.json(&["subject", "water", "M001", "--days", "--json"]);
    assert_eq!(days[0]["water"]["by_hand"], 250.0);
    for (arguments, says) in [
        (&["weigh", "M001", "22g", "--on", "2999-01-01"][..], "2999-01-01 is yet to come"),
        (&["water", "M001", "1mL", "--on", "2999-01-01 10:00"], "2999-01-01 10:00 is yet to come"),
        (&["water", "M001", "1mL", "--on", "yesterday"], "`yesterday` is no day: write it as in"),
        (&["weigh", "M001", "22g", "--on", "2026-03-01", "--instead"], "cannot be used with"),
    ] {
        let said = terminal.refused(&[&["subject"], arguments].concat());
        assert!(said.contains(says), "{said}");
    }
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
fn what_was_set_weighed_and_given_is_taken_back_and_the_history_has_both() {
    let terminal = terminal();
    terminal.say(&["subject", "weigh", "M001", "--baseline", "25g", "--limit", "85%"]);
    let said = terminal.say(&["subject", "weigh", "M001", "--baseline", "none", "--limit", "none"]);
    assert_eq!(said, "M001's baseline is none; it was 25 g\nM001's weight limit is none; it was 85 %");
    terminal.say(&["subject", "weigh", "M001", "214g"]);
    let said = terminal.say(&["subject", "weigh", "M001", "none", "--instead"]);
    assert_eq!(said, "M001 was not weighed 214 g; that is taken back");
    assert_eq!(terminal.json(&["subject", "weigh", "M001", "--json"]), serde_json::json!([]));
    terminal.say(&["subject", "water", "M001", "--target", "1mL"]);
    terminal.say(&["subject", "water", "M001", "--target", "none"]);
    terminal.say(&["subject", "water", "M001", "300uL"]);
    let said = terminal.say(&["subject", "water", "M001", "none", "--instead"]);
    assert!(said.starts_with("M001 was given nothing and not 300 uL; it had 0 uL today"), "{said}");
    assert!(said.ends_with("no target was set"), "{said}");
    let last: Vec<_> = history(&terminal).into_iter().rev().take(2).collect();
    assert_eq!(
        last,
        [["water given", "300 uL", ""], ["water given", "", "300 uL"]].map(|it| it.map(str::to_owned))
    );
    for (wrong, said) in [
        (&["subject", "weigh", "M001", "none"][..], "none --instead"),
        (&["subject", "water", "M001", "none", "--instead"], "no water that could be wrong"),
        (&["subject", "water", "M001", "1uL", "--instead=yesterday"], "write a day as in 2026-01-31"),
    ] {
        let refused = terminal.refused(wrong);
        assert!(refused.contains(said), "{wrong:?}: {refused}");
    }
    terminal.say(&["subject", "weigh", "M001", "20g"]);
    let refused = terminal.refused(&["subject", "weigh", "M001", "21g", "--instead=2026-01-31"]);
    assert!(
        refused.contains("M001 has no weighing on 2026-01-31 that could be wrong; its last is of"),
        "{refused}"
    );
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
        (&["subject", "water", "M001", "1000000 mL"], "no animal is given"),
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
    let confirmed = |history: &serde_json::Value| {
        let history = history.as_array().unwrap().iter();
        history.filter(|change| change["what"] == "confirmed.underweight").cloned().collect::<Vec<_>>()
    };
    let history = terminal.until(&["subject", "history", "M001", "--json"], |all| !confirmed(all).is_empty());
    let [confirmed] = confirmed(&history).try_into().unwrap();
    assert!(
        confirmed["to"].as_str().unwrap().starts_with("M001 weighs too little: 19 g today"),
        "{confirmed}"
    );
    assert!(confirmed["who"].as_str().unwrap().contains('@'), "{confirmed}");
}

/// A session that M001 was said to be in, which made it graduate.
fn wrong_session(terminal: &Terminal) {
    terminal.say(&["subject", "add", "M002"]);
    let pilot = terminal.pilot("box1", Activity::Idle);
    let request = request("M001");
    let session = request.session;
    pilot.say(&started(request));
    let show = ["subject", "show", "M001", "--json"];
    terminal.until(&show, |subject| subject["sessions"].as_array().unwrap().len() == 1);
    let refused = terminal.refused(&[&MOVE[..], &["--why", "wrong"]].concat());
    assert!(refused.contains("session 0001 of M001 has no end: it runs, or box1 has not told"), "{refused}");
    pilot.say(&trials(session, 1, &[true, false]));
    pilot.say(&drop_of_water(session));
    pilot.say(&ended(session, false));
    terminal.until(&show, |subject| subject["sessions"][0]["end"].is_object());
}

const MOVE: [&str; 7] = ["session", "move", "M001", "--session", "1", "--to", "M002"];

/// The whole of a session's move.
fn moved(terminal: &Terminal) -> String {
    terminal.say(&[&MOVE[..], &["--why", "M002 was in the box", "--who", "ada@desk"]].concat())
}

#[test]
fn a_session_of_the_wrong_subject_is_moved_and_both_histories_tell_it() {
    let terminal = terminal();
    wrong_session(&terminal);
    let said = moved(&terminal);
    assert!(said.starts_with("session 0001 of M001 is session 0001 of M002 now\n"), "{said}");
    assert!(said.contains("where it was exported as M001's, take that out"), "{said}");
    let [old, new] = ["M001", "M002"].map(|id| terminal.json(&["subject", "show", id, "--json"]));
    assert_eq!(old["sessions"], serde_json::json!([]));
    let session = &new["sessions"][0];
    assert_eq!((&session["trials"], &session["end"]["water"]), (&2.into(), &4.0.into()));
    let shown = terminal.say(&["subject", "show", "M001"]);
    assert!(shown.contains("session 0001 was moved to M002, session 0001, by ada@desk on"), "{shown}");
    let shown = terminal.say(&["subject", "show", "M002"]);
    assert!(shown.contains("was moved from M001, session 0001, by ada@desk on"), "{shown}");
    let told = ["session moved", "session 0001", "M002, session 0001: M002 was in the box"];
    assert_eq!(history(&terminal).last().unwrap(), &told.map(str::to_owned));

    for (wrong, said) in [
        (&MOVE[..], "it is session 0001 of M002"),
        (
            &["session", "move", "M002", "--session", "1", "--to", "M002"][..],
            "it is a session of M002 already",
        ),
        (&["session", "move", "M002", "--session", "9", "--to", "M001"], "has no session 0009"),
        (&["session", "move", "M002", "--session", "1", "--to", "M009"], "there is no subject M009"),
    ] {
        let refused = terminal.refused(&[wrong, &["--why", "wrong"]].concat());
        assert!(refused.contains(said), "{wrong:?}: {refused}");
    }
    let refused = terminal.refused(&[&MOVE[..], &["--why", " "]].concat());
    assert!(refused.contains("say why it is moved"), "{refused}");
}

#[test]
fn a_terminal_that_starts_ends_a_move_that_was_cut_short() {
    let mut terminal = terminal();
    wrong_session(&terminal);
    terminal.kill();
    // As a kill between the two files leaves it: written down, and done in neither.
    let session = uuid::Uuid::from_u128(7);
    let order = serde_json::json!({
        "session": session, "from": "M001", "number": 1, "to": "M002",
        "by": { "who": "ada@desk", "when": "2026-03-04T05:06:07Z" }, "why": "M002 was in the box",
    });
    let note = terminal.data().join(format!("subjects/{session}.move"));
    std::fs::write(&note, order.to_string()).unwrap();
    terminal.restart_after_end();
    let new = terminal.json(&["subject", "show", "M002", "--json"]);
    assert_eq!(
        (new["sessions"].as_array().unwrap().len(), &new["moves"][0]["by"]["who"]),
        (1, &"ada@desk".into())
    );
    assert!(!note.exists());
}

#[test]
fn a_weight_that_is_more_often_mistyped_is_warned_of_and_one_of_no_animal_is_refused() {
    let terminal = terminal();
    let weigh = |weight: &str| terminal.say(&["subject", "weigh", "M001", weight]);
    for weight in ["22g", "21g"] {
        assert!(!weigh(weight).contains("warning"));
    }
    let said = weigh("22kg");
    assert!(said.contains("warning: it weighed 21 g before; where 22000 g is mistyped"), "{said}");
    assert!(said.ends_with("subject weigh M001 WEIGHT --instead"), "{said}");
    let said = terminal.say(&["subject", "weigh", "M001", "22g", "--instead"]);
    assert!(!said.contains("warning"), "{said}");
    assert!(weigh("2.2g").contains("warning: it weighed 22 g before"));
    let said = terminal.say(&["subject", "weigh", "M001", "--baseline", "25kg"]);
    assert!(said.ends_with("warning: it weighs 2.2 g; see that 25000 g is not mistyped"), "{said}");
    for (wrong, said) in [
        (["1000000000g"].as_slice(), "no animal weighs 1000000000 g"),
        (&["0g"], "no animal weighs nothing"),
        (&["--baseline", "0g"], "with all the water it wants"),
        (&["--limit", "0%"], "as in 85%"),
    ] {
        let refused = terminal.refused(&[&["subject", "weigh", "M001"], wrong].concat());
        assert!(refused.contains(said), "{wrong:?}: {refused}");
    }
}

#[test]
fn a_subject_is_born_by_today_and_its_birth_can_be_taken_back() {
    let terminal = terminal();
    for wrong in [
        ["subject", "edit", "M001", "--birth", "2999-01-01"],
        ["subject", "add", "M002", "--birth", "2999-01-01"],
    ] {
        let refused = terminal.refused(&wrong);
        assert!(refused.contains("2999-01-01 is after today"), "{refused}");
    }
    terminal.say(&["subject", "edit", "M001", "--birth", "2026-01-31"]);
    assert!(terminal.say(&["subject", "show", "M001"]).contains("birth        2026-01-31"));
    terminal.say(&["subject", "edit", "M001", "--genotype", "het"]);
    assert!(terminal.say(&["subject", "show", "M001"]).contains("birth        2026-01-31"));
    terminal.say(&["subject", "edit", "M001", "--birth", "none"]);
    assert!(!terminal.say(&["subject", "show", "M001"]).contains("birth"));
    let changed = ["biography.birth", "2026-01-31", ""].map(str::to_owned);
    assert_eq!(history(&terminal).last(), Some(&changed));
    assert!(terminal.refused(&["subject", "edit", "M001", "--extra", "cage"]).contains("as in cage=12"));
}

#[test]
fn what_people_write_is_shown_without_what_a_screen_would_obey() {
    let terminal = terminal();
    terminal.say(&["subject", "note", "M001", "red \u{1b}[31m and a bell\u{7}"]);
    let shown = terminal.say(&["subject", "history", "M001"]);
    assert!(shown.contains("red \u{fffd}[31m and a bell\u{fffd}"), "{shown:?}");
    assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown:?}");
}

#[test]
fn a_subject_whose_file_cant_be_read_is_listed_with_why_below() {
    let terminal = terminal();
    std::fs::write(terminal.data().join("subjects/broken.h5"), "no HDF5").unwrap();
    let listed = terminal.say(&["subject", "list"]);
    let row = listed.lines().find(|line| line.trim_start().starts_with("broken")).unwrap();
    assert!(row.contains("can't be read") && row.chars().count() < 100, "{listed}");
    assert!(listed.lines().last().unwrap().starts_with("broken can't be read: "), "{listed}");
}
