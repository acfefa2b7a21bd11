//! What a terminal that is away for long costs a pilot: the size of its journal, and how
//! long the pilot's next start looks through that.

use std::time::Duration;

use bramble_journal::Journal;
use bramble_link::now;
use bramble_message::{PilotToTerminal, encode};
use uuid::Uuid;

use crate::Failed;
use crate::flow::event;

const LANE: &str = "terminal";

/// As many events a second a session has here, each a message of its own, as of a session
/// in which a little happens all the time.
const RATE: u64 = 20;

/// As many are made durable together: it is not measured how fast that is.
const TOGETHER: u64 = 4096;

/// A journal that nobody took anything from.
pub(crate) struct Kept {
    /// Its size, in megabytes.
    pub(crate) size: f64,
    /// How long it takes to be opened, in milliseconds, with the check of all of it.
    pub(crate) open: f64,
}

/// A session that ran for so long while the terminal was away.
pub(crate) fn measure(away: Duration) -> Result<Kept, Failed> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("journal.sqlite");
    let events = away.as_secs() * RATE;
    let journal = Journal::open(&path)?;
    let message =
        |_| encode(&PilotToTerminal::Records { session: Uuid::from_u128(1), records: vec![event()] });
    for begin in (0..events).step_by(TOGETHER as usize) {
        let messages: Vec<_> = (begin..events.min(begin + TOGETHER)).map(message).collect();
        journal.append(LANE, &messages)?;
    }
    drop(journal);
    let size = std::fs::metadata(&path)?.len() as f64 / 1e6;
    let begin = now();
    let journal = Journal::open(&path)?;
    let open = now().since(begin).seconds() * 1e3;
    if journal.pending(LANE)? != events {
        return Err("the journal lost something".into());
    }
    Ok(Kept { size, open })
}
