//! Stimuli with their arguments, as a task gives them, made into sounds and pictures.

use bramble_task::definition::{Stimulus, StimulusKind};
use bramble_value::{Frequency, Level, Span, Value};

use super::CommandError;
use crate::signal::{Grating, Side, Sound};
use crate::wiring::Wire;

/// What a tone is where a task doesn't say.
const PITCH: f64 = 5000.0;
/// How long a sound is where a task doesn't say.
const LENGTH: Span = Span::from_ms(100);

pub(super) fn sound(wire: &Wire, stimulus: &Stimulus<Value>) -> Result<Sound, CommandError> {
    let argument = |name| argument(stimulus, name);
    let wrong = |what| CommandError::Argument { port: wire.to_string(), what };
    let length = match argument("duration") {
        None => LENGTH,
        Some(Value::Duration(length)) => length,
        Some(_) => return Err(wrong("duration")),
    };
    let level = match argument("level") {
        None => Level::from_share(1.0).unwrap_or_default(),
        Some(Value::Level(level)) => level,
        Some(_) => return Err(wrong("level")),
    };
    match stimulus.kind {
        StimulusKind::Tone => {
            let frequency = match argument("frequency") {
                None => Frequency::from_hertz(PITCH).unwrap_or_default(),
                Some(Value::Frequency(frequency)) => frequency,
                Some(_) => return Err(wrong("frequency")),
            };
            Ok(Sound::Tone { frequency, length, level })
        }
        StimulusKind::Noise => Ok(Sound::Noise { length, level }),
        StimulusKind::Grating => Err(wrong("sound")),
    }
}

pub(super) fn grating(wire: &Wire, stimulus: &Stimulus<Value>) -> Result<Grating, CommandError> {
    let wrong = |what| CommandError::Argument { port: wire.to_string(), what };
    if stimulus.kind != StimulusKind::Grating {
        return Err(wrong("picture"));
    }
    let side = match argument(stimulus, "side") {
        None | Some(Value::Choice(0)) => Side::Left,
        Some(Value::Choice(1)) => Side::Right,
        Some(_) => return Err(wrong("side")),
    };
    let contrast = argument(stimulus, "contrast").map_or(1.0, Value::to_f64);
    Ok(Grating { side, contrast: contrast.clamp(0.0, 1.0) })
}

fn argument(stimulus: &Stimulus<Value>, name: &str) -> Option<Value> {
    let place = stimulus.kind.arguments().iter().position(|argument| *argument == name)?;
    stimulus.arguments.get(place).copied().flatten()
}
