//! Where an agent listens or dials, and who it says it is there.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bramble_gate::{Joins, Told};
use bramble_identity::{Agent, Identity, Revocations};

use bramble_value::Name;

use crate::endpoint::{Endpoint, Host};
use crate::shell::LinkError;

/// An endpoint, with what is needed there. A Unix socket needs nothing; at a port
/// of the network an agent has to be enrolled.
///
/// ```
/// # use bramble_identity::{Agent, Authority, Role};
/// # use bramble_link::{Endpoint, Place};
/// # let identity = Authority::new()?.enrol(&Agent::new(Role::Pilot, "box1".parse()?))?;
/// let place: Endpoint = "tcp://lab-desktop:5600".parse()?;
/// let place = Place::from(place).with_identity(Some(identity));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Place {
    pub(crate) endpoint: Endpoint,
    pub(crate) identity: Option<Identity>,
    pub(crate) socket: Option<PathBuf>,
    pub(crate) revocations: Revocations,
    pub(crate) joins: Option<Arc<dyn Joins>>,
    pub(crate) told: Option<Told>,
}

impl From<Endpoint> for Place {
    fn from(endpoint: Endpoint) -> Place {
        let revocations = Revocations::none();
        Place { endpoint, identity: None, socket: None, revocations, joins: None, told: None }
    }
}

impl Place {
    /// With what the agent proves itself with, if it is enrolled.
    pub fn with_identity(self, identity: Option<Identity>) -> Place {
        Place { identity, ..self }
    }

    /// To listen: on this Unix socket too, for agents of the same user on this computer,
    /// which needn't be enrolled.
    pub fn with_socket(self, socket: impl Into<PathBuf>) -> Place {
        Place { socket: Some(socket.into()), ..self }
    }

    /// Not with agents whose certificate is among these.
    pub fn with_revocations(self, revocations: Revocations) -> Place {
        Place { revocations, ..self }
    }

    /// To listen: with what enrols agents that were invited.
    pub fn with_joins(self, joins: Arc<dyn Joins>) -> Place {
        Place { joins: Some(joins), ..self }
    }

    /// To listen: with who is told of every agent that is let in.
    pub fn with_told(self, told: Told) -> Place {
        Place { told: Some(told), ..self }
    }

    /// The certificates whose agents aren't talked to.
    pub fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// The endpoint.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

/// How an agent gets to an endpoint, or others to it.
#[derive(Clone)]
pub(crate) enum Way {
    /// By a Unix socket.
    Socket(PathBuf),
    /// By a port of the network, where it proves who it is.
    Network { host: Host, port: u16, identity: Identity },
    /// Wherever on this network it is found.
    Find { name: Option<Name>, identity: Identity },
}

impl Place {
    /// The way for an agent.
    ///
    /// # Errors
    /// When it would have to be enrolled, or the identity is another agent's.
    pub(crate) fn way(&self, me: Agent) -> Result<Way, LinkError> {
        match (&self.endpoint, &self.identity) {
            (Endpoint::Ipc(path), _) => Ok(Way::Socket(path.clone())),
            (Endpoint::Tcp { host, port }, Some(identity)) if identity.agent() == &me => {
                Ok(Way::Network { host: host.clone(), port: *port, identity: identity.clone() })
            }
            (Endpoint::Find(name), Some(identity)) if identity.agent() == &me => {
                Ok(Way::Find { name: name.clone(), identity: identity.clone() })
            }
            (_, Some(identity)) => Err(LinkError::OthersKeys { found: identity.agent().clone(), me }),
            (_, None) => Err(LinkError::NotEnrolled { endpoint: self.endpoint.clone(), me }),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("endpoint", &self.endpoint)
            .field("identity", &self.identity)
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}
