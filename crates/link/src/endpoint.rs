//! Where an agent listens or dials.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

use bramble_value::Name;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A place where an agent is: `ipc:///run/bramble/terminal.sock` on this computer, or
/// `tcp://desktop:5600` on any.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Endpoint {
    /// A Unix socket, by its absolute path; only the user whose it is gets there.
    Ipc(PathBuf),
    /// A port of a computer, where only enrolled agents of the swarm get.
    Tcp {
        /// The computer.
        host: Host,
        /// The port; 0 to listen is any that is free.
        port: u16,
    },
    /// To dial only: wherever on this network an agent of the swarm is found, that of this
    /// name, or else the only one. Written `find:box1` or `find`.
    Find(Option<Name>),
}

/// A computer, by its name or address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host(String);

/// The longest path of a Unix socket, in bytes (Linux: 108 with the final zero).
const LONGEST_PATH: usize = 107;

/// The longest name of a computer (RFC 1035).
const LONGEST_HOST: usize = 253;

/// An endpoint that is not one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// None of the forms.
    #[error(
        "`{0}` is not an endpoint: write `ipc:///path/to/agent.sock` with an absolute path, `tcp://desktop:5600` with a computer's name or address and a port, or to dial `find`, or `find:box1`"
    )]
    Unreadable(String),
    /// The path doesn't fit into a socket's address.
    #[error(
        "the path in `{0}` is too long: a socket's path can have {LONGEST_PATH} bytes, so use a shorter folder"
    )]
    PathTooLong(String),
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Endpoint, EndpointError> {
        let unreadable = || EndpointError::Unreadable(text.to_owned());
        if let Some(path) = text.strip_prefix("ipc://") {
            let path = match (path.strip_prefix("~/"), std::env::home_dir()) {
                (Some(rest), Some(home)) => home.join(rest),
                _ => PathBuf::from(path),
            };
            let bytes = path.as_os_str().as_encoded_bytes();
            if !path.is_absolute() || bytes.ends_with(b"/") || bytes.contains(&0) {
                return Err(unreadable());
            }
            if bytes.len() > LONGEST_PATH {
                return Err(EndpointError::PathTooLong(text.to_owned()));
            }
            return Ok(Endpoint::Ipc(path));
        }
        if text == "find" {
            return Ok(Endpoint::Find(None));
        }
        if let Some(name) = text.strip_prefix("find:") {
            return name.parse().map(|name| Endpoint::Find(Some(name))).map_err(|_| unreadable());
        }
        let (host, port) =
            text.strip_prefix("tcp://").and_then(|rest| rest.rsplit_once(':')).ok_or_else(unreadable)?;
        let host = Host::read(host).ok_or_else(unreadable)?;
        Ok(Endpoint::Tcp { host, port: port.parse().map_err(|_| unreadable())? })
    }
}

impl Host {
    /// Reads a name, or an address; one of IP version 6 is in brackets.
    fn read(text: &str) -> Option<Host> {
        if let Some(inside) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            // An address that is of one network only says which one: `fe80::1%eth0`.
            let (address, network) = inside.split_once('%').unwrap_or((inside, "eth0"));
            let is_one = address.parse::<Ipv6Addr>().is_ok() && is_word(network);
            return is_one.then(|| Host(inside.to_owned()));
        }
        let is_name = text.len() <= LONGEST_HOST && text.split('.').all(is_word);
        // What looks like an address has to be one.
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let is_one = is_name && (!is_number || text.parse::<IpAddr>().is_ok());
        is_one.then(|| Host(text.to_owned()))
    }

    /// The name or address, without brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether it is a part of a computer's name.
fn is_word(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Host {
        Host(address.to_string())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains(':') { write!(f, "[{}]", self.0) } else { f.write_str(&self.0) }
    }
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;
    fn try_from(text: String) -> Result<Endpoint, EndpointError> {
        text.parse()
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> String {
        endpoint.to_string()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Ipc(path) => write!(f, "ipc://{}", path.display()),
            Endpoint::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Endpoint::Find(Some(name)) => write!(f, "find:{name}"),
            Endpoint::Find(None) => f.write_str("find"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_read_and_written_back() {
        for text in [
            "ipc:///run/bramble/terminal.sock",
            "tcp://127.0.0.1:5600",
            "tcp://[::1]:5600",
            "tcp://[fe80::1%wlan0]:5600",
            "tcp://0.0.0.0:5600",
            "tcp://lab-desktop:5600",
            "tcp://box1.local:0",
            "tcp://desktop.lab.example.org:65535",
            "find",
            "find:box1",
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_socket_may_be_in_the_home_folder() {
        let home = std::env::home_dir().unwrap();
        let endpoint: Endpoint = "ipc://~/bramble/swarm.sock".parse().unwrap();
        assert_eq!(endpoint, Endpoint::Ipc(home.join("bramble/swarm.sock")));
    }

    #[test]
    fn what_is_no_endpoint_is_refused_with_examples_of_some() {
        for text in [
            "",
            "ipc://relative.sock",
            "ipc:///",
            "ipc:///a\0b",
            "tcp://127.0.0.1",
            "tcp://:5600",
            "tcp://127.0.0.1:99999",
            "tcp://127.0.0.1:-1",
            "tcp://192.168.1:5600",
            "tcp://999.0.0.1:5600",
            "tcp://*:5600",
            "tcp://::1:5600",
            "tcp://[desktop]:5600",
            "tcp://[::1%]:5600",
            "tcp://me@desktop:5600",
            "tcp://desktop..lab:5600",
            "tcp://-x:5600",
            "tcp://desktop/x:5600",
            "udp://x:1",
            "find:",
            "find:box 1",
            "finding",
        ] {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert!(error.to_string().contains("ipc:///path"), "{text}: {error}");
        }
        let long = format!("ipc:///{}", "x".repeat(200));
        assert!(matches!(long.parse::<Endpoint>(), Err(EndpointError::PathTooLong(_))));
    }
}
