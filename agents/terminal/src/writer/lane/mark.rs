//! What a lane remembers across a crash.

use bramble_subject::SessionNumber;
use bramble_value::{Person, Seed, SubjectId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::plan::StepNames;

/// How far a lane is in the subject files.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The last message that was applied.
    pub(super) number: u64,
    /// The session that the lane is in.
    pub(super) session: Option<InSession>,
}

/// A session that is being written.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct InSession {
    pub(super) uuid: Uuid,
    /// The message that says that it started.
    pub(super) first: u64,
    pub(super) subject: SubjectId,
    pub(super) number: SessionNumber,
    /// Its step of a protocol, and the one after.
    pub(super) step: Option<StepNames>,
    /// How often the subject had been put at a step when it began.
    pub(super) moves: usize,
    /// How many trials it may have, those of the steps that follow included.
    pub(super) trials: Option<u32>,
    pub(super) seed: Seed,
    /// It, and what follows it, starts even where its rig failed its last check.
    pub(super) despite_check: bool,
    /// Whose it is, and what follows it.
    pub(super) owner: Person,
}

/// Under what the journal remembers a lane's mark.
pub(super) fn mark_key(lane: &str) -> String {
    format!("mark of {lane}")
}
