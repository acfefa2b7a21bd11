//! Everything that is answered when an agent is set up, and how one answer moves others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bramble_enrolment::{Code, Terminal};
use bramble_identity::Role;
use bramble_link::Endpoint;
use bramble_settings::place;

use crate::cli::Check;
use crate::draft::{Draft, Form, Problem, Template};
use crate::facts::Facts;
use crate::unit::Service;

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    pub(crate) facts: Facts,
    /// What this computer is to be.
    pub(crate) role: Role,
    drafts: BTreeMap<Role, Draft>,
    /// The configurations that are there.
    pub(crate) there: BTreeMap<Role, There>,
    /// Another place for the configuration than the usual one.
    pub(crate) config: Option<PathBuf>,
    /// Who starts the agent.
    pub(crate) service: Service,
    /// Whom a system service runs as.
    pub(crate) user: String,
    /// What it joins by, if it joins.
    pub(crate) code: Option<Code>,
    /// Where a child joins; the network is searched where that isn't said.
    pub(crate) joins_at: Option<String>,
    /// The data folder of an agent that has joined before.
    pub(crate) enrolled: Option<PathBuf>,
    /// Whether it may leave another swarm.
    pub(crate) replace: bool,
    /// What of the rig is checked.
    pub(crate) check: Check,
}

/// A configuration that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct There {
    /// Its file.
    pub(crate) path: PathBuf,
    /// Its text.
    pub(crate) text: String,
}

/// What looks for the terminal on the network.
const FIND: &str = "find";

/// The roles, the most usual first.
pub(crate) const ROLES: [Role; 3] = [Role::Pilot, Role::Terminal, Role::Child];

impl Answers {
    /// Answers that begin with what is there, and else with examples.
    ///
    /// # Errors
    /// What is wrong with a configuration that is there and isn't TOML.
    pub(crate) fn new(facts: Facts, there: BTreeMap<Role, There>) -> Result<Answers, (PathBuf, Problem)> {
        let service = Service::usual(&facts);
        let known = if facts.root && facts.user == "root" { "bramble" } else { &facts.user };
        let user = known.to_owned();
        let role = ROLES.into_iter().find(|role| there.contains_key(role)).unwrap_or(Role::Pilot);
        let mut answers = Answers {
            role,
            drafts: BTreeMap::new(),
            there: BTreeMap::new(),
            config: None,
            service,
            user,
            code: None,
            joins_at: None,
            enrolled: None,
            replace: false,
            check: Check::All,
            facts,
        };
        for role in ROLES {
            let draft = match there.get(&role) {
                Some(there) => {
                    Draft::read(role, &there.text).map_err(|problem| (there.path.clone(), problem))?
                }
                None => answers.fresh(role),
            };
            answers.drafts.insert(role, draft);
        }
        answers.there = there;
        Ok(answers)
    }

    /// An example, with what this computer is called.
    fn fresh(&self, role: Role) -> Draft {
        let usual = Template::of(role);
        let template = match role {
            Role::Pilot if !self.facts.is_pi() => Template::Simulated,
            _ => usual[0],
        };
        let mut draft = template.draft(self.facts.model.as_deref());
        if role != Role::Terminal && self.facts.is_pi() {
            named(&mut draft, &self.facts.host);
        }
        draft
    }

    /// The configuration of the role.
    pub(crate) fn draft(&self) -> &Draft {
        // There is one of each role from the start.
        &self.drafts[&self.role]
    }

