//! The calibration of a valve, step by step: what is opened, what is weighed, and the line
//! through that.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bramble_rig::calibration::{Calibration, Point, Valve, WATER};
use bramble_value::{Kind, Level, Span};

use super::super::calibrations;
use super::super::drive::{Cuts, bound};
use super::super::guide::{Guide, Now, Out, Why};
use super::super::protocol::{Answer, Ask, Member, Part, Step, Told, Weighed};
use super::weight::{grams, plausible};

/// How long a valve rests between two openings where nobody says.
const REST: Span = Span::from_ms(150);

/// How much longer than its openings last the valve may take to come to their end.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::hand) struct Plan {
    part: Part,
    valve: Valve,
    pulses: u32,
    durations: Vec<Span>,
    every: Option<Span>,
    /// How old a calibration may be.
    limit: Span,
}

/// A line goes through two points at least.
const LEAST_POINTS: usize = 2;

/// As often may a valve open for one duration.
pub(in crate::hand) const MOST_PULSES: u32 = 100_000;

impl Plan {
    /// A valve is to open so often for each of these durations.
    ///
    /// # Errors
    /// A sentence, where no line can come of that, or the rig doesn't allow it.
    pub(in crate::hand) fn new(
        part: &Part,
        pulses: u32,
        durations: &[Span],
        every: Option<Span>,
        limit: Span,
    ) -> Result<Plan, String> {
        lengths(durations)?;
        fit_the_rig(part, durations)?;
        if !(1..=MOST_PULSES).contains(&pulses) {
            return Err(format!("a valve can't open {pulses} times: from 1 to {MOST_PULSES}"));
        }
        let (valve, durations) = (valve(part)?, durations.to_vec());
        Ok(Plan { part: part.clone(), valve, pulses, durations, every, limit })
    }

    /// The valve.
    pub(in crate::hand) fn valve(&self) -> &Valve {
        &self.valve
    }
}

/// A calibration that is being made.
#[derive(Debug)]
pub(in crate::hand) struct Weighing {
    plan: Plan,
    /// The valve's newest, where it has one.
    before: Option<Arc<Calibration>>,
    points: Vec<Option<Point>>,
    state: State,
    out: VecDeque<Out>,
}

#[derive(Debug)]
enum State {
    /// The cup is to be put there, for this duration.
    Place(usize),
    /// The valve opens.
    Opening {
        at: usize,
        times: u32,
        cuts: Cuts,
        until: Option<Instant>,
    },
    /// What came out is to be weighed.
    Weigh(usize),
    /// No line goes through what was weighed.
    NoLine,
    /// It is to be said whether to keep it.
    Line(Box<Calibration>),
    Over,
}

impl Weighing {
    /// Begins.
    pub(in crate::hand) fn new(plan: Plan, before: Option<Arc<Calibration>>) -> Weighing {
        let points = vec![None; plan.durations.len()];
        let mut weighing = Weighing { plan, before, points, state: State::Over, out: VecDeque::new() };
        weighing.place(0, None);
        weighing
    }

    /// The line that was found, while it is to be said whether to keep it.
    pub(super) fn line(&self) -> Option<&Calibration> {
        match &self.state {
            State::Line(calibration) => Some(calibration),
            _ => None,
        }
    }

    fn say(&mut self, step: Step) {
        self.out.push_back(Out::Say(step));
    }

    fn place(&mut self, at: usize, why: Option<String>) {
        self.state = State::Place(at);
        let (valve, open) = (self.plan.part.name.clone(), self.plan.durations[at]);
        self.say(Step::Place { at, valve, open, why });
    }

    fn open(&mut self, at: usize, now: Now) {
        let Plan { part, pulses, durations, every, .. } = &self.plan;
        let (valve, pulses, open) = (part.name.clone(), *pulses, durations[at]);
        let every = every.unwrap_or(open + REST);
        let lasts = Span::from_ns(every.ns().saturating_mul(pulses.into()));
        let until = bound(now.instant + PATIENCE, Some(lasts));
        self.state = State::Opening { at, times: 0, cuts: Cuts::default(), until };
        self.say(Step::Opens { at, valve: valve.clone(), open, pulses, lasts });
        let members = vec![Member { device: valve, on: open, offset: Span::ZERO }];
        self.out.push_back(Out::Ask(Ask::Train { members, every, count: Some(pulses) }));
    }

