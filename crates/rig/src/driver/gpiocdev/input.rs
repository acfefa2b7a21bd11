//! One input line. It has a request of its own, so that a storm on it can't
//! push the edges of other lines out of the kernel's buffer.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use bramble_value::{Span, Time};
use gpiocdev::Request;
use gpiocdev::line::{Bias, EdgeDetection, EdgeKind, EventClock, Value};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::chip::Opened;
use super::{DriverError, Edge, LineId, LineSpec, OpenError, Whereabouts, errno};
use crate::config::{Active, Pull};

/// So many edges the kernel keeps for a line while nobody takes them; it has no
/// more for one line.
const KEPT: u32 = 1024;

/// So many edges are taken at once at most: other lines don't wait for longer.
const AT_ONCE: usize = 16;

/// An edge of the kernel's is so many words of 64 bits.
const WORDS: usize = 6;

/// One input line.
#[derive(Debug)]
pub(super) struct Input {
    id: LineId,
    place: Whereabouts,
    request: Request,
    /// The number of the last edge that was taken since the line is listened to.
    last: Option<u32>,
    words: Box<[u64]>,
}

impl Input {
    pub(super) fn open(
        chip: &Opened,
        id: LineId,
        spec: &LineSpec,
        pull: Pull,
        debounce: Option<Span>,
    ) -> Result<Input, OpenError> {
        let place = chip.place(spec)?;
        let request = chip.request(&place, |builder| {
            builder.as_input().with_bias(bias(pull)).with_kernel_event_buffer_size(KEPT);
            builder.with_event_clock(EventClock::Monotonic);
            if spec.active == Active::Low {
                builder.as_active_low();
            }
            if let Some(debounce) = debounce {
                builder.with_debounce_period(Duration::from_nanos(debounce.ns().unsigned_abs()));
            }
            builder
        })?;
        let refused = |error: Errno| {
            let Whereabouts { owner, pin, chip } = place.clone();
            OpenError::Refused { owner, pin, chip, why: error.desc().to_owned() }
        };
        fcntl(&request, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(refused)?;
        Ok(Input { id, place, request, last: None, words: vec![0; AT_ONCE * WORDS].into_boxed_slice() })
    }

    /// Takes what waits.
    pub(super) fn edges(&mut self, into: &mut Vec<Edge>) -> Result<(), DriverError> {
        let count = match self.request.read_edge_events_into_slice(&mut self.words) {
            Ok(count) => count,
            Err(error) if matches!(errno(&error), Some(Errno::EAGAIN | Errno::EINTR)) => return Ok(()),
            Err(error) => return Err(self.place.failed(&error)),
        };
        for words in self.words[..count].chunks_exact(WORDS) {
            let edge =
                self.request.edge_event_from_slice(words).map_err(|error| self.place.failed(&error))?;
            let lost = self.last.map_or(0, |last| edge.line_seqno.wrapping_sub(last).saturating_sub(1));
            self.last = Some(edge.line_seqno);
            into.push(Edge {
                line: self.id,
                high: edge.kind == EdgeKind::Rising,
                at: Time::from_ns(edge.timestamp_ns.cast_signed()),
                lost,
            });
        }
        Ok(())
    }

    pub(super) fn level(&self) -> Result<bool, DriverError> {
        let value = self.request.lone_value().map_err(|error| self.place.failed(&error))?;
        Ok(value == Value::Active)
    }

    /// Starts or stops edge detection, and forgets what waits: how many edges.
    pub(super) fn listen(&mut self, on: bool) -> Result<u32, DriverError> {
        let mut config = self.request.config();
        config.with_line(self.place.pin).with_edge_detection(on.then_some(EdgeDetection::BothEdges));
        self.request.reconfigure(&config).map_err(|error| self.place.failed(&error))?;
        let mut forgotten = 0_u32;
        let mut waiting = Vec::with_capacity(AT_ONCE);
        for _ in 0..=KEPT as usize / AT_ONCE {
            self.edges(&mut waiting)?;
            forgotten =
                waiting.iter().fold(forgotten, |sum, edge| sum.saturating_add(edge.lost.saturating_add(1)));
            if waiting.is_empty() {
                break;
            }
            waiting.clear();
        }
        self.last = None;
        Ok(forgotten)
    }
}

impl AsFd for Input {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.request.as_fd()
    }
}

fn bias(pull: Pull) -> Option<Bias> {
    match pull {
        Pull::AsIs => None,
        Pull::Up => Some(Bias::PullUp),
        Pull::Down => Some(Bias::PullDown),
        Pull::Off => Some(Bias::Disabled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_as_long_as_the_kernel_says() {
        assert_eq!(size_of::<gpiocdev_uapi::v2::LineEdgeEvent>(), WORDS * size_of::<u64>());
    }
}
