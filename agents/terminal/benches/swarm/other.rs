//! The other process of a measurement: this program, started again.

use crate::apart::role;
use crate::{Failed, clock, closed, flow, pilots, stream, turns};

/// Is the other process, where this program was started as that, until it is done.
pub(crate) fn is_told() -> Result<bool, Failed> {
    let Some(role) = role() else { return Ok(false) };
    match role.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["pilots", load, folder, endpoint] => pilots::be(load, folder, endpoint)?,
        ["answering", folder, endpoint] => turns::be(folder, endpoint)?,
        ["being-there", folder, endpoint] => clock::be(folder, endpoint)?,
        ["closing", folder, endpoint, turns, apart] => closed::be(folder, endpoint, turns, apart)?,
        ["flowing", folder, endpoint, each, events] => flow::be(folder, endpoint, each, events)?,
        ["telling", folder, endpoint] => stream::be_telling(folder, endpoint)?,
        ["streaming", folder, endpoint, rate] => stream::be_streaming(folder, endpoint, rate)?,
        _ => return Err("there is no such other process".into()),
    }
    Ok(true)
}
