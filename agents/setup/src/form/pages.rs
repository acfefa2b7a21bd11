//! The lines of each page, and what their answers change.

use bramble_enrolment::CodeError;
use bramble_identity::Role;

use super::row::{Field, Holds, Page, Row};
use super::{Found, Looked};
use crate::answers::{Answers, ROLES};
use crate::cli::Check;
use crate::draft::{Device, Form as Written, Pinned, Problem, Template};
use crate::plan::Plan;
use crate::unit::Service;

/// The lines of a page.
pub(super) fn rows(answers: &Answers, page: Page, looked: &Looked) -> Vec<Row> {
    match page {
        Page::Role => role(answers),
        Page::Name => name(answers),
        Page::Swarm => swarm(answers, looked),
        Page::Rig => rig(answers),
        Page::Sound => sound(answers),
        Page::Data => data(answers),
        Page::Service => service(answers),
        Page::Write => write(answers),
    }
}

fn key(answers: &Answers, path: &'static [&'static str], label: &str, hint: &str) -> Row {
    Row::text(Field::Key(path), label, answers.draft().get(path).unwrap_or_default(), hint)
}

fn role(answers: &Answers) -> Vec<Row> {
    let words: Vec<&str> = ROLES.iter().map(|role| role.as_str()).collect();
    let facts = &answers.facts;
    let mut rows = vec![
        Row::choice(Field::Role, "role", &words, answers.role.as_str(), "left and right choose"),
        Row::note(""),
        Row::note("terminal   the lab's desktop: keeps the animals' files, starts sessions"),
        Row::note("pilot      beside an animal, mostly a Raspberry Pi: runs sessions on its rig"),
        Row::note("child      has a part of a pilot's hardware, on a computer of its own"),
        Row::note(""),
        Row::note(format!("This computer is {}, {}; {}.", facts.host, facts.words(), services(answers))),
    ];
    match answers.there.get(&answers.role) {
        Some(there) => rows.push(Row::note(format!(
            "What is there: {}. It is shown here to be changed.",
            there.path.display()
        ))),
        None => rows.push(Row::note(format!(
            "No {} is set up here. The answers begin with an example.",
            answers.role
        ))),
    }
    rows
}

fn services(answers: &Answers) -> &'static str {
    match (answers.facts.systemd, answers.facts.root) {
        (true, true) => "systemd runs it, and you are root",
        (true, false) => "systemd runs it, and you are not root",
        (false, _) => "it has no systemd: a person starts agents",
    }
}

fn name(answers: &Answers) -> Vec<Row> {
    let mut rows = vec![Row::text(
        Field::Name,
        "name",
        answers.draft().get(&["name"]).unwrap_or_default(),
        "letters, digits, - and _, as others show it: box1",
    )];
    if answers.role == Role::Terminal {
        rows.push(Row::note(""));
        rows.push(Row::note("Whose data these are, for exports. All can be left empty."));
        rows.push(key(answers, &["lab", "institution"], "institution", "as in New York University"));
        rows.push(key(answers, &["lab", "name"], "lab", "as in Doe lab"));
        rows.push(key(answers, &["lab", "project"], "project", "as in Visual choice"));
        for (path, label, hint) in [
            (&["lab", "experimenters"] as &[_], "experimenters", "as in Doe, Jane; Roe, Richard"),
            (&["lab", "investigators"], "investigators", "as in Jane Doe; Richard Roe"),
            (&["lab", "funders"], "funders", "with ; between them"),
        ] {
            let value = answers.draft().get(path).unwrap_or_default();
            rows.push(Row::text(Field::Keys(path), label, value, hint));
        }
    }
    rows
}

