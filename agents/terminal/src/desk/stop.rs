//! Ending sessions: those that run, and those that are only about to.

use bramble_message::{Command, When};
use bramble_value::{Name, SubjectId};
use jiff::Timestamp;

use super::start::START;
use super::{Desk, PATIENCE};
use crate::api::types::{Done, Stop};
use crate::lab::Running;
use crate::refusal::{Allowed, Refusal};

impl Desk {
    /// Stops a session. One that is being started, or that is to follow by itself, doesn't begin, or is
    /// stopped as soon as it has.
    pub(crate) async fn stop(&self, stop: Stop) -> Allowed<Done> {
        let Stop { subject, pilot, by, why, after_trial } = stop;
        if subject.is_none() && pilot.is_none() {
            return Err(Refusal::wrong("say whose session to stop, or on which pilot"));
        }
        let called_off = match after_trial {
            true => None,
            false => self.state.change(|lab| {
                let by = (&by.who, by.take_over);
                lab.call_off(subject.as_ref(), pilot.as_ref(), by, Timestamp::now())
            }),
        };
        let running = self.running(subject.as_ref(), pilot.as_ref()).await;
        let Running { pilot, session, subject, task } = match (running, called_off) {
            (Ok(running), _) => running,
            // One that is away may have begun it.
            (Err(_), Some((subject, pilot))) if self.state.lab().is_here(&pilot) => {
                return Ok(Done {
                    done: format!("{subject} starts no session on {pilot}: it was stopped before"),
                });
            }
            (Err(refusal), _) => return Err(refusal),
        };
        let why = by.who.did("stopped", &why);
        let when = if after_trial { When::AfterTrial } else { When::Now };
        self.command(&pilot, by, Command::Stop { session, when, why }).await?;
        let what = format!("{subject}'s session of {task} on {pilot}");
        if after_trial {
            return Ok(Done { done: format!("{what} ends when its present trial is over") });
        }
        let ended = self.state.until(PATIENCE, |lab| !lab.runs(&pilot, session)).await;
        let done = if ended { format!("{what} was stopped") } else { format!("{what} was told to stop") };
        Ok(Done { done })
    }

    /// The session that a subject is in, on a pilot that is there. One that is being started is waited
    /// for.
    pub(super) async fn session_of(&self, subject: &SubjectId) -> Allowed<Running> {
        self.running(Some(subject), None).await
    }

    async fn running(&self, subject: Option<&SubjectId>, pilot: Option<&Name>) -> Allowed<Running> {
        self.state.until(PATIENCE + START, |lab| !lab.is_starting(subject, pilot)).await;
        let lab = self.state.lab();
        match (subject, pilot) {
            (Some(subject), _) => lab.session_of(subject),
            (None, Some(pilot)) => lab.session_on(pilot),
            (None, None) => Err(Refusal::wrong("say whose session, or on which pilot")),
        }
    }
}
