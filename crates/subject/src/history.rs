//! What people and programs did to a subject, and what it weighed.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct By {
    /// The person, or the program where it acted by itself.
    pub who: String,
    /// When.
    pub when: Timestamp,
}

/// One change to a subject: a row of `/history/table`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Change {
    /// When.
    pub when: Timestamp,
    /// The person, or the program where it acted by itself.
    pub who: String,
    /// What changed: `protocol`, `step`, `biography.strain`.
    pub what: String,
    /// What it was; empty where it was nothing.
    pub from: String,
    /// What it is now; empty where it is nothing.
    pub to: String,
}

/// One weighing: a row of `/weights/table`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Weight {
    /// When.
    pub when: Timestamp,
    /// The weight in grams; not a number where this takes back a weighing of the same time.
    pub grams: f64,
    /// Before or after a session.
    pub occasion: Occasion,
    /// Who weighed it.
    pub who: String,
}

/// When, in an animal's day, it was weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Occasion {
    /// Before a session.
    Before,
    /// After a session.
    After,
    /// At some other time.
    #[default]
    Other,
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Occasion::Before => "before",
            Occasion::After => "after",
            Occasion::Other => "other",
        })
    }
}

impl FromStr for Occasion {
    type Err = String;
    fn from_str(text: &str) -> Result<Occasion, String> {
        match text {
            "before" => Ok(Occasion::Before),
            "after" => Ok(Occasion::After),
            "other" => Ok(Occasion::Other),
            _ => Err(format!("`{text}` is not an occasion: write before, after or other")),
        }
    }
}
