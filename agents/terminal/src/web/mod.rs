//! The two doors to the API: the Unix socket of the command line, and the page's address.

mod admit;
mod caller;
mod door;
mod listen;
mod page;

pub(crate) use caller::Caller;
pub(crate) use door::{Door, on_socket};
pub(crate) use listen::bind;

/// The cookie of who has logged in.
pub(crate) const COOKIE: &str = "bramble-login";
