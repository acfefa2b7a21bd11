//! Where a terminal is, as a person types it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;

use thiserror::Error;
use tokio::net::lookup_host;

/// The port of a terminal where none is said.
pub const USUAL_PORT: u16 = 5600;

/// A terminal, by its computer's name or address, and its port where it isn't 5600:
/// `lab-desk`, `192.168.1.20:5601`, `[2001:db8::1]:5600`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal(Where);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Where {
    Typed { host: String, port: u16 },
    Found(Vec<SocketAddr>),
}

/// What is neither a computer's name nor an address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is no terminal: write its computer's name or address, as in lab-desk, 192.168.1.20 or lab-desk:5601"
)]
pub struct TerminalError(String);

impl Terminal {
    /// A terminal that was found at these addresses.
    pub(super) fn found(addresses: Vec<SocketAddr>) -> Terminal {
        Terminal(Where::Found(addresses))
    }

    /// Where to connect to: what is typed is looked up now.
    pub(super) async fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        match &self.0 {
            Where::Typed { host, port } => Ok(lookup_host((host.as_str(), *port)).await?.collect()),
            Where::Found(addresses) => Ok(addresses.clone()),
        }
    }
}

impl FromStr for Terminal {
    type Err = TerminalError;

    fn from_str(text: &str) -> Result<Terminal, TerminalError> {
        let wrong = || TerminalError(text.to_owned());
        // As it is written in a configuration.
        let place = text.strip_prefix("tcp://").unwrap_or(text);
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, rest)) => (host, Some(rest.strip_prefix(':').ok_or_else(wrong)?)),
            None if place.matches(':').count() == 1 => {
                let (host, port) = place.split_once(':').ok_or_else(wrong)?;
                (host, Some(port))
            }
            None => (place, None),
        };
        let port = port.map_or(Ok(USUAL_PORT), str::parse).map_err(|_| wrong())?;
        let fits = |letter: char| letter.is_ascii_alphanumeric() || ".-_:%".contains(letter);
        if host.is_empty() || host.starts_with('-') || !host.chars().all(fits) || port == 0 {
            return Err(wrong());
        }
        Ok(Terminal(Where::Typed { host: host.to_owned(), port }))
    }
}

impl fmt::Display for Terminal {
    /// With its port, as an endpoint has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Where::Typed { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Where::Typed { host, port } => write!(f, "{host}:{port}"),
            Where::Found(addresses) => match addresses.first() {
                Some(address) => address.fmt(f),
                None => f.write_str("nowhere"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_a_name_or_an_address_with_or_without_a_port() {
        for (text, shown) in [
            ("lab-desk", "lab-desk:5600"),
            ("lab-desk:5601", "lab-desk:5601"),
            ("tcp://lab-desk:5601", "lab-desk:5601"),
            ("192.168.1.20", "192.168.1.20:5600"),
            ("::1", "[::1]:5600"),
            ("[2001:db8::1]", "[2001:db8::1]:5600"),
            ("[fe80::1%eth0]:7", "[fe80::1%eth0]:7"),
        ] {
            assert_eq!(text.parse::<Terminal>().unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_is_none_is_refused_with_examples() {
        for text in [
            "",
            ":5600",
            "lab desk",
            "lab/desk",
            "-x",
            "desk:",
            "desk:x",
            "desk:0",
            "desk:99999",
            "[::1]5600",
        ] {
            let error = text.parse::<Terminal>().unwrap_err();
            assert!(error.to_string().contains("lab-desk:5601"), "{text}: {error}");
        }
    }
}
