//! `calibrate`: a valve opens again and again for several lengths, what came out
//! is weighed, and the line through that is kept.

mod guide;
mod weight;

use std::process::Command;

use bramble_rig::calibration::{self, Calibration};
use bramble_value::Span;
use jiff::Timestamp;

use super::bench::{Bench, Heard};
use super::calibrations::{self, described, folder};
use super::cli::Calibrate;
use super::error::HandError;
use super::guide::{Guide, Now, Out};
use super::names;
use super::protocol::{Answer, Step};
use super::say::{say, say_json};
use crate::config::Workshop;
use weight::{grams, plausible};

pub(super) use guide::{MOST_PULSES, Plan, Weighing};

/// Where the weights come from.
#[derive(Clone, Copy)]
enum Weights<'a> {
    Typed,
    Given(&'a [f64]),
    Scale(&'a str),
}

/// Calibrates a valve.
pub(super) fn run(bench: &mut Bench, asked: &Calibrate, workshop: &Workshop) -> Result<(), HandError> {
    let person = bench.hear_typing()?;
    let weights = weights(asked, person)?;
    guide::lengths(&asked.durations).map_err(HandError::Value)?;
    let opened = bench.open("calibrate")?;
    let name = asked.valve.join(".");
    let part = &opened.parts[names::valve(&opened.parts, &name)?];
    let plan = Plan::new(part, asked.pulses, &asked.durations, asked.every, workshop.rig.calibration_age)
        .map_err(HandError::Value)?;
    // Now, and not when all is weighed.
    calibration::later(&folder(&workshop.data), plan.valve(), Timestamp::now())
        .map_err(|error| HandError::Calibration(error.to_string()))?;
    let before = calibrations::newest(&workshop.data, plan.valve());
    let weighing = Weighing::new(plan, before);
    let mut guided = Guided { bench, asked, weights, weighing, last: None, empty: 0.0 };
    if part.simulated {
        guided.tell(&format!(
            "{name} is simulated: nothing flows, any weights will do, and no real valve will go by them"
        ));
    }
    let Some(calibration) = guided.lead()? else {
        guided.tell("not kept");
        return Ok(());
    };
    let file = calibration::save(&folder(&workshop.data), &calibration)
        .map_err(|error| HandError::Calibration(error.to_string()))?;
    guided.tell(&format!("kept in {}", file.display()));
    if asked.json {
        say_json(&calibration);
    }
    Ok(())
}

/// Where the weights come from, if from anywhere.
fn weights(asked: &Calibrate, person: bool) -> Result<Weights<'_>, HandError> {
    if !asked.yes && !person {
        return Err(HandError::Nobody("nobody is there to be asked whether to keep it", "say --yes"));
    }
    match (&asked.weights, &asked.scale) {
        (Some(given), _) if given.len() != asked.durations.len() => {
            let (weights, lengths) = (given.len(), asked.durations.len());
            Err(HandError::Value(format!(
                "there are {weights} weights for {lengths} durations: give one weight for each duration, in order"
            )))
        }
        (Some(given), _) => {
            let plausible = |(grams, open): (&f64, &Span)| plausible(*grams, *open, asked.pulses);
            given.iter().zip(&asked.durations).try_for_each(plausible).map_err(HandError::Value)?;
            Ok(Weights::Given(given))
        }
        (None, Some(command)) => Ok(Weights::Scale(command)),
        (None, None) if person => Ok(Weights::Typed),
        (None, None) => Err(HandError::Nobody(
            "nobody is there to type the weights",
            "give them with --weights, or a command that reads them with --scale",
        )),
    }
}

/// A calibration that is led through in a shell.
struct Guided<'a> {
    bench: &'a mut Bench,
    asked: &'a Calibrate,
    weights: Weights<'a>,
    weighing: Weighing,
    /// What was said last, and is to be answered.
    last: Option<Step>,
    /// What the scale showed before the valve opened, in grams.
    empty: f64,
}

