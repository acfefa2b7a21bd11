//! Agents, and how a certificate says which one it is of.

use std::fmt;
use std::str::FromStr;

use bramble_value::Name;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;
use webpki::EndEntityCert;

/// What an agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Role {
    /// Runs the swarm: it has the subject files and issues the certificates.
    Terminal,
    /// Runs sessions beside an animal.
    Pilot,
    /// Has a part of a pilot's hardware.
    Child,
}

/// A word that is no role.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no role: an agent is a `terminal`, a `pilot` or a `child`")]
pub struct RoleError(String);

impl Role {
    /// The role as a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Terminal => "terminal",
            Role::Pilot => "pilot",
            Role::Child => "child",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = RoleError;
    fn from_str(text: &str) -> Result<Role, RoleError> {
        [Role::Terminal, Role::Pilot, Role::Child]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| RoleError(text.to_owned()))
    }
}

/// One agent of a swarm. No two have the same role and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Agent {
    /// What it is.
    pub role: Role,
    /// What it is called.
    pub name: Name,
}

impl Agent {
    /// The agent of that role and name.
    pub fn new(role: Role, name: Name) -> Agent {
        Agent { role, name }
    }

    /// How a certificate says it.
    pub(crate) fn uri(&self, swarm: Uuid) -> String {
        format!("bramble://{swarm}/{}/{}", self.role, self.name)
    }

    fn from_uri(uri: &str) -> Option<(Uuid, Agent)> {
        let mut parts = uri.strip_prefix("bramble://")?.split('/');
        let (swarm, role, name) = (parts.next()?, parts.next()?, parts.next()?);
        let agent = Agent { role: role.parse().ok()?, name: name.parse().ok()? };
        let read = (swarm.parse().ok()?, agent);
        (parts.next().is_none() && read.1.uri(read.0) == uri).then_some(read)
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.role, self.name)
    }
}

/// The number of one certificate, which no other of the swarm has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct Serial(u128);

/// A text that is no certificate's number.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no certificate's number, which has 32 hexadecimal digits")]
pub struct SerialError(String);

impl Serial {
    /// One that nobody has yet.
    pub(crate) fn random() -> Serial {
        // DER leaves out leading zeros, and takes a leading 1 for a minus.
        Serial(Uuid::new_v4().as_u128() & (u128::MAX >> 1) | 1 << 126)
    }

    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Serial> {
        Some(Serial(u128::from_be_bytes(bytes.try_into().ok()?)))
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for Serial {
    type Err = SerialError;
    fn from_str(text: &str) -> Result<Serial, SerialError> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        number.map(Serial).ok_or_else(|| SerialError(text.to_owned()))
    }
}

impl TryFrom<String> for Serial {
    type Error = SerialError;
    fn try_from(text: String) -> Result<Serial, SerialError> {
        text.parse()
    }
}

impl From<Serial> for String {
    fn from(serial: Serial) -> String {
        serial.to_string()
    }
}

/// The agent at the other end, as its certificate says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Peer {
    /// Who it is.
    pub agent: Agent,
    /// Its certificate's number.
    pub serial: Serial,
}

/// Why somebody with a certificate of this swarm is not let in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Stranger {
    /// It says no agent.
    #[error("its certificate says no role and name")]
    Nobody,
    /// The certificate is of another swarm.
    #[error("it is of another swarm")]
    OtherSwarm,
    /// Another kind of agent is expected.
    #[error("it is the {found}, and only a {expected} is talked to here")]
    Role {
        /// Who it is.
        found: Agent,
        /// What it has to be.
        expected: Role,
    },
}

/// What a certificate says, whoever signed it.
pub(crate) fn read(certificate: &CertificateDer<'_>) -> Result<(Uuid, Peer), Stranger> {
    let uri = only_uri(certificate).ok_or(Stranger::Nobody)?;
    let (swarm, agent) = Agent::from_uri(&uri).ok_or(Stranger::Nobody)?;
    let certificate = EndEntityCert::try_from(certificate).map_err(|_| Stranger::Nobody)?;
    let serial = Serial::from_bytes(certificate.serial()).ok_or(Stranger::Nobody)?;
    Ok((swarm, Peer { agent, serial }))
}

/// The one URI in a certificate's subject alternative names.
pub(crate) fn only_uri(certificate: &CertificateDer<'_>) -> Option<String> {
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    let mut uris = certificate.valid_uri_names();
    let (uri, None) = (uris.next()?, uris.next()) else { return None };
    Some(uri.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agents_uri_says_who_it_is_in_one_way_only() {
        let swarm = Uuid::new_v4();
        let agent = Agent::new(Role::Pilot, "box-1".parse().unwrap());
        let uri = agent.uri(swarm);
        assert_eq!(Agent::from_uri(&uri), Some((swarm, agent)));
        for other in [
            format!("{uri}/x"),
            format!("{uri}/"),
            uri.to_uppercase(),
            uri.replace("bramble", "https"),
            uri.replace("pilot", "boss"),
            uri.replace("box-1", ""),
            uri.replace("box-1", "box%2D1"),
            uri.replace(&swarm.to_string(), &swarm.simple().to_string()),
        ] {
            assert_eq!(Agent::from_uri(&other), None, "{other}");
        }
    }

    #[test]
    fn a_serial_is_written_and_read_back() {
        for _ in 0..100 {
            let serial = Serial::random();
            assert_eq!(serial.to_string().parse(), Ok(serial));
            assert_eq!(Serial::from_bytes(&serial.to_bytes()), Some(serial));
            assert_eq!(serial.to_bytes()[0] & 0xc0, 0x40);
        }
        for text in ["", "12", &"g".repeat(32), &format!("+{}", "1".repeat(31))] {
            assert!(text.parse::<Serial>().is_err(), "{text}");
        }
    }
}
