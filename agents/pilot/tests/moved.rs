//! Pilots that become another terminal's, or another pilot, while what they observed still waits:
//! all of it gets into the animal's file, and nobody else takes it.

use std::path::PathBuf;
use std::process::Output;

use crate::common::{Lab, eventually, pilot, program, refusal, session, text};
use crate::swarm::Swarm;

/// Runs a session of M001 on box1 until its terminal and then the pilot end in its middle.
fn cut(lab: &mut Lab) {
    let task = lab.task("free_water.star");
    lab.say(&["start", "M001", "--pilot", "box1", "--task", &task]);
    lab.until_trials(3);
    lab.kill("terminal");
    // What the terminal doesn't have is in the journal when the pilot has ended.
    assert_eq!(lab.end("box1"), Some(0));
}

/// The session is over, and nothing of it is missing.
fn arrives_whole(lab: &Lab) {
    let file = lab.after_sessions(1);
    let (trials, events) = session(&file, 1);
    assert!(trials.rows.len() >= 3 && !events.is_empty());
    let shown = lab.say(&["subject", "show", "M001", "--json"]);
    assert!(shown.contains("the pilot was told to end"), "{shown}");
    // Its pilot knows it too, or would keep it when it is ended now.
    lab.until(&["status", "--json"], |status| {
        let pilot = &status["pilots"][0];
        !pilot["health"].is_null() && pilot["unacknowledged"] == 0
    });
    let status = lab.say(&["status"]);
    assert!(!status.contains("can't be written") && !status.contains("any more"), "{status}");
}

fn leave_behind(config: &str) -> Output {
    program("bramble-pilot").args(["--config", config, "leave-behind"]).output().unwrap()
}

/// A terminal of another lab, on the same computer.
struct Other {
    data: PathBuf,
    at: String,
}

impl Other {
    fn start(lab: &mut Lab) -> Other {
        let (data, at) = (lab.path("other"), lab.endpoint("other"));
        let mut serve = program("bramble-terminal");
        lab.start("other", serve.args(["serve", "--listen", &at]).env("BRAMBLE_DATA", &data));
        Other { data, at }
    }

    fn status(&self, more: &[&str]) -> String {
        let mut command = program("bramble-terminal");
        text(&command.arg("status").args(more).env("BRAMBLE_DATA", &self.data).output().unwrap().stdout)
    }

    fn until_status(&self, says: &str) {
        let is_said = || self.status(&[]).contains(says).then_some(());
        eventually(&format!("the other terminal says `{says}`"), is_said);
    }

    fn until_here(&self, name: &str) {
        eventually(&format!("{name} is at the other terminal"), || {
            let status = serde_json::from_str(&self.status(&["--json"])).ok()?;
            (pilot(&status, name)["here"] == true).then_some(())
        });
    }
}

#[test]
fn a_pilot_joins_no_other_swarm_while_something_waits_for_its_terminal() {
    let (mut swarm, other) = (Swarm::new(), Swarm::new());
    let config = swarm.enrol("box1");
    swarm.start("box1", &config, &["--speed", "20"]);
    swarm.until_here("box1");
    // A pilot that runs can't be looked into.
    let said = refusal(&other.join(&config, &other.invite("box1", &[]), &["--replace"]));
    assert!(said.contains("a pilot runs with the data folder"), "{said}");
    cut(&mut swarm.lab);

    let said = refusal(&other.join(&config, &other.invite("box1", &[]), &["--replace"]));
    assert!(said.contains(&format!("for the terminal `terminal` at {}", swarm.at)), "{said}");
    assert!(said.contains("so box1 did not join") && said.contains("leave-behind"), "{said}");

    // It is who it was, and its terminal has everything.
    let at = swarm.at.clone();
    swarm.lab.start_terminal_at(&at, &[]);
    swarm.start("box1", &config, &[]);
    arrives_whole(&swarm.lab);
    swarm.lab.end("box1");
    let joined = other.join(&config, &other.invite("box1", &[]), &["--replace"]);
    assert!(joined.status.success(), "{}", text(&joined.stderr));
}

