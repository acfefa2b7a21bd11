//! Disks that are full, and have room again.

use std::fs::{File, remove_file};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Lab, eventually, pilot};
use crate::kept::{PACE, check, keep, start, until_its_notice, until_says};

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
    disk.free();
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["notice"].is_null());
    lab.say(&["stop", "M001"]);
    check(&mut lab);
}

#[test]
fn a_pilot_whose_disk_is_full_keeps_what_it_observed_until_there_is_room() {
    let mut lab = Lab::new();
    let Some(disk) = Small::at(&lab.path("box1"), 8) else { return };
    keep(&lab);
    lab.start_pilot("box1", &PACE);
    start(&lab, "free_water.star", "100000");
    lab.until_trials(5);
    disk.fill();
    until_says(&lab, "box1", "the disk is full");
    disk.free();
    eventually("it goes on", || {
        let status = lab.until(&["status", "--json"], |_| true);
        (pilot(&status, "box1")["unacknowledged"] == 0).then_some(())
    });
    if !pilot(&lab.until(&["status", "--json"], |_| true), "box1")["session"].is_null() {
        lab.say(&["stop", "M001"]);
    }
    check(&mut lab);
}
