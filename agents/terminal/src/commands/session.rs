//! `start`, `stop`, `pause`, `resume`, `set`, `message`, `reward`: what is said to a session.

use bramble_message::PortName;
use bramble_value::{Person, SubjectId, Volume};

use super::{absolute, by, print_done};
use crate::api::client::Client;
use crate::api::types::{By, Pause, Reward, SendMessage, SetParameter, Start, Stop};
use crate::cli;

pub(super) async fn start(client: &Client, who: Person, options: cli::Start) -> miette::Result<()> {
    let cli::Start { subject, pilot, task, parameters, trials, seed, despite_check, abandon } = options;
    let task = task.as_deref().map(absolute).transpose()?;
    let parameters = parameters.into_iter().collect();
    let start = Start { who, subject, pilot, task, parameters, trials, seed, despite_check, abandon };
    print_done(&client.post("/sessions", &start).await?);
    Ok(())
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
