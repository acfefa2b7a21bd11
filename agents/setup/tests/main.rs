//! The program as its users meet it: its screens, its options, what it sets up.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;
mod screens;
mod scripts;
mod service;
