//! The outputs of a check: each is on for a moment, and a person says whether it
//! was.

use std::time::{Duration, Instant};

use bramble_task::definition::DeviceKind;
use bramble_value::{Kind, Level, Span};

use super::super::bench::Heard;
use super::super::drive::bound;
use super::super::error::HandError;
use super::super::protocol::{Ask, Member, Opened, Part, Told};
use super::Checking;
use super::record::Outcome;

/// How long a valve is open: a drop, and no puddle.
const DROP: Span = Span::from_ms(20);

/// How much longer than it is on an output may take to be off again.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a person says of an output.
enum Said {
    Yes,
    No,
    Again,
    Nothing,
}

/// Blinks one output after the other.
pub(super) fn blink_all(checking: &mut Checking<'_>, opened: &Opened) -> Result<(), HandError> {
    let outputs: Vec<&Part> = opened.parts.iter().filter(|part| !part.is_input()).collect();
    let valves: Vec<&str> = outputs
        .iter()
        .filter(|part| part.kind == DeviceKind::Solenoid)
        .map(|part| part.name.as_str())
        .collect();
    let mut spills = false;
    if !checking.check.skip_outputs && !valves.is_empty() {
        let all = valves.join(", ");
        checking.tell(&format!("valves will open for {DROP} each: {all}; put something under their spouts"));
        if checking.asks {
            checking.tell("press Enter when that is done, or type n to leave the valves out");
            spills = !matches!(said(checking)?, Said::Yes);
        }
    }
    for part in outputs {
        let (outcome, says) = if checking.check.skip_outputs {
            (Outcome::Skipped, "left out".to_owned())
        } else if spills && part.kind == DeviceKind::Solenoid {
            (Outcome::Skipped, "left out: nothing was put under its spout".to_owned())
        } else if !part.is_switched() {
            (Outcome::Skipped, format!("a {} is worked by tasks only", part.kind.word()))
        } else {
            exercise(checking, part)?
        };
        checking.item(&part.name, outcome, says);
    }
    Ok(())
}

/// Blinks one output until a person is content with it.
fn exercise(checking: &mut Checking<'_>, part: &Part) -> Result<(Outcome, String), HandError> {
    let usual = if part.kind == DeviceKind::Solenoid { DROP } else { checking.check.blink };
    let length = part.longest_on.map_or(usual, |longest| usual.min(longest));
    let name = &part.name;
    loop {
        if !blink(checking, part, length)? {
            return Ok((Outcome::Failed, format!("it was not on and off again in {length}")));
        }
        let was = if part.safe.share() > 0.0 { "off" } else { "on" };
        if !checking.asks {
            checking.tell(&format!("{name} was {was} for {length}"));
            return Ok((Outcome::Passed, format!("{was} for {length}; nobody was asked")));
        }
        checking.tell(&format!("{name} was {was} for {length}: did it work? [Y]es, [n]o, [a]gain"));
        match said(checking)? {
            Said::Yes => return Ok((Outcome::Passed, format!("{was} for {length}, as was seen"))),
            Said::No => return Ok((Outcome::Failed, format!("nobody saw it be {was} for {length}"))),
            Said::Again => {}
            Said::Nothing => return Ok((Outcome::Skipped, "nobody said how it was".to_owned())),
        }
    }
}

/// Whether an output was switched, and is safe again.
fn blink(checking: &mut Checking<'_>, part: &Part, length: Span) -> Result<bool, HandError> {
    let device = part.name.clone();
    let safe = part.safe.share();
    if safe > 0.0 {
        checking.bench.ask(&Ask::Set { device: device.clone(), level: Level::default() })?;
        let off = written(checking, &device, |level| level < safe, patience(length))?;
        let until = bound(Instant::now(), Some(length));
        loop {
            match checking.bench.next(until) {
                Heard::Over => break,
                heard => _ = checking.bench.unless_over(heard)?,
            }
        }
        checking.bench.ask(&Ask::Set { device: device.clone(), level: part.safe })?;
        return Ok(off && written(checking, &device, |level| level == safe, patience(length))?);
    }
    let member = Member { device: device.clone(), on: length, offset: Span::ZERO };
    checking.bench.ask(&Ask::Train { members: vec![member], every: Span::ZERO, count: Some(1) })?;
    let on = written(checking, &device, |level| level > 0.0, patience(length))?;
    Ok(on && written(checking, &device, |level| level == safe, patience(length))?)
}

fn patience(length: Span) -> Option<Instant> {
    bound(Instant::now() + PATIENCE, Some(length))
}

/// Waits until the output is written so; whether it was, in time.
fn written(
    checking: &mut Checking<'_>,
    device: &str,
    so: impl Fn(f64) -> bool,
    until: Option<Instant>,
) -> Result<bool, HandError> {
    loop {
        match checking.bench.next(until) {
            Heard::Over => return Ok(false),
            Heard::Told(Told::Event { device: of, kind: Kind::Output, value, .. })
                if of == device && so(value) =>
            {
                return Ok(true);
            }
            Heard::Told(Told::Note { text, .. }) => checking.item(device, Outcome::Warning, text),
            heard => _ = checking.bench.unless_over(heard)?,
        }
    }
}

/// What a person types next.
fn said(checking: &mut Checking<'_>) -> Result<Said, HandError> {
    loop {
        match checking.bench.next(None) {
            Heard::Typed(line) => match line.to_lowercase().as_str() {
                "" | "y" | "yes" => return Ok(Said::Yes),
                "n" | "no" => return Ok(Said::No),
                "a" | "again" => return Ok(Said::Again),
                _ => checking.tell("type y, n or a, and Enter"),
            },
            Heard::TypedAll => return Ok(Said::Nothing),
            heard => _ = checking.bench.unless_over(heard)?,
        }
    }
}
