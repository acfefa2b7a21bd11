//! One output that is on or off, or on at a level.

use bramble_value::{Span, Time};

use super::program::Program;

/// Two spells of being on that are closer than this count as one, so that a
/// longest on-time can't be evaded by blinking.
const REST: Span = Span::from_ms(1);

/// An output is as high as the higher of what it was switched to and what runs
/// by itself; see the module above.
#[derive(Debug, Clone)]
pub(super) struct Output {
    switched: f64,
    running: Option<Program>,
    written: f64,
    safe: f64,
    longest: Option<Span>,
    /// Since when it has been on without a rest, while it is on or just was.
    on_since: Option<Time>,
    off_since: Option<Time>,
}

/// What became of an output when time went on.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Change {
    /// A new level, to be written.
    pub(super) level: Option<f64>,
    /// What ran came to its end, then.
    pub(super) ended: Option<Time>,
    /// It was switched off because it had been on for as long as it may.
    pub(super) cut: bool,
}

impl Output {
    pub(super) fn new(safe: f64, longest: Option<Span>) -> Output {
        Output {
            switched: safe,
            running: None,
            written: safe,
            safe,
            longest,
            // How long it has been safe counts as nothing.
            on_since: None,
            off_since: None,
        }
    }

    pub(super) fn switch(&mut self, level: f64) {
        self.switched = level;
    }

    pub(super) fn run(&mut self, program: Program) {
        let prolonged = self.running.as_mut().is_some_and(|running| running.prolong(&program));
        if !prolonged {
            self.running = Some(program);
        }
    }

    /// Ends what runs; whether anything did.
    pub(super) fn stop(&mut self) -> bool {
        self.running.take().is_some()
    }

    /// Back to the safe level; whether anything ran.
    pub(super) fn make_safe(&mut self) -> bool {
        self.switched = self.safe;
        self.stop()
    }

    /// When something is next to be done about it, by [`Output::advance`].
    pub(super) fn deadline(&self, now: Time) -> Option<Time> {
        let change = self.running.as_ref().and_then(|program| program.next_change(now));
        [change, self.cut_at()].into_iter().flatten().min()
    }

    fn cut_at(&self) -> Option<Time> {
        let longest = self.longest.filter(|_| self.written > 0.0)?;
        self.on_since.map(|since| since + longest)
    }

    pub(super) fn advance(&mut self, now: Time) -> Change {
        let mut change = Change::default();
        if let Some(end) = self.running.as_ref().and_then(Program::end).filter(|end| *end <= now) {
            self.running = None;
            change.ended = Some(end);
        }
        let mut wanted = self.wanted(now);
        if wanted > 0.0 && self.has_been_on_too_long(now) {
            change.cut = true;
            if self.stop() {
                change.ended = Some(now);
            }
            self.switched = 0.0;
            wanted = 0.0;
        }
        if wanted != self.written {
            change.level = Some(wanted);
            self.note_write(wanted, now);
        }
        change
    }

    fn wanted(&self, now: Time) -> f64 {
        let running = self.running.as_ref().map_or(0.0, |program| program.level(now));
        running.max(self.switched)
    }

    fn has_been_on_too_long(&self, now: Time) -> bool {
        let rested = self.off_since.is_some_and(|since| now.since(since) >= REST);
        let since = self.on_since.filter(|_| self.written > 0.0 || !rested);
        match (self.longest, since) {
            (Some(longest), Some(since)) => now.since(since) >= longest,
            _ => false,
        }
    }

    fn note_write(&mut self, level: f64, now: Time) {
        if level > 0.0 && self.written == 0.0 {
            let rested = self.off_since.is_none_or(|since| now.since(since) >= REST);
            if rested || self.on_since.is_none() {
                self.on_since = Some(now);
            }
            self.off_since = None;
        } else if level == 0.0 {
            self.off_since = Some(now);
        }
        self.written = level;
    }
}
