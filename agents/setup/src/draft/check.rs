//! What is wrong with a configuration, by the very types that the agents read it with.

use std::fmt;

use bramble_config::{ConfigError, Fault, mistakes, parse};
use bramble_identity::Role;
use bramble_rig::RigConfig;
use bramble_rig::config::WrittenRig;
use bramble_settings::{ChildFile, PilotFile, TerminalFile, offerable, reachable};
use miette::Diagnostic;

/// What the text is called in a message; it is cut off again.
const FILE: &str = "";

/// Something that an agent would not start with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Problem {
    /// What is wrong, in a sentence.
    pub(crate) message: String,
    /// What to write instead, where that can be said.
    pub(crate) help: Option<String>,
    /// The line that it is in, from 1; 0 where it is about what isn't there.
    pub(crate) line: usize,
    /// Where in the text, in bytes.
    pub(crate) start: usize,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help.iter().try_for_each(|help| write!(f, "; {help}"))
    }
}

impl Problem {
    fn whole(error: &dyn Diagnostic) -> Problem {
        let help = error.help().map(|help| help.to_string());
        Problem { message: error.to_string(), help, line: 0, start: 0 }
    }
}

/// All that is wrong with the text of a role's file.
pub(super) fn problems(role: Role, text: &str) -> Vec<Problem> {
    let found = match role {
        Role::Terminal => terminal(text),
        Role::Pilot => pilot(text),
        Role::Child => child(text),
    };
    found.err().unwrap_or_default()
}

/// The rig in the text of a role's file, where nothing is wrong with it.
pub(super) fn rig(role: Role, text: &str) -> Option<RigConfig> {
    let written = match role {
        Role::Terminal => return None,
        Role::Pilot => parse::<PilotFile>(FILE, text).ok()?.rig,
        Role::Child => parse::<ChildFile>(FILE, text).ok()?.rig,
    };
    written.read().ok()
}

fn terminal(text: &str) -> Result<(), Vec<Problem>> {
    let file: TerminalFile = parse(FILE, text).map_err(|error| of(&error))?;
    let listen = file.listen();
    if matches!(listen, bramble_link::Endpoint::Find(_)) {
        let why = format!("a terminal can't listen at `{listen}`");
        let help = "write tcp://0.0.0.0:5600 for pilots on other computers";
        return Err(of(&mistakes(FILE, text, vec![Fault::new(&["listen"], why).help(help)])));
    }
    Ok(())
}

fn pilot(text: &str) -> Result<(), Vec<Problem>> {
    let file: PilotFile = parse(FILE, text).map_err(|error| of(&error))?;
    let rig = read(file.rig, text)?;
    if file.terminal.is_none() {
        return Err(vec![Problem::whole(&bramble_settings::PilotError::NoTerminal)]);
    }
    reachable(&rig, file.children.as_ref()).map_err(|error| vec![Problem::whole(&error)])
}

fn child(text: &str) -> Result<(), Vec<Problem>> {
    let file: ChildFile = parse(FILE, text).map_err(|error| of(&error))?;
    let rig = read(file.rig, text)?;
    if file.pilot.is_none() {
        return Err(vec![Problem::whole(&bramble_settings::ChildError::NoPilot)]);
    }
    offerable(&rig).map_err(|error| vec![Problem::whole(&error)])
}

fn read(rig: WrittenRig, text: &str) -> Result<RigConfig, Vec<Problem>> {
    let within = |fault: Fault| fault.within("rig");
    rig.read().map_err(|faults| of(&mistakes(FILE, text, faults.into_iter().map(within).collect())))
}

fn of(error: &ConfigError) -> Vec<Problem> {
    let problem = |mistake: &bramble_config::Mistake| Problem {
        message: mistake.message().to_owned(),
        help: mistake.what_to_do().map(str::to_owned),
        line: mistake.line(),
        start: mistake.start(),
    };
    error.mistakes().iter().map(problem).collect()
}
