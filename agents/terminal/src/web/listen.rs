//! Where the page is listened for.

use std::net::SocketAddr;

use bramble_settings::WebAddress;
use tokio::net::TcpListener;

use crate::refusal::{Allowed, Refusal};

/// Listens for the page: where nobody said where, at the usual address, or at a free port where
/// that is taken.
///
/// # Errors
/// Where the address is taken, or isn't this computer's.
pub(crate) async fn bind(listen: Option<SocketAddr>) -> Allowed<TcpListener> {
    let usual = WebAddress::usual();
    let address = listen.unwrap_or(usual);
    let listener = match TcpListener::bind(address).await {
        Err(error) if listen.is_none() && error.kind() == std::io::ErrorKind::AddrInUse => {
            TcpListener::bind(SocketAddr::new(usual.ip(), 0)).await
        }
        bound => bound,
    };
    listener.map_err(|error| {
        Refusal::failed(format!("the page can't be at {address}: {error}"))
            .help("name another address with --web, as in --web 127.0.0.1:5681; or --web off")
    })
}
