//! Subject files, written and read, and what befalls them.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod common;
mod crash;
mod full_disk;
mod kept_files;
mod moves;
mod outside_tools;
mod packing;
mod records;
mod session;
mod subject;
