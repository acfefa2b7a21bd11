//! The check of a rig, step by step: its timing, its inputs, its outputs.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bramble_task::definition::DeviceKind;
use bramble_value::{Kind, Level, Span};

use super::super::drive::bound;
use super::super::error::HandError;
use super::super::guide::{Guide, Now, Out, Why};
use super::super::protocol::{Answer, Ask, Item, Member, Opened, Outcome, Part, Step, Timing, Told};
use super::inputs::Inputs;
use super::judge;

/// From one wake of the loop to the next while it is measured.
const EVERY: Span = Span::from_ms(1);

/// How long a valve is open: a drop, and no puddle.
const DROP: Span = Span::from_ms(20);

/// How much longer than it is on an output may take to be off again.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is checked, and against what.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::hand) struct Plan {
    pub(in crate::hand) skip_inputs: bool,
    pub(in crate::hand) skip_outputs: bool,
    pub(in crate::hand) skip_timing: bool,
    /// How long each input is waited for.
    pub(in crate::hand) timeout: Span,
    /// How long each output is on; valves are for a drop.
    pub(in crate::hand) blink: Span,
    /// At most so late may the loop be in 99 of 100 cases.
    pub(in crate::hand) p99: Span,
    /// At most so late may the loop be at all.
    pub(in crate::hand) worst: Span,
    /// How often the loop is woken.
    pub(in crate::hand) wakes: u32,
    /// Whether there is a person to be asked.
    pub(in crate::hand) asks: bool,
    /// The rig's identity, by the configuration that the check is kept for.
    pub(in crate::hand) rig: String,
    /// What is to be said of its calibrations.
    pub(in crate::hand) calibrations: Vec<Item>,
}

/// A check that is being made.
#[derive(Debug)]
pub(in crate::hand) struct Checking {
    plan: Plan,
    state: State,
    items: Vec<Item>,
    timing: Option<Timing>,
    /// The outputs that are still to come, the next one last.
    outputs: Vec<Part>,
    /// Nothing was put under the valves' spouts.
    spills: bool,
    out: VecDeque<Out>,
}

#[derive(Debug)]
enum State {
    Measuring,
    /// The rig is asked for.
    Taking,
    /// The inputs are to be triggered, one after the other; the present one until then.
    Inputs(Inputs, Option<Instant>),
    /// It is to be said whether something is under the spouts.
    Spouts,
    Blinking(Blink),
    /// It is to be said whether this output worked.
    Seen(Part, Span),
    /// The rig is let go.
    LettingGo,
    Over,
}

/// An output that is switched for a moment.
#[derive(Debug)]
struct Blink {
    part: Part,
    length: Span,
    phase: Phase,
    until: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It is to leave its safe level.
    Leaves,
    /// It is off, where it is on otherwise.
    Off,
    /// It is to come back to its safe level.
    Comes,
}

impl Checking {
    /// Begins.
    pub(in crate::hand) fn new(plan: Plan) -> Checking {
        let (wakes, skip_timing) = (plan.wakes, plan.skip_timing);
        let mut checking = Checking {
            plan,
            state: State::Measuring,
            items: Vec::new(),
            timing: None,
            outputs: Vec::new(),
            spills: false,
            out: VecDeque::new(),
        };
        if skip_timing {
            checking.item("timing", Outcome::Skipped, "left out");
            checking.take();
        } else {
            checking.out.push_back(Out::Ask(Ask::Measure { wakes, every: EVERY }));
        }
        checking
    }

    fn say(&mut self, step: Step) {
        self.out.push_back(Out::Say(step));
    }

    fn item(&mut self, what: &str, outcome: Outcome, says: impl Into<String>) {
        self.found(Item::new(what, outcome, says));
    }

    fn found(&mut self, item: Item) {
        self.items.push(item.clone());
        self.say(Step::Found(item));
    }

    fn take(&mut self) {
        self.state = State::Taking;
        self.out.push_back(Out::Ask(Ask::Work { what: "check".to_owned() }));
    }

    fn timed(&mut self, timing: &Timing) {
        self.say(Step::Timed(timing.clone()));
        let (outcome, says) = judge(timing, self.plan.p99, self.plan.worst);
        self.item("timing", outcome, says);
        for shortfall in &timing.shortfalls {
            self.item("real time", Outcome::Warning, shortfall.clone());
        }
        self.timing = Some(timing.clone());
    }

    fn opened(&mut self, opened: &Opened, now: Now) {
        if opened.rig != self.plan.rig {
            let why = "the running pilot was started with another configuration of its rig: restart it, and check again";
            self.item("rig", Outcome::Failed, why);
        }
        for why in &opened.left_out {
            self.item("rig", Outcome::Warning, format!("left out: {why}"));
        }
        for item in std::mem::take(&mut self.plan.calibrations) {
            self.found(item);
        }
        self.outputs = opened.parts.iter().filter(|part| !part.is_input()).cloned().rev().collect();
        let inputs = Inputs::new(opened.parts.iter().filter(|part| part.is_input()), self.plan.timeout);
        self.input(inputs, now);
    }

