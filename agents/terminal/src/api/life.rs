//! What is asked of a subject's life between its sessions.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bramble_subject::life::WaterOfDay;
use bramble_subject::{Biography, Occasion, Sex, Weight};
use bramble_value::{Level, Mass, Person, SubjectId, Volume};
use jiff::civil::{Date, Time};
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

/// A day on which something was that is written down later, by the lab's calendar and clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct On {
    pub(crate) day: Date,
    /// When on that day, where that is known.
    pub(crate) at: Option<Time>,
}

/// A text that is no day.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no day: write it as in 2026-03-01, or with the time as in \"2026-03-01 09:30\"")]
pub(crate) struct NoDay(String);

impl FromStr for On {
    type Err = NoDay;
    fn from_str(text: &str) -> Result<On, NoDay> {
        let no_day = || NoDay(text.to_owned());
        let (day, at) = match text.trim().split_once([' ', 'T']) {
            Some((day, at)) => (day, Some(Time::strptime("%H:%M", at.trim()).map_err(|_| no_day())?)),
            None => (text.trim(), None),
        };
        Ok(On { day: Date::strptime("%Y-%m-%d", day).map_err(|_| no_day())?, at })
    }
}

impl TryFrom<String> for On {
    type Error = NoDay;
    fn try_from(text: String) -> Result<On, NoDay> {
        text.parse()
    }
}

impl From<On> for String {
    fn from(on: On) -> String {
        on.to_string()
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "{} {}", self.day, at.strftime("%H:%M")),
            None => write!(f, "{}", self.day),
        }
    }
}

/// `POST /subjects/{id}/weights`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Weigh {
    /// In grams; nothing takes back the weighing that was wrong.
    #[serde(default)]
    pub(crate) mass: Option<Mass>,
    /// Where it isn't said: some other time, or that of the weighing that was wrong.
    #[serde(default)]
    pub(crate) occasion: Option<Occasion>,
    /// The last weighing of a day was wrong, and this one counts in its place.
    #[serde(default)]
    pub(crate) instead: bool,
    /// Of which day; where it isn't said, of today.
    #[serde(default)]
    pub(crate) day: Option<Date>,
    /// When it was, where that isn't now.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2026-03-01 09:30")]
    pub(crate) on: Option<On>,
    pub(crate) who: Person,
}

/// `GET /subjects/{id}/weights`: one each.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct WeightLine {
    pub(crate) weight: Weight,
    /// Its share of the present baseline.
    pub(crate) share: Option<f64>,
}

/// `GET /subjects/{id}/water`: one each.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct WaterLine {
    pub(crate) day: Date,
    pub(crate) water: WaterOfDay,
}

/// `POST /subjects/{id}/water`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct GiveWater {
    /// In microliters; nothing takes back what was wrong.
    #[serde(default)]
    pub(crate) volume: Option<Volume>,
    /// What was written down last of a day was wrong, and this counts in its place.
    #[serde(default)]
    pub(crate) instead: bool,
    /// Of which day; where it isn't said, of today.
    #[serde(default)]
    pub(crate) day: Option<Date>,
    /// When it was, where that isn't now.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2026-03-01 09:30")]
    pub(crate) on: Option<On>,
    pub(crate) who: Person,
}

/// `POST /subjects/{id}/care`: what isn't there stays as it is, and `null` takes it back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Cares {
    /// What its weights are compared with, in grams.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Mass>)]
    pub(crate) baseline: Option<Option<Mass>>,
    /// The share of the baseline that it must not weigh less than, from 0 to 1.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Level>)]
    pub(crate) limit: Option<Option<Level>>,
    /// The water that it is to have in a day, in microliters.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Volume>)]
    pub(crate) target: Option<Option<Volume>>,
    pub(crate) who: Person,
}

/// What is there, be it `null`.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// `POST /subjects/{id}/notes`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct NoteDown {
    pub(crate) text: String,
    pub(crate) who: Person,
}

/// `POST /subjects/{id}/sessions/{number}/move`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct MoveSession {
    /// Whose session it is.
    pub(crate) to: SubjectId,
    pub(crate) why: String,
    pub(crate) who: Person,
}

/// `POST /subjects/{id}/biography`: what isn't there stays as it is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Edit {
    #[serde(default)]
    pub(crate) species: Option<String>,
    #[serde(default)]
    pub(crate) strain: Option<String>,
    #[serde(default)]
    pub(crate) sex: Option<Sex>,
    /// `null` takes it back.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Date>)]
    pub(crate) birth: Option<Option<Date>>,
    #[serde(default)]
    pub(crate) genotype: Option<String>,
    #[serde(default)]
    pub(crate) notes: Option<String>,
    /// By name; an empty text takes one away.
    #[serde(default)]
    pub(crate) extra: BTreeMap<String, String>,
    pub(crate) who: Person,
}

impl Edit {
    /// The biography after this edit.
    pub(crate) fn applied(self, before: Biography) -> Biography {
        let mut extra = before.extra;
        for (name, text) in self.extra {
            match text.is_empty() {
                true => drop(extra.remove(&name)),
                false => drop(extra.insert(name, text)),
            }
        }
        Biography {
            species: self.species.unwrap_or(before.species),
            strain: self.strain.unwrap_or(before.strain),
            sex: self.sex.unwrap_or(before.sex),
            birth: self.birth.unwrap_or(before.birth),
            genotype: self.genotype.unwrap_or(before.genotype),
            notes: self.notes.unwrap_or(before.notes),
            extra,
        }
    }
}
