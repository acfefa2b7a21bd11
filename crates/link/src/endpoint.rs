//! Where an agent listens or dials.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A place on this computer: `ipc:///run/bramble/terminal.sock` or
/// `tcp://127.0.0.1:5600`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Endpoint {
    /// A Unix socket, by its absolute path.
    Ipc(PathBuf),
    /// A port of the loopback interface; port 0 to listen is any that is free.
    Tcp(SocketAddr),
}

/// The longest path of a Unix socket, in bytes (Linux: 108 with the final zero).
const LONGEST_PATH: usize = 107;

/// An endpoint that is not one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// Neither of the two forms.
    #[error(
        "`{0}` is not an endpoint: write `ipc:///path/to/agent.sock` or `tcp://127.0.0.1:5600`, with an absolute path or a numeric address and port"
    )]
    Unreadable(String),
    /// The path doesn't fit into a socket's address.
    #[error(
        "the path in `{0}` is too long: a socket's path can have {LONGEST_PATH} bytes, so use a shorter folder"
    )]
    PathTooLong(String),
    /// Another computer.
    #[error(
        "`{text}` is beyond this computer, and links aren't encrypted yet: use an ssh tunnel, `ssh -N -L {port}:127.0.0.1:{port} {host}`, and then tcp://127.0.0.1:{port}"
    )]
    BeyondLoopback {
        /// What was written.
        text: String,
        /// The other computer.
        host: String,
        /// The port.
        port: u16,
    },
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Endpoint, EndpointError> {
        let unreadable = || EndpointError::Unreadable(text.to_owned());
        if let Some(path) = text.strip_prefix("ipc://") {
            if !path.starts_with('/') || path.ends_with('/') || path.contains('\0') {
                return Err(unreadable());
            }
            if path.len() > LONGEST_PATH {
                return Err(EndpointError::PathTooLong(text.to_owned()));
            }
            return Ok(Endpoint::Ipc(PathBuf::from(path)));
        }
        let (host, port) =
            text.strip_prefix("tcp://").and_then(|rest| rest.rsplit_once(':')).ok_or_else(unreadable)?;
        let port = port.parse().map_err(|_| unreadable())?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let address: Option<IpAddr> = match bare {
            "localhost" => Some(IpAddr::from([127, 0, 0, 1])),
            _ => bare.parse().ok(),
        };
        match address {
            Some(address) if address.is_loopback() => Ok(Endpoint::Tcp(SocketAddr::new(address, port))),
            None if bare.is_empty() || bare.contains(['/', ' ', '@', ':', '*']) => Err(unreadable()),
            _ => {
                let host = match address {
                    Some(address) if address.is_unspecified() => "COMPUTER".to_owned(),
                    _ => bare.to_owned(),
                };
                Err(EndpointError::BeyondLoopback { text: text.to_owned(), host, port })
            }
        }
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
            Endpoint::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_on_this_computer_is_read_and_written_back() {
        for text in ["ipc:///run/bramble/terminal.sock", "tcp://127.0.0.1:5600", "tcp://[::1]:5600"] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
        assert_eq!("tcp://localhost:1".parse::<Endpoint>().unwrap().to_string(), "tcp://127.0.0.1:1");
    }

    #[test]
    fn an_endpoint_beyond_this_computer_is_refused_with_the_tunnel_that_would_do() {
        for host in ["192.168.1.20", "lab-desktop", "[2001:db8::1]", "0.0.0.0"] {
            let error = format!("tcp://{host}:5600").parse::<Endpoint>().unwrap_err();
            assert!(matches!(error, EndpointError::BeyondLoopback { .. }), "{host}: {error}");
            let text = error.to_string();
            assert!(text.contains("ssh -N -L 5600:127.0.0.1:5600") && text.contains("encrypted"), "{text}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused_with_examples_of_some() {
        for text in [
            "",
            "ipc://relative.sock",
            "ipc:///",
            "tcp://127.0.0.1",
            "tcp://:5600",
            "tcp://127.0.0.1:99999",
            "udp://x:1",
        ] {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert!(error.to_string().contains("ipc:///path"), "{text}: {error}");
        }
        let long = format!("ipc:///{}", "x".repeat(200));
        assert!(matches!(long.parse::<Endpoint>(), Err(EndpointError::PathTooLong(_))));
    }
}
