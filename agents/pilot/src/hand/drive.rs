//! `set`, `pulse` and `train`: outputs worked by hand.

use std::time::{Duration, Instant};

use bramble_value::{Kind, Level, Span};

use super::bench::{Bench, Heard};
use super::cli::{self, Pulse, Set, Train};
use super::error::HandError;
use super::names;
use super::protocol::{Ask, Member, Opened, Told};
use super::say::{say, shown};

/// Holds outputs at levels.
pub(super) fn set(bench: &mut Bench, set: &Set) -> Result<(), HandError> {
    let wanted = levels(&set.pairs)?;
    let opened = bench.open("set")?;
    for (device, level) in &wanted {
        names::output_at(&opened.parts, device, *level)?;
    }
    for (device, level) in &wanted {
        bench.ask(&Ask::Set { device: device.clone(), level: *level })?;
        let place = names::find(&opened.parts, device)?;
        say(format!("{device} is {}, {}", shown(&opened.parts[place], level.share()), lasting(set.length)));
    }
    let mut held: Vec<&str> = wanted.iter().map(|(device, _)| device.as_str()).collect();
    let until = bound(Instant::now(), set.length);
    let mut cuts = Cuts::default();
    while !(held.is_empty() && cuts.are_told()) {
        match bench.next(until) {
            Heard::Leave | Heard::Over => break,
            Heard::Told(Told::Note { text, .. }) => {
                say(&text);
                cuts.note(text);
            }
            Heard::Told(Told::Event { device, kind: Kind::Halt, .. }) if held.contains(&device.as_str()) => {
                held.retain(|one| *one != device);
                cuts.halt();
            }
            heard => _ = bench.unless_over(heard)?,
        }
    }
    bench.close()?;
    for device in held {
        let place = names::find(&opened.parts, device)?;
        let part = &opened.parts[place];
        say(format!("{device} is {} again", shown(part, part.safe.share())));
    }
    cuts.whole()
}

/// One pulse.
pub(super) fn pulse(bench: &mut Bench, pulse: &Pulse) -> Result<(), HandError> {
    let opened = bench.open("pulse")?;
    names::output(&opened.parts, &pulse.device)?;
    let member = Member { device: pulse.device.clone(), on: pulse.length, offset: Span::ZERO };
    bench.ask(&Ask::Train { members: vec![member], every: Span::ZERO, count: Some(1) })?;
    let mut running = Running::of([pulse.device.as_str()]);
    running.watch(bench, None)?;
    bench.close()?;
    running.tell(&opened);
    running.cuts.whole()
}

/// A train of one or more outputs.
pub(super) fn train(bench: &mut Bench, train: &Train) -> Result<(), HandError> {
    let members = members(&train.members)?;
    let every = period(&members, train)?;
    let opened = bench.open("train")?;
    for member in &members {
        names::output(&opened.parts, &member.device)?;
    }
    let mut running = Running::of(members.iter().map(|member| member.device.as_str()));
    let turns = match train.count {
        Some(1) => "one turn".to_owned(),
        Some(count) => format!("{count} turns, one every {every}"),
        None => format!("a turn every {every}"),
    };
    say(format!("{turns}, {}", lasting(train.length)));
    bench.ask(&Ask::Train { members: members.clone(), every, count: train.count })?;
    running.watch(bench, bound(Instant::now(), train.length))?;
    bench.close()?;
    running.tell(&opened);
    running.cuts.whole()
}

/// The moment at which something that lasts so long is over.
pub(super) fn bound(from: Instant, length: Option<Span>) -> Option<Instant> {
    let length = length?;
    // What would last for centuries has no end.
    from.checked_add(Duration::from_nanos(length.ns().unsigned_abs()))
}

fn lasting(length: Option<Span>) -> String {
    length.map_or_else(|| "until ctrl-C".to_owned(), |length| format!("for {length}"))
}

/// What the rig cut. The note that follows a halt says why; any other note is one
/// to read, and no more.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    /// A halt was told, and not yet why.
    halted: bool,
    why: Option<String>,
}

impl Cuts {
    /// An output was halted.
    pub(super) fn halt(&mut self) {
        self.halted = true;
    }

    /// Something is to be read; whether it says why an output was halted.
    pub(super) fn note(&mut self, text: String) -> bool {
        let is_why = std::mem::take(&mut self.halted);
        if is_why {
            self.why.get_or_insert(text);
        }
        is_why
    }

    /// Whether it is known why each was cut that was.
    fn are_told(&self) -> bool {
        !self.halted
    }

    /// Nothing, where nothing was cut.
    pub(super) fn whole(self) -> Result<(), HandError> {
        self.why.map_or(Ok(()), |why| Err(HandError::Cut(why)))
    }
}

/// Outputs that do something by themselves.
struct Running<'a> {
    outputs: Vec<Pulsing<'a>>,
    cuts: Cuts,
}

struct Pulsing<'a> {
    device: &'a str,
    /// How often it has gone on, and how long it was on, in nanoseconds.
    times: u64,
    on_ns: i64,
    since: Option<bramble_value::Time>,
    ended: bool,
}

