//! Lines of any Linux board: the kernel's GPIO character device. Edges carry
//! the kernel's time stamps and sequence numbers; polarity, pull and debounce
//! are the kernel's too.

mod chip;
mod input;
mod output;

use std::os::fd::{AsFd, BorrowedFd};

use bramble_value::Time;
use gpiocdev::line::Value;
use gpiocdev::{Error, UapiCall};

use super::{Bank, DriverError, Edge, LineId, LineSpec, OpenError, Purpose, monotonic};
use crate::guard::Guarded;
use chip::Opened;
use input::Input;
use output::Output;

/// The lines of one chip.
#[derive(Debug)]
pub(crate) struct Gpiocdev {
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    /// What each line is, by its number; `None` for those of other banks.
    places: Vec<Option<Place>>,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Input(usize),
    Output(usize),
}

impl Gpiocdev {
    /// Opens these lines of a chip, which is given by name, path or label.
    /// Outputs are at their safe levels from the first moment on.
    pub(crate) fn open(chip: &str, lines: &[(LineId, &LineSpec)]) -> Result<Gpiocdev, OpenError> {
        let Some((_, first)) = lines.first() else {
            return Ok(Gpiocdev { inputs: Vec::new(), outputs: Vec::new(), places: Vec::new() });
        };
        let chip = Opened::find(chip, &first.owner)?;
        let mut bank = Gpiocdev { inputs: Vec::new(), outputs: Vec::new(), places: Vec::new() };
        for together in lines.chunk_by(|(_, one), (_, next)| are_an_encoder(one, next)) {
            let (_, spec) = together[0];
            let place = match &spec.purpose {
                Purpose::Input { pull, debounce } => {
                    bank.inputs.push(Input::open(&chip, together, spec.active, *pull, *debounce)?);
                    Place::Input(bank.inputs.len() - 1)
                }
                Purpose::Output { safe, frequency } => {
                    bank.outputs.push(Output::open(&chip, spec, *safe, *frequency)?);
                    Place::Output(bank.outputs.len() - 1)
                }
            };
            for (id, _) in together {
                bank.places.resize(bank.places.len().max(id.index() + 1), None);
                bank.places[id.index()] = Some(place);
            }
        }
        Ok(bank)
    }

    fn input(&mut self, line: LineId) -> Result<&mut Input, DriverError> {
        match self.places.get(line.index()) {
            Some(Some(Place::Input(place))) => Ok(&mut self.inputs[*place]),
            _ => Err(DriverError(format!("line {} is no input of its chip", line.0))),
        }
    }
}

impl Bank for Gpiocdev {
    fn wakes(&self) -> Vec<BorrowedFd<'_>> {
        self.inputs.iter().map(|input| input.as_fd()).collect()
    }

    fn woken(&mut self, which: usize, into: &mut Vec<Edge>) -> Result<(), DriverError> {
        self.inputs[which].edges(into)
    }

    fn level(&mut self, line: LineId) -> Result<bool, DriverError> {
        self.input(line)?.level(line)
    }

    fn write(&mut self, line: LineId, level: f64) -> Result<(), DriverError> {
        match self.places.get(line.index()) {
            Some(Some(Place::Output(place))) => self.outputs[*place].write(level, monotonic),
            _ => Err(DriverError(format!("line {} is no output of its chip", line.0))),
        }
    }

    fn listen(&mut self, line: LineId, on: bool) -> Result<u32, DriverError> {
        self.input(line)?.listen(line, on)
    }

    fn deadline(&self) -> Option<Time> {
        self.outputs.iter().filter_map(Output::deadline).min()
    }

    fn advance(&mut self, now: Time) -> Result<(), DriverError> {
        self.outputs.iter_mut().try_for_each(|output| output.advance(now))
    }

    fn guarded(&self) -> Result<Vec<Guarded>, DriverError> {
        self.outputs.iter().map(Output::guarded).collect()
    }
}

/// Only an encoder has two inputs of one port.
fn are_an_encoder(one: &LineSpec, next: &LineSpec) -> bool {
    let input = |spec: &LineSpec| matches!(spec.purpose, Purpose::Input { .. });
    input(one) && input(next) && (&one.device, &one.port) == (&next.device, &next.port)
}

/// Where a line is, for messages.
#[derive(Debug, Clone)]
struct Whereabouts {
    owner: String,
    pin: u32,
    chip: String,
}

impl Whereabouts {
    /// What went wrong while the line was used.
    fn failed(&self, error: &Error) -> DriverError {
        let Whereabouts { owner, pin, chip } = self;
        DriverError(match errno(error) {
            Some(nix::errno::Errno::ENODEV | nix::errno::Errno::ENXIO) => format!(
                "the GPIO chip {chip} is gone, and `{owner}` was on its pin {pin}: is it still plugged in, and its \
                 driver loaded?"
            ),
            _ => format!("pin {pin} of {chip}, `{owner}`, doesn't answer: {}", said(error)),
        })
    }
}

/// The kernel's error number behind an error, if it was the kernel's.
fn errno(error: &Error) -> Option<nix::errno::Errno> {
    match error {
        Error::Os(errno) | Error::Uapi(_, ::gpiocdev_uapi::Error::Os(errno)) => {
            Some(nix::errno::Errno::from_raw(errno.0))
        }
        _ => None,
    }
}

/// What an error says, without the name of the call.
fn said(error: &Error) -> String {
    match (errno(error), error) {
        (Some(errno), _) => errno.desc().to_owned(),
        (None, Error::Uapi(UapiCall::GetLine, source)) => source.to_string(),
        (None, error) => error.to_string(),
    }
}

fn value(on: bool) -> Value {
    if on { Value::Active } else { Value::Inactive }
}
