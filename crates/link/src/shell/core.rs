//! What the dialing and the listening thread have in common.

use std::time::Duration;

use bramble_gate::is_worth_a_line;
use bramble_value::Time;
use bytes::Bytes;

use super::{Say, now};
use crate::protocol::{DecodeError, End, Frame};

/// How long a socket may take over one send; then the connection is given up.
pub(super) const SEND_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the other end may take to say goodbye.
pub(super) const GOODBYE: Duration = Duration::from_millis(200);

/// Says what a line's user wants said.
pub(super) fn say(end: &mut End, say: Say) {
    match say {
        Say::Send(payload, answer) => {
            let queued = end.send(payload).map_err(|error| error.to_string());
            // Whoever gave it may not wait for the answer.
            if let Err(flume::SendError(Err(why))) = answer.send(queued) {
                end.fail(why);
            }
        }
        Say::More => end.more(),
        Say::Passing(payload) => end.pass(payload),
        Say::Taken(at) => end.taken(at),
    }
}

/// Whether somebody may answer what is said at once.
pub(super) fn may_be_answered(say: &Say) -> bool {
    matches!(say, Say::Send(..) | Say::Passing(_))
}

/// Whether a frame may be an answer to what was said.
pub(super) fn may_answer(frame: &Frame) -> bool {
    matches!(frame, Frame::Data { .. } | Frame::Passing { .. })
}

/// How long until `deadline`; a long time where there is none.
pub(super) fn until(deadline: Option<Time>) -> Duration {
    match deadline {
        Some(deadline) => Duration::from_nanos(deadline.since(now()).ns().unsigned_abs()),
        None => Duration::from_secs(3600),
    }
}

/// Counts what others send that is no frame, and logs the 1st, 10th, 100th, ...
#[derive(Default)]
pub(super) struct Nonsense(u64);

impl Nonsense {
    pub(super) fn log(&mut self, from: &[u8], what: &dyn std::fmt::Display) {
        self.0 += 1;
        if is_worth_a_line(self.0) {
            let from = String::from_utf8_lossy(&from[..from.len().min(64)]);
            tracing::warn!(from = %from.escape_debug(), count = self.0, "ignored what is no message of a link: {what}");
        }
    }
}

/// Reads a frame; what isn't one is logged, or refused where it is a hello.
pub(super) fn read(bytes: &Bytes, from: &[u8], nonsense: &mut Nonsense) -> Result<Frame, Option<u32>> {
    Frame::decode(bytes).map_err(|error| {
        nonsense.log(from, &error);
        match error {
            DecodeError::OtherVersion(version) => Some(version),
            DecodeError::Garbage(_) => None,
        }
    })
}
