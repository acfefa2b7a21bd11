//! Tells the network that an agent is there.

use std::net::{IpAddr, ToSocketAddrs};
use std::time::Duration;

use bramble_identity::Agent;
use mdns_sd::{IfKind, ServiceDaemon, ServiceInfo};
use uuid::Uuid;

use crate::{DiscoveryError, NAME, ROLE, SERVICE, SWARM};

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// Holds as long as the agent is announced.
pub struct Announcement {
    daemon: ServiceDaemon,
    service: String,
}

/// Announces an agent that listens at an address and a port: on the network of the
/// address, or on all of this computer's where it is unspecified. An agent that listens on
/// the loopback interface only has nobody to tell; then there is no announcement and nothing
/// is sent.
///
/// # Errors
/// When the system lets no multicast socket be opened.
pub fn announce(
    agent: &Agent,
    swarm: Uuid,
    address: IpAddr,
    port: u16,
) -> Result<Option<Announcement>, DiscoveryError> {
    if address.is_loopback() {
        return Ok(None);
    }
    // Another swarm on this network may have a terminal of the same name.
    let short = swarm.simple().to_string()[..8].to_owned();
    let instance = format!("{}-{}-{short}", agent.name, agent.role);
    // Not the computer's own name, which is another program's to announce.
    let host = format!("bramble-{instance}.local.");
    let told = [(ROLE, agent.role.to_string()), (NAME, agent.name.to_string()), (SWARM, swarm.to_string())];
    let mut service = ServiceInfo::new(SERVICE, &instance, &host, (), port, &told[..])?.enable_addr_auto();
    if !address.is_unspecified() {
        service.set_interfaces(vec![IfKind::Addr(address)]);
    }
    let name = service.get_fullname().to_owned();
    let daemon = ServiceDaemon::new()?;
    daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
    daemon.register(service)?;
    Ok(Some(Announcement { daemon, service: name }))
}

/// As [`announce`], for an agent that listens at a host (a name or an address), and says in the
/// log what keeps it from being announced: it can be reached all the same.
pub fn announce_listener(agent: &Agent, swarm: Uuid, host: &str, port: u16) -> Option<Announcement> {
    let address = (host, port).to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    let address = address.or_else(|| {
        tracing::warn!("{agent} is announced on no network: {host} is no address of this computer");
        None
    })?;
    announce(agent, swarm, address.ip(), port).unwrap_or_else(|error| {
        tracing::warn!("{agent} has to be dialed by its address: {error}");
        None
    })
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // It is forgotten after a while in any case.
        if let Ok(gone) = self.daemon.unregister(&self.service) {
            let _ = gone.recv_timeout(GOODBYE);
        }
        let _ = self.daemon.shutdown();
    }
}
