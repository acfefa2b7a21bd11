//! How good a session was, told from the file that real agents made.

use crate::common::{Lab, pilot};

#[test]
fn a_simulated_session_is_reported_as_text_as_a_page_and_for_scripts() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &["--speed", "max", "--seed", "5"]);
    // How it fares is told in passing, and soon.
    lab.until(&["status", "--json"], |status| !pilot(status, "box1")["health"].is_null());
    let task = lab.task("free_water.star");
    lab.say(&["start", "M001", "--pilot", "box1", "--task", &task, "--trials", "20"]);
    drop(lab.after_sessions(1));
    let text = lab.say(&["session", "report", "M001"]);
    for said in
        ["M001  session 0001  free_water on box1", "fine trials           20", "20 of 20 given, 80 uL"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(text.contains("checked when it ended, ") && text.contains("GB free"), "{text}");
    assert!(!text.contains("say otherwise"), "{text}");
    assert!(!lab.say(&["session", "report", "M001", "--now"]).contains("checked when it ended"));
    let page = lab.path("page.html").display().to_string();
    lab.say(&["session", "report", "M001", "--session", "1", "--html", &page]);
    assert!(std::fs::read_to_string(&page).unwrap().contains("Trials over the session"));
    let report: serde_json::Value =
        serde_json::from_str(&lab.say(&["session", "report", "M001", "--json"])).unwrap();
    assert_eq!((&report["version"], report["trials"].as_array().unwrap().len()), (&2.into(), 20));
    let refused = lab.refused(&["session", "report", "M001", "--session", "9"]);
    assert!(refused.contains("has no session 0009"), "{refused}");
    assert!(report["score"]["fine"].as_u64() > Some(5) && report["score"]["fine"] == report["score"]["of"]);
    let fine = format!("{} of {} checks are fine", report["score"]["fine"], report["score"]["of"]);
    assert!(text.contains(&fine), "{fine}: {text}");
    lab.say(&["session", "report", "M001", "--html", &page]);
    let mine = lab.path("mine.html").display().to_string();
    std::fs::write(&mine, "<!doctype html>\n<html>mine</html>").unwrap();
    let refused = lab.refused(&["session", "report", "M001", "--html", &mine]);
    assert!(refused.contains("is there already, and is no report"), "{refused}");
    let refused = lab.refused(&["session", "report", "M001", "--html", "/nowhere/page.html"]);
    assert!(refused.contains("name a file in a folder that is there"), "{refused}");
}

#[test]
fn a_session_that_was_moved_is_replayed_exported_and_reported_as_the_right_subjects() {
    let mut lab = Lab::new();
    lab.say(&["subject", "add", "M002", "--sex", "female"]);
    lab.start_pilot("box1", &["--speed", "max", "--seed", "5"]);
    lab.start_session(&lab.task("free_water.star"), "20", &[]);
    drop(lab.after_sessions(1));
    let given = lab.say(&["subject", "water", "M001"]);
    assert!(given.contains("it had 80 uL today, 80 uL of that in sessions"), "{given}");
    let said =
        lab.say(&["session", "move", "M001", "--session", "1", "--to", "M002", "--why", "M002 was in it"]);
    assert!(said.contains("M001: it had 0 uL today") && said.contains("M002: it had 80 uL today"), "{said}");

    let replayed = lab.say(&["replay", "M002", "--session", "1"]);
    assert!(replayed.contains("session 0001  identical: "), "{replayed}");
    assert!(lab.say(&["session", "report", "M002"]).starts_with("M002  session 0001  free_water on box1"));
    let gone = lab.refused(&["session", "report", "M001", "--session", "1"]);
    assert!(gone.contains("it is session 0001 of M002"), "{gone}");
    let out = lab.path("out").display().to_string();
    lab.say(&["export", "M002", "--csv", "--out", &out]);
    let all = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(all.into_iter().all(|name| !name.contains("M001")));
}
