//! Subject files that can't be written: open elsewhere, cut off, or no HDF5 any more.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bramble_subject::SubjectFile;

use super::kept::{check, lab, start, until_its_notice, until_says, until_stopped};
use crate::common::{Lab, eventually, pilot};

fn file_of(lab: &Lab) -> PathBuf {
    lab.path("lab/subjects/M001.h5")
}

/// A notebook that has a file open.
struct Notebook(Child);

impl Notebook {
    /// None where there is no Python with h5py.
    fn open(file: &Path) -> Option<Notebook> {
        let Some(python) = std::env::var_os("BRAMBLE_PYTHON") else {
            println!("skipped: BRAMBLE_PYTHON names no Python with h5py");
            return None;
        };
        let script =
            "import h5py, sys; file = h5py.File(sys.argv[1], 'r'); print('open', flush=True); input()";
        let mut command = Command::new(python);
        command.args(["-c", script]).arg(file).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "open\n");
        Some(Notebook(process))
    }
}

impl Drop for Notebook {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_belongs_into_a_file_that_a_notebook_has_open_waits_and_is_told() {
    let mut lab = lab();
    let Some(notebook) = Notebook::open(&file_of(&lab)) else { return };
    start(&lab, "free_water.star", "20");
    let status = lab.until(&["status", "--json"], |status| {
        let pilot = pilot(status, "box1");
        !pilot["notice"].is_null() && pilot["session"].is_null()
    });
    let notice = pilot(&status, "box1")["notice"].as_str().unwrap();
    for words in ["waits in the journal", "M001.h5 is open in another program: close it there"] {
        assert!(notice.contains(words), "{notice}");
    }
    // What is judged on the file says that it lacks a session.
    let task = lab.task("free_water.star");
    let refused = lab.refused(&["start", "M001", "--pilot", "box1", "--task", &task]);
    for words in ["M001's file lacks what happened last: what box1 sent waits", "--confirm behind"] {
        assert!(refused.contains(words), "{refused}");
    }
    for shown in [["subject", "show", "M001"], ["subject", "water", "M001"]] {
        let said = lab.say(&shown);
        assert!(said.contains("what box1 sent waits in the journal"), "{said}");
        assert!(!said.contains("no sessions yet"), "{said}");
    }
    drop(notebook);
    assert_eq!(lab.after_sessions(1).sessions().unwrap()[0].trials, 20);
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["notice"].is_null());
    let said = lab.say(&["subject", "show", "M001"]);
    assert!(!said.contains("waits in the journal"), "{said}");
    check(&mut lab);
}

#[test]
fn a_parameter_that_is_set_while_a_notebook_has_the_file_gets_into_the_history_all_the_same() {
    let mut lab = lab();
    let Some(notebook) = Notebook::open(&file_of(&lab)) else { return };
    start(&lab, "center_hold.star", "1000000");
    assert_eq!(lab.say(&["set", "M001", "reward=2 uL"]), "reward is 2 uL from M001's next trial on\n");
    lab.kill("terminal");
    drop(notebook);
    lab.start_terminal();
    let set = |history: &serde_json::Value| {
        let history = history.as_array().unwrap().iter();
        history.filter(|change| change["what"] == "parameter.reward").cloned().collect::<Vec<_>>()
    };
    let history = lab.until(&["subject", "history", "M001", "--json"], |history| !set(history).is_empty());
    let [set] = set(&history).try_into().unwrap();
    assert_eq!((&set["from"], &set["to"]), (&"4 uL".into(), &"2 uL".into()));
    assert!(set["who"].as_str().unwrap().contains('@'), "{set}");
    until_stopped(&lab);
    check(&mut lab);
}

#[test]
fn what_is_over_is_read_while_a_session_runs_and_a_notebook_holds_nothing_up() {
    let mut lab = lab();
    start(&lab, "free_water.star", "20");
    lab.after_sessions(1);
    start(&lab, "free_water.star", "1000000");
    lab.until_trials(2);
    let running = lab.path("lab/subjects/M001.h5.running-0002");
    eventually("the session is in a file", || running.exists().then_some(()));
    let Some(notebook) = Notebook::open(&file_of(&lab)) else { return };
    let said = lab.say(&["replay", "M001"]);
    assert!(said.contains("session 0001  identical: "), "{said}");
    assert!(said.contains("session 0002  runs: try again when it has ended"), "{said}");
    let out = lab.path("out").display().to_string();
    assert!(lab.say(&["export", "M001", "--csv", "--out", &out]).contains("session 0001"));
    assert!(lab.say(&["session", "report", "M001"]).contains("0001"));
    let refused = lab.refused(&["session", "report", "M001", "--session", "2"]);
    assert!(refused.contains("runs: try again when it has ended"), "{refused}");
    lab.say(&["subject", "note", "M001", "it sneezed"]);
    until_stopped(&lab);
    lab.after_sessions(2);
    eventually("it is taken in", || (!running.exists()).then_some(()));
    drop(notebook);
    check(&mut lab);
}