impl<'a> Running<'a> {
    fn of(devices: impl IntoIterator<Item = &'a str>) -> Running<'a> {
        let pulsing = |device| Pulsing { device, times: 0, on_ns: 0, since: None, ended: false };
        Running { outputs: devices.into_iter().map(pulsing).collect(), cuts: Cuts::default() }
    }

    /// Watches them until all have come to their end, a person ends it, or it is
    /// time.
    fn watch(&mut self, bench: &mut Bench, until: Option<Instant>) -> Result<(), HandError> {
        while self.outputs.iter().any(|output| !output.ended) {
            match bench.next(until) {
                Heard::Leave | Heard::Over => return Ok(()),
                Heard::Told(Told::Event { device, kind, value, time_ns }) => {
                    self.event(&device, kind, value, time_ns);
                }
                Heard::Told(Told::Note { text, .. }) => {
                    if !self.cuts.note(text.clone()) {
                        say(text);
                    }
                }
                heard => _ = bench.unless_over(heard)?,
            }
        }
        Ok(())
    }

    fn event(&mut self, device: &str, kind: Kind, value: f64, time: bramble_value::Time) {
        let Some(output) = self.outputs.iter_mut().find(|output| output.device == device) else { return };
        match kind {
            Kind::Output if value > 0.0 => {
                output.times += 1;
                output.since = Some(time);
            }
            Kind::Output => {
                if let Some(since) = output.since.take() {
                    output.on_ns += time.since(since).ns();
                }
            }
            Kind::Halt => self.cuts.halt(),
            Kind::Ends => output.ended = true,
            _ => {}
        }
    }

    /// Says what each did.
    fn tell(&self, opened: &Opened) {
        for Pulsing { device, times, on_ns, .. } in &self.outputs {
            let is = names::find(&opened.parts, device).map_or_else(
                |_| "off".to_owned(),
                |place| shown(&opened.parts[place], opened.parts[place].safe.share()),
            );
            let on = Span::from_ns(on_ns / 1000 * 1000);
            let often = if *times == 1 { "once".to_owned() } else { format!("{times} times") };
            say(format!("{device} was on {often}, {on} in all; it is {is}"));
        }
    }
}

/// `light.left on light.right off`
fn levels(pairs: &[String]) -> Result<Vec<(String, Level)>, HandError> {
    let level = |text: &String| cli::level(text).map_err(HandError::Value);
    in_pairs(pairs, level, "level", "light.left on")
}

/// `light.left 20ms light.right 30ms+25ms`
fn members(pairs: &[String]) -> Result<Vec<Member>, HandError> {
    let times = |text: &String| {
        let (on, offset) = text.split_once('+').unwrap_or((text, "0s"));
        let span = |text: &str| text.parse::<Span>().map_err(|error| HandError::Value(error.to_string()));
        Ok((span(on)?, span(offset)?))
    };
    let pairs = in_pairs(pairs, times, "length", "light.left 20ms+0ms")?;
    Ok(pairs.into_iter().map(|(device, (on, offset))| Member { device, on, offset }).collect())
}

fn in_pairs<T>(
    words: &[String],
    read: impl Fn(&String) -> Result<T, HandError>,
    what: &'static str,
    example: &'static str,
) -> Result<Vec<(String, T)>, HandError> {
    let mut pairs: Vec<(String, T)> = Vec::new();
    for pair in words.chunks(2) {
        let [device, value] = pair else {
            return Err(HandError::Odd(pair.concat(), what, example));
        };
        if pairs.iter().any(|(known, _)| known == device) {
            return Err(HandError::Twice(device.clone()));
        }
        pairs.push((device.clone(), read(value)?));
    }
    Ok(pairs)
}

/// From one turn to the next.
fn period(members: &[Member], train: &Train) -> Result<Span, HandError> {
    let length = members.iter().map(|member| member.offset + member.on).max().unwrap_or_default();
    match (train.every, train.pause) {
        (Some(every), _) if every < length && train.count != Some(1) => {
            Err(HandError::Overlap { length, every })
        }
        (Some(every), _) => Ok(every),
        (None, pause) => Ok(length + pause.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn turn(text: &str, every: Option<u32>, pause: Option<u32>) -> Result<Span, HandError> {
        let (every, pause) = (every.map(Span::from_ms), pause.map(Span::from_ms));
        let train = Train { members: words(text), every, pause, count: None, length: None };
        period(&members(&train.members)?, &train)
    }

    #[test]
    fn a_note_is_no_cut_unless_it_follows_a_halt() {
        let mut cuts = Cuts::default();
        assert!(!cuts.note("`poke.left` is read too often".to_owned()));
        assert!(cuts.are_told());
        cuts.halt();
        assert!(!cuts.are_told());
        assert!(cuts.note("`valve` was on for 2 s".to_owned()));
        assert!(!cuts.note("`poke.left` is quiet again".to_owned()));
        assert_eq!(cuts.whole().unwrap_err().to_string(), "`valve` was on for 2 s");
        assert!(Cuts::default().whole().is_ok());
    }

    #[test]
    fn a_turn_ends_when_the_last_output_goes_off_and_then_there_is_a_pause() {
        assert_eq!(turn("a 20ms+0ms b 30ms+25ms", None, Some(50)).unwrap(), Span::from_ms(105));
        assert_eq!(turn("a 10ms", Some(50), None).unwrap(), Span::from_ms(50));
        let error = turn("a 10ms b 5ms+50ms", Some(50), None).unwrap_err().to_string();
        assert!(error.contains("a turn lasts 55 ms") && error.contains("--pause"), "{error}");
    }

    #[test]
    fn what_is_typed_amiss_is_said_with_how_it_is_written() {
        for (typed, says) in [
            ("a", "`a` is left over: write each output with its length, as in light.left 20ms+0ms"),
            ("a 20", "duration"),
            ("a 20ms+now", "duration"),
            ("a 20ms a 30ms", "`a` is named twice"),
        ] {
            let error = members(&words(typed)).unwrap_err().to_string();
            assert!(error.contains(says), "{typed}: {error}");
        }
        let error = levels(&words("a bright")).unwrap_err().to_string();
        assert!(error.contains("`bright` is no level"), "{error}");
        assert_eq!(levels(&words("a on b 0.5")).unwrap()[1].1.share(), 0.5);
    }
}
