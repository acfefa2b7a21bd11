//! `start`, `stop`, `set`, `message`, `reward`: what is said to a session.

use bramble_message::PortName;
use bramble_value::{SubjectId, Volume};

use super::{absolute, print_done};
use crate::api::client::Client;
use crate::api::types::{Reward, SendMessage, SetParameter, Start, Stop};
use crate::cli;
use crate::software::person;

pub(super) async fn start(client: &Client, options: cli::Start) -> miette::Result<()> {
    let cli::Start { subject, pilot, task, parameters, trials, seed, despite_check } = options;
    let task = task.as_deref().map(absolute).transpose()?;
    let parameters = parameters.into_iter().collect();
    let start = Start { subject, pilot, task, parameters, trials, seed, despite_check };
    print_done(&client.post("/sessions", &start).await?);
    Ok(())
}

pub(super) async fn stop(client: &Client, options: cli::Stop) -> miette::Result<()> {
    let cli::Stop { subject, pilot, after_trial, why } = options;
    let stop = Stop { subject, pilot, after_trial, why, who: person() };
    print_done(&client.post("/stop", &stop).await?);
    Ok(())
}

pub(super) async fn set(
    client: &Client,
    subject: &SubjectId,
    (name, value): (String, serde_json::Value),
) -> miette::Result<()> {
    let set = SetParameter { name, value };
    print_done(&client.post(&format!("/subjects/{subject}/parameter"), &set).await?);
    Ok(())
}

pub(super) async fn message(client: &Client, subject: &SubjectId, name: String) -> miette::Result<()> {
    print_done(&client.post(&format!("/subjects/{subject}/message"), &SendMessage { name }).await?);
    Ok(())
}

pub(super) async fn reward(
    client: &Client,
    subject: &SubjectId,
    port: PortName,
    volume: Volume,
) -> miette::Result<()> {
    print_done(&client.post(&format!("/subjects/{subject}/reward"), &Reward { port, volume }).await?);
    Ok(())
}
