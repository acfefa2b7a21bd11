//! What is asked of a subject's life between its sessions.

use std::collections::BTreeMap;

use bramble_subject::{Biography, Occasion, Sex, Weight};
use bramble_value::{Level, Mass, Person, SubjectId, Volume};
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

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
    pub(crate) who: Person,
}

/// `GET /subjects/{id}/weights`: one each.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct WeightLine {
    pub(crate) weight: Weight,
    /// Its share of the present baseline.
    pub(crate) share: Option<f64>,
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
