//! The layer between the engine and the drivers: what a task tells its devices
//! becomes levels at times. It does no I/O and knows no clock.
//!
//! Commands change what outputs *should* do; [`Devices::advance`] makes it so.
//! Commands that come together are therefore one change: a light that one stage
//! switches off and the next switches on at the same instant doesn't flicker.
//!
//! An output is on while either of two things wants it: what it was *switched*
//! to by `.on()` and `.off()`, and what *runs* by itself (a pulse, a train, an
//! opening). A pulse or train replaces the one that runs, without `.ends` for
//! that; an opening is added to the one that runs, so that every drop is given.
//! `.stop()` ends what runs, `.off()` what was switched on.

pub mod encoder;
mod output;
pub(crate) mod program;
mod speaker;
mod stimulus;

use std::collections::VecDeque;

use bramble_task::definition::{self, Command, DeviceKind, DisplayCommand, PortId};
use bramble_value::{Kind, Span, Time, Value, Volume};
use thiserror::Error;

use crate::dose::{DoseError, Opening};
use crate::signal::Signal;
use crate::sync::Sync;
use crate::wiring::{Wire, Wiring};
use output::Output;
use program::{Program, Segment};
use speaker::Speaker;

/// The shortest time from one start of a train or series to the next.
pub const SHORTEST_PERIOD: Span = Span::from_ns(100_000);

/// What devices do of the commands that they were given.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// An output is to be written.
    Write {
        /// Which.
        port: PortId,
        /// What.
        signal: Signal,
    },
    /// A pulse, train, series, opening or sound came to its end by itself, or was cut by
    /// the longest on-time of its output. Stops and replacements are silent.
    Ends {
        /// Whose.
        port: PortId,
        /// When.
        at: Time,
    },
    /// Something to be recorded that is not a level.
    Event {
        /// [`Kind::Command`] or [`Kind::Halt`].
        kind: Kind,
        /// Whose.
        port: PortId,
        /// How long, in seconds, or 0.
        value: f64,
        /// When.
        at: Time,
    },
    /// Something that a person should read.
    Warning {
        /// When.
        at: Time,
        /// What, in a sentence.
        text: String,
    },
}

/// A command that a device can't carry out.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum CommandError {
    /// It can't do such a thing.
    #[error("`{port}` can't {what}")]
    Wrong {
        /// The port.
        port: String,
        /// What it was told.
        what: &'static str,
    },
    /// A valve was told to give a volume that it can't.
    #[error("the valve {0}")]
    Dose(DoseError),
    /// An argument is not of its type.
    #[error("`{port}` was given a {what} that isn't one")]
    Argument {
        /// The port.
        port: String,
        /// What the argument should have been.
        what: &'static str,
    },
    /// A train or series is faster than any output.
    #[error("what `{port}` repeats starts anew every {every}: at least {SHORTEST_PERIOD} apart, please")]
    TooFast {
        /// The port.
        port: String,
        /// From one start to the next.
        every: Span,
    },
}

/// All devices of a session.
#[derive(Debug)]
pub struct Devices {
    wires: Vec<(PortId, Wire)>,
    parts: Vec<Part>,
    /// The place of each device's first port.
    first: Vec<usize>,
    effects: VecDeque<Effect>,
}

#[derive(Debug)]
enum Part {
    Input,
    Output(Output),
    Speaker(Speaker),
    Screen {
        showing: bool,
    },
    Camera {
        filming: bool,
    },
    /// The rig's own line for other recordings: no task tells it anything.
    Sync(Sync),
}

