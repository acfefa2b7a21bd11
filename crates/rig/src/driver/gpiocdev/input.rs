//! One input. It has a request of its own, so that a storm on it can't push the
//! edges of others out of the kernel's buffer. The two lines of an encoder share
//! one, so that their edges come in the order in which they were.

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

/// So many edges the kernel keeps for an input while nobody takes them; it has
/// no more for one line.
const KEPT: u32 = 1024;

/// So many edges are taken at once at most: other lines don't wait for longer.
const AT_ONCE: usize = 16;

/// An edge of the kernel's is so many words of 64 bits.
const WORDS: usize = 6;

/// One input.
#[derive(Debug)]
pub(super) struct Input {
    /// Its lines: one, or the two of an encoder.
    lines: Vec<Line>,
    request: Request,
    words: Box<[u64]>,
}

#[derive(Debug)]
struct Line {
    id: LineId,
    place: Whereabouts,
    /// The number of the last edge that was taken since it is listened to.
    last: Option<u32>,
}

impl Input {
    pub(super) fn open(
        chip: &Opened,
        lines: &[(LineId, &LineSpec)],
        active: Active,
        pull: Pull,
        debounce: Option<Span>,
    ) -> Result<Input, OpenError> {
        let line =
            |(id, spec): &(LineId, &LineSpec)| Ok(Line { id: *id, place: chip.place(spec)?, last: None });
        let lines = lines.iter().map(line).collect::<Result<Vec<_>, OpenError>>()?;
        let places: Vec<&Whereabouts> = lines.iter().map(|line| &line.place).collect();
        let request = chip.request(&places, |builder| {
            builder.as_input().with_bias(bias(pull)).with_kernel_event_buffer_size(KEPT);
            builder.with_event_clock(EventClock::Monotonic);
            if active == Active::Low {
                builder.as_active_low();
            }
            if let Some(debounce) = debounce {
                builder.with_debounce_period(Duration::from_nanos(debounce.ns().unsigned_abs()));
                // Linux before 6.10 has no room for the edges of a debounced line that
                // was not asked for with them.
                builder.with_edge_detection(EdgeDetection::BothEdges);
            }
            builder
        })?;
        if let (Err(error), Some(line)) =
            (fcntl(&request, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)), lines.first())
        {
            let Whereabouts { owner, pin, chip } = line.place.clone();
            return Err(OpenError::Refused { owner, pin, chip, why: error.desc().to_owned() });
        }
        Ok(Input { lines, request, words: vec![0; AT_ONCE * WORDS].into_boxed_slice() })
    }

    /// Takes what waits.
    pub(super) fn edges(&mut self, into: &mut Vec<Edge>) -> Result<(), DriverError> {
        let Input { lines, request, words } = self;
        let failed = |lines: &[Line], error| failed(lines, &error);
        let count = match request.read_edge_events_into_slice(words) {
            Ok(count) => count,
            Err(error) if matches!(errno(&error), Some(Errno::EAGAIN | Errno::EINTR)) => return Ok(()),
            Err(error) => return Err(failed(lines, error)),
        };
        for words in words[..count].chunks_exact(WORDS) {
            let edge = request.edge_event_from_slice(words).map_err(|error| failed(lines, error))?;
            let Some(line) = lines.iter_mut().find(|line| line.place.pin == edge.offset) else { continue };
            let lost = line.last.map_or(0, |last| edge.line_seqno.wrapping_sub(last).saturating_sub(1));
            line.last = Some(edge.line_seqno);
            into.push(Edge {
                line: line.id,
                high: edge.kind == EdgeKind::Rising,
                at: Time::from_ns(edge.timestamp_ns.cast_signed()),
                lost,
            });
        }
        Ok(())
    }

    pub(super) fn level(&self, line: LineId) -> Result<bool, DriverError> {
        let line = self.line(line)?;
        let value = self.request.value(line.place.pin).map_err(|error| line.place.failed(&error))?;
        Ok(value == Value::Active)
    }

    /// Starts or stops edge detection on a line, and forgets what waits: how many edges.
    pub(super) fn listen(&mut self, line: LineId, on: bool) -> Result<u32, DriverError> {
        let place = &self.line(line)?.place;
        let mut config = self.request.config();
        config.with_line(place.pin).with_edge_detection(on.then_some(EdgeDetection::BothEdges));
        self.request.reconfigure(&config).map_err(|error| place.failed(&error))?;
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
        if let Some(line) = self.lines.iter_mut().find(|one| one.id == line) {
            line.last = None;
        }
        Ok(forgotten)
    }

    fn line(&self, line: LineId) -> Result<&Line, DriverError> {
        let found = self.lines.iter().find(|one| one.id == line);
        found.ok_or_else(|| DriverError(format!("line {} is not of this input", line.0)))
    }
}

/// What went wrong while all of these were used.
fn failed(lines: &[Line], error: &gpiocdev::Error) -> DriverError {
    let first = lines.first().map(|line| line.place.failed(error));
    first.unwrap_or_else(|| DriverError(error.to_string()))
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