    /// Waits for the next input, or goes on where there is none.
    fn input(&mut self, inputs: Inputs, now: Now) {
        match inputs.prompt().filter(|_| !self.plan.skip_inputs) {
            Some(prompt) => {
                let (device, within) = (inputs.waits_for().unwrap_or_default().to_owned(), self.plan.timeout);
                self.say(Step::Trigger { device, prompt, within });
                self.state = State::Inputs(inputs, bound(now.instant, Some(within)));
            }
            None => {
                inputs.items().into_iter().for_each(|item| self.found(item));
                self.spouts(now);
            }
        }
    }

    fn spouts(&mut self, now: Now) {
        let valves = self.outputs.iter().rev().filter(|part| part.kind == DeviceKind::Solenoid);
        let valves: Vec<String> = valves.map(|part| part.name.clone()).collect();
        if self.plan.skip_outputs || valves.is_empty() {
            return self.output(now);
        }
        self.say(Step::Spouts { valves, open: DROP });
        if self.plan.asks { self.state = State::Spouts } else { self.output(now) }
    }

    /// Switches the next output, or ends where there is none.
    fn output(&mut self, now: Now) {
        while let Some(part) = self.outputs.pop() {
            let left_out = if self.plan.skip_outputs {
                "left out".to_owned()
            } else if self.spills && part.kind == DeviceKind::Solenoid {
                "left out: nothing was put under its spout".to_owned()
            } else if !part.is_switched() {
                format!("a {} is worked by tasks only", part.kind.word())
            } else {
                return self.blink(part, now);
            };
            self.item(&part.name, Outcome::Skipped, left_out);
        }
        self.state = State::LettingGo;
        self.out.push_back(Out::Ask(Ask::Done));
    }

    fn blink(&mut self, part: Part, now: Now) {
        let usual = if part.kind == DeviceKind::Solenoid { DROP } else { self.plan.blink };
        let length = part.longest_on.map_or(usual, |longest| usual.min(longest));
        let device = part.name.clone();
        let ask = if part.safe.share() > 0.0 {
            Ask::Set { device, level: Level::default() }
        } else {
            let members = vec![Member { device, on: length, offset: Span::ZERO }];
            Ask::Train { members, every: Span::ZERO, count: Some(1) }
        };
        self.out.push_back(Out::Ask(ask));
        let until = bound(now.instant + PATIENCE, Some(length));
        self.state = State::Blinking(Blink { part, length, phase: Phase::Leaves, until });
    }

    /// An output was written, or it was time for something.
    fn blinked(&mut self, mut blink: Blink, level: Option<f64>, now: Now) {
        let safe = blink.part.safe.share();
        match (blink.phase, level) {
            (Phase::Leaves, Some(level)) if safe > 0.0 && level < safe => {
                (blink.phase, blink.until) = (Phase::Off, bound(now.instant, Some(blink.length)));
            }
            (Phase::Leaves, Some(level)) if safe == 0.0 && level > 0.0 => blink.phase = Phase::Comes,
            (Phase::Off, None) => {
                let (device, level) = (blink.part.name.clone(), blink.part.safe);
                self.out.push_back(Out::Ask(Ask::Set { device, level }));
                blink.phase = Phase::Comes;
                blink.until = bound(now.instant + PATIENCE, Some(blink.length));
            }
            (Phase::Comes, Some(level)) if level == safe => return self.is_safe_again(blink, now),
            (_, None) => {
                let (device, level) = (blink.part.name.clone(), blink.part.safe);
                self.out.push_back(Out::Ask(Ask::Set { device, level }));
                let says = format!("it was not on and off again in {}", blink.length);
                self.item(&blink.part.name, Outcome::Failed, says);
                return self.output(now);
            }
            _ => {}
        }
        self.state = State::Blinking(blink);
    }

    fn is_safe_again(&mut self, Blink { part, length, .. }: Blink, now: Now) {
        let was = was(&part);
        self.say(Step::Blinked { device: part.name.clone(), was: was.to_owned(), length });
        if self.plan.asks {
            self.state = State::Seen(part, length);
        } else {
            self.item(&part.name, Outcome::Passed, format!("{was} for {length}; nobody was asked"));
            self.output(now);
        }
    }