impl Devices {
    /// The devices of this wiring, all at their safe states.
    pub fn new(wiring: &Wiring) -> Devices {
        let wires: Vec<(PortId, Wire)> = wiring.ports().map(|(port, wire)| (port, wire.clone())).collect();
        let parts = wires.iter().map(|(_, wire)| match wire.kind {
            DeviceKind::DigitalInput | DeviceKind::AnalogInput | DeviceKind::Encoder => Part::Input,
            DeviceKind::DigitalOutput | DeviceKind::LevelOutput | DeviceKind::Solenoid => {
                Part::Output(Output::new(wire.safe.share(), wire.longest_on))
            }
            DeviceKind::Display => Part::Screen { showing: false },
            DeviceKind::Sound => Part::Speaker(Speaker::default()),
            DeviceKind::Camera => Part::Camera { filming: false },
        });
        let parts = parts.collect();
        let mut first = Vec::new();
        for (place, (port, _)) in wires.iter().enumerate() {
            if port.device.index() == first.len() {
                first.push(place);
            }
        }
        Devices { wires, parts, first, effects: VecDeque::new() }
    }

    /// The rig's sync line is this one from now on.
    pub fn keep_in_sync(&mut self, port: PortId, sync: Sync) {
        let place = self.place(port);
        self.parts[place] = Part::Sync(sync);
    }

    fn place(&self, port: PortId) -> usize {
        self.first[port.device.index()] + usize::from(port.port)
    }

    /// Takes a command. Times in it count from `now`.
    ///
    /// # Errors
    /// [`CommandError`] where the device can't do it; nothing is changed.
    pub fn command(&mut self, port: PortId, command: &Command<Value>, now: Time) -> Result<(), CommandError> {
        let place = self.place(port);
        let (id, wire) = &self.wires[place];
        let told = match &mut self.parts[place] {
            Part::Input => return Err(wrong(wire, "be told anything: it is an input")),
            Part::Sync(_) => return Err(wrong(wire, "be told anything: it says what its rig's file says")),
            Part::Output(output) => tell_output(output, wire, command, now)?,
            Part::Speaker(speaker) => tell_speaker(speaker, wire, command, now)?,
            Part::Screen { showing } => {
                let Command::Display(command) = command else {
                    return Err(wrong(wire, "do that: it is a display"));
                };
                let signal = match command {
                    DisplayCommand::Show(picture) => Signal::Show(stimulus::grating(wire, picture)?),
                    DisplayCommand::Follow(encoder, gain) => Signal::Follow(*encoder, gain.to_f64()),
                    DisplayCommand::Center => Signal::Center,
                    DisplayCommand::Freeze => Signal::Freeze,
                    DisplayCommand::Clear => Signal::Clear,
                };
                match signal {
                    Signal::Show(_) => *showing = true,
                    Signal::Clear => *showing = false,
                    _ => {}
                }
                self.effects.push_back(Effect::Write { port: *id, signal });
                Told::Command(0.0)
            }
            Part::Camera { filming } => {
                let film = match command {
                    Command::Film => true,
                    Command::Stop => false,
                    _ => return Err(wrong(wire, "do that: it is a camera")),
                };
                let changes = std::mem::replace(filming, film) != film;
                if changes {
                    self.effects.push_back(Effect::Write { port: *id, signal: Signal::Film(film) });
                }
                match (film, changes) {
                    (true, _) => Told::Command(0.0),
                    (false, true) => Told::Halt,
                    (false, false) => Told::Nothing,
                }
            }
        };
        self.note(port, told, now);
        Ok(())
    }

    /// Opens a valve for a volume, as a person asks for it.
    ///
    /// # Errors
    /// [`CommandError`] where the port is no valve, or can't give as much.
    pub fn give(&mut self, port: PortId, volume: Volume, now: Time) -> Result<(), CommandError> {
        self.command(port, &Command::Open(Value::Volume(volume)), now)
    }

