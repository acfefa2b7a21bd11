//! All that a subject file says of one session.

use std::collections::BTreeMap;

use bramble_subject::{Biography, Note, SessionEnd, SessionNumber, SessionStart, SubjectFile};
use bramble_value::{Event, Span, SubjectId, Time, Trials};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use uuid::Uuid;

use crate::ExportError;
use crate::weights::Weights;

/// A session, read from its subject's file.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Whose session it is.
    pub subject: SubjectId,
    /// The subject's own name, the same wherever its data go.
    pub subject_uuid: Uuid,
    /// Who the animal is, as is known now.
    pub biography: Biography,
    /// The animal's weighings.
    pub(crate) weights: Weights,
    /// Its place among the subject's sessions.
    pub number: SessionNumber,
    /// What it started from.
    pub start: SessionStart,
    /// How it ended; `None` while it runs, or where its end was never heard of.
    pub end: Option<SessionEnd>,
    /// Its trials.
    pub trials: Trials,
    /// Its events.
    pub events: Vec<Event>,
    /// What a person should read.
    pub notes: Vec<Note>,
}

impl Session {
    /// Reads a session, as far as it is in the file.
    ///
    /// # Errors
    /// Where the file has no such session, or is damaged.
    pub fn read(file: &SubjectFile, number: SessionNumber) -> Result<Session, ExportError> {
        let summary = file.summary(number)?;
        let start = file.session(number)?;
        let weights = Weights::of(&file.weights()?, &file.sessions()?, &summary);
        Ok(Session {
            subject: file.id().clone(),
            subject_uuid: file.uuid(),
            biography: file.biography()?,
            weights,
            number,
            start,
            end: summary.end,
            trials: file.trials(number)?,
            events: file.events(number)?,
            notes: file.notes(number)?,
        })
    }

    /// A moment in seconds from the session's start.
    pub(crate) fn seconds(&self, time: Time) -> f64 {
        time.ns().saturating_sub(self.start.start_time.ns()) as f64 / 1e9
    }

    /// When the last thing that was recorded happened.
    pub(crate) fn last(&self) -> Time {
        let row = self.trials.rows.last().map(|row| row.end);
        let event = self.events.last().map(|event| event.time);
        row.max(event).unwrap_or(self.start.start_time)
    }

    /// When it ended, or, where that isn't known, when the last thing happened.
    pub(crate) fn ended(&self) -> Timestamp {
        let length = self.last().since(self.start.start_time);
        let length = jiff::SignedDuration::from_nanos(Span::ns(length));
        let seen = self.start.started.saturating_add(length).unwrap_or(self.start.started);
        match &self.end {
            // A calendar that was set meanwhile must not end it before its start.
            Some(end) => end.ended.max(self.start.started),
            None => seen,
        }
    }

    /// The unit that an encoder or an analog input of the rig measures in; empty
    /// where the rig doesn't say.
    pub(crate) fn device_unit(&self, source: &str) -> &str {
        let device = source.split('.').next().unwrap_or(source);
        self.rig()["settings"]["devices"][device]["unit"].as_str().unwrap_or_default()
    }

    /// The devices of the rig: name, kind, ports and driver.
    pub(crate) fn devices(&self) -> BTreeMap<String, Device> {
        let listed = self.rig()["devices"].as_array().into_iter().flatten();
        let named = listed.filter_map(|device| {
            let text = |key: &str| device[key].as_str().unwrap_or_default().to_owned();
            let ports = device["ports"].as_array().into_iter().flatten();
            let ports = ports.filter_map(|port| port.as_str().map(str::to_owned)).collect();
            let found = Device { kind: text("kind"), driver: text("driver"), ports };
            Some((device["name"].as_str()?.to_owned(), found))
        });
        named.collect()
    }

    /// The time on the wall where it was started, if its file says which that was and this computer
    /// knows it.
    pub(crate) fn zone(&self) -> Option<TimeZone> {
        TimeZone::get(self.start.provenance["terminal"]["settings"]["zone"].as_str()?).ok()
    }

    fn rig(&self) -> &serde_json::Value {
        &self.start.provenance["pilot"]["rig"]
    }
}

/// A device of the rig, as the session's provenance tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) kind: String,
    pub(crate) driver: String,
    pub(crate) ports: Vec<String>,
}

impl Device {
    /// In a sentence: `digital_input, driven by gpiocdev; ports left, right`.
    pub(crate) fn describe(&self) -> String {
        let mut text = format!("{}, driven by {}", self.kind, self.driver);
        if !self.ports.is_empty() {
            text.push_str("; ports ");
            text.push_str(&self.ports.join(", "));
        }
        text
    }
}
