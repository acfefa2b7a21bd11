//! An animal that does what a script says, when it says so: for tests.

use std::str::FromStr;

use bramble_rig::driver::World;
use bramble_rig::{Reading, Signal, Wiring};
use bramble_task::definition::{DeviceKind, PortId};
use bramble_value::{Span, Time};
use thiserror::Error;

use crate::animal::Animal;

/// The animal. Read from lines such as
///
/// ```text
/// at 1.5 s poke left for 100 ms     # pokes, and lets go
/// at 2 s beam high                  # leaves it high
/// at 3 s wheel to 12.5              # an encoder's position, or an analog value
/// every 2 s from 1 s poke center for 50 ms
/// ```
///
/// Lines about devices that a rig doesn't have are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Scripted {
    lines: Vec<Line>,
    /// What is still to be done on this rig.
    plans: Vec<Plan>,
}

/// A line that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "line {line} of the script, `{text}`: {why}; write `at 1.5 s poke left for 100 ms`, `at 2 s beam high`, \
     `at 3 s wheel to 12.5`, or `every 2 s from 1 s` before the rest"
)]
pub struct ScriptError {
    /// Which, from 1.
    pub line: usize,
    /// What it says.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

#[derive(Debug, Clone, PartialEq)]
struct Line {
    first: Time,
    every: Option<Span>,
    device: String,
    port: Option<String>,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum What {
    /// High for this long.
    For(Span),
    /// High or low from now on.
    Level(bool),
    /// At this value.
    To(f64),
}

/// One thing that is done at a time, and perhaps again.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Plan {
    at: Time,
    every: Option<Span>,
    port: PortId,
    reading: Reading,
}

impl FromStr for Scripted {
    type Err = ScriptError;

    fn from_str(text: &str) -> Result<Scripted, ScriptError> {
        let mut lines = Vec::new();
        for (place, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                let error = |why| ScriptError { line: place + 1, text: line.to_owned(), why };
                lines.push(read(line).map_err(error)?);
            }
        }
        Ok(Scripted { lines, plans: Vec::new() })
    }
}

fn read(line: &str) -> Result<Line, String> {
    let mut words = line.split_whitespace().peekable();
    let span = |words: &mut std::iter::Peekable<std::str::SplitWhitespace<'_>>| -> Result<Span, String> {
        let number = words.next().ok_or("a time is missing")?;
        let unit = if number.ends_with(char::is_alphabetic) { "" } else { words.next().unwrap_or_default() };
        format!("{number} {unit}").trim().parse().map_err(|error| format!("{error}"))
    };
    let (every, first) = match words.next() {
        Some("at") => (None, span(&mut words)?),
        Some("every") => {
            let every = span(&mut words)?;
            if every < Span::from_ns(1000) {
                return Err("it may repeat every microsecond at most".into());
            }
            let first = match words.next_if_eq(&"from") {
                Some(_) => span(&mut words)?,
                None => every,
            };
            (Some(every), first)
        }
        _ => return Err("it begins with neither `at` nor `every`".into()),
    };
    let device = words.next().ok_or("the device is missing")?.to_owned();
    let port = words.next_if(|word| !["for", "high", "low", "to"].contains(word)).map(str::to_owned);
    let what = match words.next() {
        Some("high") => What::Level(true),
        Some("low") => What::Level(false),
        Some("for") => What::For(span(&mut words)?),
        Some("to") => {
            let number: Option<f64> = words.next().and_then(|word| word.parse().ok());
            What::To(number.filter(|number| number.is_finite()).ok_or("`to` wants a number")?)
        }
        Some(other) => return Err(format!("`{other}` is none of `for`, `high`, `low` and `to`")),
        None => return Err("what to do is missing".into()),
    };
    match words.next() {
        Some(rest) => Err(format!("`{rest}` is too much")),
        None => Ok(Line { first: Time::ZERO + first, every, device, port, what }),
    }
}

impl World for Scripted {
    fn begin(&mut self, rig: &Wiring, now: Time) {
        self.plans.clear();
        for line in &self.lines {
            let Some(port) = rig.find(&line.device, line.port.as_deref()) else { continue };
            let at = now + line.first.since(Time::ZERO);
            let mut plan = |at, reading| self.plans.push(Plan { at, every: line.every, port, reading });
            match (line.what, rig.wire(port).kind) {
                (What::For(hold), DeviceKind::DigitalInput) => {
                    plan(at, Reading::Digital(true));
                    plan(at + hold, Reading::Digital(false));
                }
                (What::Level(high), DeviceKind::DigitalInput) => plan(at, Reading::Digital(high)),
                (What::To(value), DeviceKind::Encoder) => plan(at, Reading::Position(value)),
                (What::To(value), DeviceKind::AnalogInput) => plan(at, Reading::Analog(value)),
                _ => {}
            }
        }
    }

    fn see(&mut self, _: PortId, _: &Signal, _: Time) {}

    fn next(&self) -> Option<Time> {
        self.plans.iter().map(|plan| plan.at).min()
    }

    fn act(&mut self, now: Time) -> Option<(PortId, Reading)> {
        // Of those that are due at once, the first line's.
        let (place, plan) = self.plans.iter().enumerate().min_by_key(|(_, plan)| plan.at)?;
        let plan = *plan;
        if plan.at > now {
            return None;
        }
        match plan.every {
            Some(every) => self.plans[place].at += every,
            None => {
                self.plans.remove(place);
            }
        }
        Some((plan.port, plan.reading))
    }
}

impl Animal for Scripted {
    fn memory(&self) -> String {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_makes_no_sense_is_named_with_what_to_write() {
        for (text, why) in [
            ("at 1 s poke left for 100 ms\nat poke", "poke"),
            ("1 s poke high", "neither"),
            ("at 1 s", "device"),
            ("at 1 s poke left", "what to do"),
            ("at 1 s poke left up down", "`up`"),
            ("at 1 s wheel to nan", "number"),
            ("every 0 s beam high", "microsecond"),
            ("at 1 s beam high please", "too much"),
        ] {
            let error = text.parse::<Scripted>().unwrap_err();
            assert_eq!(error.line, text.lines().count());
            assert!(error.why.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn comments_and_empty_lines_are_passed_over() {
        let script: Scripted = "# hello\n\nat 1.5s poke left for 100 ms # a poke\n".parse().unwrap();
        assert_eq!(script.lines.len(), 1);
        assert_eq!(script.lines[0].first, Time::from_ns(1_500_000_000));
    }
}