    /// Does all that is due by `now`, and what was commanded.
    pub fn advance(&mut self, now: Time) {
        for ((port, wire), part) in self.wires.iter().zip(&mut self.parts) {
            let port = *port;
            match part {
                Part::Output(output) => {
                    let change = output.advance(now);
                    if let Some(level) = change.level {
                        self.effects.push_back(Effect::Write { port, signal: Signal::Level(level) });
                    }
                    if change.cut {
                        let longest = wire.longest_on.unwrap_or_default();
                        self.effects.push_back(Effect::Event { kind: Kind::Halt, port, value: 0.0, at: now });
                        self.effects.push_back(Effect::Warning {
                            at: now,
                            text: format!(
                                "`{wire}` was on for {longest}, the longest its rig allows, and was switched off"
                            ),
                        });
                    }
                    if let Some(at) = change.ended {
                        self.effects.push_back(Effect::Ends { port, at });
                    }
                }
                Part::Speaker(speaker) => {
                    let change = speaker.advance(now);
                    if let Some(signal) = change.signal {
                        self.effects.push_back(Effect::Write { port, signal });
                    }
                    if let Some(at) = change.ended {
                        self.effects.push_back(Effect::Ends { port, at });
                    }
                }
                Part::Sync(sync) => self.effects.extend(sync.advance(now).map(|high| level(port, high))),
                Part::Input | Part::Screen { .. } | Part::Camera { .. } => {}
            }
        }
    }

    /// When [`Devices::advance`] has something to do next, seen from `now`.
    pub fn deadline(&self, now: Time) -> Option<Time> {
        let deadlines = self.parts.iter().filter_map(|part| match part {
            Part::Output(output) => output.deadline(now),
            Part::Speaker(speaker) => speaker.deadline(now),
            Part::Sync(sync) => sync.deadline(now),
            Part::Input | Part::Screen { .. } | Part::Camera { .. } => None,
        });
        deadlines.min()
    }

    /// The next thing to be done, in order.
    pub fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Ends all that runs and brings every output to its safe state.
    pub fn make_safe(&mut self, now: Time) {
        for place in 0..self.parts.len() {
            let port = self.wires[place].0;
            let (halted, signal) = match &mut self.parts[place] {
                Part::Input => (false, None),
                Part::Output(output) => (output.make_safe(), None),
                Part::Speaker(speaker) => (speaker.stop(), None),
                Part::Sync(sync) => (false, sync.stop().then_some(Signal::Level(0.0))),
                Part::Screen { showing } => (false, std::mem::take(showing).then_some(Signal::Clear)),
                Part::Camera { filming } => {
                    let filmed = std::mem::take(filming);
                    (filmed, filmed.then_some(Signal::Film(false)))
                }
            };
            if let Some(signal) = signal {
                self.effects.push_back(Effect::Write { port, signal });
            }
            if halted {
                self.note(port, Told::Halt, now);
            }
        }
        self.advance(now);
    }

    fn note(&mut self, port: PortId, told: Told, at: Time) {
        let (kind, value) = match told {
            Told::Nothing => return,
            Told::Command(seconds) => (Kind::Command, seconds),
            Told::Halt => (Kind::Halt, 0.0),
        };
        self.effects.push_back(Effect::Event { kind, port, value, at });
    }
}

/// What a command is in the record.
enum Told {
    /// Only a level, which is recorded when it is written.
    Nothing,
    /// A command, and how long it lasts, in seconds, or 0.
    Command(f64),
    Halt,
}

fn tell_output(
    output: &mut Output,
    wire: &Wire,
    command: &Command<Value>,
    now: Time,
) -> Result<Told, CommandError> {
    let program = match command {
        Command::On(level) => {
            output.switch(share(wire, *level));
            return Ok(Told::Nothing);
        }
        Command::Off => {
            output.switch(0.0);
            return Ok(Told::Nothing);
        }
        Command::Stop => return Ok(if output.stop() { Told::Halt } else { Told::Nothing }),
        Command::Open(amount) if wire.kind == DeviceKind::Solenoid => {
            Program::opening(now, opening(wire, *amount)?)
        }
        Command::Pulse { on, after, level } => {
            Program::pulse(start(wire, *after, now)?, span(wire, *on)?, share(wire, *level))
        }
        Command::Train { on, every, count, after, level } => {
            let on = Segment { level: share(wire, *level), length: span(wire, *on)? };
            let every = period(wire, span(wire, *every)?)?;
            Program::train(start(wire, *after, now)?, on, every, turns(wire, *count)?)
        }
        Command::Series { segments, count, after } => {
            series(wire, segments, turns(wire, *count)?, start(wire, *after, now)?)?
        }
        Command::Open(_) => return Err(wrong(wire, "be opened: only a solenoid can")),
        Command::Play { .. } => return Err(wrong(wire, "play a sound")),
        Command::Display(_) => return Err(wrong(wire, "show a picture")),
        Command::Film => return Err(wrong(wire, "film")),
    };
    let length = program.end().map_or(Span::ZERO, |end| end.since(program.start()));
    output.run(program);
    Ok(Told::Command(length.seconds()))
}

