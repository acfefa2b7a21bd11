//! What becomes of the edges of lines: events of ports, positions of encoders,
//! and storms. It knows no clock and no hardware.

use std::collections::VecDeque;

use bramble_task::definition::PortId;
use bramble_value::Time;

use super::flood::{Flood, MOST, MOST_OF_A_WHEEL, SILENCE};
use crate::devices::encoder::{Quadrature, Track, Turn};
use crate::driver::{Edge, Happening, LineId};
use crate::signal::Reading;

/// An input of a session, on its line or lines.
#[derive(Debug)]
pub(super) struct Listener {
    /// What each line of the rig means to the session.
    lines: Vec<Option<Line>>,
    encoders: Vec<Encoder>,
    /// What happened, and when, in the order of its times.
    happened: VecDeque<(Time, Happening)>,
}

#[derive(Debug)]
struct Line {
    port: PortId,
    high: bool,
    encoder: Option<(usize, Track)>,
    flood: Flood,
    /// Until when it is not listened to.
    silent: Option<Time>,
}

#[derive(Debug)]
struct Encoder {
    port: PortId,
    counts_per_unit: f64,
    tracks: [LineId; 2],
    wheel: Quadrature,
}

impl Listener {
    /// Nothing to listen to, of so many lines.
    pub(super) fn new(lines: usize) -> Listener {
        let happened = VecDeque::with_capacity(1024);
        Listener { lines: (0..lines).map(|_| None).collect(), encoders: Vec::new(), happened }
    }

    /// A digital input is on this line.
    pub(super) fn digital(&mut self, port: PortId, line: LineId, now: Time) {
        self.lines[line.index()] = Some(Line::new(port, None, now));
    }

    /// An encoder is on these lines.
    pub(super) fn encoder(&mut self, port: PortId, tracks: [LineId; 2], counts_per_unit: f64, now: Time) {
        let place = self.encoders.len();
        self.encoders.push(Encoder { port, counts_per_unit, tracks, wheel: Quadrature::default() });
        for (line, track) in tracks.into_iter().zip([Track::A, Track::B]) {
            self.lines[line.index()] = Some(Line::new(port, Some((place, track)), now));
        }
    }

    /// No number of changes is a storm from now on.
    pub(super) fn bear_storms(&mut self, now: Time) {
        self.lines.iter_mut().flatten().for_each(|line| line.flood = Flood::new(now, u32::MAX));
    }

    /// The lines that are listened to.
    pub(super) fn listened(&self) -> impl Iterator<Item = LineId> {
        self.lines.iter().zip(0..).filter(|(line, _)| line.is_some()).map(|(_, place)| LineId(place))
    }

    /// Takes what lines read before anything happened; what the session's
    /// inputs read therefore.
    pub(super) fn begin(
        &mut self,
        levels: impl IntoIterator<Item = (LineId, bool)>,
    ) -> Vec<(PortId, Reading)> {
        for (line, high) in levels {
            if let Some(line) = &mut self.lines[line.index()] {
                line.high = high;
            }
        }
        self.settle_encoders();
        let digital = self.lines.iter().flatten().filter(|line| line.encoder.is_none());
        let digital = digital.map(|line| (line.port, Reading::Digital(line.high)));
        let positions = self.encoders.iter().map(|one| (one.port, Reading::Position(one.position())));
        digital.chain(positions).collect()
    }

    /// Takes edges in the order of their times. `silence` is told a line that
    /// storms, once, and says how many of its changes are not among these.
    pub(super) fn take(&mut self, edges: &[Edge], mut silence: impl FnMut(LineId) -> u32) {
        for edge in edges {
            let Some(line) = &self.lines[edge.line.index()] else { continue };
            let (port, at) = (line.port, edge.at);
            if line.silent.is_some() {
                // It was on its way when the line was silenced.
                self.missed(port, edge.lost.saturating_add(1), at);
                continue;
            }
            // A line that becomes what it is was something else between: the kernel
            // numbers what it saw, and two changes in a moment are none to it.
            let unseen = u32::from(line.encoder.is_none() && edge.lost == 0 && line.high == edge.high);
            if edge.lost + unseen > 0 {
                self.missed(port, edge.lost + unseen, at);
            }
            let Some(line) = &mut self.lines[edge.line.index()] else { continue };
            line.high = edge.high;
            let reading = match line.encoder {
                None => Some(Reading::Digital(edge.high)),
                Some((encoder, track)) => {
                    let encoder = &mut self.encoders[encoder];
                    match encoder.wheel.change(track, edge.high) {
                        Turn::Counted => Some(Reading::Position(encoder.position())),
                        Turn::Jumped => None,
                    }
                }
            };
            self.happened.push_back((
                at,
                match reading {
                    Some(reading) => Happening::Input { port, reading, at },
                    None => Happening::Missed { port, count: 1, at },
                },
            ));
            if line.flood.count(edge.lost.saturating_add(1), at) {
                line.silent = Some(at + SILENCE);
                self.happened.push_back((at, Happening::Storm { port, begins: true, at }));
                let forgotten = silence(edge.line);
                if forgotten > 0 {
                    self.missed(port, forgotten, at);
                }
            }
        }
    }

