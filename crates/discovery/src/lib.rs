//! Finds agents on the local network, so that nobody has to type addresses.
//!
//! An agent that listens beyond its own computer announces itself by multicast DNS
//! (RFC 6762) as a service of the type `_bramble._tcp` (RFC 6763), with its role, its
//! name and its swarm. That is a hint and no proof: whoever is found has to prove who it
//! is like anybody else, by its certificate or by the code of an invitation.
//!
//! Nothing here sends anything before it is called.

mod announcing;
mod finding;

use thiserror::Error;

pub use announcing::{Announcement, announce, announce_listener};
pub use finding::{Found, NoTerminal, Search, Wanted, find, the_terminal};

/// The type of the service.
const SERVICE: &str = "_bramble._tcp.local.";

/// The keys of what is told of an agent.
const ROLE: &str = "role";
const NAME: &str = "name";
const SWARM: &str = "swarm";

/// Multicast DNS can't be used.
#[derive(Debug, Error)]
#[error("agents can't be found or announced on this network (mDNS): {0}")]
pub struct DiscoveryError(#[from] mdns_sd::Error);
