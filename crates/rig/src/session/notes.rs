//! What is noted in a session's record, for a person to read, and when by the calendar.

use std::time::SystemTime;

use bramble_value::Name;

use crate::wiring::Wire;

pub(super) fn storm_begins(wire: &Wire) -> String {
    format!(
        "`{wire}` changes so often that it is not listened to for a second: look for a loose contact, a wrong \
         pull or a missing debounce"
    )
}

pub(super) fn storm_ends(wire: &Wire) -> String {
    format!("`{wire}` is listened to again")
}

pub(super) fn lost(child: &Name, why: &str) -> String {
    format!("the session lost its child `{child}`: {why}")
}

/// The time by this computer's wall clock: microseconds since 1970, UTC.
pub(super) fn unix_us() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