fn swarm(answers: &Answers, looked: &Looked) -> Vec<Row> {
    match answers.role {
        Role::Terminal => {
            let hint = "tcp://0.0.0.0:5600 for pilots on any computer, tcp://127.0.0.1:5600 for this one";
            const PAGE: &str =
                "where browsers find the page: 127.0.0.1:5680 on this computer, or off; empty is that";
            return vec![
                key(answers, &["listen"], "listen", hint),
                key(answers, &["web", "listen"], "page", PAGE),
                Row::note(""),
                Row::note("Where enrolled pilots reach this terminal. Those of the same user on this"),
                Row::note("computer always can, by swarm.sock in its data folder."),
            ];
        }
        Role::Pilot => {}
        Role::Child => {}
    }
    let mut rows = Vec::new();
    if answers.role == Role::Pilot {
        let value = answers.draft().get(&["terminal"]).unwrap_or_default();
        let hint = "its computer's name or address, `find`, or ipc://~/bramble/swarm.sock on this computer";
        rows.push(Row::text(Field::Terminal, "terminal", value, hint));
    } else {
        let hint = "tcp://box1:5601, find:box1, or ipc:///tmp/bramble-box1.sock on the pilot's computer";
        rows.push(key(answers, &["pilot"], "pilot", hint));
        let at = answers.joins_at.clone().unwrap_or_default();
        rows.push(Row::text(
            Field::JoinsAt,
            "terminal",
            at,
            "where it joins: a computer's name; empty to look for it",
        ));
    }
    let code = answers.code.as_ref().map(ToString::to_string).unwrap_or_default();
    let invite =
        "what `bramble-terminal invite` printed, as in k7qf-2mxp; empty if it has joined, or needn't";
    rows.push(Row::text(Field::Code, "code", code, invite));
    if answers.is_enrolled() && answers.code.is_none() {
        rows.push(Row::note("            it has joined before: a code is only needed to join anew"));
    }
    if answers.code.is_some() {
        let now = if answers.replace { "yes" } else { "no" };
        rows.push(Row::choice(
            Field::Replace,
            "leave swarm",
            &["no", "yes"],
            now,
            "yes: it may leave the swarm that it is of",
        ));
    }
    if answers.role == Role::Pilot {
        let hint = "tcp://0.0.0.0:5601 for children on other computers; empty without children";
        rows.push(key(answers, &["children"], "children", hint));
    }
    rows.push(Row::note(""));
    rows.push(Row::action(Field::Look, "look for terminals on this network", "", "Enter looks for 3 s"));
    match looked {
        Looked::Not => {}
        Looked::Looking => rows.push(Row::note("  looking ...")),
        Looked::Failed(why) => rows.push(Row::note(format!("  {why}"))),
        Looked::Found(all) if all.is_empty() => {
            rows.push(Row::note("  none answers: type its computer's name or address above"));
        }
        Looked::Found(all) => {
            let row = |(at, Found { name, place }): (usize, &Found)| {
                Row::action(Field::Found(at), format!("  {name}"), format!("at {place}"), "Enter takes it")
            };
            rows.extend(all.iter().enumerate().map(row));
        }
    }
    rows
}

/// What the marks on the header mean.
const LEGEND: &str = "     # used  o free  * this one";

const SYNC: &str = "for aligning other recordings; Enter changes it     # used  o free  * this one";

fn rig(answers: &Answers) -> Vec<Row> {
    let draft = answers.draft();
    let mut rows: Vec<Row> = draft
        .devices()
        .into_iter()
        .filter_map(|name| {
            let device = draft.device(Pinned::Device, &name)?;
            let hint = format!("{} by {}; Enter changes it", device.kind(), device.says("driver")) + LEGEND;
            Some(Row::action(Field::Device(name.clone()), name, short(&device), &hint))
        })
        .collect();
    if answers.role == Role::Pilot {
        for (line, label) in [(Pinned::SyncOutput, "sync out"), (Pinned::SyncInput, "sync in")] {
            let there = if draft.has(line) { "is there" } else { "none" };
            rows.push(Row::action(Field::Sync(line), label, there, SYNC));
        }
    }
    rows.push(Row::action(Field::AddDevice, "+ a device", "", "Enter adds one"));
    let hint = "the chip with the header: Pi 4 pinctrl-bcm2711, Pi 5 pinctrl-rp1, earlier pinctrl-bcm2835";
    rows.push(key(answers, &["rig", "chip"], "chip", hint));
    rows.push(key(
        answers,
        &["rig", "watchdog"],
        "watchdog",
        "how long the loop may hang before outputs are made safe: 50 ms to 10 s",
    ));
    rows.push(key(
        answers,
        &["rig", "core"],
        "core",
        "a core of the processor for the loop alone (isolcpus=3); mostly empty",
    ));
    if answers.role == Role::Pilot {
        for template in Template::of(Role::Pilot) {
            let hint = format!("Enter begins the rig anew, with {}", template.words());
            rows.push(Row::action(Field::Begin(*template), format!("new: {}", template.word()), "", &hint));
        }
    }
    rows
}

