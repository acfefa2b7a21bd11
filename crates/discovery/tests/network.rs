//! Agents find each other on a network that the test made; on the machine's own
//! networks nothing is sent.

#![expect(clippy::unwrap_used, reason = "tests may")]

use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::time::Duration;

use bramble_discovery::{Wanted, announce, find};
use bramble_identity::{Agent, Role};
use nix::sched::{CloneFlags, unshare};
use uuid::Uuid;

/// Long enough for the slowest machine; where one is looked for that is there, it isn't waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough for everybody to have answered.
const ALL: Duration = Duration::from_secs(4);

const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

fn ip(words: &str) -> bool {
    Command::new("ip").args(words.split(' ')).status().is_ok_and(|status| status.success())
}

/// Runs a test in a network of its own, in a thread that nobody else has. Says so where the system
/// lets none be made.
fn in_a_network(test: impl FnOnce() + Send + 'static) {
    let outcome = std::thread::spawn(move || {
        let made = unshare(CloneFlags::CLONE_NEWNET).is_ok()
            && ip("link set lo up")
            && ip("link add name lan type veth peer name far")
            && ip("addr add 10.77.0.1/24 dev lan")
            && ip("link set far up")
            && ip("link set lan up");
        if !made {
            println!("skipped: this user can't make a network namespace here");
            return;
        }
        test();
    });
    outcome.join().unwrap();
}

fn found(wanted: &Wanted, within: Duration) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let found = runtime.block_on(find(wanted, within)).unwrap();
    found.into_iter().map(|found| format!("{} {}", found.agent, found.addresses[0])).collect()
}

fn agent(role: Role, name: &str) -> Agent {
    Agent::new(role, name.parse().unwrap())
}

#[test]
fn a_terminal_is_found_by_its_swarm() {
    in_a_network(|| {
        let (ours, theirs) = (Uuid::new_v4(), Uuid::new_v4());
        let desk = agent(Role::Terminal, "desk");
        let _one = announce(&desk, ours, ANY, 5600).unwrap().unwrap();
        let _other = announce(&desk, theirs, ANY, 5700).unwrap().unwrap();
        let _pilot = announce(&agent(Role::Pilot, "box1"), ours, ANY, 5601).unwrap().unwrap();
        let wanted = Wanted { role: Role::Terminal, swarm: Some(ours), name: None };
        assert_eq!(found(&wanted, PATIENCE), ["terminal `desk` 10.77.0.1:5600"]);
        let wanted = Wanted { role: Role::Pilot, swarm: Some(ours), name: Some("box1".parse().unwrap()) };
        assert_eq!(found(&wanted, PATIENCE), ["pilot `box1` 10.77.0.1:5601"]);
        // Who joins has no swarm yet, and is told of both. On a busy computer one may be late.
        let wanted = Wanted { role: Role::Terminal, swarm: None, name: None };
        let mut looks = (0..10).map(|_| found(&wanted, ALL));
        let mut both = looks.find(|found| found.len() == 2).expect("both are found");
        both.sort();
        assert_eq!(both, ["terminal `desk` 10.77.0.1:5600", "terminal `desk` 10.77.0.1:5700"]);
    });
}

#[test]
fn who_is_not_there_or_no_longer_is_is_not_found() {
    in_a_network(|| {
        let swarm = Uuid::new_v4();
        let wanted = Wanted { role: Role::Terminal, swarm: Some(swarm), name: None };
        assert_eq!(found(&wanted, Duration::from_secs(1)), [""; 0]);
        let announcement = announce(&agent(Role::Terminal, "desk"), swarm, ANY, 5600).unwrap();
        assert_eq!(found(&wanted, PATIENCE).len(), 1);
        drop(announcement);
        // Its goodbye is a moment on its way.
        assert!((0..10).any(|_| found(&wanted, Duration::from_secs(1)).is_empty()));
    });
}

#[test]
fn an_agent_that_only_this_computer_reaches_announces_nothing() {
    for loopback in ["127.0.0.1", "127.0.0.7", "::1"] {
        let desk = agent(Role::Terminal, "desk");
        assert!(announce(&desk, Uuid::new_v4(), loopback.parse().unwrap(), 5600).unwrap().is_none());
    }
}
