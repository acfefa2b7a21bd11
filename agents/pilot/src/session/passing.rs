//! What is observed is shown as it happens.

use bramble_link::LARGEST_PASSING;
use bramble_message::{Bytes, PilotInPassing, encode};
use bramble_value::Record;
use uuid::Uuid;

/// Shows records in passing, in as many messages as it takes, and returns them.
pub(super) fn show(session: Uuid, records: Vec<Record>, live: &dyn Fn(Bytes)) -> Vec<Record> {
    let seen = PilotInPassing::Live { session, records };
    let message = encode(&seen);
    let PilotInPassing::Live { mut records, .. } = seen else { return Vec::new() };
    if message.len() <= LARGEST_PASSING || records.len() < 2 {
        live(message);
        return records;
    }
    let rest = records.split_off(records.len() / 2);
    let mut records = show(session, records, live);
    records.extend(show(session, rest, live));
    records
}