    /// Changes the configuration of the role.
    ///
    /// # Errors
    /// What would be wrong then; nothing is changed.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Draft)) -> Result<(), Vec<Problem>> {
        self.drafts.get_mut(&self.role).map_or(Ok(()), |draft| draft.change(change))
    }

    /// Has another configuration of the role. What it doesn't say is kept from the one that is there.
    pub(crate) fn begin_with(&mut self, mut draft: Draft) {
        for key in ["name", "terminal", "pilot", "data"] {
            let kept = self.there.contains_key(&self.role).then(|| self.draft().get(&[key])).flatten();
            let usual = match key {
                "name" if self.role != Role::Terminal => Some(self.facts.host.clone()),
                // Where nothing says it, it is looked for.
                "terminal" if self.role == Role::Pilot => Some(FIND.to_owned()),
                _ => None,
            };
            if let (None, Some(value)) = (draft.get(&[key]), kept.or(usual)) {
                draft.set(&[key], Form::Text, &value);
            }
        }
        self.drafts.insert(self.role, draft);
    }

    /// Has the rig of a template.
    ///
    /// # Errors
    /// What would be wrong then; nothing is changed.
    pub(crate) fn begin_rig_with(&mut self, template: Template) -> Result<(), Vec<Problem>> {
        let other = template.draft(self.facts.model.as_deref());
        self.change(|draft| *draft = draft.with_rig_of(&other))
    }

    /// The agent's name.
    pub(crate) fn name(&self) -> String {
        let usual = if self.role == Role::Terminal { bramble_settings::TERMINAL } else { "" };
        self.draft().get(&["name"]).unwrap_or_else(|| usual.to_owned())
    }

    /// Gives it a name; what is called after it follows.
    ///
    /// # Errors
    /// Why it can't be one.
    pub(crate) fn set_name(&mut self, name: &str) -> Result<(), Vec<Problem>> {
        if name.trim().is_empty() && self.role != Role::Terminal {
            return Err(vec![Problem {
                message: format!("a {} has a name", self.role),
                help: Some("write letters, digits, - and _, as in box1".to_owned()),
                ..Problem::default()
            }]);
        }
        self.change(|draft| named(draft, name.trim()))
    }

    /// Has the name that it was invited by, which counts. The data folder, which has its keys, stays.
    ///
    /// # Errors
    /// Why it can't be one.
    pub(crate) fn invited_as(&mut self, name: &str) -> Result<(), Vec<Problem>> {
        let data = self.draft().get(&["data"]).unwrap_or_else(|| format!("~/bramble-{}", self.name()));
        self.change(|draft| {
            draft.set(&["name"], Form::Text, name);
            draft.set(&["data"], Form::Text, &data);
        })
    }

    /// Says where the terminal of a pilot is, as a person does: `lab-desk`, `find`, or an endpoint.
    ///
    /// # Errors
    /// Why it can't be there.
    pub(crate) fn set_terminal(&mut self, place: &str) -> Result<(), Vec<Problem>> {
        let endpoint = endpoint(place);
        self.change(|draft| draft.set(&["terminal"], Form::Text, &endpoint))
    }

    /// The file that is written.
    pub(crate) fn file(&self) -> PathBuf {
        let usual = || {
            let folder = match self.service {
                Service::System => PathBuf::from(place::SYSTEM),
                Service::User | Service::None => place::of_user(&self.facts.home),
            };
            folder.join(format!("{}.toml", self.role))
        };
        let there = self.there.get(&self.role).map(|there| there.path.clone());
        self.config.clone().or(there).unwrap_or_else(usual)
    }

    /// Whom the agent runs as, where that is another than who sets it up.
    pub(crate) fn runs_as(&self) -> Option<&str> {
        let system = self.service == Service::System && self.service.lacking(&self.facts).is_none();
        system.then_some(self.user.as_str())
    }

    /// The home folder of whom the agent runs as.
    pub(crate) fn agents_home(&self) -> PathBuf {
        match self.runs_as() {
            Some(user) => {
                let made = || made_home(user);
                self.facts.users.get(user).cloned().unwrap_or_else(made)
            }
            None => self.facts.home.clone(),
        }
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.data_of(self.draft(), &self.file())
    }

    /// The data folder of the configuration that is there.
    pub(crate) fn data_there(&self) -> Option<PathBuf> {
        let there = self.there.get(&self.role)?;
        Some(self.data_of(&Draft::read(self.role, &there.text).ok()?, &there.path))
    }

    fn data_of(&self, draft: &Draft, file: &Path) -> PathBuf {
        let usual = || match self.role {
            Role::Terminal => "~/bramble".to_owned(),
            _ => format!("~/bramble-{}", draft.get(&["name"]).unwrap_or_default()),
        };
        let written = draft.get(&["data"]).unwrap_or_else(usual);
        self.placed(&written, file)
    }

    /// A path that is written in a file.
    fn placed(&self, written: &str, file: &Path) -> PathBuf {
        match Path::new(written).strip_prefix("~") {
            Ok(rest) => self.agents_home().join(rest),
            Err(_) => file.parent().unwrap_or(Path::new("")).join(written),
        }
    }

    /// The folder of tasks and protocols that a terminal's page shows.
    pub(crate) fn tasks(&self) -> Option<PathBuf> {
        let written = self.draft().get(&["web", "tasks"]);
        (self.role == Role::Terminal).then(|| match written {
            Some(written) => self.placed(&written, &self.file()),
            None => self.data().join("tasks"),
        })
    }

    /// Where the swarm is joined.
    pub(crate) fn joins(&self) -> Option<Terminal> {
        let place = match self.role {
            Role::Pilot => self.draft().get(&["terminal"]),
            _ => self.joins_at.clone(),
        };
        place.filter(|place| place != "find").and_then(|place| place.parse().ok())
    }

    /// Whether it has joined before.
    pub(crate) fn is_enrolled(&self) -> bool {
        self.enrolled.as_ref() == Some(&self.data())
    }

    /// Whether the agent reaches its terminal over the network, for which it has to be enrolled.
    pub(crate) fn needs_to_join(&self) -> bool {
        let key = match self.role {
            Role::Terminal => return false,
            Role::Pilot => "terminal",
            Role::Child => "pilot",
        };
        let place = self.draft().get(&[key]).and_then(|place| place.parse().ok());
        matches!(place, Some(Endpoint::Tcp { .. } | Endpoint::Find(_)))
    }
}

/// The home folder of a user that is made for an agent.
pub(crate) fn made_home(user: &str) -> PathBuf {
    PathBuf::from("/var/lib").join(user)
}

