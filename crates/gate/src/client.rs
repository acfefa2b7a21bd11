//! The gate of an agent that dials.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bramble_identity::{Agent, Identity, Peer, Revocations, Role, Stranger, server_name};
use rustls::{AlertDescription, CertificateError, Error as TlsError};
use thiserror::Error;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::carry::{QUIET, carry};
use crate::guard::{Guard, Sender};
use crate::refused::Refused;

/// How long a name may take to be looked up, and the other computer to prove itself.
const ANSWER: Duration = Duration::from_secs(3);
/// How long one of the other computer's addresses may take to answer: it may have one
/// that leads nowhere from here.
const CONNECT: Duration = Duration::from_millis(1500);

/// Why an agent can't be reached, for a person. `at` is its host and port.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unreached {
    /// The name isn't anybody's.
    #[error("no computer is known as `{host}` ({why}): check the name, or write its address")]
    UnknownHost {
        /// The name.
        host: String,
        /// What the system said.
        why: String,
    },
    /// The computer answers, and nothing listens there.
    #[error("nobody listens at {at}: start the {role} there, or check the address")]
    Nobody {
        /// Where.
        at: String,
        /// What is looked for.
        role: Role,
    },
    /// The computer doesn't answer.
    #[error("{at} doesn't answer ({why}): check that the computer is on, the network, and its firewall")]
    NoAnswer {
        /// Where.
        at: String,
        /// What the system said.
        why: String,
    },
    /// The two are of different swarms.
    #[error("the {role} at {at} is of another swarm: to move this agent there, let it join that one")]
    OtherSwarm {
        /// Where.
        at: String,
        /// What is looked for.
        role: Role,
    },
    /// This agent's certificate was revoked.
    #[error("this {me} was revoked: the {role} at {at} lets it in no more, unless it joins again")]
    Revoked {
        /// Where.
        at: String,
        /// What is looked for.
        role: Role,
        /// Who isn't let in.
        me: Agent,
    },
    /// The other agent's certificate was revoked.
    #[error(
        "the {role} at {at} was revoked, and isn't talked to: see that the one that took its place listens there"
    )]
    Bygone {
        /// Where.
        at: String,
        /// What is looked for.
        role: Role,
    },
    /// Another kind of agent listens there.
    #[error("the {found} listens at {at}, and no {role}: check the address")]
    OtherRole {
        /// Where.
        at: String,
        /// Who it is.
        found: Agent,
        /// What is looked for.
        role: Role,
    },
    /// What listens doesn't talk to agents of this role.
    #[error("what listens at {at} isn't for a {me}: check the address")]
    NotForUs {
        /// Where.
        at: String,
        /// Who isn't let in.
        me: Role,
    },
    /// What listens isn't an agent.
    #[error(
        "what listens at {at} is no agent of this version of Bramble ({why}): check the address and port"
    )]
    NoAgent {
        /// Where.
        at: String,
        /// What is wrong with it.
        why: String,
    },
}

/// A connection to an agent that has proven who it is. Whether it lets us in shows
/// only when it is heard of.
pub struct Dialed {
    stream: TlsStream<TcpStream>,
    peer: Peer,
    place: Place,
}

/// What sentences on one place need.
#[derive(Clone)]
struct Place {
    at: String,
    role: Role,
    me: Agent,
}

/// Connects to the agent of a role that listens at a host and a port, and has it
/// prove that it is one, and not revoked. The host is a name or an address, and is looked up each
/// time.
///
/// # Errors
/// When there is none, it is of another swarm, or it was revoked.
pub async fn dial(
    host: &str,
    port: u16,
    identity: &Identity,
    role: Role,
    revocations: &Revocations,
) -> Result<Dialed, Unreached> {
    let at = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let place = Place { at, role, me: identity.agent().clone() };
    let found = timeout(ANSWER, tokio::net::lookup_host((host, port))).await;
    let addresses: Vec<_> = match found.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok(addresses) => addresses.collect(),
        Err(error) => return Err(Unreached::UnknownHost { host: host.to_owned(), why: said(&error) }),
    };
    let tcp = match connect(&addresses).await {
        Ok(tcp) => tcp,
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Err(place.nobody()),
        Err(error) => return Err(place.no_answer(&error)),
    };
    let shaken = async {
        // A small message must not wait for the next.
        tcp.set_nodelay(true)?;
        TlsConnector::from(identity.client(role, revocations)).connect(server_name(), tcp).await
    };
    let stream = match timeout(ANSWER, shaken).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok(stream) => stream,
        Err(error) => return Err(place.refused(&error)),
    };
    let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let peer = identity.peer(certificates).map_err(|_| place.other_swarm())?;
    Ok(Dialed { stream, peer, place })
}

/// Connects to the first address that answers.
async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut why = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(error)) => why = error,
            Err(_) => why = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(why)
}

impl Dialed {
    /// Who the other one is.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Carries bytes between the agent and the socket until one of them ends.
    ///
    /// # Errors
    /// When the other agent doesn't let us in: why. The end of the connection is
    /// no error.
    pub async fn carry(self, socket: UnixStream) -> Result<(), Unreached> {
        let ended = carry(self.stream, socket, Guard::new(Sender::Router), QUIET).await;
        match ended {
            // A break that TLS didn't make is one of the network.
            Err(Refused::Broken(error)) if tls_error(&error).is_some() => Err(self.place.refused(&error)),
            Err(Refused::Unwelcome(why)) => {
                Err(Unreached::NoAgent { at: self.place.at, why: why.to_string() })
            }
            _ => Ok(()),
        }
    }
}

impl Place {
    fn nobody(self) -> Unreached {
        Unreached::Nobody { at: self.at, role: self.role }
    }

    fn other_swarm(&self) -> Unreached {
        Unreached::OtherSwarm { at: self.at.clone(), role: self.role }
    }

    fn no_answer(self, error: &io::Error) -> Unreached {
        Unreached::NoAnswer { at: self.at, why: said(error) }
    }

    /// What an error of TLS means.
    fn refused(self, error: &io::Error) -> Unreached {
        let Place { at, role, me } = self;
        match tls_error(error) {
            Some(TlsError::InvalidCertificate(CertificateError::UnknownIssuer))
            | Some(TlsError::AlertReceived(AlertDescription::UnknownCA)) => {
                Unreached::OtherSwarm { at, role }
            }
            Some(TlsError::InvalidCertificate(CertificateError::Revoked)) => Unreached::Bygone { at, role },
            Some(TlsError::AlertReceived(AlertDescription::CertificateRevoked)) => {
                Unreached::Revoked { at, role, me }
            }
            Some(TlsError::AlertReceived(AlertDescription::CertificateUnknown)) => {
                Unreached::NotForUs { at, me: me.role }
            }
            Some(TlsError::InvalidCertificate(CertificateError::Other(why))) => {
                match why.0.downcast_ref::<Stranger>() {
                    Some(Stranger::Role { found, .. }) => {
                        Unreached::OtherRole { at, found: found.clone(), role }
                    }
                    _ => Unreached::NoAgent { at, why: why.to_string() },
                }
            }
            Some(other) => Unreached::NoAgent { at, why: other.to_string() },
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                Unreached::NoAgent { at, why: "it ends the connection".to_owned() }
            }
            None => Unreached::NoAnswer { at, why: said(error) },
        }
    }
}

/// The error of TLS that an error of its stream is.
pub(crate) fn tls_error(error: &io::Error) -> Option<&TlsError> {
    error.get_ref()?.downcast_ref()
}

/// What the system said, without the number of it.
fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => "nothing came in time".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_owned()
        }
    }
}
