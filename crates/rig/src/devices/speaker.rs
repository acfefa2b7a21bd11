//! One loudspeaker: a sound at a time, the latest.

use bramble_value::Time;

use crate::signal::{Signal, Sound};

#[derive(Debug, Clone, Default)]
pub(super) struct Speaker {
    playing: Option<Playing>,
    /// A sound was written and not yet a silence after it.
    sounding: bool,
}

#[derive(Debug, Clone, Copy)]
struct Playing {
    sound: Sound,
    start: Time,
    written: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Change {
    pub(super) signal: Option<Signal>,
    pub(super) ended: Option<Time>,
}

impl Speaker {
    /// Starts a sound then; one that plays or waits is replaced, without `.ends`.
    pub(super) fn play(&mut self, sound: Sound, start: Time) {
        self.playing = Some(Playing { sound, start, written: false });
    }

    /// Ends what plays or waits; whether anything did.
    pub(super) fn stop(&mut self) -> bool {
        self.playing.take().is_some()
    }

    pub(super) fn deadline(&self, now: Time) -> Option<Time> {
        let playing = self.playing?;
        Some(if playing.start > now { playing.start } else { playing.start + playing.sound.length() })
    }

    pub(super) fn advance(&mut self, now: Time) -> Change {
        let mut change = Change::default();
        if let Some(playing) = &mut self.playing {
            let end = playing.start + playing.sound.length();
            if end <= now {
                change.ended = Some(end);
                self.playing = None;
            } else if playing.start <= now && !playing.written {
                playing.written = true;
                self.sounding = true;
                change.signal = Some(Signal::Play(playing.sound));
            }
        }
        if self.playing.is_none_or(|playing| !playing.written) && self.sounding {
            self.sounding = false;
            change.signal = Some(Signal::Silence);
        }
        change
    }
}