    /// What the scale shows for this duration.
    fn weigh(&mut self, at: usize, typed: &str, now: Now) {
        let (open, pulses) = (self.plan.durations[at], self.plan.pulses);
        match grams(typed).and_then(|grams| plausible(grams, open, pulses).map(|()| grams)) {
            Err(why) => match self.state {
                State::Place(_) => self.place(at, Some(why)),
                _ => self.say(Step::Weigh { at, open, why: Some(why) }),
            },
            Ok(grams) => {
                self.points[at] = Some(Point { open, pulses, grams });
                match self.points.iter().position(Option::is_none) {
                    Some(next) => self.place(next, None),
                    None => self.judge(now),
                }
            }
        }
    }

    /// All is weighed.
    fn judge(&mut self, now: Now) {
        let points: Vec<Point> = self.points.iter().flatten().cloned().collect();
        match Calibration::new(self.plan.valve.clone(), now.wall, WATER, points.clone()) {
            Err(refused) => {
                self.state = State::NoLine;
                // What was weighed with care is not lost.
                self.say(Step::NoLine {
                    points: points.iter().map(weighed).collect(),
                    why: refused.to_string(),
                });
            }
            Ok(calibration) => {
                let calibration =
                    if self.plan.part.simulated { calibration.of_simulated() } else { calibration };
                let view = |one: &Calibration| calibrations::view(one, None, now.wall, self.plan.limit);
                let before = self.before.as_deref();
                let step = Step::Line {
                    calibration: view(&calibration),
                    before: before.map(view),
                    changed: before.map(|before| calibrations::changed(before, &calibration)),
                };
                self.state = State::Line(Box::new(calibration));
                self.say(step);
            }
        }
    }

    fn leave(&mut self, why: Why) {
        let state = std::mem::replace(&mut self.state, State::Over);
        if matches!(state, State::Opening { .. }) {
            self.close();
        }
        self.out.push_back(Out::Leave(why));
    }

    /// Has the valve closed, whatever it was to do.
    fn close(&mut self) {
        let device = self.plan.part.name.clone();
        self.out.push_back(Out::Ask(Ask::Set { device, level: Level::default() }));
    }
}

impl Guide for Weighing {
    fn hear(&mut self, told: &Told, _: Now) {
        let place = match (&mut self.state, told) {
            (State::Over, _) => return,
            (_, Told::Closed { why, .. } | Told::Refused { why, .. }) => {
                let why = Why::Failed(why.clone());
                self.state = State::Over;
                return self.out.push_back(Out::Leave(why));
            }
            (State::Opening { at, times, cuts, .. }, told) => match told {
                Told::Event { device, kind, value, .. } if *device == self.plan.part.name => match kind {
                    Kind::Output if *value > 0.0 => {
                        *times += 1;
                        return;
                    }
                    Kind::Halt => return cuts.halt(),
                    Kind::Ends if *times == self.plan.pulses => {
                        let at = *at;
                        self.state = State::Weigh(at);
                        let open = self.plan.durations[at];
                        return self.say(Step::Weigh { at, open, why: None });
                    }
                    Kind::Ends => {
                        let (times, count) = (*times, self.plan.pulses);
                        (
                            *at,
                            format!("it opened {times} times and not {count}: start again with an empty cup"),
                        )
                    }
                    _ => return,
                },
                Told::Note { text, .. } if cuts.note(text.clone()) => (*at, text.clone()),
                Told::Note { text, .. } => {
                    let text = text.clone();
                    return self.say(Step::Heard { text });
                }
                _ => return,
            },
            _ => return,
        };
        self.place(place.0, Some(place.1));
    }

