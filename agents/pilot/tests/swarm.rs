//! Agents that join a swarm, are renamed and revoked: real programs over the loopback
//! interface, where the same gate stands as on a network.

use std::net::TcpListener;
use std::process::{Command, Output};

use crate::common::{Lab, RIG, eventually, pilot, program, refusal, refused_to_start, text};
use nix::sched::{CloneFlags, unshare};

const ANY_PORT: &str = "tcp://127.0.0.1:0";

/// A lab whose terminal listens on TCP.
pub(crate) struct Swarm {
    pub(crate) lab: Lab,
    /// The terminal's endpoint.
    pub(crate) at: String,
}

impl Swarm {
    pub(crate) fn new() -> Swarm {
        let mut lab = Lab::unstarted();
        lab.start_terminal_at(ANY_PORT, &[]);
        lab.say(&["subject", "add", "M001"]);
        let status: serde_json::Value = serde_json::from_str(&lab.say(&["status", "--json"])).unwrap();
        let at = status["listen"].as_str().unwrap().to_owned();
        Swarm { lab, at }
    }

    /// The configuration of a pilot that is called so and has its data in a folder.
    pub(crate) fn config(&self, folder: &str, name: &str) -> String {
        let at = &self.at;
        let config = format!("name = \"{name}\"\nterminal = \"{at}\"\ndata = \"{folder}\"\n{RIG}");
        self.lab.file(&format!("{folder}.toml"), &config)
    }

