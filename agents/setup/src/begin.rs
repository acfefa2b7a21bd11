//! The answers that a command line gives, before anybody is asked.

use std::path::PathBuf;

use bramble_identity::Role;
use bramble_settings::place;
use miette::Diagnostic;
use thiserror::Error;

use crate::answers::{Answers, ROLES};
use crate::cli::{Arguments, Check};
use crate::draft::{Draft, Form, Problem};
use crate::facts::Facts;
use crate::work::{self, Busy};

/// Why nothing is set up.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum Refused {
    /// A file can't be read.
    #[error("{} can't be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file isn't a configuration.
    #[error("{}:{}: {}", path.display(), problem.line, problem.message)]
    NoConfiguration {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: Problem,
        /// What to do.
        #[help]
        help: String,
    },
    /// An option that can't be.
    #[error("{option} can't be: {why}")]
    Option {
        /// The option.
        option: String,
        /// Why.
        why: String,
        /// What to write instead.
        #[help]
        help: Option<String>,
    },
    /// The configuration would be wrong.
    #[error("{} would not be a configuration that the {role} starts with: {why}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Of what.
        role: Role,
        /// All that is wrong.
        why: String,
    },
    /// There is nobody to be asked.
    #[error("there is no terminal on which anything could be asked")]
    #[diagnostic(help(
        "say --yes to be asked nothing, or --dry-run to see what would be done; over ssh, `ssh -t` has a terminal"
    ))]
    Unattended,
    /// Nothing says what is wired to the pins.
    #[error("nothing says what the rig is, and a wrong one may open valves")]
    #[diagnostic(help("say --from FILE, or --template pi, simulated or empty"))]
    NoRig,
    /// A pilot is in a session.
    #[error("nothing was changed: {0}")]
    #[diagnostic(help("set it up when it is idle; `bramble-terminal status` shows what it does"))]
    Busy(Busy),
    /// A session has begun while the form was filled in.
    #[error("nothing was changed: {busy}")]
    #[diagnostic(help(
        "what was answered is in {aside}: when it is idle, bramble-setup {role} --from {aside}"
    ))]
    Late {
        /// What it does.
        busy: Busy,
        /// Of what the answers are.
        role: Role,
        /// Where they are.
        aside: String,
    },
}

impl Refused {
    /// A configuration with these mistakes.
    pub(crate) fn of(answers: &Answers, problems: Vec<Problem>) -> Refused {
        let one = |problem: &Problem| match problem.line {
            0 => problem.to_string(),
            line => format!("line {line}: {problem}"),
        };
        let why = problems.iter().map(one).collect::<Vec<_>>().join("; ");
        Refused::Wrong { path: answers.file(), role: answers.role, why }
    }
}

/// The answers that begin with what is there, and then what the command line says.
///
/// # Errors
/// [`Refused`]
pub(crate) fn begin(arguments: &Arguments) -> Result<Answers, Refused> {
    let facts = arguments.pretend.as_deref().map_or_else(Facts::look, Facts::pretended);
    let mut places = Vec::new();
    let role = arguments.role.unwrap_or(Role::Pilot);
    match &arguments.config {
        // A computer that isn't there has no files.
        _ if arguments.pretend.is_some() => {}
        Some(config) => places.push((role, config.clone())),
        None => {
            for role in ROLES {
                let file = format!("{role}.toml");
                let (system, own) =
                    (PathBuf::from(place::SYSTEM).join(&file), place::of_user(&facts.home).join(&file));
                places.extend(if facts.root {
                    [(role, system), (role, own)]
                } else {
                    [(role, own), (role, system)]
                });
            }
        }
    }
    let there = work::there(&places).map_err(|(path, source)| Refused::Unreadable { path, source })?;
    let mut answers = Answers::new(facts, there).map_err(|(path, problem)| {
        let help = format!("correct it, or move it away: mv {0} {0}.old", path.display());
        Refused::NoConfiguration { path, problem, help }
    })?;
    answers.role = arguments.role.unwrap_or(answers.role);
    answers.config =
        arguments.config.as_ref().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()));
    answers.service = arguments.service.unwrap_or(answers.service);
    if let Some(path) = &arguments.from {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|source| Refused::Unreadable { path: path.clone(), source })?;
        let draft = Draft::read(answers.role, &text).map_err(|problem| {
            let help = problem.help.clone().unwrap_or_else(|| "it isn't TOML".to_owned());
            Refused::NoConfiguration { path: path.clone(), problem, help }
        })?;
        answers.begin_with(draft);
    }
    if let Some(template) = arguments.template {
        told("--template", answers.begin_rig_with(template))?;
    }
    options(arguments, &mut answers)?;
    let data = answers.data();
    if arguments.pretend.is_none() && work::has_keys(&data.join(bramble_settings::KEYS)) {
        answers.enrolled = Some(data);
    }
    Ok(answers)
}