    fn answer(&mut self, answer: Answer, now: Now) {
        match (&self.state, answer) {
            (State::Over, _) => {}
            (_, Answer::End) => self.leave(Why::Person),
            (State::Place(at), Answer::Ready) => self.open(*at, now),
            (State::Place(at) | State::Weigh(at), Answer::Weight(typed)) => self.weigh(*at, &typed, now),
            (State::NoLine | State::Line(_), Answer::Again(open)) => {
                match which(open, &self.plan.durations) {
                    Ok(at) => self.place(at, None),
                    Err(text) => self.say(Step::Heard { text }),
                }
            }
            (State::NoLine | State::Line(_), Answer::Without(open)) => {
                match which(open, &self.plan.durations) {
                    Ok(_) if self.points.len() <= LEAST_POINTS => {
                        let text = "two durations are no line without one of them: weigh it again".to_owned();
                        self.say(Step::Heard { text });
                    }
                    Ok(at) => {
                        self.points.remove(at);
                        self.plan.durations.remove(at);
                        self.judge(now);
                    }
                    Err(text) => self.say(Step::Heard { text }),
                }
            }
            (State::Line(_), Answer::Yes) => {
                if let State::Line(calibration) = std::mem::replace(&mut self.state, State::Over) {
                    self.out.push_back(Out::Keep(calibration));
                }
            }
            (State::Line(_), Answer::No) => self.leave(Why::Person),
            (_, answer) => {
                let text = format!("`{answer:?}` is no answer to what was asked last");
                self.say(Step::Heard { text });
            }
        }
    }

    fn due(&self) -> Option<Instant> {
        match &self.state {
            State::Opening { until, .. } => *until,
            _ => None,
        }
    }

    fn over(&mut self, now: Now) {
        match self.state {
            State::Opening { at, until: Some(until), .. } if now.instant >= until => {
                self.close();
                self.place(at, Some("the valve did not come to its end in time".to_owned()));
            }
            _ => {}
        }
    }

    fn next(&mut self) -> Option<Out> {
        self.out.pop_front()
    }
}

fn weighed(point: &Point) -> Weighed {
    let Point { open, pulses, grams } = *point;
    Weighed { open, pulses, grams, microliters: point.microliters(WATER) }
}

/// Which of the durations this is.
fn which(open: Span, durations: &[Span]) -> Result<usize, String> {
    durations.iter().position(|one| *one == open).ok_or_else(|| {
        let all: Vec<String> = durations.iter().map(Span::to_string).collect();
        format!("{open} was not weighed: choose one of {}", all.join(", "))
    })
}

/// Whether a line can come of these durations.
pub(super) fn lengths(durations: &[Span]) -> Result<(), String> {
    let mut sorted = durations.to_vec();
    sorted.sort();
    sorted.dedup();
    match sorted.as_slice() {
        [Span::ZERO, ..] => Err("a valve can't open for 0 s: choose other durations".to_owned()),
        all if all.len() < durations.len() => {
            Err("a duration is given twice: say each once, and --pulses for more openings".to_owned())
        }
        [_, _, ..] => Ok(()),
        _ => Err("one duration is no line: give at least two, as in --durations 20ms,40ms,80ms".to_owned()),
    }
}

fn fit_the_rig(part: &Part, durations: &[Span]) -> Result<(), String> {
    let longest = part.longest_on.unwrap_or(Span::MAX);
    match durations.iter().find(|open| **open > longest) {
        Some(open) => Err(format!(
            "`{}` may be open for {longest} at most (its `longest_on`), and not for {open}: choose shorter durations",
            part.name
        )),
        None => Ok(()),
    }
}

fn valve(part: &Part) -> Result<Valve, String> {
    let (device, port) = part.name.split_once('.').map_or((part.name.as_str(), None), |(d, p)| (d, Some(p)));
    let unreadable = |error: bramble_value::NameError| error.to_string();
    let port = port.map(str::parse).transpose().map_err(unreadable)?;
    Ok(Valve { device: device.parse().map_err(unreadable)?, port })
}

#[cfg(test)]
mod tests;
