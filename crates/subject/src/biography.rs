//! Who the animal is. An edit is a new version; the old ones stay.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What is known of an animal. An empty text is not known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Biography {
    /// Its species, as in `Mus musculus`.
    pub species: String,
    /// Its strain, as in `C57BL/6J`.
    pub strain: String,
    /// Its sex.
    pub sex: Sex,
    /// When it was born.
    pub birth: Option<Date>,
    /// Its genotype.
    pub genotype: String,
    /// Anything else in words.
    pub notes: String,
    /// Anything else by name, as in `cage` = `12`.
    pub extra: BTreeMap<String, String>,
}

/// An animal's sex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Sex {
    /// Not known.
    #[default]
    Unknown,
    /// Female.
    Female,
    /// Male.
    Male,
    /// Something else.
    Other,
}

impl fmt::Display for Sex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Sex::Unknown => "unknown",
            Sex::Female => "female",
            Sex::Male => "male",
            Sex::Other => "other",
        })
    }
}

impl FromStr for Sex {
    type Err = String;

    /// Reads `female`, `male`, `other`, `unknown`, or their first letters.
    fn from_str(text: &str) -> Result<Sex, String> {
        match text.to_lowercase().as_str() {
            "unknown" | "u" | "" => Ok(Sex::Unknown),
            "female" | "f" => Ok(Sex::Female),
            "male" | "m" => Ok(Sex::Male),
            "other" | "o" => Ok(Sex::Other),
            _ => Err(format!("`{text}` is not a sex: write female, male, other or unknown")),
        }
    }
}

impl Biography {
    /// Every field with what it says, those of `extra` as `extra.name`.
    pub fn fields(&self) -> Vec<(String, String)> {
        let named = [
            ("species", self.species.clone()),
            ("strain", self.strain.clone()),
            ("sex", self.sex.to_string()),
            ("birth", self.birth.map(|date| date.to_string()).unwrap_or_default()),
            ("genotype", self.genotype.clone()),
            ("notes", self.notes.clone()),
        ];
        let named = named.into_iter().map(|(name, value)| (name.to_owned(), value));
        named.chain(self.extra.iter().map(|(name, value)| (format!("extra.{name}"), value.clone()))).collect()
    }

    /// The biography that [`Biography::fields`] made `fields` of; what can't be
    /// read is left unknown.
    pub(crate) fn from_fields(fields: Vec<(String, String)>) -> Biography {
        let mut biography = Biography::default();
        for (name, value) in fields {
            match name.as_str() {
                "species" => biography.species = value,
                "strain" => biography.strain = value,
                "sex" => biography.sex = value.parse().unwrap_or_default(),
                "birth" => biography.birth = value.parse().ok(),
                "genotype" => biography.genotype = value,
                "notes" => biography.notes = value,
                _ => {
                    let name = name.strip_prefix("extra.").unwrap_or(&name).to_owned();
                    biography.extra.insert(name, value);
                }
            }
        }
        biography
    }
}
