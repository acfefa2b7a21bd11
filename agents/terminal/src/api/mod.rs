//! The way in: HTTP on a Unix socket, JSON inside. The commands of this program
//! use it, and a script or a page can do what they do.

pub(crate) mod client;
mod life;
pub(crate) mod routes;
pub(crate) mod types;
