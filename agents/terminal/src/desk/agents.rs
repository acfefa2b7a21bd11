//! What is done with agents: invited, listed, renamed, revoked.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use bramble_enrolment::{USUAL_PORT, VALID};
use bramble_identity::{Agent, Role};
use bramble_link::Endpoint;
use bramble_message::{Bytes, Command, TerminalToPilot, encode};
use bramble_value::Name;
use jiff::{SignedDuration, Timestamp};

use super::{Desk, PATIENCE};
use crate::agents::{Agents, Enrolled};
use crate::api::types::{AgentLine, By, Done, Invited, Rename};
use crate::lab::Running;
use crate::plan;
use crate::refusal::{Allowed, Refusal};
use crate::swarm;

impl Desk {
    /// Invites an agent to join, and says how.
    pub(crate) async fn invite(&self, name: Name, role: Role) -> Allowed<Invited> {
        let (terminal, only_here) = self.where_to_join()?;
        let (is_here, runs) = {
            let lab = self.state.lab();
            (lab.is_here(&name), lab.running().find(|running| running.pilot == name))
        };
        if let Some(running) = runs.filter(|_| is_here) {
            let Running { task, subject, .. } = running;
            return Err(Refusal::conflict(format!(
                "{name} is here, in a session of {task} with {subject}: who joins by its name takes its place, and it \
                 would go on by itself"
            ))
            .help(format!("invite by another name; or stop that first: bramble-terminal stop --pilot {name}")));
        }
        let agent = Agent::new(role, name);
        let (code, is_enrolled) = self.agents.invite(agent.clone())?;
        let until = Timestamp::now() + SignedDuration::from_nanos(VALID.ns());
        let Agent { name, role } = agent;
        let mut notes = Vec::new();
        if is_enrolled {
            let here = if is_here { ", and here" } else { "" };
            notes.push(format!(
                "{name} is enrolled already{here}: when it joins again, the certificate that it has now is revoked"
            ));
        }
        if only_here {
            notes.push(format!(
                "this terminal listens at {}, where only agents of this computer reach it; for others let it listen \
                 at tcp://0.0.0.0:{USUAL_PORT} (`listen` in its configuration, or --listen)",
                self.link.endpoint()
            ));
        }
        Ok(Invited { name, role, code: code.to_string(), until, terminal, notes })
    }

    /// What is typed on the joining agent for this terminal, and whether that is of use on this
    /// computer only.
    fn where_to_join(&self) -> Allowed<(String, bool)> {
        let endpoint = self.link.endpoint();
        let Endpoint::Tcp { host, port } = endpoint else {
            return Err(Refusal::conflict(format!(
                "this terminal listens at {endpoint} only: agents that reach it there are of this user on this \
                 computer, and needn't be enrolled"
            ))
            .help(format!(
                "to have others join, let it listen at tcp://0.0.0.0:{USUAL_PORT}: `listen` in its configuration, or --listen"
            )));
        };
        let name = if is_any(host.as_str()) { crate::software::here().host } else { host.to_string() };
        let port = if *port == USUAL_PORT { String::new() } else { format!(":{port}") };
        Ok((format!("{name}{port}"), is_loopback(host.as_str())))
    }

    /// Everybody that was ever enrolled.
    pub(crate) fn enrolled(&self) -> Vec<AgentLine> {
        let here = self.here();
        let line = |enrolled: Enrolled| {
            let Enrolled { name, role, certificate, enrolled, last_here, revoked, becomes, .. } = enrolled;
            let becomes = becomes.map(|becoming| becoming.name).filter(|becoming| *becoming != name);
            let here = here.contains(&name) && revoked.is_none();
            AgentLine { name, role, enrolled, here, last_here, serial: certificate.serial, revoked, becomes }
        };
        self.agents.all().into_iter().map(line).collect()
    }

    /// The pilots that are here, and the children that they see.
    fn here(&self) -> BTreeSet<Name> {
        let (pilots, _) = self.state.lab().view();
        let mut here = BTreeSet::new();
        for pilot in pilots.into_iter().filter(|pilot| pilot.here) {
            here.extend(pilot.children.into_iter().filter(|child| child.here).map(|child| child.name));
            here.insert(pilot.name);
        }
        here
    }