fn options(arguments: &Arguments, answers: &mut Answers) -> Result<(), Refused> {
    if let Some(name) = &arguments.name {
        told("--name", answers.set_name(name.as_str()))?;
    }
    if let Some(place) = &arguments.terminal {
        if answers.role == Role::Child {
            let found = place.parse::<bramble_enrolment::Terminal>().map(|_| ());
            told("--terminal", found.map_err(|error| wrong(error.to_string())))?;
            answers.joins_at = Some(place.clone());
        } else {
            of_role(answers, "--terminal", &[Role::Pilot])?;
            told("--terminal", answers.set_terminal(place))?;
        }
    }
    for (option, key, value, roles) in [
        ("--children", "children", &arguments.children, &[Role::Pilot] as &[Role]),
        ("--pilot", "pilot", &arguments.pilot, &[Role::Child]),
        ("--listen", "listen", &arguments.listen, &[Role::Terminal]),
        ("--data", "data", &arguments.data, &ROLES),
        ("--journal-limit", "journal_limit", &arguments.journal_limit, &[Role::Pilot]),
    ] {
        if let Some(value) = value {
            of_role(answers, option, roles)?;
            told(option, answers.change(|draft| draft.set(&[key], Form::Text, value)))?;
        }
    }
    set(&arguments.set, answers)?;
    if let Some(user) = &arguments.user {
        told("--user", crate::form::user(user).map(drop).map_err(wrong))?;
        answers.user.clone_from(user);
    }
    answers.code.clone_from(&arguments.code);
    answers.replace = arguments.replace;
    let usual = if arguments.yes { Check::Outputs } else { Check::All };
    answers.check = arguments.check.unwrap_or(usual);
    Ok(())
}

/// Sets keys of the file, all at once: some are right only together.
fn set(all: &[String], answers: &mut Answers) -> Result<(), Refused> {
    let option = |set: &str| format!("--set {set}");
    let mut keys: Vec<(&String, Vec<&str>, &str)> = Vec::new();
    for set in all {
        let Some((key, value)) = set.split_once('=') else {
            let how = "write KEY=VALUE, as in rig.watchdog=\"300 ms\"";
            return told(&option(set), Err(wrong(how.to_owned())));
        };
        keys.push((set, key.trim().split('.').collect(), value.trim()));
    }
    let change = |draft: &mut Draft, path: &[&str], value: &str| match value {
        "" => draft.remove(path),
        value => draft.set_raw(path, value),
    };
    let done = answers.change(|draft| keys.iter().for_each(|(_, path, value)| change(draft, path, value)));
    let Err(problems) = done else { return Ok(()) };
    // One that is wrong by itself in the same way is the one; else it may be any of them.
    let is_it = |path: &[&str], value: &str| {
        let alone = answers.clone().change(|draft| change(draft, path, value));
        let same = |one: &Problem| problems.iter().any(|other| other.message == one.message);
        alone.is_err_and(|alone| alone.iter().any(same))
    };
    let found = keys.iter().find(|(_, path, value)| is_it(path, value));
    let named = found.map_or_else(|| all.join(" --set "), |(set, ..)| (*set).clone());
    told(&option(&named), Err(problems))
}

fn wrong(message: String) -> Vec<Problem> {
    vec![Problem { message, ..Problem::default() }]
}

fn of_role(answers: &Answers, option: &str, roles: &[Role]) -> Result<(), Refused> {
    if roles.contains(&answers.role) {
        return Ok(());
    }
    told(option, Err(wrong(format!("it is no answer of a {}", answers.role))))
}

fn told(option: &str, done: Result<(), Vec<Problem>>) -> Result<(), Refused> {
    done.map_err(|problems| {
        let why = problems.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>().join("; ");
        Refused::Option {
            option: option.to_owned(),
            why,
            help: problems.into_iter().find_map(|one| one.help),
        }
    })
}

/// Whether somebody has said what is wired to the pins: an example alone mustn't work them.
pub(crate) fn says_what(arguments: &Arguments, answers: &Answers) -> bool {
    let is_real = answers.draft().rig().is_some_and(|rig| rig.is_real());
    !is_real
        || arguments.from.is_some()
        || arguments.template.is_some()
        || answers.there.contains_key(&answers.role)
}
