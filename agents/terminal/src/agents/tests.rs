use std::sync::Arc;
use std::time::Duration;

use bramble_identity::{Peer, Request, Role};
use tempfile::TempDir;
use tokio::time::timeout;

use super::*;

/// The folders of a terminal, whose program ends and starts.
struct Home(TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    fn keys(&self) -> PathBuf {
        self.0.path().join("keys")
    }

    fn try_start(&self) -> Allowed<Agents> {
        Agents::with(&self.keys(), self.0.path().join(FILE), &"desk".parse().unwrap(), |swarm| swarm)
    }

    fn start(&self) -> Agents {
        self.try_start().unwrap()
    }

    /// Until it is repaired, it can't be written which certificates are revoked.
    fn break_keys(&self) {
        std::fs::rename(self.revoked(), self.0.path().join("aside")).unwrap_or_default();
        std::fs::create_dir(self.revoked()).unwrap();
    }

    fn repair_keys(&self) {
        std::fs::remove_dir(self.revoked()).unwrap();
        std::fs::rename(self.0.path().join("aside"), self.revoked()).unwrap_or_default();
    }

    fn revoked(&self) -> PathBuf {
        self.keys().join("revoked")
    }
}

fn box5() -> Agent {
    Agent::new(Role::Pilot, name("box5"))
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// Gives an agent a certificate.
fn give(agents: &Agents, agent: &Agent) -> Serial {
    let csr = Request::new().unwrap().csr().unwrap();
    agents.enrol(&Wanted { agent: agent.clone(), csr }).unwrap().1
}

/// An agent joins, and has its certificate.
fn enrol(agents: &Agents, agent: &Agent) -> Serial {
    let given = give(agents, agent);
    agents.joined(agent, given);
    given
}

fn is_listed_as_revoked(agents: &Agents) -> bool {
    agents.all()[0].revoked.is_some()
}

#[test]
fn an_agent_that_could_not_be_revoked_is_not_listed_as_revoked_and_can_be_revoked_again() {
    let home = Home::new();
    let agents = home.start();
    let serial = enrol(&agents, &box5());
    home.break_keys();
    for _ in 0..2 {
        let refused = agents.revoke(&name("box5")).unwrap_err();
        assert!(refused.message.contains("only until this terminal ends"), "{refused}");
        assert!(agents.revocations().contains(serial) && !is_listed_as_revoked(&agents));
    }
    home.repair_keys();
    let again = home.start();
    assert!(!again.revocations().contains(serial) && !is_listed_as_revoked(&again));
    assert_eq!(agents.revoke(&name("box5")).unwrap(), box5(), "without a start, too");
    let again = home.start();
    assert!(again.revocations().contains(serial) && is_listed_as_revoked(&again));
}

#[test]
fn who_is_listed_as_revoked_is_not_let_in_whatever_was_lost() {
    let home = Home::new();
    let agents = home.start();
    let serial = enrol(&agents, &box5());
    agents.revoke(&name("box5")).unwrap();
    std::fs::remove_file(home.revoked()).unwrap();
    let agents = home.start();
    assert!(agents.revocations().contains(serial));
    assert!(Revocations::load(&home.keys()).unwrap().contains(serial), "and that is written down again");
    let refused = agents.revoke(&name("box5")).unwrap_err();
    assert!(refused.message.contains("was revoked before"), "{refused}");
}

#[test]
fn the_one_before_keeps_its_place_until_the_new_one_has_its_certificate() {
    let home = Home::new();
    let agents = home.start();
    let first = enrol(&agents, &box5());
    let lost = give(&agents, &box5());
    agents.did_not_join(&box5(), lost);
    let is_enrolled = |agents: &Agents, serial| {
        agents.all()[0].certificate.serial == serial && !agents.revocations().contains(serial)
    };
    assert!(is_enrolled(&agents, first) && agents.revocations().contains(lost));
    let second = give(&agents, &box5());
    assert!(is_enrolled(&agents, first) && !agents.revocations().contains(second));
    agents.joined(&box5(), second);
    assert!(is_enrolled(&agents, second) && agents.revocations().contains(first));
    assert!(is_enrolled(&home.start(), second));
}

#[test]
fn a_certificate_holds_no_more_where_nobody_waited_until_it_was_made() {
    let home = Home::new();
    let agents = Arc::new(home.start());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // It can't be noted down yet: the disk is slow.
    let registry = agents.registry();
    let wanted = Wanted { agent: box5(), csr: Request::new().unwrap().csr().unwrap() };
    let given_up =
        runtime.block_on(async { timeout(Duration::ZERO, joins::Given::to(&agents, wanted)).await });
    assert!(given_up.is_err());
    drop(registry);
    while std::fs::read(home.revoked()).unwrap_or_default().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(agents.all().is_empty());
}

#[test]
fn whose_place_it_is_after_the_terminal_was_killed_while_another_joined_is_known() {
    let home = Home::new();
    let agents = home.start();
    let first = enrol(&agents, &box5());
    let second = give(&agents, &box5());
    let again = home.start();
    assert!(again.revocations().contains(second) && !again.revocations().contains(first));
    assert_eq!((again.all()[0].certificate.serial, &again.all()[0].becomes), (first, &None));

    // This time it had begun to revoke the first one.
    let third = give(&again, &box5());
    again.revocations().revoke([first]).unwrap();
    let again = home.start();
    assert!(again.revocations().contains(first) && !again.revocations().contains(third));
    assert_eq!((again.all()[0].certificate.serial, &again.all()[0].becomes), (third, &None));
}

#[test]
fn a_renamed_pilots_old_certificate_is_not_forgotten_where_it_can_not_be_written() {
    let home = Home::new();
    let agents = home.start();
    let old = enrol(&agents, &box5());
    agents.promise(&name("box5"), &name("box6")).unwrap();
    home.break_keys();
    assert_eq!(agents.is_here(&name("box6")), Some(name("box5")));
    let killed_now = std::fs::read_to_string(home.0.path().join(FILE)).unwrap();
    assert!(killed_now.contains(&old.to_string()), "it could be revoked by nobody: {killed_now}");
    home.repair_keys();
    agents.write_what_is_not();
    let again = home.start();
    assert_eq!(again.all()[0].name, name("box6"));
    assert!(again.revocations().contains(old));
}

#[test]
fn no_new_swarm_is_made_where_agents_are_enrolled() {
    let home = Home::new();
    enrol(&home.start(), &box5());
    std::fs::remove_dir_all(home.keys()).unwrap();
    let Err(refused) = home.try_start() else { panic!("everybody would be locked out") };
    assert!(refused.message.contains("no keys of a swarm"), "{refused}");
    assert!(!home.keys().exists());
}

#[test]
fn agents_whose_file_was_lost_are_listed_when_they_come_and_can_be_revoked() {
    let home = Home::new();
    let before = home.start();
    let wheels = Agent::new(Role::Child, name("wheels"));
    let [pilot, child] = [&box5(), &wheels].map(|agent| {
        let serial = enrol(&before, agent);
        Peer { agent: agent.clone(), serial }
    });
    let certificate = before.all()[0].certificate.der();
    std::fs::remove_file(home.0.path().join(FILE)).unwrap();

    let agents = home.start();
    for _ in 0..2 {
        agents.came(&pilot, Some(&certificate));
        agents.came(&child, None);
    }
    let again = home.start();
    let listed: Vec<_> =
        again.all().iter().map(|one| (one.name.to_string(), one.certificate.serial)).collect();
    assert_eq!(listed, [("box5".to_owned(), pilot.serial), ("wheels".to_owned(), child.serial)]);
    assert!(again.promise(&name("box5"), &name("box6")).is_ok(), "its certificate is known");
    for peer in [pilot, child] {
        again.revoke(&peer.agent.name).unwrap();
        assert!(again.revocations().contains(peer.serial));
        again.came(&peer, None);
        assert!(is_listed_as_revoked(&again));
    }
}

#[test]
fn who_comes_by_the_name_of_the_one_that_took_its_place_is_revoked() {
    let home = Home::new();
    let lost = Peer { agent: box5(), serial: enrol(&home.start(), &box5()) };
    std::fs::remove_file(home.0.path().join(FILE)).unwrap();
    let agents = home.start();
    let second = enrol(&agents, &box5());
    agents.came(&lost, None);
    assert!(!agents.revocations().contains(lost.serial), "another may have said so");
    agents.came(&lost, Some(&[]));
    assert!(agents.revocations().contains(lost.serial) && !agents.revocations().contains(second));
    assert_eq!(agents.all()[0].certificate.serial, second);
}
