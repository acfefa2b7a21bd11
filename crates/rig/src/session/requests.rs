//! What a person, a terminal or a protocol wants of the session that runs.

use bramble_engine::Input;
use bramble_task::definition::{PortId, SourceMap};
use bramble_value::{Asked, Kind, Source, Time, Value, Volume};

use super::Running;
use crate::driver::Request;

impl Running<'_> {
    /// Records what is asked, where it isn't recorded as what comes of it.
    pub(super) fn note_asked(&mut self, request: &Request, now: Time) {
        let session = |asked: Asked| (SourceMap::SESSION, f64::from(asked as u8));
        let (source, value) = match request {
            Request::Stop { .. } => session(Asked::Stop),
            Request::StopAfterTrial { .. } => session(Asked::StopAfterTrial),
            Request::Pause { .. } => session(Asked::Pause),
            Request::Resume { .. } => session(Asked::Resume),
            Request::Message { message, value } => (self.sources.message(*message), *value),
            Request::Parameter { parameter, value } => (self.sources.parameter(*parameter), value.to_f64()),
            Request::Command { .. } | Request::Water { .. } | Request::Note { .. } => return,
        };
        self.asked(source, value, now);
        if let Request::Parameter { value: Value::Integers(_, most), .. } = request {
            self.asked(source, f64::from(*most), now);
        }
    }

    pub(super) fn asked(&mut self, source: Source, value: f64, time: Time) {
        self.event_of(Kind::Asked, source, value, time);
    }

    pub(super) fn fulfil(&mut self, request: Request, now: Time) {
        let input = match request {
            Request::Stop { why } => Input::Stop { why },
            Request::StopAfterTrial { why } => Input::StopAfterTrial { why },
            Request::Pause { why } => {
                self.note(now, why.to_string());
                Input::Pause
            }
            Request::Resume { why } => {
                self.note(now, why.to_string());
                Input::Resume
            }
            Request::Note { text } => return self.note(now, text),
            Request::Message { message, value } => Input::Message { message, value },
            Request::Parameter { parameter, value } => {
                if let Err(outside) = self.outputs.allows(parameter, value) {
                    return self.note(now, format!("a parameter was not changed: the valve {outside}"));
                }
                Input::Parameter { parameter, value }
            }
            Request::Command { port, command } => {
                if let Err(error) = self.devices.command(port, &command, now) {
                    self.note(now, format!("a command by hand was not carried out: {error}"));
                }
                return;
            }
            Request::Water { port, volume } => return self.give(port, volume, now),
        };
        self.engine.handle(input, now);
    }

    fn give(&mut self, port: PortId, volume: Volume, now: Time) {
        match self.devices.give(port, volume, now) {
            Ok(()) => self.event(Kind::Manual, port, volume.microliters(), now),
            Err(error) => self.note(now, format!("no water was given by hand: {error}")),
        }
    }
}
