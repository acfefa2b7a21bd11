//! What ends a recorded session between two trials.

use bramble_rig::session::{Judge, Verdict};
use bramble_training::Examiner;
use bramble_value::Row;

/// The examiner of the session, as the loop asks it.
pub(crate) struct Examined(pub(crate) Examiner);

impl Judge for Examined {
    fn row(&mut self, row: &Row) -> Verdict {
        match self.0.row(row) {
            Some(why) => Verdict::EndAfterTrial(why.into()),
            None => Verdict::Continue,
        }
    }
}
