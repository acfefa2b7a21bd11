//! What is said of one thing that is not as it should be.

use std::fmt;
use std::str::FromStr;

use bramble_value::{Name, Person, SubjectId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What an alert may be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = AlertKind))]
pub enum Kind {
    /// A pilot is away.
    PilotAway,
    /// A session has had no trial for long.
    SessionStalled,
    /// Nothing says that an animal was taken out of its box after its session.
    AnimalLeft,
    /// An animal weighs less than its limit.
    WeightLow,
    /// A disk has little room.
    DiskShort,
    /// A valve's calibration is soon too old, or is.
    CalibrationOld,
    /// What alerts are told by doesn't work.
    WebhookFails,
}

/// What is no kind of alert.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no kind of alert: {all}", all = Kind::ALL.map(Kind::word).join(", "))]
pub struct KindError(String);

impl Kind {
    /// Each kind.
    pub const ALL: [Kind; 7] = [
        Kind::PilotAway,
        Kind::SessionStalled,
        Kind::AnimalLeft,
        Kind::WeightLow,
        Kind::DiskShort,
        Kind::CalibrationOld,
        Kind::WebhookFails,
    ];

    /// Its name in files and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Kind::PilotAway => "pilot-away",
            Kind::SessionStalled => "session-stalled",
            Kind::AnimalLeft => "animal-left",
            Kind::WeightLow => "weight-low",
            Kind::DiskShort => "disk-short",
            Kind::CalibrationOld => "calibration-old",
            Kind::WebhookFails => "webhook-fails",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Kind {
    type Err = KindError;
    fn from_str(text: &str) -> Result<Kind, KindError> {
        Kind::ALL.into_iter().find(|kind| kind.word() == text).ok_or_else(|| KindError(text.to_owned()))
    }
}

/// What tells one alert from another: there is at most one at a time of each topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Topic {
    /// The kind.
    pub kind: Kind,
    /// What it is about: `box1`, `M001`, `box1 valve.left`.
    pub about: String,
}

/// Something that is not as it should be, as whoever looks finds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What.
    pub topic: Topic,
    /// The pilot that it concerns.
    pub pilot: Option<Name>,
    /// The animal that it concerns.
    pub subject: Option<SubjectId>,
    /// What is so, in a sentence without its point. It shouldn't change while nothing does.
    pub text: String,
    /// Since when it is so.
    pub since: Timestamp,
    /// It is so little that it begins no alert, but it ends none either.
    pub slight: bool,
}

impl Finding {
    /// Something that is so since then.
    pub fn new(kind: Kind, about: impl Into<String>, text: impl Into<String>, since: Timestamp) -> Finding {
        let topic = Topic { kind, about: about.into() };
        Finding { topic, pilot: None, subject: None, text: text.into(), since, slight: false }
    }

    /// It concerns this pilot.
    pub fn of_pilot(self, pilot: &Name) -> Finding {
        Finding { pilot: Some(pilot.clone()), ..self }
    }

    /// It concerns this animal.
    pub fn of_subject(self, subject: &SubjectId) -> Finding {
        Finding { subject: Some(subject.clone()), ..self }
    }
}

/// Who has seen an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = AlertSeen))]
pub struct Seen {
    /// Who.
    pub who: Person,
    /// When.
    pub at: Timestamp,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Alert {
    /// Its number, which no other alert has.
    pub id: u64,
    /// What kind it is of.
    pub kind: Kind,
    /// What it is about: `box1`, `M001`, `box1 valve.left`.
    pub about: String,
    /// The pilot that it concerns.
    pub pilot: Option<Name>,
    /// The animal that it concerns.
    pub subject: Option<SubjectId>,
    /// What is so, in a sentence without its point, as of the last look.
    pub text: String,
    /// Since when it is so.
    pub since: Timestamp,
    /// When the alert began.
    pub began: Timestamp,
    /// When it ended; none while it is on.
    pub ended: Option<Timestamp>,
    /// Who has seen it first; none where nobody has.
    pub seen: Option<Seen>,
    /// Nobody is told of it before then.
    pub silent_until: Option<Timestamp>,
    /// When others were told of it last.
    pub told: Option<Timestamp>,
}

impl Alert {
    /// What tells it from others that are on.
    pub fn topic(&self) -> Topic {
        Topic { kind: self.kind, about: self.about.clone() }
    }
}
