//! Who an agent is: keys, certificates, and the TLS that they make.
//!
//! A swarm is an [`Authority`], the terminal's, and the agents it issued
//! certificates to. A certificate says an agent's role, name and swarm, as the
//! URI `bramble://SWARM/ROLE/NAME`, and nothing else says them. An agent that
//! joins makes its own key, which never leaves its computer ([`Request`]).
//!
//! ```
//! use bramble_identity::{Agent, Authority, Identity, Request, Role};
//! # let folder = tempfile::tempdir()?;
//! # let (terminal, pi) = (folder.path().join("terminal"), folder.path().join("pi"));
//!
//! // The terminal, at every start.
//! let authority = Authority::open(&terminal)?;
//! let desk = authority.terminal(&terminal, &"desk".parse()?)?;
//!
//! // A Pi that joins, and the terminal's answer.
//! let request = Request::new()?;
//! let issued = authority.issue(&request.csr()?, &Agent::new(Role::Pilot, "box1".parse()?))?;
//! let identity = request.into_identity(&issued.certificate, authority.certificate())?;
//! identity.save(&pi)?;
//! assert_eq!(Identity::load(&pi)?.expect("was saved").agent().to_string(), "pilot `box1`");
//! assert_eq!(identity.swarm(), desk.swarm());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Certificates don't expire.** A Pi without a battery for its clock starts in
//! 1970, or where it was switched off, and must be let in all the same, also where
//! no time server is; and what ends an agent's rights at a moment of a person's choosing
//! is [`Revocations`], which hold at once. So a certificate is valid from 1970 to 9999,
//! as RFC 5280 has it for "no end", and no clock can lock anybody out.

mod agent;
mod authority;
mod error;
mod files;
mod identity;
mod revocations;
mod tls;

pub use agent::{Agent, Peer, Role, RoleError, Serial, SerialError, Stranger};
pub use authority::{Authority, Issued};
pub use error::{IdentityError, Wrong};
pub use identity::{Identity, Request};
pub use revocations::Revocations;
pub use tls::{ALPN, ALPN_JOIN, joining_client, server_name};