/// A device in a few letters.
fn short(device: &Device) -> String {
    let what = match device.kind() {
        "digital_input" => "input",
        "digital_output" => "output",
        "level_output" => "dimmed",
        "solenoid" => "valve",
        "analog_input" => "analog",
        other => other,
    };
    let ports = device.lines.iter().filter(|(port, _)| port.is_some()).count();
    let several = if ports > 1 && device.kind() != "encoder" { format!(" x{ports}") } else { String::new() };
    format!("{what}{several}")
}

fn sound(answers: &Answers) -> Vec<Row> {
    let now = if speaker(answers).is_some() { "simulated" } else { "none" };
    vec![
        Row::choice(Field::Speaker, "speaker", &["none", "simulated"], now, "left and right choose"),
        Row::note(""),
        Row::note("Tasks that play sounds ask for a device of the kind sound. In this version of"),
        Row::note("Bramble it is simulated: what would be played, and when, is recorded."),
    ]
}

/// The name of the first speaker.
fn speaker(answers: &Answers) -> Option<String> {
    let draft = answers.draft();
    draft
        .devices()
        .into_iter()
        .find(|name| draft.get(&["rig", "devices", name, "kind"]).as_deref() == Some("sound"))
}

fn data(answers: &Answers) -> Vec<Row> {
    let mut rows = vec![key(
        answers,
        &["data"],
        "data folder",
        "~/ is the home folder of whom the agent runs as; a path without / is beside the file",
    )];
    if answers.role == Role::Pilot {
        let hint = "how much may wait while the terminal is away, as in 2 GB; empty is that";
        rows.push(key(answers, &["journal_limit"], "journal limit", hint));
    }
    if answers.role == Role::Terminal {
        let hint =
            "the folder of the tasks and protocols that the page shows; empty is tasks in the data folder";
        rows.push(key(answers, &["web", "tasks"], "tasks", hint));
    }
    rows.push(Row::note(""));
    rows.push(Row::note(format!("The folder is {}.", answers.data().display())));
    if let Some(tasks) = answers.tasks() {
        let tasks = tasks.display();
        rows.push(Row::note(format!(
            "Tasks are in {tasks}: the shipped ones, where there is no such folder."
        )));
    }
    rows.push(Row::note(match answers.role {
        Role::Terminal => "It will have the animals' files and the swarm's keys: keep a backup of it.",
        Role::Pilot => "It has what the terminal doesn't have yet, calibrations, and this pilot's key.",
        Role::Child => "It has this child's key, and what its guard needs.",
    }));
    rows
}

fn service(answers: &Answers) -> Vec<Row> {
    let words: Vec<&str> = Service::ALL.iter().map(|one| one.word()).collect();
    let hint = match answers.service.lacking(&answers.facts) {
        Some(lacking) => format!("not here: {lacking}"),
        None => answers.service.words().to_owned(),
    };
    let mut rows = vec![Row::choice(Field::Service, "service", &words, answers.service.word(), &hint)];
    if answers.service == Service::System {
        let known = answers.facts.users.contains_key(&answers.user);
        let hint = if known { "whom the agent runs as" } else { "there is no such user yet: it is made" };
        rows.push(Row::text(Field::User, "runs as", &answers.user, hint));
    }
    let file = answers.file().display().to_string();
    rows.push(Row::text(Field::File, "file", file, "the configuration"));
    if answers.role == Role::Pilot {
        let words: Vec<&str> = Check::ALL.iter().map(|one| one.word()).collect();
        rows.push(Row::choice(
            Field::Check,
            "rig check",
            &words,
            answers.check.word(),
            answers.check.words(),
        ));
    }
    rows
}

