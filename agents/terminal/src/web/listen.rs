//! Where the page is listened for.

use std::net::SocketAddr;

use bramble_settings::WebAddress;
use tokio::net::TcpListener;

use crate::refusal::{Allowed, Refusal};

/// Listens for the page, where it is wanted: where nobody said, at the usual address, or at a free
/// port where that is taken.
///
/// # Errors
/// Where the address is taken, or isn't this computer's.
pub(crate) async fn bind(listen: Option<WebAddress>) -> Allowed<Option<TcpListener>> {
    let (address, otherwise) = match listen {
        Some(WebAddress::Off) => return Ok(None),
        Some(WebAddress::At(address)) => (address, None),
        None => {
            let usual = WebAddress::usual();
            (usual, Some(SocketAddr::new(usual.ip(), 0)))
        }
    };
    let listener = match (TcpListener::bind(address).await, otherwise) {
        (Err(error), Some(free)) if error.kind() == std::io::ErrorKind::AddrInUse => {
            TcpListener::bind(free).await
        }
        (bound, _) => bound,
    };
    listener.map(Some).map_err(|error| {
        Refusal::failed(format!("the page can't be at {address}: {error}"))
            .help("name another address with --web, as in --web 127.0.0.1:5681; or --web off")
    })
}
