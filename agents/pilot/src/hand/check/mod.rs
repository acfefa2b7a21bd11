//! `check`: every part of a rig is exercised before an animal is in it.

mod guide;
mod inputs;
mod record;

use std::path::PathBuf;
use std::process::ExitCode;

use bramble_rig::calibration::Valve;
use bramble_task::definition::DeviceKind;
use bramble_value::Span;
use jiff::Timestamp;

use super::bench::{Bench, Heard};
use super::calibrations;
use super::cli::Check;
use super::error::HandError;
use super::guide::{Guide, Now, Out, Why};
use super::protocol::{Answer, Step, Timing};
use super::say::{rounded, say, say_json};
use crate::config::Workshop;

pub(super) use guide::{Checking, Plan};
pub(crate) use record::Checked;
#[cfg(test)]
pub(crate) use record::failed_check;
pub(super) use record::{Item, Outcome, identity};

/// How long each input is waited for where nobody says.
pub(super) const TIMEOUT: Span = Span::from_s(30);
/// How long each output is on.
pub(super) const BLINK: Span = Span::from_ms(300);
/// At most so late may the loop be in 99 of 100 cases.
pub(super) const P99: Span = Span::from_ms(1);
/// At most so late may the loop be at all.
pub(super) const WORST: Span = Span::from_ms(20);
/// How often the loop is woken for measuring.
pub(super) const WAKES: u32 = 3000;

/// A check that is led through in a shell.
struct Led<'a> {
    bench: &'a mut Bench,
    check: &'a Check,
    /// Whether there is a person to be asked.
    asks: bool,
    /// What was said last, and is to be answered.
    last: Option<Step>,
}