#[test]
fn what_belongs_into_a_file_that_is_away_for_a_while_waits_and_is_told() {
    let mut lab = lab();
    start(&lab, "free_water.star", "100000");
    lab.kill("terminal");
    let (subjects, away) = (lab.path("lab/subjects"), lab.path("away"));
    // As a share is that isn't mounted yet.
    fs::rename(&subjects, &away).unwrap();
    fs::create_dir(&subjects).unwrap();
    lab.start_terminal();
    until_its_notice(&lab, "there is no subject file");
    fs::remove_dir(&subjects).unwrap();
    fs::rename(&away, &subjects).unwrap();
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["notice"].is_null());
    until_stopped(&lab);
    check(&mut lab);
}

#[test]
fn a_session_that_can_not_be_taken_into_its_file_waits_beside_it_and_is_told() {
    let mut lab = lab();
    start(&lab, "free_water.star", "100000");
    lab.until_trials(5);
    // No copy of the file can be made where the names of such are taken.
    let in_the_way = file_of(&lab).with_extension("h5.new");
    fs::create_dir(&in_the_way).unwrap();
    lab.say(&["stop", "M001"]);
    let told = lab.until(&["status", "--json"], |status| !status["notice"].is_null());
    let told = told["notice"].as_str().unwrap();
    assert!(told.contains("a session of M001 is over and not yet in its file"), "{told}");
    // Neither does the terminal's next run forget it.
    lab.kill("terminal");
    lab.start_terminal();
    lab.until(&["status", "--json"], |status| !status["notice"].is_null());
    fs::remove_dir(&in_the_way).unwrap();
    lab.until(&["status", "--json"], |status| status["notice"].is_null());
    check(&mut lab);
}

/// What was set aside of M001's file.
fn set_aside(lab: &Lab) -> Vec<PathBuf> {
    let entries = fs::read_dir(lab.path("lab/subjects")).unwrap();
    let entries = entries.map(|entry| entry.unwrap().path());
    entries.filter(|path| path.to_string_lossy().contains("M001.h5.damaged")).collect()
}

/// A session in whose middle the file is damaged.
fn damaged(damage: impl Fn(&Path), while_it_runs: bool) {
    let mut lab = lab();
    start(&lab, "free_water.star", "100000");
    lab.until_trials(10);
    if !while_it_runs {
        lab.kill("terminal");
    }
    damage(&file_of(&lab));
    let damaged = fs::read(file_of(&lab)).unwrap();
    if !while_it_runs {
        lab.start_terminal();
    }
    eventually("it is set aside", || (set_aside(&lab).len() == 1).then_some(()));
    until_says(&lab, "terminal", "was set aside");
    until_its_notice(&lab, "was set aside");
    if !while_it_runs {
        assert!(fs::read(&set_aside(&lab)[0]).unwrap() == damaged, "it is as it was found");
    }
    lab.until_trials(20);
    until_stopped(&lab);
    let history = lab.say(&["subject", "history", "M001"]);
    assert!(history.contains("M001.h5.damaged"), "{history}");
    check(&mut lab);
    SubjectFile::open_read_only(&file_of(&lab)).unwrap();
}

/// Cuts a file off in its middle.
fn cut(file: &Path) {
    let file = fs::File::options().write(true).open(file).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
}

#[test]
fn a_file_that_was_cut_off_is_set_aside_and_made_again_from_the_journal() {
    damaged(cut, false);
}

#[test]
fn a_file_that_is_cut_off_in_the_middle_of_a_session_is_set_aside_and_made_again() {
    damaged(cut, true);
}

#[test]
fn a_file_that_is_no_hdf5_any_more_is_set_aside_and_made_again() {
    damaged(|file| fs::write(file, [0x5a; 9000]).unwrap(), false);
}
