//! What each command does: `serve` is the terminal, the others ask it.

mod agents;
mod alerts;
mod export;
mod life;
mod link;
mod protocol;
mod replay;
mod report;
mod serve;
mod session;
mod simulate;
mod status;
mod subject;
mod task;
mod timing;
mod user;

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};

use bramble_subject::Subjects;
use bramble_value::{Person, SubjectId};
use miette::{IntoDiagnostic, WrapErr};
use serde::Serialize;

use crate::api::client::Client;
use crate::api::link::TestLink;
use crate::api::types::{By, Done};
use crate::cli::{Cli, Command, Session, TakeOver};
use crate::config::Settings;
use crate::software::person;

/// Does what was typed.
///
/// # Errors
/// Whatever kept it from being done, to be shown to a person.
pub(crate) fn run(cli: Cli) -> miette::Result<()> {
    let Cli { config, data, who, command } = cli;
    // A variable that is empty is as good as none.
    let data =
        data.or_else(|| std::env::var_os("BRAMBLE_DATA").filter(|data| !data.is_empty()).map(PathBuf::from));
    let settings = |listen| Settings::read(config.as_deref(), data.as_deref(), listen);
    match command {
        Command::Task(command) => task::run(command),
        Command::Protocol(command) => protocol::run(command),
        Command::Replay(options) => replay::run(&options, || Ok(settings(None)?.data)),
        Command::Session(Session::Report(options)) => report::run(&options, || Ok(settings(None)?.data)),
        Command::Export(options) => export::run(&options, settings(None)?),
        Command::User(command) => user::run(command, &settings(None)?.data),
        Command::Serve(options) => {
            let mut settings = settings(options.listen.as_ref())?;
            settings.web.listen = options.web.or(settings.web.listen);
            serve::run(settings, options.seed)
        }
        command => {
            let client = Client::new(&settings(None)?)?;
            runtime()?.block_on(ask(&client, who.unwrap_or_else(person), command))
        }
    }
}

/// Asks the terminal that runs.
async fn ask(client: &Client, who: Person, command: Command) -> miette::Result<()> {
    match command {
        Command::Subject(command) => subject::run(client, who, command).await,
        Command::Session(Session::Move(options)) => life::move_session(client, who, options).await,
        Command::Start(options) => session::start(client, who, options).await,
        Command::Stop(options) => session::stop(client, who, options).await,
        Command::Pause(options) => session::pause(client, who, options, "pause").await,
        Command::Resume(options) => session::pause(client, who, options, "resume").await,
        Command::Set { take_over, subject, setting } => {
            session::set(client, by(who, take_over), &subject, setting).await
        }
        Command::Message { take_over, subject, name } => {
            session::message(client, by(who, take_over), &subject, name).await
        }
        Command::Reward { take_over, subject, port, volume } => {
            session::reward(client, by(who, take_over), &subject, port, volume).await
        }
        Command::Status { watch, brief, json } => status::run(client, watch, brief, json).await,
        Command::Alerts(options) => alerts::run(client, who, options).await,
        Command::Timing { pilot, json } => timing::run(client, pilot, json).await,
        Command::TestLink { pilots, time, during_session, json, .. } => {
            link::run(client, TestLink { pilots, time, during_session, who }, json).await
        }
        Command::Invite { name, child, json } => agents::invite(client, name, child, json).await,
        Command::Agents(options) => agents::agents(client, who, options).await,
        Command::Serve(_)
        | Command::User(_)
        | Command::Task(_)
        | Command::Protocol(_)
        | Command::Replay(_)
        | Command::Session(Session::Report(_))
        | Command::Export(_) => Ok(()),
    }
}

fn by(who: Person, TakeOver { take_over }: TakeOver) -> By {
    By { who, take_over }
}

/// The subject file that is meant: by its path, or by its subject in the data folder.
fn subject_file(subject: &str, data: impl FnOnce() -> miette::Result<PathBuf>) -> miette::Result<PathBuf> {
    let path = Path::new(subject);
    // A folder may have a subject's name: exports are in one.
    if path.is_file() || subject.ends_with(".h5") || subject.contains('/') {
        return Ok(path.to_owned());
    }
    let id: SubjectId = subject
        .parse()
        .into_diagnostic()
        .wrap_err_with(|| format!("`{subject}` is neither a file nor a subject"))?;
    Ok(Subjects::path_in(&data()?, &id))
}

/// Where asynchronous code runs: one thread, which is all that it takes.
fn runtime() -> miette::Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| miette::miette!("the system lets no runtime start: {error}"))
}

/// Prints a line. Where nobody reads any more, as behind `| head`, there is
/// nothing left to do; where it can't be written, as on a full disk, nothing is
/// done well.
fn say(text: impl Display) {
    if let Err(error) = writeln!(std::io::stdout(), "{}", shown(&text.to_string())) {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        eprintln!("what there is to say can't be written: {error}");
        std::process::exit(1);
    }
}

/// A text without what a screen would obey: what people write may have anything in it.
fn shown(text: &str) -> String {
    let shown = |letter: char| match letter {
        '\n' | '\t' => letter,
        letter if letter.is_control() => char::REPLACEMENT_CHARACTER,
        letter => letter,
    };
    text.chars().map(shown).collect()
}

fn print_done(done: &Done) {
    say(&done.done);
}

/// For scripts.
fn print_json(value: &impl Serialize) -> miette::Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|error| miette::miette!("{error}"))?;
    say(text);
    Ok(())
}

/// The file's own place, since the terminal runs in another folder.
fn absolute(path: &Path) -> miette::Result<PathBuf> {
    std::path::absolute(path).map_err(|error| miette::miette!("{}: {error}", path.display()))
}

/// A table as this program shows all of its tables.
fn table(header: &[&str]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(header);
    table
}

/// A number in groups of three digits.
fn grouped(number: impl ToString) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_apart() {
        let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (48_211, "48,211"), (1_234_567, "1,234,567")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }
}