    pub(crate) fn invite(&self, name: &str, more: &[&str]) -> String {
        let said = self.lab.say(&[&["invite", name, "--json"][..], more].concat());
        let invited: serde_json::Value = serde_json::from_str(&said).unwrap();
        invited["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn join(&self, config: &str, code: &str, more: &[&str]) -> Output {
        let terminal = self.at.strip_prefix("tcp://").unwrap();
        let mut command = program("bramble-pilot");
        command.args(["--config", config, "join", terminal, code]).args(more).output().unwrap()
    }

    /// A pilot that is invited and joins, with its data in a folder of its name.
    pub(crate) fn enrol(&self, name: &str) -> String {
        let config = self.config(name, name);
        let joined = self.join(&config, &self.invite(name, &[]), &[]);
        assert!(joined.status.success(), "{}", text(&joined.stderr));
        config
    }

    pub(crate) fn start(&mut self, agent: &str, config: &str, more: &[&str]) {
        let mut command = program("bramble-pilot");
        self.lab.start(agent, command.args(["--config", config]).args(more));
    }

    pub(crate) fn until_here(&self, name: &str) {
        self.lab.until(&["status", "--json"], |status| pilot(status, name)["here"] == true);
    }

    pub(crate) fn agent(&self, name: &str) -> serde_json::Value {
        let agents: serde_json::Value = serde_json::from_str(&self.lab.say(&["agents", "--json"])).unwrap();
        agents
            .as_array()
            .unwrap()
            .iter()
            .find(|agent| agent["name"] == name)
            .unwrap_or(&serde_json::Value::Null)
            .clone()
    }

    /// Waits until a log says something.
    pub(crate) fn until_log(&self, agent: &str, says: &str) {
        eventually(&format!("{agent} says `{says}`"), || self.lab.log(agent).contains(says).then_some(()));
    }
}

#[test]
fn a_pilot_that_was_invited_joins_and_runs_a_session_over_the_gate() {
    let mut swarm = Swarm::new();
    let terminal = swarm.at.strip_prefix("tcp://").unwrap().to_owned();
    let said = swarm.lab.say(&["invite", "box1"]);
    let command = said.lines().find_map(|line| line.trim().strip_prefix("bramble-pilot join ")).unwrap();
    let (at, code) = command.split_once(' ').unwrap();
    assert_eq!(at, terminal);
    assert!(said.contains(&format!("The code {code} lets one pilot join as box1")), "{said}");
    assert!(said.contains("only agents of this computer reach it"), "{said}");

    let config = swarm.config("box1", "box1");
    // As somebody may type it.
    let joined = swarm.join(&config, &code.to_uppercase().replace('-', ""), &[]);
    assert!(joined.status.success(), "{}", text(&joined.stderr));
    let said = text(&joined.stdout);
    assert!(
        said.starts_with(&format!("box1 is a pilot of the swarm of terminal, at {terminal}.\n")),
        "{said}"
    );
    assert!(!said.contains("Write into"), "the configuration is right already: {said}");

    swarm.start("box1", &config, &["--speed", "max"]);
    swarm.until_here("box1");
    let task = swarm.lab.task("free_water.star");
    swarm.lab.say(&["start", "M001", "--pilot", "box1", "--task", &task, "--trials", "20"]);
    assert_eq!(crate::common::session(&swarm.lab.after_sessions(1), 1).0.rows.len(), 20);
    let agent = swarm.agent("box1");
    assert_eq!((&agent["role"], &agent["here"]), (&"pilot".into(), &true.into()));
    assert!(agent["revoked"].is_null() && !agent["last_here"].is_null(), "{agent}");
    let list = swarm.lab.say(&["agents"]);
    assert!(list.lines().any(|line| line.trim().starts_with("box1") && line.contains("now")), "{list}");
}

#[test]
fn a_child_joins_too_and_is_its_pilots_over_the_network() {
    let mut swarm = Swarm::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    swarm.enrol("box1");
    let at = &swarm.at;
    let lamp = "[rig.devices.lamp]\nkind = \"digital_output\"\n";
    let pilots = format!(
        "name = \"box1\"\nterminal = \"{at}\"\ndata = \"box1\"\nchildren = \"tcp://{free}\"\n\
         {lamp}driver = \"child\"\nchild = \"wheels\"\n"
    );
    let pilots = swarm.lab.file("box1.toml", &pilots);
    let wheels = format!(
        "name = \"wheels\"\npilot = \"tcp://{free}\"\ndata = \"wheels\"\n{lamp}driver = \"simulated\"\n"
    );
    let wheels = swarm.lab.file("wheels.toml", &wheels);
    let said = refused_to_start(program("bramble-child").args(["--config", &wheels]));
    assert!(said.contains("bramble-terminal invite wheels"), "{said}");
    let code = swarm.invite("wheels", &["--child"]);
    let said = refusal(&swarm.join(&pilots, &code, &[]));
    assert!(said.contains("the code is for a child"), "{said}");

    let terminal = at.strip_prefix("tcp://").unwrap();
    let mut join = program("bramble-child");
    let joined = join.args(["--config", &wheels, "join", terminal, &code]).output().unwrap();
    assert!(joined.status.success(), "{}", text(&joined.stderr));

    swarm.start("box1", &pilots, &[]);
    swarm.lab.start("wheels", program("bramble-child").args(["--config", &wheels]));
    let is_here = |status: &serde_json::Value, here| {
        let child = &pilot(status, "box1")["children"][0];
        child["name"] == "wheels" && child["here"] == here
    };
    swarm.lab.until(&["status", "--json"], |status| is_here(status, true));
    eventually("the child was noted", || (swarm.agent("wheels")["here"] == true).then_some(()));

    // Where the file of the agents is lost, all that are here are in it again.
    let known = ["box1", "wheels"].map(|agent| swarm.agent(agent)["serial"].clone());
    assert_eq!(swarm.lab.end("terminal"), Some(0));
    std::fs::remove_file(swarm.lab.path("lab/agents.json")).unwrap();
    let at = swarm.at.clone();
    swarm.lab.start_terminal_at(&at, &[]);
    swarm.lab.until(&["status", "--json"], |status| is_here(status, true));
    let are_known = || ["box1", "wheels"].map(|agent| swarm.agent(agent)["serial"].clone()) == known;
    eventually("both are listed", || are_known().then_some(()));

    // A child hears of other pilots from its own.
    swarm.enrol("box2");
    let serial = swarm.agent("box2")["serial"].as_str().unwrap().to_owned();
    let said = swarm.lab.say(&["agents", "revoke", "box2"]);
    assert!(said.contains("this terminal talks to it no more") && !said.contains("children"), "{said}");
    let revoked = swarm.lab.path("wheels/keys/revoked");
    let knows = || std::fs::read_to_string(&revoked).is_ok_and(|revoked| revoked.contains(&serial));
    eventually("the child knows of box2", || knows().then_some(()));

    // The pilot guards its child, and hears from the terminal.
    swarm.lab.say(&["agents", "revoke", "wheels"]);
    swarm.lab.until(&["status", "--json"], |status| is_here(status, false));
    swarm.until_log("wheels", "was revoked");
    let said = swarm.lab.say(&["agents", "revoke", "box1"]);
    assert!(said.contains("its children, wheels,") && said.contains("Stop them"), "{said}");
    let is_why = |why: &'static str| move |status: &serde_json::Value| pilot(status, "box1")["why"] == why;
    swarm.lab.until(&["status", "--json"], is_why("it was revoked"));
}

#[test]
fn a_wrong_code_is_refused_and_the_third_voids_the_invitation() {
    let swarm = Swarm::new();
    let config = swarm.config("box1", "box1");
    let code = swarm.invite("box1", &[]);
    let last = if code.ends_with('0') { "1" } else { "0" };
    let wrong = format!("{}{last}", &code[..code.len() - 1]);
    for left in ["2 times more", "once more", "void now"] {
        let said = refusal(&swarm.join(&config, &wrong, &[]));
        assert!(said.contains("not the code") && said.contains(left), "{said}");
    }
    let said = refusal(&swarm.join(&config, &code, &[]));
    assert!(said.contains("expects nobody") && said.contains("bramble-terminal invite"), "{said}");
    assert!(!swarm.lab.path("box1/keys/identity.pem").exists());
    assert!(swarm.lab.log("terminal").contains("wrong for the third time"));
    assert!(refusal(&swarm.join(&config, "what", &[])).contains("k7qf-2mxp"));
}

#[test]
fn a_pilot_that_is_not_enrolled_says_what_to_do() {
    let swarm = Swarm::new();
    let config = swarm.config("box1", "box1");
    let said = refused_to_start(program("bramble-pilot").args(["--config", &config]));
    assert!(said.contains("bramble-terminal invite box1"), "{said}");
    assert!(said.contains("bramble-pilot join TERMINAL CODE"), "{said}");
}

#[test]
fn a_revoked_pilot_finishes_its_session_and_brings_it_when_it_has_joined_again() {
    let mut swarm = Swarm::new();
    let config = swarm.enrol("box1");
    swarm.start("box1", &config, &["--speed", "20"]);
    swarm.until_here("box1");
    let task = swarm.lab.task("free_water.star");
    swarm.lab.say(&["start", "M001", "--pilot", "box1", "--task", &task, "--trials", "100"]);
    swarm.lab.until_trials(2);
    let said = swarm.lab.say(&["agents", "revoke", "box1"]);
    assert!(said.contains("finishes by itself") && said.contains("free_water with M001"), "{said}");
    swarm.lab.until(&["status", "--json"], |status| pilot(status, "box1")["here"] == false);
    swarm.until_log("box1", "was revoked");
    assert!(!swarm.agent("box1")["revoked"].is_null());
    let again = swarm.lab.refused(&["agents", "revoke", "box1"]);
    assert!(again.contains("was revoked before"), "{again}");
    swarm.until_log("box1", "the session ended");
    assert_eq!(swarm.lab.end("box1"), Some(0));

    swarm.enrol("box1");
    swarm.start("box1", &config, &["--speed", "20"]);
    swarm.until_here("box1");
    let (trials, _) = crate::common::session(&swarm.lab.after_sessions(1), 1);
    let numbers: Vec<u32> = trials.rows.iter().map(|row| row.trial).collect();
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
}

#[test]
fn who_joins_by_a_name_that_is_enrolled_takes_its_place() {
    let mut swarm = Swarm::new();
    let first = swarm.enrol("box1");
    swarm.start("box1", &first, &[]);
    swarm.until_here("box1");
    let said = swarm.lab.say(&["invite", "box1"]);
    assert!(said.contains("is enrolled already, and here") && said.contains("revoked"), "{said}");
    // Not in the middle of a session, which the one that is here would finish by itself.
    let task = swarm.lab.task("free_water.star");
    swarm.lab.say(&["start", "M001", "--pilot", "box1", "--task", &task]);
    let refused = swarm.lab.refused(&["invite", "box1"]);
    assert!(refused.contains("box1 is here, in a session of free_water with M001"), "{refused}");
    swarm.lab.say(&["stop", "M001"]);
    swarm.lab.after_sessions(1);
    let serial = swarm.agent("box1")["serial"].clone();
    assert!(serial.is_string());

    let second = swarm.config("other", "box1");
    let joined = swarm.join(&second, &swarm.invite("box1", &[]), &[]);
    assert!(joined.status.success(), "{}", text(&joined.stderr));
    eventually("it has its place", || (swarm.agent("box1")["serial"] != serial).then_some(()));
    swarm.until_log("box1", "was revoked");
    swarm.start("other", &second, &[]);
    swarm.until_here("box1");
    let said = swarm.lab.refused(&["invite", "box1", "--child"]);
    assert!(said.contains("name of a pilot already"), "{said}");
}

#[test]
fn a_renamed_pilot_starts_again_under_its_new_name_and_keeps_its_key() {
    let mut swarm = Swarm::new();
    let config = swarm.enrol("box1");
    swarm.start("box1", &config, &["--speed", "max"]);
    swarm.until_here("box1");
    let process = swarm.lab.process("box1");
    let task = swarm.lab.task("free_water.star");
    swarm.lab.say(&["start", "M001", "--pilot", "box1", "--task", &task, "--trials", "5"]);
    swarm.lab.after_sessions(1);
    swarm.enrol("box2");
    let taken = swarm.lab.refused(&["agents", "rename", "box2", "box1"]);
    assert!(
        taken.contains("box1 is another agent's name"),
        "it isn't here, which is not the reason: {taken}"
    );
    let said = swarm.lab.say(&["agents", "rename", "box1", "box7"]);
    assert!(said.contains("box1 is called box7 from now on"), "{said}");
    swarm.until_log("box1", "write name = \"box7\"");
    assert_eq!(swarm.lab.process("box1"), process);
    let status = swarm.lab.until(&["status", "--json"], |status| pilot(status, "box7")["here"] == true);
    assert!(pilot(&status, "box1").is_null(), "nobody is away by the old name: {status}");
    assert!(swarm.agent("box1").is_null() && swarm.agent("box7")["here"] == true);

    swarm.lab.say(&["start", "M001", "--pilot", "box7", "--task", &task, "--trials", "5"]);
    assert_eq!(crate::common::session(&swarm.lab.after_sessions(2), 2).0.rows.len(), 5);
    let history = swarm.lab.say(&["subject", "history", "M001"]);
    assert!(!history.contains("other-box"), "it is the same box: {history}");
    let unknown = swarm.lab.refused(&["agents", "rename", "box1", "box2"]);
    assert!(unknown.contains("no agent box1 is enrolled (box2, box7)"), "{unknown}");
}

#[test]
fn a_terminal_that_starts_again_knows_its_agents() {
    let mut swarm = Swarm::new();
    let config = swarm.enrol("box1");
    swarm.enrol("box2");
    swarm.lab.say(&["agents", "revoke", "box2"]);
    swarm.start("box1", &config, &[]);
    swarm.until_here("box1");
    assert_eq!(swarm.lab.end("terminal"), Some(0));
    let at = swarm.at.clone();
    swarm.lab.start_terminal_at(&at, &[]);
    swarm.until_here("box1");
    assert!(!swarm.agent("box1")["last_here"].is_null());
    assert!(!swarm.agent("box2")["revoked"].is_null());
}

#[test]
fn a_pilot_of_another_swarm_joins_only_with_replace() {
    let (one, other) = (Swarm::new(), Swarm::new());
    let config = one.enrol("box1");
    let code = other.invite("box1", &[]);
    let said = refusal(&other.join(&config, &code, &[]));
    assert!(said.contains("another swarm") && said.contains("--replace"), "{said}");
    let joined = other.join(&config, &code, &["--replace"]);
    assert!(joined.status.success(), "{}", text(&joined.stderr));
    let said = text(&joined.stdout);
    assert!(said.contains(&format!("terminal = \"{}\"", other.at)), "the file says the other one: {said}");
}

#[test]
fn a_terminal_that_only_this_user_reaches_invites_nobody() {
    let mut lab = Lab::unstarted();
    lab.start_terminal();
    let said = lab.refused(&["invite", "box1"]);
    assert!(said.contains("needn't be enrolled") && said.contains("tcp://0.0.0.0:5600"), "{said}");
}

/// Runs a test in a network of its own, which has nothing in it but one end of a cable; on the
/// machine's own networks nothing is sent. Says so where the system lets none be made.
fn in_a_network(test: impl FnOnce() + Send + 'static) {
    let ip =
        |words: &str| Command::new("ip").args(words.split(' ')).status().is_ok_and(|status| status.success());
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
    if let Err(panic) = outcome.join() {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn agents_find_each_other_on_a_network_without_an_address() {
    in_a_network(|| {
        let mut lab = Lab::unstarted();
        lab.start_terminal_at("tcp://0.0.0.0:0", &[]);
        let status: serde_json::Value = serde_json::from_str(&lab.say(&["status", "--json"])).unwrap();
        let at = status["listen"].as_str().unwrap().to_owned();
        let mut swarm = Swarm { lab, at };
        let lamp = "[rig.devices.lamp]\nkind = \"digital_output\"\n";
        let pilots = format!(
            "name = \"box1\"\nterminal = \"find\"\ndata = \"box1\"\nchildren = \"tcp://0.0.0.0:0\"\n\
             {lamp}driver = \"child\"\nchild = \"wheels\"\n"
        );
        let pilots = swarm.lab.file("box1.toml", &pilots);
        let wheels =
            format!("name = \"wheels\"\npilot = \"find\"\ndata = \"wheels\"\n{lamp}driver = \"simulated\"\n");
        let wheels = swarm.lab.file("wheels.toml", &wheels);
        for (agent, config, role) in [("box1", &pilots, "pilot"), ("wheels", &wheels, "child")] {
            let more: &[&str] = if role == "child" { &["--child"] } else { &[] };
            let code = swarm.invite(agent, more);
            let mut join = program(&format!("bramble-{role}"));
            join.args(["--config", config, "join", &code]);
            // A busy computer may find it late, which costs no try of the code.
            let joined = eventually("it joins", || {
                Some(join.output().unwrap()).filter(|joined| joined.status.success())
            });
            let said = text(&joined.stdout);
            assert!(said.contains("at 10.77.0.1:") && !said.contains("Write into"), "{said}");
        }
        swarm.start("box1", &pilots, &[]);
        swarm.until_here("box1");
        swarm.lab.start("wheels", program("bramble-child").args(["--config", &wheels]));
        swarm.lab.until(&["status", "--json"], |status| pilot(status, "box1")["children"][0]["here"] == true);
    });
}
