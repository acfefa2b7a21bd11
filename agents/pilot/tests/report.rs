//! How good a session was, told from the file that real agents made.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;

use common::Lab;

#[test]
fn a_simulated_session_is_reported_as_text_as_a_page_and_for_scripts() {
    let mut lab = Lab::new();
    lab.start_pilot("box1", &["--speed", "max", "--seed", "5"]);
    let task = lab.task("free_water.star");
    lab.say(&["start", "M001", "--pilot", "box1", "--task", &task, "--trials", "20"]);
    drop(lab.after_sessions(1));
    let text = lab.say(&["session", "report", "M001"]);
    for said in
        ["M001  session 0001  free_water on box1", "fine trials           20", "20 of 20 given, 80 uL"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(text.trim_end().ends_with("nothing to look at"), "{text}");
    let page = lab.path("page.html").display().to_string();
    lab.say(&["session", "report", "M001", "--session", "1", "--html", &page]);
    assert!(std::fs::read_to_string(&page).unwrap().contains("Trials over the session"));
    let report: serde_json::Value =
        serde_json::from_str(&lab.say(&["session", "report", "M001", "--json"])).unwrap();
    assert_eq!((&report["version"], report["trials"].as_array().unwrap().len()), (&1.into(), 20));
    let refused = lab.refused(&["session", "report", "M001", "--session", "9"]);
    assert!(refused.contains("has no session 0009"), "{refused}");
    let refused = lab.refused(&["session", "report", "M001", "--html", "/nowhere/page.html"]);
    assert!(refused.contains("name a file in a folder that is there"), "{refused}");
}
