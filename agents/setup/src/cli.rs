//! What can be typed after `bramble-setup`.

use std::path::PathBuf;

use bramble_enrolment::Code;
use bramble_identity::Role;
use bramble_value::Name;
use clap::Parser;

use crate::draft::Template;
use crate::unit::Service;

/// Sets up an agent on this computer: its configuration, its rig, its service and its place in the swarm.
///
/// On a terminal it asks for everything in a form, which begins with what is there and
/// with what these options say. With --yes it asks nothing. What it replaces it keeps
/// beside it, with the time in its name; run it again to look at and change what is there.
#[derive(Debug, Parser)]
#[command(name = "bramble-setup", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// What this computer is to be: terminal, pilot or child
    pub(crate) role: Option<Role>,
    /// A configuration to begin with, instead of what is there: another box's, or a file with
    /// a rig alone
    #[arg(long, value_name = "FILE", conflicts_with = "template")]
    pub(crate) from: Option<PathBuf>,
    /// A rig to begin with: pi (three pokes, a wheel, sync lines), simulated, or empty
    #[arg(long, value_name = "RIG", value_parser = template)]
    pub(crate) template: Option<Template>,
    /// The agent's name
    #[arg(long, help_heading = "Answers")]
    pub(crate) name: Option<Name>,
    /// Where the terminal is: its computer's name or address, `find`, or an endpoint as in the
    /// configuration. A child only joins there
    #[arg(long, value_name = "WHERE", help_heading = "Answers")]
    pub(crate) terminal: Option<String>,
    /// The code of an invitation (bramble-terminal invite NAME), to join the swarm by
    #[arg(long, help_heading = "Answers")]
    pub(crate) code: Option<Code>,
    /// Leave the swarm that this agent is of, to join another
    #[arg(long, requires = "code", help_heading = "Answers")]
    pub(crate) replace: bool,
    /// A pilot: where it listens for its children
    #[arg(long, value_name = "ENDPOINT", help_heading = "Answers")]
    pub(crate) children: Option<String>,
    /// A child: where its pilot listens, as in tcp://box1:5601
    #[arg(long, value_name = "ENDPOINT", help_heading = "Answers")]
    pub(crate) pilot: Option<String>,
    /// A terminal: where it listens, as in tcp://0.0.0.0:5600
    #[arg(long, value_name = "ENDPOINT", help_heading = "Answers")]
    pub(crate) listen: Option<String>,
    /// The data folder
    #[arg(long, value_name = "DIR", help_heading = "Answers")]
    pub(crate) data: Option<String>,
    /// A pilot: how much may wait for the terminal, as in "2 GB"
    #[arg(long, value_name = "SIZE", help_heading = "Answers")]
    pub(crate) journal_limit: Option<String>,
    /// Any other key of the configuration, as in rig.devices.poke.debounce="2 ms"; without a value
    /// the key is left out
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Answers")]
    pub(crate) set: Vec<String>,
    /// Who starts the agent [default: system where this is root, else user, where systemd is there]
    #[arg(long, help_heading = "Answers")]
    pub(crate) service: Option<Service>,
    /// Whom a system service runs as; made where it isn't there [default: you, or bramble]
    #[arg(long, value_name = "NAME", help_heading = "Answers")]
    pub(crate) user: Option<String>,
    /// What of a pilot's rig is checked at last; with --yes no input is waited for
    #[arg(long, help_heading = "Answers")]
    pub(crate) check: Option<Check>,
    /// The configuration file [default: /etc/bramble/ROLE.toml for a system service, else
    /// ~/.config/bramble/ROLE.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Ask nothing
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Only show what would be written and done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// To try it: show what would be asked and done on a fresh Raspberry Pi of this model, as in
    /// "Raspberry Pi 5", and do nothing
    #[arg(long, value_name = "MODEL")]
    pub(crate) pretend: Option<String>,
}

/// What of a rig is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Check {
    /// Timing, inputs and outputs: a person triggers each input
    All,
    /// Timing and outputs; each is on for a moment, valves too
    Outputs,
    /// How late this computer wakes the loop; nothing is switched
    Timing,
    /// Nothing
    None,
}

impl Check {
    /// All of them.
    pub(crate) const ALL: [Check; 4] = [Check::All, Check::Outputs, Check::Timing, Check::None];

    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Check::All => "all",
            Check::Outputs => "outputs",
            Check::Timing => "timing",
            Check::None => "none",
        }
    }

    /// What it means, in a few words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Check::All => "timing, inputs and outputs; you trigger each input",
            Check::Outputs => "timing and outputs; valves open for 20 ms each",
            Check::Timing => "how late this computer wakes the loop",
            Check::None => "nothing is checked",
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  sudo bramble-setup
  sudo bramble-setup pilot --template pi --name box1 --terminal lab-desk --code k7qf-2mxp
  sudo bramble-setup pilot --from rig.toml --yes
  bramble-setup pilot --set rig.devices.valve.longest_on=\"1 s\" --dry-run
  for i in $(seq 16); do
    code=$(bramble-terminal invite box$i --json | jq -r .code)
    ssh box$i sudo bramble-setup pilot --from rig.toml --name box$i --terminal lab --code $code --yes
  done";

fn template(text: &str) -> Result<Template, String> {
    let known = Template::of(Role::Pilot).iter().find(|template| template.word() == text);
    known
        .copied()
        .ok_or_else(|| format!("there is no rig `{text}` to begin with: say pi, simulated or empty"))
}