/// Where a terminal is, as an endpoint: what a person types is a computer's name.
pub(crate) fn endpoint(place: &str) -> String {
    let place = place.trim();
    match (place.parse::<Endpoint>(), place.parse::<Terminal>()) {
        (Err(_), Ok(terminal)) if !place.contains("://") => format!("tcp://{terminal}"),
        _ => place.to_owned(),
    }
}

/// Gives a draft a name. A data folder and a socket that are called after the old one follow.
fn named(draft: &mut Draft, name: &str) {
    if let Some(old) = draft.get(&["name"]) {
        for (key, before) in [("data", "~/bramble-"), ("children", "ipc:///tmp/bramble-")] {
            let written = draft.get(&[key]).unwrap_or_default();
            // What follows may say more: `~/bramble-box1-simulated`.
            let rest = written.strip_prefix(before).and_then(|rest| rest.strip_prefix(old.as_str()));
            if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with(['-', '.'])) {
                draft.set(&[key], Form::Text, &format!("{before}{name}{rest}"));
            }
        }
    }
    draft.set(&["name"], Form::Text, name);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(facts: Facts) -> Answers {
        Answers::new(facts, BTreeMap::new()).unwrap()
    }

    #[test]
    fn a_fresh_pi_is_a_pilot_called_after_the_computer_with_a_chip_of_its_board() {
        let facts = Facts { model: Some("Raspberry Pi 5 Model B Rev 1.0".to_owned()), ..Facts::of_a_pi() };
        let answers = answers(facts);
        assert_eq!((answers.role, answers.name().as_str()), (Role::Pilot, "box7"));
        assert_eq!(answers.draft().get(&["rig", "chip"]).as_deref(), Some("pinctrl-rp1"));
        assert_eq!(answers.file(), Path::new("/etc/bramble/pilot.toml"));
        assert_eq!(answers.data(), Path::new("/home/ada/bramble-box7"));
        assert_eq!(answers.draft().problems(), Vec::new());
    }

    #[test]
    fn elsewhere_the_rig_is_simulated() {
        let answers = answers(Facts::of_a_plain_computer());
        assert!(!answers.draft().rig().unwrap().is_real());
        assert_eq!(answers.file(), Path::new("/home/ada/.config/bramble/pilot.toml"));
    }

    #[test]
    fn what_is_called_after_the_agent_follows_its_name() {
        let mut answers = answers(Facts::of_a_pi());
        answers.set_name("box12").unwrap();
        assert_eq!(answers.draft().get(&["data"]).as_deref(), Some("~/bramble-box12"));
        let mut simulated = self::answers(Facts::of_a_plain_computer());
        simulated.set_name("box12").unwrap();
        assert_eq!(simulated.draft().get(&["data"]).as_deref(), Some("~/bramble-box12-simulated"));
        assert_eq!(simulated.draft().get(&["children"]).as_deref(), Some("ipc:///tmp/bramble-box12.sock"));
        assert!(answers.set_name(" ").unwrap_err()[0].message.contains("has a name"));
        assert!(answers.set_name("box 1").is_err());
        assert_eq!(answers.name(), "box12");
    }

    #[test]
    fn who_was_invited_by_another_name_keeps_the_folder_with_its_keys() {
        let mut answers = answers(Facts::of_a_pi());
        answers.change(|draft| draft.remove(&["data"])).unwrap();
        let data = answers.data();
        answers.invited_as("box9").unwrap();
        assert_eq!((answers.name().as_str(), answers.data()), ("box9", data));
    }

    #[test]
    fn a_terminal_is_typed_as_people_call_computers() {
        for (typed, written) in [
            ("lab", "tcp://lab:5600"),
            ("192.168.1.20:7", "tcp://192.168.1.20:7"),
            ("find", "find"),
            ("ipc:///x/y.sock", "ipc:///x/y.sock"),
            ("tcp://lab", "tcp://lab"),
        ] {
            assert_eq!(endpoint(typed), written);
        }
        let mut answers = answers(Facts::of_a_pi());
        assert!(answers.set_terminal("tcp://lab").is_err());
        answers.set_terminal("lab").unwrap();
        assert!(answers.needs_to_join());
        assert_eq!(answers.joins().unwrap().to_string(), "lab:5600");
    }

    #[test]
    fn another_boxs_rig_leaves_this_boxs_name_and_terminal() {
        let text = "name = \"box3\"\nterminal = \"tcp://lab:5600\"\ndata = \"/data\"\n".to_owned();
        let path = PathBuf::from("/etc/bramble/pilot.toml");
        let there = BTreeMap::from([(Role::Pilot, There { path, text })]);
        let mut answers = Answers::new(Facts::of_a_pi(), there).unwrap();
        answers.begin_with(Draft::read(Role::Pilot, "[rig]\nwatchdog = \"300 ms\"\n").unwrap());
        assert_eq!(answers.name(), "box3");
        assert_eq!(answers.draft().get(&["terminal"]).as_deref(), Some("tcp://lab:5600"));
        assert_eq!(answers.data(), Path::new("/data"));
        assert_eq!(answers.draft().get(&["rig", "watchdog"]).as_deref(), Some("300 ms"));
    }
}
