//! Agents that come to the gate to join.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use bramble_enrolment::host;
use bramble_gate::{JoinStream, Joins};
use bramble_link::now;

use super::Agents;

/// What the gate hands them to.
pub(crate) struct Joining(pub(crate) Arc<Agents>);

impl Joins for Joining {
    fn are_open(&self) -> bool {
        self.0.invitations().are_open(now())
    }

    fn join(&self, stream: JoinStream, from: IpAddr) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let agents = Arc::clone(&self.0);
        Box::pin(async move {
            let enrol = async |wanted| {
                let agents = Arc::clone(&agents);
                // It waits for the disk, and here is the gate's thread.
                let enrolled = tokio::task::spawn_blocking(move || agents.enrol(&wanted)).await;
                enrolled.unwrap_or_else(|error| Err(error.to_string()))
            };
            match host(stream, &agents.invitations, now, enrol).await {
                Ok(agent) => tracing::info!("the {agent} joined from {from}"),
                Err(why) => tracing::warn!("from {from}: {why}"),
            }
        })
    }
}
