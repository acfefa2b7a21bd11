//! Disks that are full, and have room again.

use std::fs::{File, remove_file};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use bramble_subject::SubjectFile;
use bramble_value::Ending;
use nix::sys::signal::Signal;

use super::kept::{PACE, check, keep, start, until_its_notice, until_says};
use crate::common::{Lab, pilot, session};

/// A small disk, which is gone with this.
pub(crate) struct Small(PathBuf);

impl Small {
    /// A disk of so many megabytes at a folder; none where this user can't have one.
    pub(crate) fn at(folder: &Path, megabytes: u32) -> Option<Small> {
        std::fs::create_dir_all(folder).unwrap();
        let size = format!("size={megabytes}m");
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", &size, "bramble-test"]).arg(folder).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Small(folder.to_owned()));
        }
        println!("skipped: this user can't mount a small disk");
        None
    }

    /// Fills it to the last byte.
    pub(crate) fn fill(&self) {
        let mut ballast = File::options().create(true).append(true).open(self.ballast()).unwrap();
        while ballast.write_all(&[0; 4096]).is_ok() {}
        // What others free while this fills it, they may also take again.
        while ballast.write_all(&[0]).is_ok() {}
    }

    /// Gives back what [`Small::fill`] took.
    pub(crate) fn free(&self) {
        remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// A lab with its terminal's data on a small disk.
fn lab_on_a_small_disk() -> Option<(Lab, Small)> {
    let mut lab = Lab::unstarted();
    let disk = Small::at(&lab.path("lab"), 24)?;
    lab.start_terminal();
    lab.say(&["subject", "add", "M001"]);
    keep(&lab);
    lab.start_pilot("box1", &PACE);
    Some((lab, disk))
}

#[test]
fn a_terminal_whose_disk_is_full_says_so_and_takes_everything_once_there_is_room() {
    let Some((mut lab, disk)) = lab_on_a_small_disk() else { return };
    start(&lab, "free_water.star", "100000");
    lab.until_trials(5);
    disk.fill();
    until_its_notice(&lab, "the disk is full");
    // It starts again as full as it is, and says the same.
    lab.kill("terminal");
    lab.start_terminal();
    until_its_notice(&lab, "the disk is full");
    // What it shows goes on, and what is asked is done.
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["unacknowledged"].as_u64() > Some(20));
    lab.say(&["stop", "M001"]);
    disk.free();
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["notice"].is_null());
    check(&mut lab);
}

#[test]
fn what_waits_for_room_outlives_a_break_of_the_link() {
    let Some((mut lab, disk)) = lab_on_a_small_disk() else { return };
    start(&lab, "free_water.star", "100000");
    lab.until_trials(5);
    disk.fill();
    until_its_notice(&lab, "the disk is full");
    lab.signal("box1", Signal::SIGSTOP);
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["here"] == false);
    lab.signal("box1", Signal::SIGCONT);
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["here"] == true);
    disk.free();
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["notice"].is_null());
    lab.say(&["stop", "M001"]);
    check(&mut lab);
}

#[test]
fn a_terminal_starts_no_session_on_a_disk_that_is_nearly_full() {
    let Some((mut lab, disk)) = lab_on_a_small_disk() else { return };
    disk.fill();
    let task = lab.task("free_water.star");
    let refused = lab.refused(&["start", "M001", "--pilot", "box1", "--task", &task]);
    assert!(refused.contains("are left on this terminal's disk: free some space"), "{refused}");
    assert!(lab.say(&["status"]).contains("are left on this terminal's disk"));
    disk.free();
    start(&lab, "free_water.star", "5");
    lab.after_sessions(1);
    check(&mut lab);
}

#[test]
fn a_pilot_whose_disk_is_full_ends_its_session_and_starts_none_until_there_is_room() {
    let mut lab = Lab::new();
    let Some(disk) = Small::at(&lab.path("box1"), 64) else { return };
    keep(&lab);
    lab.start_pilot("box1", &PACE);
    start(&lab, "free_water.star", "100000");
    lab.until_trials(5);
    disk.fill();
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["session"].is_null());
    until_its_notice(&lab, "are left on its disk: free some space there");
    let task = lab.task("free_water.star");
    let refused = lab.refused(&["start", "M001", "--pilot", "box1", "--task", &task]);
    assert!(refused.contains("box1 starts no session: only"), "{refused}");
    disk.free();
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["notice"].is_null());
    start(&lab, "free_water.star", "5");
    lab.after_sessions(2);
    let ends = check(&mut lab);
    assert_eq!(ends[0].0, Ending::Stopped);
    assert!(ends[0].1.contains("are left on its disk"), "{}", ends[0].1);
    let file = SubjectFile::open_read_only(&lab.path("lab/subjects/M001.h5")).unwrap();
    let (trials, _) = session(&file, 1);
    assert!(trials.rows.iter().all(|row| row.ending == Ending::Done), "it ended between two trials");
}

#[test]
fn a_pilot_whose_terminal_is_away_for_long_says_so_before_its_journal_is_full() {
    let mut lab = Lab::new();
    lab.settings = "journal_limit = \"500 kB\"".to_owned();
    keep(&lab);
    lab.start_pilot("box1", &["--speed", "60"]);
    start(&lab, "free_water.star", "100000");
    lab.until_trials(1);
    lab.kill("terminal");
    until_says(&lab, "box1", "the session ended");
    let log = lab.log("box1");
    let places = ["sessions go on for now", "no session starts until there is room", "the session ended"];
    let places = places.map(|words| log.find(words).unwrap_or_else(|| panic!("{words}: {log}")));
    assert!(places.is_sorted(), "{log}");
    lab.start_terminal();
    let ends = check(&mut lab);
    assert!(ends[0].1.contains("of the 500.0 kB that `journal_limit` allows"), "{}", ends[0].1);
}
