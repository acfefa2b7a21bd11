//! What a configuration starts from: the commented examples of the config folder.

use bramble_identity::Role;
use bramble_rig::config::board;

use super::Draft;
use super::edit::Form;

/// A configuration to start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Template {
    /// A terminal.
    Terminal,
    /// A pilot with three pokes, a wheel and sync lines on a Raspberry Pi.
    Pi,
    /// A pilot whose rig is simulated.
    Simulated,
    /// A pilot with no devices yet.
    Empty,
    /// A child with a wheel and a lamp.
    Child,
}

const TERMINAL: &str = include_str!("../../../../config/terminal.toml");
const PILOT: &str = include_str!("../../../../config/pilot.toml");
const PILOT_PI: &str = include_str!("../../../../config/pilot-pi.toml");
const CHILD: &str = include_str!("../../../../config/child.toml");

impl Template {
    /// Those of a role, the usual one first.
    pub(crate) fn of(role: Role) -> &'static [Template] {
        match role {
            Role::Terminal => &[Template::Terminal],
            Role::Pilot => &[Template::Pi, Template::Simulated, Template::Empty],
            Role::Child => &[Template::Child],
        }
    }

    /// The template in a few words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Template::Terminal => "a terminal",
            Template::Pi => "three pokes on a Raspberry Pi",
            Template::Simulated => "a simulated box",
            Template::Empty => "no devices",
            Template::Child => "a wheel and a lamp, simulated",
        }
    }

    /// The word for it on a command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Template::Terminal => "terminal",
            Template::Pi => "pi",
            Template::Simulated => "simulated",
            Template::Empty => "empty",
            Template::Child => "child",
        }
    }

    /// A draft of it. The header's chip is that of the board `model`, where that is a Raspberry Pi.
    pub(crate) fn draft(self, model: Option<&str>) -> Draft {
        let (role, text) = match self {
            Template::Terminal => (Role::Terminal, TERMINAL.to_owned()),
            Template::Pi => (Role::Pilot, PILOT_PI.to_owned()),
            Template::Simulated => (Role::Pilot, simulated()),
            Template::Empty => (Role::Pilot, PILOT.to_owned()),
            Template::Child => (Role::Child, CHILD.to_owned()),
        };
        let mut draft = Draft::read(role, &text).expect("the shipped configurations are TOML");
        if self == Template::Empty {
            for device in draft.names(&["rig", "devices"]) {
                draft.remove(&["rig", "devices", &device]);
            }
            draft.remove(&["children"]);
        }
        let chip = model.and_then(board::chip_of);
        if let (Template::Pi | Template::Empty, Some(chip)) = (self, chip) {
            draft.set(&["rig", "chip"], Form::Text, chip);
        }
        draft
    }
}

/// The simulated box without its child, which nobody has set up yet: all of it is on the pilot.
fn simulated() -> String {
    let lines = PILOT.lines().filter(|line| !line.contains(CHILDS_NAME));
    lines.map(|line| line.replace("driver = \"child\"", "driver = \"simulated\"") + "\n").collect()
}

/// The child of the simulated box.
const CHILDS_NAME: &str = "wheel-box1";

impl Draft {
    /// Has the rig of another draft, with the comments that are in it.
    pub(crate) fn with_rig_of(&self, other: &Draft) -> Draft {
        let mut draft = self.clone();
        draft.take("rig", other);
        if draft.get(&["children"]).is_none()
            && let Some(children) = other.get(&["children"])
            && draft.role() == Role::Pilot
        {
            draft.set(&["children"], Form::Text, &children);
        }
        draft
    }
}