/// Checks the rig; the exit status says whether all is well.
pub(super) fn run(bench: &mut Bench, check: &Check, workshop: &Workshop) -> Result<ExitCode, HandError> {
    if check.blink == Span::ZERO {
        return Err(HandError::Value("outputs can't blink for no time: --blink 300ms is usual".to_owned()));
    }
    let asks = bench.hear_typing()?;
    let plan = Plan {
        skip_inputs: check.skip_inputs,
        skip_outputs: check.skip_outputs,
        skip_timing: check.skip_timing,
        timeout: check.timeout,
        blink: check.blink,
        p99: check.p99,
        worst: check.worst,
        wakes: check.wakes,
        asks,
        rig: identity(&workshop.rig),
        calibrations: of_calibrations(workshop),
    };
    let mut led = Led { bench, check, asks, last: None };
    if !check.skip_timing {
        led.tell("how late this computer wakes the loop:");
    }
    let (items, timing) = led.lead(Checking::new(plan))?;
    let (checked, path) = keep(workshop, items, timing)?;
    if check.json {
        say_json(&checked);
    } else {
        report(&checked);
        say(format!("(kept in {})", path.display()));
    }
    Ok(if checked.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Keeps what a check found, and says where.
pub(super) fn keep(
    workshop: &Workshop,
    items: Vec<Item>,
    timing: Option<Timing>,
) -> Result<(Checked, PathBuf), HandError> {
    let rig = identity(&workshop.rig);
    let earlier = Checked::last(&workshop.data, &workshop.rig).ok().flatten();
    let checked =
        Checked::new(workshop.name.to_string(), rig, Timestamp::now(), items, timing, earlier.as_ref());
    let path = checked.store(&workshop.data)?;
    Ok((checked, path))
}

/// What is to be said of the valves that need a calibration.
pub(super) fn of_calibrations(workshop: &Workshop) -> Vec<Item> {
    let valves = workshop.rig.devices.iter().filter(|(_, device)| device.kind == DeviceKind::Solenoid);
    let valves = valves.filter(|(_, device)| device.flow.is_none()).flat_map(|(name, device)| {
        let ports = device.ports();
        let ports = if ports.is_empty() { vec![None] } else { ports.into_iter().map(Some).collect() };
        ports.into_iter().map(move |port| Valve { device: name.clone(), port })
    });
    let limit = workshop.rig.calibration_age;
    valves.filter_map(|valve| calibrations::checked(&workshop.data, &valve, limit)).collect()
}

impl Led<'_> {
    /// What the check found.
    fn lead(&mut self, mut checking: Checking) -> Result<(Vec<Item>, Option<Timing>), HandError> {
        loop {
            while let Some(out) = checking.next() {
                match out {
                    Out::Ask(ask) => self.bench.ask(&ask)?,
                    Out::Say(step) => self.step(step),
                    Out::Found(items, timing) => return Ok((items, timing)),
                    Out::Leave(Why::Busy(why)) => return Err(HandError::Busy(why)),
                    Out::Leave(Why::Failed(why)) => return Err(HandError::Failed(why)),
                    Out::Leave(Why::Person) | Out::Keep(_) => return Err(HandError::Left),
                }
            }
            match self.bench.next(checking.due()) {
                Heard::Typed(line) => {
                    if let Some(answer) = self.typed(&line) {
                        checking.answer(answer, Now::here());
                    }
                }
                Heard::TypedAll => {
                    // An input is waited for all the same.
                    self.asks = false;
                    checking.answer(Answer::Nobody, Now::here());
                }
                Heard::Over => checking.over(Now::here()),
                // What it means is for the check to say.
                Heard::Told(told) => checking.hear(&told, Now::here()),
                heard => _ = self.bench.unless_over(heard)?,
            }
        }
    }

    fn step(&mut self, step: Step) {
        match &step {
            Step::Timed(timing) => timing.drawn().iter().for_each(|line| self.tell(line)),
            Step::Trigger { prompt, .. } => {
                let skipping = if self.asks { ", or press Enter to leave it out" } else { "" };
                self.tell(&format!("{prompt}{skipping}"));
            }
            Step::Heard { text } => return self.tell(&format!("  {text}")),
            Step::Spouts { valves, open } => {
                let all = valves.join(", ");
                self.tell(&format!(
                    "valves will open for {open} each: {all}; put something under their spouts"
                ));
                if self.asks {
                    self.tell("press Enter when that is done, or type n to leave the valves out");
                }
            }
            Step::Blinked { device, was, length } => {
                let question = if self.asks { ": did it work? [Y]es, [n]o, [a]gain" } else { "" };
                self.tell(&format!("{device} was {was} for {length}{question}"));
            }
            // It is said at the end, with all others.
            _ => return,
        }
        self.last = Some(step);
    }

    /// What a person answers with a line, if that is an answer.
    fn typed(&self, line: &str) -> Option<Answer> {
        let line = line.to_lowercase();
        match (self.last.as_ref()?, line.as_str()) {
            (Step::Trigger { .. }, _) => Some(Answer::Skip),
            (Step::Spouts { .. }, "" | "y" | "yes") => Some(Answer::Ready),
            (Step::Spouts { .. }, "n" | "no") => Some(Answer::No),
            (Step::Blinked { .. }, "" | "y" | "yes") => Some(Answer::Yes),
            (Step::Blinked { .. }, "n" | "no") => Some(Answer::No),
            (Step::Blinked { .. }, "a" | "again") => Some(Answer::Repeat),
            (Step::Spouts { .. } | Step::Blinked { .. }, _) => {
                self.tell("type y, n or a, and Enter");
                None
            }
            _ => None,
        }
    }

    /// Says how it goes: not among what a script reads.
    fn tell(&self, line: &str) {
        if self.check.json { eprintln!("{line}") } else { say(line) }
    }
}

fn judge(timing: &Timing, p99: Span, worst: Span) -> (Outcome, String) {
    let says = format!(
        "late by {} half of the time, p99 {}, p99.9 {}, at worst {}",
        rounded(timing.p50),
        rounded(timing.p99),
        rounded(timing.p99_9),
        rounded(timing.worst)
    );
    let exceeded = [("p99", timing.p99, p99), ("worst", timing.worst, worst)];
    match exceeded.into_iter().find(|(_, is, limit)| is > limit) {
        Some((name, _, limit)) => (Outcome::Failed, format!("{says}; --{name} allows {limit}")),
        None => (Outcome::Passed, says),
    }
}

fn report(checked: &Checked) {
    let width = checked.items.iter().map(|item| item.what.len()).max().unwrap_or(0);
    say("");
    for Item { what, outcome, says } in &checked.items {
        say(format!("{what:width$}  {:7}  {says}", outcome.word()));
    }
    say(format!("\n{}", verdict(checked)));
}

/// What came of it as a whole: what was left out didn't pass.
fn verdict(checked: &Checked) -> String {
    let count = |outcome| checked.items.iter().filter(|item| item.outcome == outcome).count();
    let (failed, skipped, of) = (count(Outcome::Failed), count(Outcome::Skipped), checked.items.len());
    let pilot = &checked.pilot;
    match (failed, skipped) {
        (0, 0) => format!("the rig of {pilot} passed"),
        (0, _) => format!("what was checked of the rig of {pilot} passed: {} of {of}", of - skipped),
        _ => format!("the rig of {pilot} FAILED: {failed} of {of}"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn what_was_left_out_did_not_pass() {
        let verdict = |outcomes: &[Outcome]| {
            let items = outcomes.iter().map(|outcome| Item::new("poke.left", *outcome, "")).collect();
            verdict(&Checked::new("box1".into(), String::new(), Timestamp::UNIX_EPOCH, items, None, None))
        };
        use Outcome::{Failed, Passed, Skipped, Warning};
        assert_eq!(verdict(&[Passed, Warning]), "the rig of box1 passed");
        assert_eq!(
            verdict(&[Passed, Skipped, Skipped]),
            "what was checked of the rig of box1 passed: 1 of 3"
        );
        assert_eq!(verdict(&[Passed, Skipped, Failed]), "the rig of box1 FAILED: 1 of 3");
    }
}
