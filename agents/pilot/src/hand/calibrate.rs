//! `calibrate`: a valve opens again and again for several lengths, what came out
//! is weighed, and the line through that is kept.

use std::process::Command;
use std::time::{Duration, Instant};

use bramble_rig::calibration::{self, Calibration, Point, Valve, WATER};
use bramble_value::{Kind, Span};
use jiff::Timestamp;

use super::bench::{Bench, Heard};
use super::calibrations::{self, described, folder, weighed};
use super::cli::Calibrate;
use super::drive::{Cuts, bound};
use super::error::HandError;
use super::names;
use super::protocol::{Ask, Member, Part, Told};
use super::say::{say, say_json};
use crate::config::Workshop;

/// How long a valve rests between two openings where nobody says.
const REST: Span = Span::from_ms(150);

/// A flow that no valve for animals has, in microliters a second: a weight that
/// says so is in milligrams.
const MOST: f64 = 10_000.0;

/// A flow below that of any valve that works.
const LEAST: f64 = 0.1;

/// Where the weights come from.
enum Weights<'a> {
    Typed,
    Given(&'a [f64]),
    Scale(&'a str),
}

/// Calibrates a valve.
pub(super) fn run(bench: &mut Bench, asked: &Calibrate, workshop: &Workshop) -> Result<(), HandError> {
    let person = bench.hear_typing()?;
    let weights = weights(asked, person)?;
    lengths(&asked.durations)?;
    let opened = bench.open("calibrate")?;
    let name = asked.valve.join(".");
    let part = &opened.parts[names::valve(&opened.parts, &name)?];
    let valve = valve(part)?;
    fit_the_rig(part, &asked.durations)?;
    // Now, and not when all is weighed.
    calibration::later(&folder(&workshop.data), &valve, Timestamp::now())
        .map_err(|error| HandError::Calibration(error.to_string()))?;
    let mut guided = Guided { bench, asked, part, quiet: asked.json };
    if part.simulated {
        guided.tell(&format!(
            "{name} is simulated: nothing flows, any weights will do, and no real valve will go by them"
        ));
    }
    let mut calibration = guided.calibrate(&weights, &valve)?;
    if part.simulated {
        calibration = calibration.of_simulated();
    }
    // The rig is not needed for what is left.
    guided.bench.close()?;
    guided.tell(&described(&calibration).to_string());
    let before = calibrations::newest(&workshop.data, calibration.valve());
    if let Some(before) = before {
        guided.tell(&calibrations::changed(&before, &calibration));
    }
    if !asked.yes && !guided.wants("keep it? [Y/n]")? {
        guided.tell("not kept");
        return Ok(());
    }
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

fn lengths(durations: &[Span]) -> Result<(), HandError> {
    let mut sorted = durations.to_vec();
    sorted.sort();
    sorted.dedup();
    match sorted.as_slice() {
        [Span::ZERO, ..] => {
            Err(HandError::Value("a valve can't open for 0 s: choose other durations".into()))
        }
        all if all.len() < durations.len() => Err(HandError::Value(
            "a duration is given twice: say each once, and --pulses for more openings".into(),
        )),
        [_, _, ..] => Ok(()),
        _ => Err(HandError::Value(
            "one duration is no line: give at least two, as in --durations 20ms,40ms,80ms".into(),
        )),
    }
}

fn fit_the_rig(part: &Part, durations: &[Span]) -> Result<(), HandError> {
    let longest = part.longest_on.unwrap_or(Span::MAX);
    match durations.iter().find(|open| **open > longest) {
        Some(open) => Err(HandError::Value(format!(
            "`{}` may be open for {longest} at most (its `longest_on`), and not for {open}: choose shorter durations",
            part.name
        ))),
        None => Ok(()),
    }
}

fn valve(part: &Part) -> Result<Valve, HandError> {
    let (device, port) = part.name.split_once('.').map_or((part.name.as_str(), None), |(d, p)| (d, Some(p)));
    let unreadable = |error: bramble_value::NameError| HandError::Value(error.to_string());
    let port = port.map(str::parse).transpose().map_err(unreadable)?;
    Ok(Valve { device: device.parse().map_err(unreadable)?, port })
}

struct Guided<'a> {
    bench: &'a mut Bench,
    asked: &'a Calibrate,
    part: &'a Part,
    /// What is said is not what a script reads.
    quiet: bool,
}

impl Guided<'_> {
    /// Measures every duration, and those again that don't fit the others and that
    /// a person wants to weigh again.
    fn calibrate(&mut self, weights: &Weights<'_>, valve: &Valve) -> Result<Calibration, HandError> {
        let mut points = Vec::new();
        for place in 0..self.asked.durations.len() {
            points.push(self.measure(weights, place)?);
        }
        loop {
            let refused = match Calibration::new(valve.clone(), Timestamp::now(), WATER, points.clone()) {
                Ok(calibration) => return Ok(calibration),
                Err(refused) => refused,
            };
            // What was weighed with care is not lost.
            self.tell(&weighed(&points));
            let place = match weights {
                Weights::Typed => self.again(&refused.to_string())?,
                Weights::Given(_) | Weights::Scale(_) => None,
            };
            let place = place.ok_or_else(|| HandError::Calibration(refused.to_string()))?;
            points[place] = self.measure(weights, place)?;
        }
    }

    /// Has one duration weighed; the valve stays closed where its weight is known.
    fn measure(&mut self, weights: &Weights<'_>, place: usize) -> Result<Point, HandError> {
        let (pulses, open) = (self.asked.pulses, self.asked.durations[place]);
        let grams = match weights {
            Weights::Given(given) => given[place],
            Weights::Scale(command) => {
                let before = read_scale(command)?;
                self.open(open)?;
                let grams = read_scale(command)? - before;
                plausible(grams, open, pulses).map_err(HandError::Calibration)?;
                grams
            }
            Weights::Typed => {
                let name = &self.part.name;
                self.tell(&format!(
                    "empty the cup, tare the scale, put the cup under {name}, and press Enter"
                ));
                self.typed()?;
                self.open(open)?;
                self.weight(open)?
            }
        };
        Ok(Point { open, pulses, grams })
    }

    /// Which duration a person wants to weigh again, if any.
    fn again(&mut self, refused: &str) -> Result<Option<usize>, HandError> {
        self.tell(refused);
        loop {
            self.tell("which duration do you weigh again? Type it, as in 40ms, or press Enter to end");
            let typed = self.typed()?;
            if typed.is_empty() {
                return Ok(None);
            }
            match which(&typed, &self.asked.durations) {
                Ok(place) => return Ok(Some(place)),
                Err(why) => self.tell(&why),
            }
        }
    }

    /// Opens the valve again and again, and waits until it is done.
    fn open(&mut self, open: Span) -> Result<(), HandError> {
        let every = self.asked.every.unwrap_or(open + REST);
        let (count, name) = (self.asked.pulses, self.part.name.clone());
        let lasts = Span::from_ns(every.ns().saturating_mul(count.into()));
        self.tell(&format!(
            "{name} opens {count} times for {open}, {:.0} s in all",
            lasts.seconds().max(1.0)
        ));
        let member = Member { device: name.clone(), on: open, offset: Span::ZERO };
        self.bench.ask(&Ask::Train { members: vec![member], every, count: Some(count) })?;
        let until = bound(Instant::now() + Duration::from_secs(10), Some(lasts));
        let (mut times, mut cuts) = (0, Cuts::default());
        loop {
            match self.bench.next(until) {
                Heard::Told(Told::Event { device, kind, value, .. }) if device == name => match kind {
                    Kind::Output if value > 0.0 => times += 1,
                    Kind::Halt => cuts.halt(),
                    Kind::Ends if times == count => return Ok(()),
                    Kind::Ends => {
                        let why =
                            format!("it opened {times} times and not {count}: start again with an empty cup");
                        return Err(HandError::Calibration(why));
                    }
                    _ => {}
                },
                Heard::Told(Told::Note { text, .. }) => {
                    if cuts.note(text.clone()) {
                        return Err(HandError::Cut(text));
                    }
                    self.tell(&text);
                }
                Heard::Over => {
                    return Err(HandError::Calibration(
                        "the valve did not come to its end in time".to_owned(),
                    ));
                }
                heard => _ = self.bench.unless_over(heard)?,
            }
        }
    }

    /// The grams that a person types, until they can be.
    fn weight(&mut self, open: Span) -> Result<f64, HandError> {
        loop {
            self.tell("what does the scale show, in grams?");
            let typed = self.typed()?;
            match grams(&typed).and_then(|grams| plausible(grams, open, self.asked.pulses).map(|()| grams)) {
                Ok(grams) => return Ok(grams),
                Err(why) => self.tell(&why),
            }
        }
    }

    fn wants(&mut self, question: &str) -> Result<bool, HandError> {
        loop {
            self.tell(question);
            match self.typed()?.to_lowercase().as_str() {
                "" | "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => {}
            }
        }
    }

    /// What a person types next.
    fn typed(&mut self) -> Result<String, HandError> {
        loop {
            match self.bench.next(None) {
                Heard::Typed(line) => return Ok(line),
                Heard::TypedAll => return Err(HandError::Left),
                heard => _ = self.bench.unless_over(heard)?,
            }
        }
    }

    fn tell(&self, line: &str) {
        if self.quiet { eprintln!("{line}") } else { say(line) }
    }
}