    /// Changes were missed; those of one port that follow each other are one.
    fn missed(&mut self, port: PortId, more: u32, at: Time) {
        if let Some((last, Happening::Missed { port: before, count, at: end })) = self.happened.back_mut()
            && *before == port
        {
            *count = count.saturating_add(more);
            (*last, *end) = (at, at);
            return;
        }
        self.happened.push_back((at, Happening::Missed { port, count: more, at }));
    }

    /// When a line is to be listened to again.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.lines.iter().flatten().filter_map(|line| line.silent).min()
    }

    /// The line that is to be listened to again by now, if one is.
    pub(super) fn due(&self, now: Time) -> Option<LineId> {
        let due = |line: &Option<Line>| {
            line.as_ref().and_then(|line| line.silent).is_some_and(|silent| silent <= now)
        };
        let place = self.lines.iter().position(due)?;
        Some(LineId(place as u16))
    }

    /// A line is listened to again, and reads this now.
    pub(super) fn resume(&mut self, line: LineId, high: bool, now: Time) {
        let Some(line) = &mut self.lines[line.index()] else { return };
        let (port, changed) = (line.port, line.high != high);
        line.flood.again(now);
        (line.silent, line.high) = (None, high);
        self.happened.push_back((now, Happening::Storm { port, begins: false, at: now }));
        if line.encoder.is_some() {
            self.settle_encoders();
        } else if changed {
            let reading = Reading::Digital(high);
            self.happened.push_back((now, Happening::Input { port, reading, at: now }));
        }
    }

    /// What happened first, unless that was after then.
    pub(super) fn next(&mut self, until: Option<Time>) -> Option<Happening> {
        let (at, _) = self.happened.front()?;
        if until.is_some_and(|until| *at > until) {
            return None;
        }
        self.happened.pop_front().map(|(_, happening)| happening)
    }

    /// Whether all that happened was taken.
    pub(super) fn is_quiet(&self) -> bool {
        self.happened.is_empty()
    }

    /// The wheels are where the lines are, and no count further.
    fn settle_encoders(&mut self) {
        let Listener { lines, encoders, .. } = self;
        for encoder in encoders {
            let [a, b] =
                encoder.tracks.map(|track| lines[track.index()].as_ref().is_some_and(|line| line.high));
            encoder.wheel.settle(a, b);
        }
    }
}

impl Line {
    fn new(port: PortId, encoder: Option<(usize, Track)>, now: Time) -> Line {
        let most = if encoder.is_some() { MOST_OF_A_WHEEL } else { MOST };
        Line { port, high: false, encoder, flood: Flood::new(now, most), silent: None }
    }
}

impl Encoder {
    /// In its unit.
    fn position(&self) -> f64 {
        self.wheel.count() as f64 / self.counts_per_unit
    }
}

#[cfg(test)]
mod tests {
    use bramble_task::definition::DeviceId;

    use super::*;

    const POKE: PortId = PortId { device: DeviceId(0), port: 0 };
    const WHEEL: PortId = PortId { device: DeviceId(1), port: 0 };

    fn at(us: i64) -> Time {
        Time::from_ns(us * 1000)
    }

    fn edge(line: u16, high: bool, us: i64) -> Edge {
        Edge { line: LineId(line), high, at: at(us), lost: 0 }
    }

    /// A poke on line 0, and a wheel on lines 2 and 3 with 4 counts in a unit.
    fn listener() -> Listener {
        let mut listener = Listener::new(5);
        listener.digital(POKE, LineId(0), Time::ZERO);
        listener.encoder(WHEEL, [LineId(2), LineId(3)], 4.0, Time::ZERO);
        listener
    }

