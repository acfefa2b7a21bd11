//! A pause: between two trials a session can be held.

use bramble_task::definition::{SourceMap, StageId, StageKind};
use bramble_value::Kind;

use super::step::Step;
use super::{Phase, Session};
use crate::exchange::Output;

impl Session {
    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    pub(crate) fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// No trial begins from now on.
    pub(crate) fn pause(&mut self) {
        if !self.has_trials {
            let text = "a task without `trials` can't be paused; it went on".to_owned();
            return self.outputs.push_back(Output::Note { time: self.now, text });
        }
        if !self.paused && matches!(self.phase, Phase::NotStarted | Phase::Running) {
            self.paused = true;
            self.event(Kind::Pause, SourceMap::SESSION, 0.0);
        }
    }

    /// Trials begin again: one that was held, at once.
    pub(crate) fn resume(&mut self) {
        if !std::mem::take(&mut self.paused) {
            return;
        }
        self.event(Kind::Resume, SourceMap::SESSION, 0.0);
        if let Some(trials) = self.held.take() {
            self.agenda.push(Step::Turn(trials));
        }
    }

    /// Whether a turn of this stage may not begin, since it would be a trial and the
    /// session is paused. It begins with the resumption.
    pub(crate) fn holds(&mut self, id: StageId, kind: &StageKind) -> bool {
        let holds = self.paused && matches!(kind, StageKind::Trials(_));
        if holds {
            self.held = Some(id);
            self.event(Kind::Held, SourceMap::SESSION, 0.0);
        }
        holds
    }

    /// A stage that ended has no turn to begin.
    pub(crate) fn let_go(&mut self, id: StageId) {
        self.held.take_if(|held| *held == id);
    }
}
