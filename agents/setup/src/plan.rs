//! What would be written and done for the answers that were given.

use std::path::PathBuf;

use bramble_identity::Role;

use crate::answers::Answers;
use crate::cli::Check;
use crate::unit::{Service, Unit};

/// What setting up an agent comes to.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) answers: Answers,
    /// The configuration's text.
    pub(crate) text: String,
    /// The service, where there is to be one.
    pub(crate) unit: Option<Unit>,
    /// What of the rig is checked.
    pub(crate) check: Check,
    /// What a person should know first.
    pub(crate) notes: Vec<String>,
}

impl Plan {
    /// The plan for these answers.
    pub(crate) fn new(answers: &Answers) -> Plan {
        let facts = &answers.facts;
        let mut notes = Vec::new();
        let mut service = answers.service;
        if let Some(lacking) = service.lacking(facts) {
            notes.push(format!("no {} service: {lacking}", service.word()));
            service = Service::None;
        }
        let (role, program) = (answers.role, facts.programs.join(format!("bramble-{}", answers.role)));
        let unit = (service != Service::None).then(|| Unit {
            role,
            service,
            program: program.clone(),
            config: answers.file(),
            user: answers.runs_as().map(str::to_owned),
            gpio_group: facts.gpio_group,
        });
        let real = answers.draft().rig().is_some_and(|rig| rig.is_real());
        let mut check = if role == Role::Pilot { answers.check } else { Check::None };
        if real && !facts.gpio {
            notes.push(
                "this computer has no GPIO: a rig with real pins is written, and not checked here".to_owned(),
            );
            check = Check::None;
        }
        if real && facts.gpio && !facts.gpio_group && answers.runs_as().is_some_and(|user| user != "root") {
            notes.push("there is no group `gpio` here: see that the agent may use /dev/gpiochip0".to_owned());
        }
        if answers.needs_to_join() && answers.code.is_none() && !answers.is_enrolled() {
            notes.push(format!(
                "it isn't enrolled yet: `bramble-terminal invite {}{}` prints a code to join by",
                answers.name(),
                if role == Role::Child { " --child" } else { "" }
            ));
        }
        Plan { text: text(answers), answers: answers.clone(), unit, check, notes }
    }

    /// The agent's program.
    pub(crate) fn program(&self) -> PathBuf {
        self.answers.facts.programs.join(format!("bramble-{}", self.answers.role))
    }

    /// Whether the configuration that is there says just that.
    pub(crate) fn changes_nothing(&self) -> bool {
        let there = self.answers.there.get(&self.answers.role);
        there.is_some_and(|there| there.text == self.text && there.path == self.answers.file())
    }

    /// What is done, in order, a sentence each.
    pub(crate) fn steps(&self) -> Vec<String> {
        let answers = &self.answers;
        let mut steps = Vec::new();
        if let (Some(user), Some(_)) = (answers.runs_as(), &self.unit)
            && !answers.facts.users.contains_key(user)
        {
            steps.push(format!("make the user {user}"));
        }
        if answers.code.is_some() {
            let at = match answers.joins() {
                Some(terminal) => format!("at {terminal}"),
                None => "that is found on this network".to_owned(),
            };
            steps.push(format!(
                "join the swarm of the terminal {at}; keys go to {}",
                answers.data().join(bramble_settings::KEYS).display()
            ));
        }
        let file = answers.file();
        let there = answers.there.values().any(|there| there.path == file);
        steps.push(match (there, self.changes_nothing()) {
            (_, true) => format!("leave {} as it is", file.display()),
            (true, _) => format!("write {}, and keep a copy of what is there", file.display()),
            (false, _) => format!("write {}", file.display()),
        });
        if let Some(tasks) = answers.tasks() {
            let tasks = tasks.display();
            steps.push(format!("put the shipped tasks and protocols into {tasks}, unless it is there"));
        }
        if let Some(unit) = &self.unit {
            let path = unit.path(&answers.facts.home);
            let whose = unit.user.as_ref().map(|user| format!(" as {user}")).unwrap_or_default();
            steps.push(format!("install {}, which starts {}{whose}", path.display(), unit.name()));
            steps.push(match answers.role {
                Role::Child => format!("start {}, unless it runs", unit.name()),
                _ => format!("start {}, again if it runs", unit.name()),
            });
        }
        if self.check != Check::None {
            steps.push(format!("check the rig: {}", self.check.words()));
        }
        steps
    }

    /// How the agent is started by hand.
    pub(crate) fn by_hand(&self) -> String {
        let serve = if self.answers.role == Role::Terminal { " serve" } else { "" };
        format!("{} --config {}{serve}", self.program().display(), self.answers.file().display())
    }
}

/// The text that is written: commands in an example's comments name the file that they are in.
pub(crate) fn text(answers: &Answers) -> String {
    let example = "bramble-pilot --config config/pilot-pi.toml";
    answers.draft().text().replace(example, &format!("bramble-pilot --config {}", answers.file().display()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::facts::Facts;

    fn plan(facts: Facts, change: impl FnOnce(&mut Answers)) -> Plan {
        let mut answers = Answers::new(facts, BTreeMap::new()).unwrap();
        change(&mut answers);
        Plan::new(&answers)
    }

    #[test]
    fn a_pi_is_joined_written_started_and_checked_in_this_order() {
        let plan = plan(Facts::of_a_pi(), |answers| {
            answers.set_terminal("lab").unwrap();
            answers.code = "k7qf-2mxp".parse().ok();
        });
        assert_eq!(plan.notes, Vec::<String>::new());
        assert_eq!(
            plan.steps(),
            [
                "join the swarm of the terminal at lab:5600; keys go to /home/ada/bramble-box7/keys",
                "write /etc/bramble/pilot.toml",
                "install /etc/systemd/system/bramble-pilot.service, which starts bramble-pilot as ada",
                "start bramble-pilot, again if it runs",
                "check the rig: timing, inputs and outputs; you trigger each input",
            ]
        );
    }

    #[test]
    fn without_systemd_root_and_pins_it_says_so_and_does_what_is_left() {
        let plan = plan(Facts::of_a_plain_computer(), |answers| {
            answers.service = Service::System;
            answers.begin_rig_with(crate::draft::Template::Pi).unwrap();
        });
        assert!(plan.notes[0].contains("systemd doesn't run this computer"), "{:?}", plan.notes);
        assert!(plan.notes[1].contains("no GPIO"), "{:?}", plan.notes);
        assert_eq!(plan.steps(), ["write /etc/bramble/pilot.toml"]);
        assert_eq!(plan.by_hand(), "/opt/bramble/bin/bramble-pilot --config /etc/bramble/pilot.toml");
    }
}