    /// Ends an agent's rights at once.
    pub(crate) async fn revoke(&self, name: Name) -> Allowed<Done> {
        let running = self.state.lab().running().find(|running| running.pilot == name);
        let agents = Arc::clone(&self.agents);
        let agent = plan::blocking(move || agents.revoke(&name)).await?;
        self.state.change(|lab| lab.revoked(&agent.name));
        let mut done = format!("the {agent} is revoked: {}", ends_with(&agent, &self.children_of(&agent)));
        if let Some(running) = running {
            done.push_str(&format!(
                ".\nIt runs a session of {} with {}, which it finishes by itself; what it observes from now on stays in \
                 its journal, and comes here when it has joined again under the same name",
                running.task, running.subject
            ));
        }
        Ok(Done { done })
    }

    /// The children of an agent's that came to it, as it said last.
    fn children_of(&self, agent: &Agent) -> Vec<String> {
        let (pilots, _) = self.state.lab().view();
        let pilot = pilots.into_iter().find(|pilot| pilot.name == agent.name);
        let children = pilot.into_iter().flat_map(|pilot| pilot.children);
        children.filter(|child| child.since.is_some()).map(|child| child.name.to_string()).collect()
    }

    /// Gives a pilot another name.
    pub(crate) async fn rename(&self, name: Name, Rename { to, who }: Rename) -> Allowed<Done> {
        // Whatever it does, what isn't allowed is the first thing to know.
        self.agents.check_rename(&name, &to)?;
        self.state.lab().check_idle(&name)?;
        let (agents, old, new) = (Arc::clone(&self.agents), name.clone(), to.clone());
        let certificate = plan::blocking(move || agents.promise(&old, &new)).await?;
        let (by, certificate) = (By { who, take_over: false }, Bytes::from(certificate));
        let asked = self.command(&name, by, Command::Rename { certificate }).await;
        if let Err(refusal) = asked {
            // Whether it has the certificate is not known where it gave no answer.
            if refusal.is_conflict() {
                let (agents, old) = (Arc::clone(&self.agents), name.clone());
                plan::blocking(move || agents.keep_name(&old)).await?;
            }
            return Err(refusal);
        }
        let came = self.state.until(PATIENCE, |lab| lab.is_here(&to)).await;
        let done = match came {
            true => format!("{name} is called {to} from now on"),
            false => format!("{name} has taken the name {to}, and is here when it has started again"),
        };
        Ok(Done { done: format!("{done}; sessions that it ran before stay noted under {name}") })
    }

    /// Notes that an agent is here, or was until now.
    pub(crate) fn is_here(&self, name: &Name) {
        if let Some(old) = self.agents.is_here(name) {
            self.state.change(|lab| lab.forget(&old));
        }
    }

    /// Tells pilots which certificates hold no more, whenever there are more of them.
    pub(crate) async fn tell_revocations(self: Arc<Desk>) {
        let mut changes = self.agents.revocations().subscribe();
        // The agents are this desk's, so that somebody is there to change them.
        while changes.changed().await.is_ok() {
            let revoked: Vec<_> = changes.borrow_and_update().iter().copied().collect();
            let (pilots, _) = self.state.lab().view();
            let here = pilots.into_iter().filter(|pilot| pilot.here).map(|pilot| pilot.name);
            let lines: Vec<_> = here.map(|pilot| self.link.line(&pilot)).collect();
            let message = encode(&TerminalToPilot::Revoked { certificates: revoked });
            let desk = Arc::clone(&self);
            // It waits for the link's thread.
            let told = plan::blocking(move || {
                desk.link.describe(swarm::hello(&desk.agents));
                Ok(lines.iter().try_for_each(|line| line.send(message.clone())))
            });
            if let Ok(Err(error)) = told.await {
                tracing::warn!("a pilot hears of a revoked agent only when it comes again: {error}");
            }
        }
    }
}

/// What it means that an agent is revoked, which has these children.
fn ends_with(agent: &Agent, children: &[String]) -> String {
    match (agent.role, children) {
        (Role::Pilot, []) => "this terminal talks to it no more".to_owned(),
        (Role::Pilot, children) => format!(
            "this terminal talks to it no more.\nNobody can tell its children, {}, which talk to nobody else: they go on \
             obeying it until they are linked to another pilot. Stop them, or have a new pilot join as {}",
            children.join(", "),
            agent.name
        ),
        _ => "no pilot lets it in any more, as soon as it hears of that".to_owned(),
    }
}

/// Whether a host is every network of this computer.
fn is_any(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified())
}

/// Whether a host is this computer, and reached from it only.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Writes down now and then who was here when.
pub(crate) async fn note_who_was_here(agents: Arc<Agents>) {
    loop {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        let agents = Arc::clone(&agents);
        // It says itself what went wrong.
        let _ = tokio::task::spawn_blocking(move || agents.write_what_is_not()).await;
    }
}
