//! Journals that a crash left torn, and journals that are no journals any more.

use std::fs;
use std::path::{Path, PathBuf};

use bramble_journal::Journal;
use bramble_value::Ending;
use nix::sys::signal::Signal;

use super::kept::{PACE, check, journal, keep, lab, start, until_says, until_stopped};
use crate::common::{Lab, program, refused_to_start};

/// The file beside a journal that its latest pages are in.
fn log_of(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// Leaves a journal as a power cut in the middle of a page does: half of a page more.
fn tear(journal: &Path) {
    let log = log_of(journal);
    let mut pages = fs::read(&log).unwrap();
    let half_a_page = pages[pages.len() - 4096..pages.len() - 2048].to_vec();
    pages.extend(half_a_page);
    fs::write(&log, pages).unwrap();
}

fn journal_of_the_terminal(lab: &Lab) -> PathBuf {
    lab.path("lab/journal.sqlite")
}

/// Kills an agent in a session, and leaves its journal as it was some trials before.
fn forget(lab: &mut Lab, agent: &str, journal: &dyn Fn(&Lab) -> PathBuf) {
    lab.until_trials(5);
    lab.signal(agent, Signal::SIGSTOP);
    let files = [journal(lab), log_of(&journal(lab))];
    let then = files.map(|file| (fs::read(&file).unwrap(), file));
    lab.signal(agent, Signal::SIGCONT);
    lab.until_trials(20);
    lab.kill(agent);
    then.into_iter().for_each(|(bytes, file)| fs::write(file, bytes).unwrap());
}

#[test]
fn a_pilots_journal_with_a_torn_last_page_has_all_that_was_ever_safe_in_it() {
    let mut lab = lab();
    start(&lab, "free_water.star", "100000");
    lab.until_trials(5);
    lab.kill("terminal");
    until_says(&lab, "box1", "is gone");
    lab.kill("box1");
    tear(&journal(&lab));
    lab.start_pilot_alone("box1", &PACE);
    lab.start_terminal();
    check(&mut lab);
}

#[test]
fn a_terminals_journal_with_a_torn_last_page_has_all_that_it_acknowledged() {
    let mut lab = lab();
    start(&lab, "free_water.star", "100000");
    for trials in [5, 30, 60] {
        lab.until_trials(trials);
        lab.kill("terminal");
        tear(&journal_of_the_terminal(&lab));
        lab.start_terminal();
    }
    lab.until_trials(90);
    until_stopped(&lab);
    check(&mut lab);
}

#[test]
fn a_pilot_whose_disk_forgot_what_it_had_synced_says_what_that_means() {
    let mut lab = lab();
    start(&lab, "free_water.star", "100000");
    forget(&mut lab, "box1", &journal);
    lab.start_pilot_alone("box1", &PACE);
    until_says(&lab, "box1", "older copy");
}

#[test]
fn a_terminal_whose_disk_forgot_what_it_had_synced_says_which_messages_are_gone() {
    let mut lab = lab();
    start(&lab, "free_water.star", "100000");
    forget(&mut lab, "terminal", &journal_of_the_terminal);
    lab.start_terminal();
    until_says(&lab, "terminal", "are not in this terminal's journal any more");
    lab.until_trials(30);
    assert!(lab.say(&["status"]).contains("are not in this terminal's journal any more"));
}

/// Moves a journal away, with the files beside it.
fn move_away(journal: &Path) {
    fs::rename(journal, journal.with_extension("moved")).unwrap();
    for beside in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{beside}", journal.display()));
    }
}

#[test]
fn a_session_goes_on_in_its_file_though_the_terminals_journal_was_moved_away() {
    let mut lab = lab();
    start(&lab, "free_water.star", "100000");
    lab.until_trials(5);
    assert_eq!(lab.end("terminal"), Some(0));
    move_away(&journal_of_the_terminal(&lab));
    lab.start_terminal();
    lab.until_trials(30);
    until_stopped(&lab);
    let [(ending, _)] = &check(&mut lab)[..] else { panic!("it is one session") };
    assert_eq!(*ending, Ending::Stopped);
}

#[test]
fn a_session_whose_pilot_lost_its_journal_is_over_with_what_was_delivered_of_it() {
    let mut lab = lab();
    start(&lab, "free_water.star", "100000");
    // A trial that was only seen in passing may be lost.
    lab.until(&["subject", "show", "M001", "--json"], |shown| {
        shown["sessions"][0]["trials"].as_u64().is_some_and(|trials| trials >= 10)
    });
    lab.kill("box1");
    move_away(&journal(&lab));
    lab.start_pilot("box1", &PACE);
    let file = lab.after_sessions(1);
    let [session] = &file.sessions().unwrap()[..] else { panic!("it is one session") };
    let end = session.end.as_ref().unwrap();
    assert_eq!((end.ending, session.trials >= 10), (Ending::Error, true));
    assert!(end.why.contains("box1 came back with another journal"), "{}", end.why);
    drop(file);
    start(&lab, "free_water.star", "5");
    lab.after_sessions(2);
}

/// What an agent says whose journal is like this, and how it is started again once
/// the journal is moved away.
fn damaged(damage: impl Fn(&Path), says: &[&str]) {
    let mut lab = lab();
    start(&lab, "free_water.star", "100000");
    lab.until_trials(30);
    lab.say(&["stop", "M001"]);
    lab.after_sessions(1);
    lab.end("box1");
    lab.end("terminal");
    for (agent, journal) in [("terminal", journal_of_the_terminal(&lab)), ("box1", journal(&lab))] {
        // What an agent left in the log beside it, which is whole, is a part of it.
        drop(Journal::open(&journal).unwrap());
        damage(&journal);
        let damaged = fs::read(&journal).unwrap();
        let mut command = match agent {
            "terminal" => program("bramble-terminal"),
            _ => program("bramble-pilot"),
        };
        match agent {
            "terminal" => command.args(["serve", "--listen", &lab.endpoint("terminal")]),
            _ => command.args(["--config", &lab.path("box1.toml").display().to_string()]),
        };
        let refused = refused_to_start(command.env("BRAMBLE_DATA", lab.path("lab")));
        let all = ["journal.sqlite", "move it away"].iter().chain(says);
        all.for_each(|words| assert!(refused.contains(words), "{agent}, {words}: {refused}"));
        assert!(fs::read(&journal).unwrap() == damaged, "it was left as it was");
        move_away(&journal);
    }
    keep(&lab);
    lab.start_terminal();
    lab.start_pilot("box1", &PACE);
    start(&lab, "free_water.star", "5");
    assert_eq!(lab.after_sessions(2).sessions().unwrap()[1].trials, 5);
}

#[test]
fn a_journal_that_is_garbage_at_its_start_is_refused_and_left_as_it_is() {
    damaged(
        |journal| {
            let mut bytes = fs::read(journal).unwrap();
            bytes[..200].fill(0x5a);
            fs::write(journal, bytes).unwrap();
        },
        &["is not a journal of Bramble"],
    );
}

#[test]
fn a_journal_that_was_cut_off_is_refused_and_left_as_it_is() {
    damaged(
        |journal| {
            let file = fs::File::options().write(true).open(journal).unwrap();
            file.set_len(file.metadata().unwrap().len() / 2 / 4096 * 4096 + 100).unwrap();
        },
        &["is damaged"],
    );
}
