//! The browser, which a script drives: web/test/bench.mjs.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::apart::{Failed, Other};

/// The script and its browser.
pub(crate) struct Browser(Other);

/// How the first page came.
#[derive(Deserialize)]
pub(crate) struct First {
    pub(crate) kilobytes: f64,
    pub(crate) seconds: f64,
}

/// How a page kept up.
#[derive(Deserialize)]
pub(crate) struct Watched {
    /// From each event until it was drawn, in milliseconds.
    pub(crate) delays: Vec<f64>,
    /// A second.
    pub(crate) frames: f64,
}

impl Browser {
    /// Has the script measure for so long at a time. `started` is when the first pilot's session
    /// started: milliseconds since 1970.
    pub(crate) fn open(address: &str, seconds: u32, started: &str, pilots: u32) -> Result<Browser, Failed> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/test/bench.mjs");
        let mut node = Command::new("node");
        node.arg(script).args([address, &seconds.to_string(), started, &pilots.to_string()]);
        Ok(Browser(Other::run(node)?))
    }

    pub(crate) fn first(&mut self) -> Result<First, Failed> {
        Ok(serde_json::from_str(&self.0.wait_for("first")?)?)
    }

    pub(crate) fn watched(&mut self) -> Result<Watched, Failed> {
        Ok(serde_json::from_str(&self.0.wait_for("watched")?)?)
    }

    /// Waits until ten pages are open.
    pub(crate) fn ten(&mut self) -> Result<(), Failed> {
        self.0.wait_for("ten").map(drop)
    }

    pub(crate) fn close(mut self) -> Result<(), Failed> {
        self.0.tell("done")?;
        self.0.wait_for("closed").map(drop)
    }
}
