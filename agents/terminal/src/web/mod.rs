//! The two doors to the API: the Unix socket of the command line, and the page's address.

mod admit;
mod allowed;
mod caller;
mod door;
mod listen;
mod page;
mod tls;

pub(crate) use allowed::{Guarded, guarded};
pub(crate) use caller::Caller;
pub(crate) use door::{Door, on_socket};
pub(crate) use listen::bind;
pub(crate) use tls::{Entrance, From, Stream, config};

/// The cookie of who has logged in.
pub(crate) const COOKIE: &str = "bramble-login";
