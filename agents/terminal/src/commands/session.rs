//! `start`, `stop`, `pause`, `resume`, `set`, `message`, `reward`: what is said to a session.

use std::collections::BTreeSet;
use std::io::IsTerminal;

use bramble_message::PortName;
use bramble_value::{Person, SubjectId, Volume};

use super::{absolute, by, print_done};
use crate::api::client::Client;
use crate::api::types::{By, Pause, Reward, SendMessage, SetParameter, Start, Stop};
use crate::cli;
use crate::refusal::Refusal;
use crate::unusual::Unusual;

pub(super) async fn start(client: &Client, who: Person, options: cli::Start) -> miette::Result<()> {
    let cli::Start { subject, pilot, task, parameters, keep, trials, seed, despite_check, abandon, confirm } =
        options;
    let task = task.as_deref().map(absolute).transpose()?;
    let (parameters, keep) = (parameters.into_iter().collect(), keep.into_iter().collect());
    let confirm = confirm.into_iter().collect();
    let mut start =
        Start { who, subject, pilot, task, parameters, keep, trials, seed, despite_check, abandon, confirm };
    loop {
        match client.post("/sessions", &start).await {
            // Each is asked for once, so that this ends.
            Err(refusal) if !start.confirm.is_superset(&unusual(&refusal)) && confirms(&refusal)? => {
                start.confirm.extend(refusal.confirm);
            }
            result => {
                print_done(&result?);
                return Ok(());
            }
        }
    }
}

/// What is to be confirmed.
fn unusual(refusal: &Refusal) -> BTreeSet<Unusual> {
    refusal.confirm.iter().copied().collect()
}

/// Shows a person what is unusual, and asks. Where nobody sits there, the answer is no.
fn confirms(refusal: &Refusal) -> miette::Result<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(false);
    }
    eprint!("{refusal}\nStart it all the same? [y/N] ");
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| miette::miette!("no answer can be read: {error}"))?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

pub(super) async fn stop(client: &Client, who: Person, options: cli::Stop) -> miette::Result<()> {
    let cli::Stop { subject, pilot, after_trial, why, take_over } = options;
    let stop = Stop { subject, pilot, after_trial, why, by: by(who, take_over) };
    print_done(&client.post("/stop", &stop).await?);
    Ok(())
}

/// `what` is `pause` or `resume`.
pub(super) async fn pause(
    client: &Client,
    who: Person,
    options: cli::Pause,
    what: &str,
) -> miette::Result<()> {
    let cli::Pause { subject, why, take_over } = options;
    let pause = Pause { why, by: by(who, take_over) };
    print_done(&client.post(&format!("/subjects/{subject}/{what}"), &pause).await?);
    Ok(())
}

pub(super) async fn set(
    client: &Client,
    by: By,
    subject: &SubjectId,
    (name, value): (String, serde_json::Value),
) -> miette::Result<()> {
    let set = SetParameter { name, value, by };
    print_done(&client.post(&format!("/subjects/{subject}/parameter"), &set).await?);
    Ok(())
}

pub(super) async fn message(
    client: &Client,
    by: By,
    subject: &SubjectId,
    name: String,
) -> miette::Result<()> {
    print_done(&client.post(&format!("/subjects/{subject}/message"), &SendMessage { name, by }).await?);
    Ok(())
}

pub(super) async fn reward(
    client: &Client,
    by: By,
    subject: &SubjectId,
    port: PortName,
    volume: Volume,
) -> miette::Result<()> {
    let reward = Reward { port, volume, by };
    print_done(&client.post(&format!("/subjects/{subject}/reward"), &reward).await?);
    Ok(())
}