fn write(answers: &Answers) -> Vec<Row> {
    let plan = Plan::new(answers);
    let mut rows = Vec::new();
    let problems = answers.draft().problems();
    for problem in &problems {
        let place = if problem.line > 0 { format!("line {}: ", problem.line) } else { String::new() };
        rows.push(Row::note(format!("! {place}{problem}")));
    }
    if problems.is_empty() {
        rows.push(Row::action(
            Field::Write,
            "write it, and do the rest",
            "",
            "Enter leaves this form and does it",
        ));
    }
    rows.push(Row::action(Field::Read, "look at the file as it will be", "", "Enter shows it"));
    rows.push(Row::note(""));
    rows.extend(plan.notes.iter().map(|note| Row::note(format!("note: {note}"))));
    rows.extend(plan.steps().iter().enumerate().map(|(at, step)| Row::note(format!("{}. {step}", at + 1))));
    rows
}

/// Gives an answer.
///
/// # Errors
/// Why it can't be; then nothing has changed.
pub(super) fn answer(answers: &mut Answers, field: &Field, value: &str) -> Result<(), Vec<Problem>> {
    let value = value.trim();
    match field {
        Field::Role => answers.role = value.parse().unwrap_or(answers.role),
        Field::Name => return answers.set_name(value),
        Field::Key(path) => return answers.change(|draft| draft.set(path, number(path), value)),
        Field::Keys(path) => return answers.change(|draft| draft.set(path, Written::List, value)),
        Field::Terminal => return answers.set_terminal(value),
        Field::Code if value.is_empty() => answers.code = None,
        Field::Code => answers.code = Some(value.parse().map_err(|error: CodeError| said(&error))?),
        Field::JoinsAt if value.is_empty() => answers.joins_at = None,
        Field::JoinsAt => {
            value.parse::<bramble_enrolment::Terminal>().map_err(|error| said(&error))?;
            answers.joins_at = Some(value.to_owned());
        }
        Field::Replace => answers.replace = value == "yes",
        Field::Speaker => return set_speaker(answers, value == "simulated"),
        Field::Service => {
            answers.service =
                Service::ALL.into_iter().find(|one| one.word() == value).unwrap_or(answers.service);
        }
        Field::User => answers.user = user(value).map_err(|why| said(&why))?.to_owned(),
        Field::File if value.is_empty() => answers.config = None,
        Field::File => {
            if !value.starts_with('/') || value.ends_with('/') {
                return Err(said(&"write the whole path of a file, as in /etc/bramble/pilot.toml"));
            }
            if answers.file() != std::path::Path::new(value) {
                answers.config = Some(value.into());
            }
        }
        Field::Check => {
            answers.check = Check::ALL.into_iter().find(|one| one.word() == value).unwrap_or(answers.check);
        }
        _ => {}
    }
    Ok(())
}

fn number(path: &[&str]) -> Written {
    if path.last() == Some(&"core") { Written::Number } else { Written::Text }
}

fn set_speaker(answers: &mut Answers, wanted: bool) -> Result<(), Vec<Problem>> {
    match (speaker(answers), wanted) {
        (Some(name), false) => answers.change(|draft| draft.remove_device(Pinned::Device, &name)),
        (None, true) => {
            let mut device = Device::new(Pinned::Device, "simulated", "");
            device.name = "speaker".to_owned();
            device.say("kind", "sound");
            answers.change(|draft| draft.put_device(None, &device))
        }
        _ => Ok(()),
    }
}

/// A name that the system takes for a user.
pub(crate) fn user(name: &str) -> Result<&str, String> {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    match first && name.len() <= 32 && name.bytes().all(fits) {
        true => Ok(name),
        false => {
            Err(format!("`{name}` is no user's name: write small letters, digits, _ and -, as in bramble"))
        }
    }
}

pub(super) fn said(why: &dyn std::fmt::Display) -> Vec<Problem> {
    vec![Problem { message: why.to_string(), ..Problem::default() }]
}

/// What a choice would be, so many to the right.
pub(super) fn turned(holds: &Holds, by: isize) -> Option<&str> {
    let Holds::Choice(all, at) = holds else { return None };
    let count = isize::try_from(all.len()).ok().filter(|count| *count > 0)?;
    let at = isize::try_from(*at).ok()?;
    all.get(usize::try_from((at + by).rem_euclid(count)).ok()?).map(String::as_str)
}
