//! Agents that come to the gate.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bramble_enrolment::{Declined, Refusal, Unfinished, Wanted, Welcome, host};
use bramble_gate::{Counts, JoinStream, Joins, Told};
use bramble_identity::{Agent, Serial};
use bramble_link::now;

use super::Agents;

/// Has whoever is let in be noted down.
pub(crate) fn note_who_comes(agents: Arc<Agents>) -> Told {
    Arc::new(move |peer, certificate| {
        let (agents, peer, certificate) = (Arc::clone(&agents), peer.clone(), certificate.to_vec());
        // It may wait for the disk, and here is the gate's thread.
        tokio::task::spawn_blocking(move || agents.came(&peer, Some(&certificate)));
    })
}

/// What the gate hands those to that want to join.
pub(crate) struct Joining {
    agents: Arc<Agents>,
    /// Those that did not join, by what is said of them.
    unfinished: Arc<Mutex<Counts<(String, IpAddr)>>>,
}

impl Joining {
    /// Has those join that are invited here.
    pub(crate) fn new(agents: Arc<Agents>) -> Joining {
        Joining { agents, unfinished: Arc::default() }
    }
}

/// What the log has of somebody that did not join, as rarely as the gate says such things: while an
/// invitation is open, anybody may try. Wrong codes are few.
fn line(unfinished: &mut Counts<(String, IpAddr)>, why: &Unfinished, from: IpAddr) -> Option<String> {
    let is_wrong_code =
        matches!(why, Unfinished::Declined(Declined { refusal: Refusal::WrongCode { .. }, .. }));
    let why = why.to_string();
    match unfinished.one_more((why.clone(), from)) {
        Some(count @ 2..) => Some(format!("from {from}: {why}, {count} times by now")),
        counted => (counted.is_some() || is_wrong_code).then(|| format!("from {from}: {why}")),
    }
}

impl Joins for Joining {
    fn are_open(&self) -> bool {
        self.agents.invitations().are_open(now())
    }

    fn join(&self, stream: JoinStream, from: IpAddr) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let (agents, unfinished) = (Arc::clone(&self.agents), Arc::clone(&self.unfinished));
        Box::pin(async move {
            let mut given = None;
            let enrol = async |wanted: Wanted| {
                let (welcome, certificate) = Given::to(&agents, wanted).await?;
                given = Some(certificate);
                Ok(welcome)
            };
            let joined = host(stream, &agents.invitations, now, enrol).await;
            match joined {
                Ok(agent) => {
                    given.as_mut().map(Given::is_kept);
                    tracing::info!("the {agent} joined from {from}");
                }
                Err(why) => {
                    // Counting leaves nothing half done.
                    let mut unfinished = unfinished.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(line) = line(&mut unfinished, &why, from) {
                        tracing::warn!("{line}");
                    }
                }
            }
        })
    }
}

/// A certificate that an agent was given, and may not have: then it is to hold no more, also when
/// the gate gives the agent up.
pub(super) struct Given {
    agents: Arc<Agents>,
    certificate: Option<(Agent, Serial)>,
}

impl Given {
    /// Makes it, for an agent that proved to be invited. Who gives up waiting gives up the certificate.
    ///
    /// # Errors
    /// Why it wasn't, for the log.
    pub(super) async fn to(agents: &Arc<Agents>, wanted: Wanted) -> Result<(Welcome, Given), String> {
        let agents = Arc::clone(agents);
        // It waits for the disk, and here is the gate's thread.
        let enrolled = tokio::task::spawn_blocking(move || {
            let (welcome, serial) = agents.enrol(&wanted)?;
            Ok((welcome, Given { agents, certificate: Some((wanted.agent, serial)) }))
        });
        enrolled.await.unwrap_or_else(|error| Err(error.to_string()))
    }

    /// The agent has it.
    fn is_kept(&mut self) {
        self.settle(Agents::joined);
    }

    /// Has the disk waited for on another thread than the gate's.
    fn settle(&mut self, how: impl FnOnce(&Agents, &Agent, Serial) + Send + 'static) {
        if let Some((agent, serial)) = self.certificate.take() {
            let agents = Arc::clone(&self.agents);
            tokio::task::spawn_blocking(move || how(&agents, &agent, serial));
        }
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        self.settle(Agents::did_not_join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bramble_identity::Role;

    #[test]
    fn a_stranger_that_says_garbage_costs_few_lines_and_every_wrong_code_is_one() {
        let (mut counts, from) = (Counts::default(), "10.0.0.9".parse().unwrap());
        let garbage = Unfinished::Declined(Declined { refusal: Refusal::Garbled {}, agent: None });
        let lines: Vec<String> = (0..4351).filter_map(|_| line(&mut counts, &garbage, from)).collect();
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines[0].ends_with("no message of the exchange"), "{lines:?}");
        assert!(lines[3].ends_with("1000 times by now"), "{lines:?}");
        let agent = Some(Agent::new(Role::Pilot, "box1".parse().unwrap()));
        let wrong = Unfinished::Declined(Declined { refusal: Refusal::WrongCode { left: 1 }, agent });
        assert!((0..5).all(|_| line(&mut counts, &wrong, from).is_some()));
    }
}