#[test]
fn a_pilot_joins_by_no_other_name_while_something_waits_that_it_observed_by_its_own() {
    let mut swarm = Swarm::new();
    let config = swarm.enrol("box1");
    swarm.start("box1", &config, &["--speed", "20"]);
    swarm.until_here("box1");
    cut(&mut swarm.lab);
    let at = swarm.at.clone();
    swarm.lab.start_terminal_at(&at, &[]);
    let said = refusal(&swarm.join(&config, &swarm.invite("box7", &[]), &[]));
    assert!(said.contains("by the name box1, so box1 did not join"), "{said}");

    swarm.start("box1", &config, &[]);
    arrives_whole(&swarm.lab);
    swarm.lab.end("box1");
    let joined = swarm.join(&config, &swarm.invite("box7", &[]), &[]);
    assert!(joined.status.success(), "{}", text(&joined.stderr));
}

#[test]
fn another_terminal_gets_nothing_of_what_waits_and_says_for_whom_it_is() {
    let mut lab = Lab::new();
    let other = Other::start(&mut lab);
    lab.start_pilot("box1", &["--speed", "20"]);
    cut(&mut lab);
    lab.start_pilot_alone("box1", &["--terminal", &other.at]);
    other.until_status("what `box1` observed belongs into the files of `terminal` at ipc://");
    eventually("the pilot says so too", || lab.log("box1").contains("gets none of it").then_some(()));
    lab.end("box1");

    // The first one has moved to another folder, which makes it no other.
    let (was, is) = (lab.path("lab"), lab.path("moved"));
    std::fs::rename(&was, &is).unwrap();
    let mut serve = program("bramble-terminal");
    let at = lab.endpoint("terminal");
    lab.start("terminal", serve.args(["serve", "--listen", &at]).env("BRAMBLE_DATA", &is));
    std::os::unix::fs::symlink(&is, &was).unwrap();
    lab.start_pilot("box1", &[]);
    arrives_whole(&lab);

    // With nothing that waits it goes where it is told to, and comes back.
    lab.end("box1");
    lab.start_pilot_alone("box1", &["--terminal", &other.at]);
    other.until_here("box1");
    lab.end("box1");
    lab.start_pilot("box1", &["--speed", "max"]);
    let task = lab.task("free_water.star");
    lab.start_session(&task, "3", &[]);
    assert_eq!(session(&lab.after_sessions(2), 2).0.rows.len(), 3);
    assert!(!lab.say(&["status"]).contains("any more"));
}

#[test]
fn what_is_left_behind_is_kept_and_can_be_delivered_after_all() {
    let mut lab = Lab::new();
    let other = Other::start(&mut lab);
    lab.start_pilot("box1", &["--speed", "20"]);
    let config = lab.path("box1.toml").display().to_string();
    let said = refusal(&leave_behind(&config));
    assert!(said.contains("is in use by bramble-pilot"), "{said}");
    cut(&mut lab);
    let left = leave_behind(&config);
    let said = text(&left.stdout);
    assert!(left.status.success() && said.contains("for the terminal `terminal` at ipc://"), "{said}");
    let folder = lab.path("box1");
    let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    let is_left = |name: &String| name.starts_with("journal.sqlite.left-behind-");
    let kept: Vec<_> = names.filter_map(|name| name.into_string().ok()).filter(is_left).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(text(&leave_behind(&config).stdout).starts_with("Nothing waits for a terminal"));

    lab.start_pilot_alone("box1", &["--terminal", &other.at]);
    other.until_here("box1");
    lab.end("box1");
    std::fs::remove_file(folder.join("journal.sqlite")).unwrap();
    std::fs::rename(folder.join(&kept[0]), folder.join("journal.sqlite")).unwrap();
    lab.start_terminal();
    lab.start_pilot("box1", &[]);
    arrives_whole(&lab);
}
