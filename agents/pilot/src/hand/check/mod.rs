//! `check`: every part of a rig is exercised before an animal is in it.

mod inputs;
mod outputs;
mod record;

use std::process::ExitCode;
use std::time::Instant;

use bramble_rig::calibration::Valve;
use bramble_task::definition::DeviceKind;
use bramble_value::Span;
use jiff::Timestamp;

use super::bench::{Bench, Heard};
use super::calibrations;
use super::cli::Check;
use super::drive::bound;
use super::error::HandError;
use super::protocol::{Ask, Opened, Timing, Told};
use super::say::{rounded, say, say_json};
use crate::config::Workshop;
use inputs::Inputs;

pub(crate) use record::Checked;
#[cfg(test)]
pub(crate) use record::failed_check;
pub(super) use record::{Item, Outcome, identity};

/// From one wake of the loop to the next while it is measured.
const EVERY: Span = Span::from_ms(1);

/// What a check does with its bench.
struct Checking<'a> {
    bench: &'a mut Bench,
    check: &'a Check,
    /// Whether there is a person to be asked.
    asks: bool,
    items: Vec<Item>,
    timing: Option<Timing>,
}

/// Checks the rig; the exit status says whether all is well.
pub(super) fn run(bench: &mut Bench, check: &Check, workshop: &Workshop) -> Result<ExitCode, HandError> {
    if check.blink == Span::ZERO {
        return Err(HandError::Value("outputs can't blink for no time: --blink 300ms is usual".to_owned()));
    }
    let asks = bench.hear_typing()?;
    let mut checking = Checking { bench, check, asks, items: Vec::new(), timing: None };
    match checking.all(workshop).and_then(|()| checking.bench.close()) {
        // That the rig can't be opened, or fails, is what the check found.
        Err(error @ (HandError::Refused(_) | HandError::Failed(_))) => {
            checking.item("rig", Outcome::Failed, error.to_string());
        }
        done => {
            done?;
            checking.rig_passed();
        }
    }
    let Checking { items, timing, .. } = checking;
    let rig = identity(&workshop.rig);
    let earlier = Checked::last(&workshop.data, &workshop.rig).ok().flatten();
    let checked =
        Checked::new(workshop.name.to_string(), rig, Timestamp::now(), items, timing, earlier.as_ref());
    let path = checked.store(&workshop.data)?;
    if check.json {
        say_json(&checked);
    } else {
        report(&checked);
        say(format!("(kept in {})", path.display()));
    }
    Ok(if checked.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Checking<'_> {
    fn all(&mut self, workshop: &Workshop) -> Result<(), HandError> {
        self.timing()?;
        let opened = self.bench.open("check")?;
        if opened.rig != identity(&workshop.rig) {
            let why = "the running pilot was started with another configuration of its rig: restart it, and check again";
            self.item("rig", Outcome::Failed, why);
        }
        for why in &opened.left_out {
            self.item("rig", Outcome::Warning, format!("left out: {why}"));
        }
        self.calibrations(workshop);
        self.inputs(&opened)?;
        outputs::blink_all(self, &opened)
    }

    fn timing(&mut self) -> Result<(), HandError> {
        if self.check.skip_timing {
            self.item("timing", Outcome::Skipped, "left out");
            return Ok(());
        }
        self.tell("how late this computer wakes the loop:");
        self.bench.ask(&Ask::Measure { wakes: self.check.wakes, every: EVERY })?;
        let timing = loop {
            match self.bench.next(None) {
                Heard::Told(Told::Measured(timing)) => break timing,
                heard => _ = self.bench.unless_over(heard)?,
            }
        };
        for line in timing.drawn() {
            self.tell(&line);
        }
        let (outcome, says) = judge(&timing, self.check.p99, self.check.worst);
        self.item("timing", outcome, says);
        for shortfall in &timing.shortfalls {
            self.item("real time", Outcome::Warning, shortfall.clone());
        }
        self.timing = Some(timing);
        Ok(())
    }

    /// What is to be said of the valves that need a calibration.
    fn calibrations(&mut self, workshop: &Workshop) {
        let valves = workshop.rig.devices.iter().filter(|(_, device)| device.kind == DeviceKind::Solenoid);
        for (name, device) in valves.filter(|(_, device)| device.flow.is_none()) {
            let ports = device.ports();
            let ports = if ports.is_empty() { vec![None] } else { ports.into_iter().map(Some).collect() };
            let of = |port| Valve { device: name.clone(), port };
            let limit = workshop.rig.calibration_age;
            let items =
                ports.into_iter().filter_map(|port| calibrations::checked(&workshop.data, &of(port), limit));
            self.items.extend(items);
        }
    }

    fn inputs(&mut self, opened: &Opened) -> Result<(), HandError> {
        let mut inputs = Inputs::new(opened.parts.iter().filter(|part| part.is_input()), self.check.timeout);
        while !self.check.skip_inputs {
            let Some(prompt) = inputs.prompt() else { break };
            let skipping = if self.asks { ", or press Enter to leave it out" } else { "" };
            self.tell(&format!("{prompt}{skipping}"));
            let until = bound(Instant::now(), Some(self.check.timeout));
            let place = inputs.place();
            while inputs.place() == place {
                match self.bench.next(until) {
                    Heard::Told(Told::Event { device, kind, value, .. }) => {
                        if let Some(line) = inputs.event(&device, kind, value) {
                            self.tell(&format!("  {line}"));
                        }
                    }
                    Heard::Told(Told::Note { text, .. }) => self.item("rig", Outcome::Warning, text),
                    Heard::Typed(_) => inputs.skip(),
                    Heard::Over => {
                        let line = inputs.over();
                        self.tell(&format!("  {line}"));
                    }
                    heard => _ = self.bench.unless_over(heard)?,
                }
            }
        }
        self.items.extend(inputs.items());
        Ok(())
    }

    /// Says that the rig could be opened and let go, where nothing is to be said of
    /// it: what an earlier check found there has been mended.
    fn rig_passed(&mut self) {
        if !self.items.iter().any(|item| item.what == "rig" && item.outcome == Outcome::Failed) {
            self.item("rig", Outcome::Passed, "opened, and its outputs are safe again");
        }
    }

    fn item(&mut self, what: &str, outcome: Outcome, says: impl Into<String>) {
        self.items.push(Item::new(what, outcome, says));
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
    let failed = checked.items.iter().filter(|item| item.outcome == Outcome::Failed).count();
    let pilot = &checked.pilot;
    match failed {
        0 => say(format!("\nthe rig of {pilot} passed")),
        _ => say(format!("\nthe rig of {pilot} FAILED: {failed} of {}", checked.items.len())),
    }
}