fn tell_speaker(
    speaker: &mut Speaker,
    wire: &Wire,
    command: &Command<Value>,
    now: Time,
) -> Result<Told, CommandError> {
    match command {
        Command::Play { sound, after } => {
            let start = start(wire, *after, now)?;
            let sound = stimulus::sound(wire, sound)?;
            speaker.play(sound, start);
            Ok(Told::Command(sound.length().seconds()))
        }
        Command::Stop | Command::Off => Ok(if speaker.stop() { Told::Halt } else { Told::Nothing }),
        _ => Err(wrong(wire, "do that: it is a sound")),
    }
}

fn level(port: PortId, high: bool) -> Effect {
    Effect::Write { port, signal: Signal::Level(f64::from(u8::from(high))) }
}

/// How a valve opens for this amount.
fn opening(wire: &Wire, amount: Value) -> Result<Opening, CommandError> {
    match amount {
        Value::Volume(volume) => wire.opening(volume).map_err(CommandError::Dose),
        amount => span(wire, amount).map(Opening::of),
    }
}

fn series(
    wire: &Wire,
    segments: &[definition::Segment],
    count: Option<u64>,
    start: Time,
) -> Result<Program, CommandError> {
    let segment = |segment: &definition::Segment| {
        Ok(Segment { level: share(wire, Some(segment.level)), length: span(wire, segment.length)? })
    };
    let segments: Vec<Segment> = segments.iter().map(segment).collect::<Result<_, _>>()?;
    if count.is_none_or(|count| count > 1) {
        period(wire, segments.iter().fold(Span::ZERO, |sum, segment| sum + segment.length))?;
    }
    Ok(Program::series(start, segments, count))
}

/// From one start to the next, where an output is fast enough for it.
fn period(wire: &Wire, every: Span) -> Result<Span, CommandError> {
    match every {
        every if every < SHORTEST_PERIOD => Err(CommandError::TooFast { port: wire.to_string(), every }),
        every => Ok(every),
    }
}

/// How many times, or without end.
fn turns(wire: &Wire, count: Option<Value>) -> Result<Option<u64>, CommandError> {
    match count {
        None => Ok(None),
        Some(Value::Integer(count)) => Ok(Some(u64::try_from(count).unwrap_or(0))),
        Some(_) => Err(CommandError::Argument { port: wire.to_string(), what: "count" }),
    }
}

/// When something starts that waits this long first.
fn start(wire: &Wire, after: Option<Value>, now: Time) -> Result<Time, CommandError> {
    Ok(now + after.map_or(Ok(Span::ZERO), |after| span(wire, after))?)
}

/// How much of an output this level is: all of it where none is given, and all or
/// nothing of what has no levels between.
fn share(wire: &Wire, level: Option<Value>) -> f64 {
    let share = level.map_or(1.0, Value::to_f64).clamp(0.0, 1.0);
    if wire.kind == DeviceKind::LevelOutput { share } else { share.ceil() }
}

fn span(wire: &Wire, value: Value) -> Result<Span, CommandError> {
    match value {
        Value::Duration(span) => Ok(span),
        _ => Err(CommandError::Argument { port: wire.to_string(), what: "duration" }),
    }
}

fn wrong(wire: &Wire, what: &'static str) -> CommandError {
    CommandError::Wrong { port: wire.to_string(), what }
}

#[cfg(test)]
mod tests;
