//! The start of a session, as the pilot's tests are asked for it.
#![allow(clippy::unwrap_used, reason = "what is parsed here is as it has to be")]

use bramble_message::StartSession;
use bramble_value::{Seed, Sources};
use uuid::Uuid;

/// A session of M001, asked for by Alice, whose number is its uuid.
pub(crate) fn requested(session: u128, task: Sources) -> StartSession {
    StartSession {
        session: Uuid::from_u128(session),
        subject: "M001".parse().unwrap(),
        owner: "alice@desk".parse().unwrap(),
        task,
        parameters: Default::default(),
        seed: Seed(1),
        kept: Default::default(),
        graduation: None,
        trials: None,
        paused: false,
        despite_check: false,
        confirmed: Default::default(),
        unix_ns: None,
        origin: Default::default(),
    }
}