    fn seen(&mut self, part: Part, length: Span, answer: Answer, now: Now) {
        let was = was(&part);
        let (outcome, says) = match answer {
            Answer::Yes | Answer::Ready => (Outcome::Passed, format!("{was} for {length}, as was seen")),
            Answer::No => (Outcome::Failed, format!("nobody saw it be {was} for {length}")),
            Answer::Repeat => return self.blink(part, now),
            Answer::Skip | Answer::Nobody => (Outcome::Skipped, "nobody said how it was".to_owned()),
            _ => return self.state = State::Seen(part, length),
        };
        self.item(&part.name, outcome, says);
        self.output(now);
    }

    /// The check came to its end.
    fn end(&mut self) {
        self.state = State::Over;
        let (items, timing) = (std::mem::take(&mut self.items), self.timing.take());
        self.out.push_back(Out::Found(items, timing));
    }

    /// That the rig can't be opened, or fails, is what the check found.
    fn rig_failed(&mut self, error: &HandError) {
        self.item("rig", Outcome::Failed, error.to_string());
        self.end();
    }

    /// Says that the rig could be opened and let go, where nothing is to be said of
    /// it: what an earlier check found there has been mended.
    fn rig_passed(&mut self) {
        if !self.items.iter().any(|item| item.what == "rig" && item.outcome == Outcome::Failed) {
            self.item("rig", Outcome::Passed, "opened, and its outputs are safe again");
        }
        self.end();
    }
}

fn was(part: &Part) -> &'static str {
    if part.safe.share() > 0.0 { "off" } else { "on" }
}

impl Guide for Checking {
    fn hear(&mut self, told: &Told, now: Now) {
        let state = std::mem::replace(&mut self.state, State::Over);
        match (state, told) {
            (State::Over, _) => {}
            (_, Told::Refused { why, busy: true }) => self.out.push_back(Out::Leave(Why::Busy(why.clone()))),
            (_, Told::Refused { why, .. }) => self.rig_failed(&HandError::Refused(why.clone())),
            (State::LettingGo, Told::Closed { failed: false, .. }) => self.rig_passed(),
            (_, Told::Closed { why, .. }) => self.rig_failed(&HandError::Failed(why.clone())),
            (State::Measuring, Told::Measured(timing)) => {
                self.timed(timing);
                self.take();
            }
            (State::Taking, Told::Open(opened)) => self.opened(opened, now),
            (State::Inputs(mut inputs, until), Told::Event { device, kind, value, .. }) => {
                let place = inputs.place();
                if let Some(text) = inputs.event(device, *kind, *value) {
                    self.say(Step::Heard { text });
                }
                if inputs.place() == place {
                    self.state = State::Inputs(inputs, until);
                } else {
                    self.input(inputs, now);
                }
            }
            (State::Blinking(blink), Told::Event { device, kind: Kind::Output, value, .. })
                if *device == blink.part.name =>
            {
                self.blinked(blink, Some(*value), now);
            }
            (state, Told::Note { text, .. }) => {
                match &state {
                    State::Blinking(blink) => self.item(&blink.part.name.clone(), Outcome::Warning, text),
                    State::Inputs(..) => self.item("rig", Outcome::Warning, text),
                    _ => self.say(Step::Heard { text: text.clone() }),
                }
                self.state = state;
            }
            (state, _) => self.state = state,
        }
    }

    fn answer(&mut self, answer: Answer, now: Now) {
        // Nobody who has gone is asked again.
        self.plan.asks &= answer != Answer::Nobody;
        match (std::mem::replace(&mut self.state, State::Over), answer) {
            (State::Over, _) => {}
            (state, Answer::End) => {
                if !matches!(state, State::Measuring) {
                    self.out.push_back(Out::Ask(Ask::Done));
                }
                self.out.push_back(Out::Leave(Why::Person));
            }
            (State::Inputs(mut inputs, _), Answer::Skip) => {
                inputs.skip();
                self.input(inputs, now);
            }
            (State::Spouts, answer @ (Answer::Ready | Answer::Yes | Answer::No | Answer::Nobody)) => {
                self.spills = matches!(answer, Answer::No | Answer::Nobody);
                self.output(now);
            }
            (State::Seen(part, length), answer) => self.seen(part, length, answer, now),
            (state, _) => self.state = state,
        }
    }

    fn due(&self) -> Option<Instant> {
        match &self.state {
            State::Inputs(_, until) => *until,
            State::Blinking(blink) => blink.until,
            _ => None,
        }
    }

    fn over(&mut self, now: Now) {
        if self.due().is_none_or(|due| now.instant < due) {
            return;
        }
        match std::mem::replace(&mut self.state, State::Over) {
            State::Inputs(mut inputs, _) => {
                let text = inputs.over();
                self.say(Step::Heard { text });
                self.input(inputs, now);
            }
            State::Blinking(blink) => self.blinked(blink, None, now),
            state => self.state = state,
        }
    }

    fn next(&mut self) -> Option<Out> {
        self.out.pop_front()
    }
}
