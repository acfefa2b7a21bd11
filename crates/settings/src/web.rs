//! What a terminal's file says of its page.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

/// The page's usual port.
pub const WEB_PORT: u16 = 5680;

/// Where the page is at: an address, or nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum WebAddress {
    /// Here.
    At(SocketAddr),
    /// Nowhere.
    Off,
}

/// What is no address of a page.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no address: write IP:PORT, as in 127.0.0.1:{WEB_PORT}, or off")]
pub struct WebAddressError(String);

/// What `[web]` says.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebFile {
    /// Where the page is; [`WebAddress::usual`] where the file doesn't say.
    pub listen: Option<WebAddress>,
    /// Names by which browsers reach it, beside addresses and `localhost`.
    pub names: Vec<String>,
    /// The file of its certificates for TLS, in PEM, its own first.
    pub certificate: Option<PathBuf>,
    /// The file of the certificate's key, in PEM.
    pub key: Option<PathBuf>,
    /// Whether a login is asked for; where it isn't said, only beyond this computer.
    pub login: Option<bool>,
    /// The folder of the tasks and protocols that the page shows.
    pub tasks: Option<PathBuf>,
}

impl WebAddress {
    /// The usual one, on this computer only.
    pub fn usual() -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), WEB_PORT)
    }
}

impl FromStr for WebAddress {
    type Err = WebAddressError;

    fn from_str(text: &str) -> Result<WebAddress, WebAddressError> {
        match text {
            "off" => Ok(WebAddress::Off),
            text => text.parse().map(WebAddress::At).map_err(|_| WebAddressError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for WebAddress {
    type Error = WebAddressError;
    fn try_from(text: String) -> Result<WebAddress, WebAddressError> {
        text.parse()
    }
}

impl fmt::Display for WebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WebAddress::At(address) => address.fmt(f),
            WebAddress::Off => f.write_str("off"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        for text in ["127.0.0.1:5680", "[::1]:80", "off"] {
            assert_eq!(text.parse::<WebAddress>().unwrap().to_string(), text);
        }
        for text in ["5680", "localhost:5680", "http://127.0.0.1:5680", ""] {
            assert!(text.parse::<WebAddress>().is_err(), "{text}");
        }
    }
}