    fn all(listener: &mut Listener) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(happening) = listener.next(None) {
            told.push(match happening {
                Happening::Input { port, reading, at } => {
                    format!("{} {reading:?} {}", port.device.0, at.ns() / 1000)
                }
                Happening::Missed { port, count, .. } => format!("{} missed {count}", port.device.0),
                Happening::Storm { port, begins, .. } => format!("{} storm {begins}", port.device.0),
                other => panic!("{other:?}"),
            });
        }
        told
    }

    #[test]
    fn what_lines_read_at_first_is_what_the_session_starts_from() {
        let mut listener = listener();
        assert_eq!(listener.listened().collect::<Vec<_>>(), [LineId(0), LineId(2), LineId(3)]);
        let levels = [(LineId(0), true), (LineId(2), true), (LineId(3), false)];
        let readings = listener.begin(levels);
        assert_eq!(readings, [(POKE, Reading::Digital(true)), (WHEEL, Reading::Position(0.0))]);
        // From a high track A on, B follows forwards.
        listener.take(&[edge(3, true, 1)], |_| 0);
        assert_eq!(all(&mut listener), ["1 Position(0.25) 1"]);
    }

    #[test]
    fn edges_that_the_kernel_lost_are_told_before_the_next() {
        let mut listener = listener();
        listener.take(&[Edge { lost: 3, ..edge(0, true, 5) }, edge(4, true, 6)], |_| 0);
        assert_eq!(all(&mut listener), ["0 missed 3", "0 Digital(true) 5"]);
    }

    #[test]
    fn a_change_that_was_over_before_the_kernel_looked_is_told() {
        let mut listener = listener();
        listener.take(&[edge(0, false, 5), edge(0, true, 6), edge(0, true, 7)], |_| 0);
        let told = all(&mut listener);
        assert_eq!(
            told,
            ["0 missed 1", "0 Digital(false) 5", "0 Digital(true) 6", "0 missed 1", "0 Digital(true) 7"]
        );
    }

    #[test]
    fn an_encoder_that_jumps_says_so_and_keeps_its_count() {
        let mut listener = listener();
        listener.take(&[edge(2, true, 1), edge(2, true, 2), edge(3, true, 3)], |_| 0);
        assert_eq!(all(&mut listener), ["1 Position(0.25) 1", "1 missed 1", "1 Position(0.5) 3"]);
    }

    #[test]
    fn nothing_that_came_after_a_deadline_is_taken_before_it() {
        let mut listener = listener();
        listener.take(&[edge(0, true, 5), edge(0, false, 7)], |_| 0);
        assert!(listener.next(Some(at(6))).is_some());
        assert!(listener.next(Some(at(6))).is_none() && !listener.is_quiet());
        assert!(listener.next(Some(at(7))).is_some() && listener.is_quiet());
    }

    #[test]
    fn a_line_that_storms_is_silenced_for_a_second_and_then_read_again() {
        let mut listener = listener();
        let most = i64::from(MOST);
        let storm: Vec<Edge> = (0..most + 10).map(|n| edge(0, n % 2 == 0, n)).collect();
        let mut silenced = Vec::new();
        listener.take(&storm, |line| {
            silenced.push(line);
            30
        });
        assert_eq!(silenced, [LineId(0)]);
        let told = all(&mut listener);
        let (inputs, after) = told.split_at(most as usize + 1);
        assert!(inputs.iter().all(|told| told.starts_with("0 Digital")));
        assert_eq!(after[0], "0 storm true");
        assert_eq!(after[1..], ["0 missed 39"]);
        // The others go on.
        listener.take(&[edge(2, true, most + 20)], |_| 0);
        assert_eq!(all(&mut listener), [format!("1 Position(0.25) {}", most + 20)]);

        let over = listener.deadline().unwrap();
        assert_eq!(over, at(most) + SILENCE);
        assert_eq!(
            (listener.due(over - "1 ns".parse().unwrap()), listener.due(over)),
            (None, Some(LineId(0)))
        );
        listener.resume(LineId(0), false, over);
        assert_eq!(
            all(&mut listener),
            ["0 storm false".to_owned(), format!("0 Digital(false) {}", over.ns() / 1000)]
        );
        assert_eq!((listener.deadline(), listener.due(over)), (None, None));
    }
}
