//! A session on virtual time, told as lines of text.

use std::sync::Arc;

use bramble_engine::{Engine, Input, Output, Settings};
use bramble_task::TaskDefinition;
use bramble_task::call::{Call, Returned};
use bramble_task::definition::{Command, DisplayCommand, MessageId, PortId};
use bramble_value::{Ending, Kind, Names, Row, Seed, Time};

use crate::rig::{POKE, port};

type Answers = Box<dyn FnMut(&Call) -> Result<Returned, String>>;

/// A running session, and what it has put out.
pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) outputs: Vec<Output>,
    answers: Answers,
    names: Names,
}

pub(crate) fn at(ms: i64) -> Time {
    Time::from_ns(ms * 1_000_000)
}

impl Bench {
    /// Starts the task at 0.
    pub(crate) fn start(task: Arc<TaskDefinition>) -> Bench {
        Bench::start_with(task, |_| panic!("this task has no functions"))
    }

    /// Starts a task whose functions are answered so.
    pub(crate) fn start_with(
        task: Arc<TaskDefinition>,
        answers: impl FnMut(&Call) -> Result<Returned, String> + 'static,
    ) -> Bench {
        let mut bench = Bench::wait(task, answers);
        bench.begin();
        bench
    }

    /// Starts the task once this input was handed in.
    pub(crate) fn start_after(task: Arc<TaskDefinition>, initial: Option<(PortId, bool)>) -> Bench {
        let mut bench = Bench::wait(task, |_| panic!("this task has no functions"));
        if let Some((port, high)) = initial {
            bench.input(0, Input::Digital { port, high });
        }
        bench.begin();
        bench
    }

    fn wait(
        task: Arc<TaskDefinition>,
        answers: impl FnMut(&Call) -> Result<Returned, String> + 'static,
    ) -> Bench {
        let settings = Settings::defaults(&task, Seed(1));
        let names = task.names();
        let engine = Engine::new(task, settings).unwrap();
        Bench { engine, outputs: Vec::new(), answers: Box::new(answers), names }
    }

    fn begin(&mut self) {
        self.engine.start(at(0));
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll() {
            if let Output::Call(call) = &output {
                let answer = (self.answers)(call);
                self.engine.answer(call.number, answer);
            }
            self.outputs.push(output);
        }
    }

    pub(crate) fn input(&mut self, ms: i64, input: Input) -> &mut Bench {
        self.engine.handle(input, at(ms));
        self.drain();
        self
    }

    pub(crate) fn poke(&mut self, ms: i64, place: u16, high: bool) -> &mut Bench {
        self.input(ms, Input::Digital { port: port(POKE, place), high })
    }

    pub(crate) fn message(&mut self, ms: i64, message: MessageId) -> &mut Bench {
        self.input(ms, Input::Message { message, value: 0.0 })
    }

    pub(crate) fn stop(&mut self, ms: i64) -> &mut Bench {
        self.input(ms, Input::Stop { why: "test".into() })
    }

    pub(crate) fn until(&mut self, ms: i64) -> &mut Bench {
        self.engine.advance(at(ms));
        self.drain();
        self
    }

    /// Everything, line by line.
    pub(crate) fn log(&self) -> Vec<String> {
        self.outputs.iter().filter_map(|output| self.line(output)).collect()
    }

    /// The lines that hold one of these.
    pub(crate) fn lines(&self, parts: &[&str]) -> Vec<String> {
        self.log().into_iter().filter(|line| parts.iter().any(|part| line.contains(part))).collect()
    }

    pub(crate) fn rows(&self) -> Vec<&Row> {
        let rows = self.outputs.iter().filter_map(|output| match output {
            Output::Row(row) => Some(row),
            _ => None,
        });
        rows.collect()
    }

    pub(crate) fn notes(&self) -> Vec<&str> {
        let notes = self.outputs.iter().filter_map(|output| match output {
            Output::Note { text, .. } => Some(text.as_str()),
            _ => None,
        });
        notes.collect()
    }

    fn line(&self, output: &Output) -> Option<String> {
        let ms = |time: Time| time.ns() as f64 / 1e6;
        Some(match output {
            Output::Event(event) => {
                let (time, name) = (ms(event.time), self.names.name(event.source));
                let value = event.value;
                match event.kind {
                    Kind::StageStart => format!("{time} {name} starts"),
                    Kind::StageEnd => {
                        format!("{time} {name} ends {}", Ending::ALL[value as usize].name())
                    }
                    Kind::TurnStart => format!("{time} {name} turn {value}"),
                    Kind::TurnEnd => format!("{time} {name} turn {value} over"),
                    Kind::Goto => {
                        let to = bramble_value::Source(value as u16);
                        format!("{time} {name} -> {}", self.names.name(to))
                    }
                    Kind::Column => format!("{time} {name} = {value}"),
                    kind => format!("{time} {name} {} {value}", kind.name()),
                }
            }
            Output::Device { time, port, command } => {
                let name = self.engine.task().port_name(*port);
                let word = match command {
                    Command::On(_) => "on",
                    Command::Off => "off",
                    Command::Open(_) => "open",
                    Command::Pulse { .. } => "pulse",
                    Command::Train { .. } => "train",
                    Command::Series { .. } => "series",
                    Command::Play { .. } => "play",
                    Command::Stop => "stop",
                    Command::Film => "film",
                    Command::Display(DisplayCommand::Show(_)) => "show",
                    Command::Display(DisplayCommand::Follow(..)) => "follow",
                    Command::Display(DisplayCommand::Center) => "center",
                    Command::Display(DisplayCommand::Freeze) => "freeze",
                    Command::Display(DisplayCommand::Clear) => "clear",
                };
                format!("{} {name} {word}", ms(*time))
            }
            Output::Row(row) => format!("{} row {} {}", ms(row.end), row.trial, row.ending.name()),
            Output::Note { time, .. } => format!("{} note", ms(*time)),
            Output::Ended { time, ending, why } => format!("{} session {}: {why}", ms(*time), ending.name()),
            Output::Call(_) => return None,
        })
    }
}