/// Which of the durations was typed.
fn which(typed: &str, durations: &[Span]) -> Result<usize, String> {
    let open = typed.parse::<Span>().map_err(|error| error.to_string())?;
    durations.iter().position(|one| *one == open).ok_or_else(|| {
        let all: Vec<String> = durations.iter().map(Span::to_string).collect();
        format!("{open} was not weighed: choose one of {}", all.join(", "))
    })
}

/// Grams as they are typed: `0.41`, `0,41`, `0.41 g`, `410 mg`.
fn grams(text: &str) -> Result<f64, String> {
    let text = text.trim().replace(',', ".");
    let (number, scale) = match (text.strip_suffix("mg"), text.strip_suffix('g')) {
        (Some(number), _) => (number, 1e-3),
        (None, Some(number)) => (number, 1.0),
        (None, None) => (text.as_str(), 1.0),
    };
    let number: Result<f64, _> = number.trim().parse();
    match number {
        Ok(number) if number.is_finite() => Ok(number * scale),
        _ => Err(format!("`{text}` is no weight: type the grams that the scale shows, as in 0.41")),
    }
}

/// Whether a valve can have given so much.
fn plausible(grams: f64, open: Span, pulses: u32) -> Result<(), String> {
    let flow = grams * 1e3 / WATER / f64::from(pulses) / open.seconds();
    if !grams.is_finite() || grams <= 0.0 {
        Err(format!(
            "{grams} g can't be what {pulses} openings of {open} gave: tare the scale with the empty cup before, \
             and weigh it with the water after"
        ))
    } else if flow > MOST {
        Err(format!(
            "{grams} g in {pulses} openings of {open} is a flood: are these milligrams? Grams, please"
        ))
    } else if flow < LEAST {
        Err(format!(
            "{grams} g in {pulses} openings of {open} is next to nothing: look whether the tube is full and the \
             valve clicks, or open it for longer"
        ))
    } else {
        Ok(())
    }
}

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
    fn grams_are_read_as_people_type_them() {
        for (text, expected) in
            [("0.41", 0.41), ("0,41", 0.41), (" 0.41 g", 0.41), ("410 mg", 0.41), ("1e-1g", 0.1)]
        {
            assert!((grams(text).unwrap() - expected).abs() < 1e-12, "{text}");
        }
        for text in ["", "heavy", "nan", "inf g", "0.4.1"] {
            assert!(grams(text).unwrap_err().contains("is no weight"), "{text}");
        }
    }

    #[test]
    fn a_weight_that_no_valve_gives_is_refused_with_what_to_look_at() {
        let (open, pulses) = (Span::from_ms(40), 100);
        assert_eq!(plausible(0.16, open, pulses), Ok(()));
        for (grams, says) in [
            (-0.1, "tare the scale"),
            (0.0, "tare the scale"),
            (f64::NAN, "tare the scale"),
            (160.0, "milligrams"),
            (0.0001, "the tube is full"),
        ] {
            let why = plausible(grams, open, pulses).unwrap_err();
            assert!(why.contains(says), "{grams}: {why}");
        }
    }

    #[test]
    fn the_duration_to_weigh_again_is_one_that_was_weighed() {
        let durations = [Span::from_ms(20), Span::from_ms(40)];
        assert_eq!(which("40ms", &durations), Ok(1));
        assert_eq!(which("0.02 s", &durations), Ok(0));
        assert_eq!(
            which("30ms", &durations).unwrap_err(),
            "30 ms was not weighed: choose one of 20 ms, 40 ms"
        );
        assert!(which("the second", &durations).is_err());
    }

    #[test]
    fn durations_make_a_line() {
        let ms = |lengths: &[u32]| lengths.iter().copied().map(Span::from_ms).collect::<Vec<_>>();
        assert!(lengths(&ms(&[20, 40])).is_ok());
        for (durations, says) in [(&[20][..], "at least two"), (&[20, 20], "given twice"), (&[0, 20], "0 s")]
        {
            let error = lengths(&ms(durations)).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

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
