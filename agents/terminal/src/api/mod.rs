//! The way in: HTTP with JSON inside, on a Unix socket and on the page's address. The
//! commands of this program use it, and a script or a page can do what they do.

pub(crate) mod alerts;
pub(crate) mod asked;
pub(crate) mod client;
pub(crate) mod description;
mod life;
pub(crate) mod link;
pub(crate) mod routes;
pub(crate) mod tasks;
pub(crate) mod timing;
pub(crate) mod types;

/// What every path of the API begins with.
pub(crate) const PREFIX: &str = "/api/v1";