impl Guided<'_> {
    /// What is to be kept, if anything.
    fn lead(&mut self) -> Result<Option<Box<Calibration>>, HandError> {
        loop {
            while let Some(out) = self.weighing.next() {
                match out {
                    Out::Ask(ask) => self.bench.ask(&ask)?,
                    Out::Say(step) => self.step(step)?,
                    Out::Keep(calibration) => return Ok(Some(calibration)),
                    Out::Found(..) | Out::Leave(_) => return Ok(None),
                }
            }
            match self.bench.next(self.weighing.due()) {
                Heard::Typed(line) => self.typed(&line)?,
                Heard::TypedAll => return Err(HandError::Left),
                Heard::Over => self.weighing.over(Now::here()),
                heard => {
                    if let Heard::Told(told) = self.bench.unless_over(heard)? {
                        self.weighing.hear(&told, Now::here());
                    }
                }
            }
        }
    }

    /// Says a step, and answers what needs no person.
    fn step(&mut self, step: Step) -> Result<(), HandError> {
        match &step {
            Step::Place { at, valve, open, why } => match self.weights {
                Weights::Given(given) => self.answer(Answer::Weight(given[*at].to_string())),
                Weights::Scale(command) => {
                    if let Some(why) = why {
                        return Err(HandError::Calibration(format!("{why} ({open})")));
                    }
                    self.empty = read_scale(command)?;
                    self.answer(Answer::Ready);
                }
                Weights::Typed => {
                    if let Some(why) = why {
                        self.tell(why);
                    }
                    self.tell(&format!(
                        "empty the cup, tare the scale, put the cup under {valve}, and press Enter"
                    ));
                }
            },
            Step::Opens { valve, open, pulses, lasts, .. } => self.tell(&format!(
                "{valve} opens {pulses} times for {open}, {:.0} s in all",
                lasts.seconds().max(1.0)
            )),
            Step::Weigh { why, .. } => match (self.weights, why) {
                (Weights::Scale(_), Some(why)) => return Err(HandError::Calibration(why.clone())),
                (Weights::Scale(command), None) => {
                    let grams = read_scale(command)? - self.empty;
                    self.answer(Answer::Weight(grams.to_string()));
                }
                (_, why) => {
                    if let Some(why) = why {
                        self.tell(why);
                    }
                    self.tell("what does the scale show, in grams?");
                }
            },
            Step::NoLine { points, why } => {
                self.tell(&calibrations::weighed(points));
                if !matches!(self.weights, Weights::Typed) {
                    return Err(HandError::Calibration(why.clone()));
                }
                self.tell(why);
                self.tell(WHICH);
            }
            Step::Line { changed, .. } => {
                // The rig is not needed for what is left.
                self.bench.close()?;
                if let Some(calibration) = self.weighing.line() {
                    self.tell(&described(calibration).to_string());
                }
                if let Some(changed) = changed {
                    self.tell(changed);
                }
                if self.asked.yes { self.answer(Answer::Yes) } else { self.tell(KEEP) }
            }
            Step::Heard { text } => {
                self.tell(text);
                if matches!(self.last, Some(Step::NoLine { .. })) {
                    self.tell(WHICH);
                }
            }
            _ => {}
        }
        if !matches!(step, Step::Heard { .. }) {
            self.last = Some(step);
        }
        Ok(())
    }

    /// A person typed a line.
    fn typed(&mut self, line: &str) -> Result<(), HandError> {
        match &self.last {
            Some(Step::Place { .. }) => self.answer(Answer::Ready),
            Some(Step::Weigh { .. }) => self.answer(Answer::Weight(line.to_owned())),
            Some(Step::NoLine { why, .. }) if line.is_empty() => {
                return Err(HandError::Calibration(why.clone()));
            }
            Some(Step::NoLine { .. }) => {
                match line.strip_prefix("without ").unwrap_or(line).trim().parse::<Span>() {
                    Ok(open) if line.starts_with("without ") => self.answer(Answer::Without(open)),
                    Ok(open) => self.answer(Answer::Again(open)),
                    Err(error) => {
                        self.tell(&error.to_string());
                        self.tell(WHICH);
                    }
                }
            }
            Some(Step::Line { .. }) => match line.to_lowercase().as_str() {
                "" | "y" | "yes" => self.answer(Answer::Yes),
                "n" | "no" => self.answer(Answer::No),
                _ => self.tell(KEEP),
            },
            _ => {}
        }
        Ok(())
    }

    fn answer(&mut self, answer: Answer) {
        self.weighing.answer(answer, Now::here());
    }

    /// Says how it goes: not among what a script reads.
    fn tell(&self, line: &str) {
        if self.asked.json { eprintln!("{line}") } else { say(line) }
    }
}

const WHICH: &str = "which duration do you weigh again? Type it, as in 40ms; leave it out with `without 40ms`; or press \
     Enter to end";
const KEEP: &str = "keep it? [Y/n]";

/// The grams that a command prints.
fn read_scale(command: &str) -> Result<f64, HandError> {
    let failed = |why: String| HandError::Scale(command.to_owned(), why);
    let output =
        Command::new("sh").args(["-c", command]).output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let says = String::from_utf8_lossy(&output.stderr);
        return Err(failed(format!("it ended with {}: {}", output.status, says.trim())));
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    grams(&printed).map_err(|_| failed(format!("it printed `{}`, and not a number of grams", printed.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_that_can_not_be_read_is_named() {
        assert_eq!(read_scale("echo 12.5").unwrap(), 12.5);
        for (command, says) in
            [("echo hello", "it printed `hello`"), ("echo no >&2; exit 3", "no"), ("true", "``")]
        {
            let error = read_scale(command).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
