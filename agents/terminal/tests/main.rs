//! The terminal as its users meet it: commands, the HTTP API, the page.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod alerts;
mod api;
mod bad_input;
mod common;
mod description;
mod export;
mod hand;
mod life;
mod link;
mod live;
mod next_step;
mod protocols;
mod recorded;
mod sessions;
mod tasks;
mod tls;
mod web;
