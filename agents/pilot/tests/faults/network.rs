//! A network between two computers that is cut, and that comes and goes.

use std::process::Command;
use std::time::Duration;

use bramble_identity::{Agent, Authority, Role};

use super::kept::{check, keep, start, until_stopped};
use crate::common::{Lab, pilot};

/// Slow enough that a session lasts.
const PACE: [&str; 2] = ["--speed", "20"];

/// Two computers with a cable between them: network namespaces, and a veth.
struct Cable {
    desktop: String,
    box1: String,
}

impl Cable {
    /// None where this user can't make namespaces.
    fn new() -> Option<Cable> {
        let id = std::process::id();
        let cable = Cable { desktop: format!("bramble-{id}-a"), box1: format!("bramble-{id}-b") };
        let Cable { desktop, box1 } = &cable;
        if !(ip(&["netns", "add", desktop]) && ip(&["netns", "add", box1])) {
            println!("skipped: this user can't make network namespaces");
            return None;
        }
        let peer = ["peer", "name", "wire", "netns", box1];
        assert!(ip(&[&["-n", desktop, "link", "add", "wire", "type", "veth"], &peer[..]].concat()));
        for (end, address) in [(desktop, "10.77.0.1/24"), (box1, "10.77.0.2/24")] {
            assert!(ip(&["-n", end, "address", "add", address, "dev", "wire"]));
            assert!(ip(&["-n", end, "link", "set", "lo", "up"]));
            assert!(ip(&["-n", end, "link", "set", "wire", "up"]));
        }
        Some(cable)
    }

    fn pull(&self) {
        assert!(ip(&["-n", &self.desktop, "link", "set", "wire", "down"]));
    }

    fn plug_in(&self) {
        assert!(ip(&["-n", &self.desktop, "link", "set", "wire", "up"]));
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        ip(&["netns", "delete", &self.desktop]);
        ip(&["netns", "delete", &self.box1]);
    }
}

/// Runs `ip`, and says whether it did what it was told.
fn ip(arguments: &[&str]) -> bool {
    Command::new("ip").args(arguments).output().is_ok_and(|output| output.status.success())
}

/// A terminal and its pilot on two computers, with a session that runs.
fn lab(cable: &Cable) -> Lab {
    let mut lab = Lab::unstarted();
    lab.endpoints.insert("terminal".to_owned(), "tcp://10.77.0.1:5600".to_owned());
    lab.namespaces.insert("terminal".to_owned(), cable.desktop.clone());
    lab.namespaces.insert("box1".to_owned(), cable.box1.clone());
    lab.start_terminal();
    lab.say(&["subject", "add", "M001"]);
    keep(&lab);
    let authority = Authority::load(&lab.path("lab/keys")).unwrap().unwrap();
    let box1 = Agent { role: Role::Pilot, name: "box1".parse().unwrap() };
    authority.enrol(&box1).unwrap().save(&lab.path("box1/keys")).unwrap();
    lab.start_pilot("box1", &PACE);
    start(&lab, "free_water.star", "100000");
    lab.until_trials(3);
    lab
}

fn trials(lab: &Lab) -> u64 {
    let status = lab.until(&["status", "--json"], |status| pilot(status, "box1")["session"].is_object());
    pilot(&status, "box1")["session"]["trials"].as_u64().unwrap()
}

#[test]
fn a_cable_that_is_out_for_half_a_minute_costs_no_event() {
    let Some(cable) = Cable::new() else { return };
    let mut lab = lab(&cable);
    cable.pull();
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["here"] == false);
    let before = trials(&lab);
    std::thread::sleep(Duration::from_secs(30));
    assert_eq!(trials(&lab), before, "nothing came through");
    cable.plug_in();
    lab.until(&["status", "--json"], |status| pilot(status, "box1")["here"] == true);
    // What the session did meanwhile comes at once, and not at its pace.
    lab.until_trials(before + 20);
    lab.say(&["stop", "M001"]);
    check(&mut lab);
}

#[test]
fn a_cable_that_comes_and_goes_every_second_costs_no_event() {
    let Some(cable) = Cable::new() else { return };
    let mut lab = lab(&cable);
    for _ in 0..8 {
        cable.pull();
        std::thread::sleep(Duration::from_secs(1));
        cable.plug_in();
        std::thread::sleep(Duration::from_secs(1));
    }
    until_stopped(&lab);
    check(&mut lab);
}
