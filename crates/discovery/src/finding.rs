//! Looks for agents.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bramble_identity::{Agent, Role};
use bramble_value::Name;
use mdns_sd::{IfKind, Receiver, ResolvedService, ServiceDaemon, ServiceEvent};
use thiserror::Error;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::{DiscoveryError, NAME, ROLE, SERVICE, SWARM};

/// Which agents are looked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What they are.
    pub role: Role,
    /// Of this swarm; any where none is said.
    pub swarm: Option<Uuid>,
    /// Of this name; any where none is said.
    pub name: Option<Name>,
}

/// An agent that answered, as it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Who it is.
    pub agent: Agent,
    /// Its swarm.
    pub swarm: Uuid,
    /// Where it listens. IPv4 comes first: what is local to a network in IPv6 needs a
    /// zone, which programs write differently.
    pub addresses: Vec<SocketAddr>,
}

impl Wanted {
    fn fits(&self, found: &Found) -> bool {
        found.agent.role == self.role
            && self.swarm.is_none_or(|swarm| swarm == found.swarm)
            && self.name.as_ref().is_none_or(|name| *name == found.agent.name)
    }

    /// Whether there can be one only: a swarm has one terminal, and one agent of a name.
    pub fn is_one(&self) -> bool {
        self.swarm.is_some() && (self.name.is_some() || self.role == Role::Terminal)
    }
}

/// A search for agents, which goes on for a time.
pub struct Search {
    wanted: Wanted,
    /// It ends with the search.
    _daemon: Looking,
    answers: Receiver<ServiceEvent>,
    until: Instant,
}

impl Search {
    /// Begins to look for agents.
    ///
    /// # Errors
    /// When the system lets no multicast socket be opened.
    pub fn begin(wanted: Wanted, within: Duration) -> Result<Search, DiscoveryError> {
        let until = Instant::now() + within;
        let daemon = Looking(ServiceDaemon::new()?);
        daemon.0.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
        let answers = daemon.0.browse(SERVICE)?;
        Ok(Search { wanted, _daemon: daemon, answers, until })
    }

    /// The next that answers; `None` when the time is over. Anybody may answer by any name, and
    /// one may do so several times. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Found> {
        loop {
            let answer = timeout_at(self.until, self.answers.recv_async()).await.ok()?.ok()?;
            let ServiceEvent::ServiceResolved(service) = answer else { continue };
            // What isn't of this form is no agent of this version.
            if let Some(found) = read(&service).filter(|found| self.wanted.fits(found)) {
                return Some(found);
            }
        }
    }
}

/// Looks for agents for a time, or until the one that is wanted is found. In the order of
/// their names; none is no error.
///
/// # Errors
/// When the system lets no multicast socket be opened.
pub async fn find(wanted: &Wanted, within: Duration) -> Result<Vec<Found>, DiscoveryError> {
    let mut search = Search::begin(wanted.clone(), within)?;
    let mut all: Vec<Found> = Vec::new();
    while let Some(found) = search.next().await {
        let known = all.iter_mut().find(|known| (&known.agent, known.swarm) == (&found.agent, found.swarm));
        match known {
            // Who answers by the name of another doesn't hide it.
            Some(known) => {
                known.addresses.extend(found.addresses);
                known.addresses.sort();
                known.addresses.dedup();
            }
            None => all.push(found),
        }
        if wanted.is_one() {
            break;
        }
    }
    all.sort_by(|one, other| (&one.agent, one.swarm).cmp(&(&other.agent, other.swarm)));
    Ok(all)
}

/// How long terminals may take to answer somebody that joins.
const ANSWERS: Duration = Duration::from_secs(3);

/// Why it isn't known which terminal is meant, for a person.
#[derive(Debug, Error)]
pub enum NoTerminal {
    /// Nobody answers.
    #[error(
        "no terminal is found on this network: see that `bramble-terminal serve` runs and listens at \
         tcp://0.0.0.0:5600; where multicast doesn't get through, type the name or address of its computer \
         before the code"
    )]
    Nobody,
    /// Several answer.
    #[error("several terminals answer: {0}; type the address of the one that is meant before the code")]
    Several(String),
    /// Multicast DNS can't be used.
    #[error("{0}; type the name or address of the terminal's computer before the code")]
    Failed(DiscoveryError),
}

/// The terminal of this network, where there is one only.
///
/// # Errors
/// [`NoTerminal`] when none or several answer.
pub async fn the_terminal() -> Result<Found, NoTerminal> {
    let wanted = Wanted { role: Role::Terminal, swarm: None, name: None };
    let mut found = find(&wanted, ANSWERS).await.map_err(NoTerminal::Failed)?;
    match (found.pop(), found.len()) {
        (None, _) => Err(NoTerminal::Nobody),
        (Some(one), 0) => Ok(one),
        (Some(last), _) => {
            found.push(last);
            let each = |found: &Found| {
                // It was found with an address.
                let at = found.addresses.first().map(SocketAddr::to_string).unwrap_or_default();
                format!("{} at {at}", found.agent.name)
            };
            Err(NoTerminal::Several(found.iter().map(each).collect::<Vec<_>>().join(", ")))
        }
    }
}

/// Ends the search when it is over or given up.
struct Looking(ServiceDaemon);

impl Drop for Looking {
    fn drop(&mut self) {
        let _ = self.0.shutdown();
    }
}

fn read(service: &ResolvedService) -> Option<Found> {
    let told = |key| service.get_property_val_str(key);
    let agent = Agent::new(told(ROLE)?.parse().ok()?, told(NAME)?.parse().ok()?);
    let swarm = told(SWARM)?.parse().ok()?;
    let mut addresses: Vec<SocketAddr> = service
        .get_addresses()
        .iter()
        .map(|address| address.to_ip_addr())
        .filter(is_complete)
        .map(|address| SocketAddr::new(address, service.get_port()))
        .collect();
    addresses.sort();
    (!addresses.is_empty()).then_some(Found { agent, swarm, addresses })
}

/// Whether an address is all that is needed to connect to it.
fn is_complete(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(address) => !address.is_unicast_link_local(),
    }
}
