//! The checks as they were made when the session ended, which its file keeps.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::text::moment;
use crate::{Check, Column, Report, Score};

/// What a subject file keeps of a report: what was found, as JSON. Whose session it was, and its
/// trials and warnings, stand in the file already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The version of this form.
    pub version: u32,
    /// The program that made the checks, with its version.
    pub by: String,
    /// When.
    pub when: Timestamp,
    /// How many of the checks are fine; the first form had none.
    #[serde(default)]
    pub score: Option<Score>,
    /// What was checked.
    pub checks: Vec<Check>,
    /// What the columns held.
    pub columns: Vec<Column>,
}

impl Kept {
    /// What a file keeps; `None` where a program wrote it whose form isn't known here.
    pub fn read(text: &str) -> Option<Kept> {
        serde_json::from_str(text).ok()
    }
}

/// Whose checks a report shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Checked {
    /// The program that made them, with its version.
    pub by: String,
    /// When.
    pub when: Timestamp,
    /// What the checks of this program would say otherwise, by their names.
    pub otherwise: Vec<String>,
}

impl Report {
    /// What a file is to keep of this report, which was made `by` this program.
    pub fn to_keep(&self, by: String, when: Timestamp) -> String {
        let (checks, columns) = (self.checks.clone(), self.columns.clone());
        let kept = Kept { version: self.version, by, when, score: Some(self.score), checks, columns };
        serde_json::to_string(&kept).expect("a report has a JSON form")
    }

    /// Whose checks these are, in sentences.
    pub(crate) fn whose(&self, zone: &TimeZone) -> Vec<String> {
        let Some(Checked { by, when, otherwise }) = &self.checked else { return Vec::new() };
        let mut said = vec![format!("checked when it ended, {}, by {by}", moment(*when, zone))];
        if !otherwise.is_empty() {
            said.push(format!("the checks of this Bramble say otherwise of: {}", otherwise.join(", ")));
        }
        said
    }

    /// This report with the checks that were made when the session ended, and in what these
    /// differ from its own.
    pub fn as_kept(self, kept: Kept) -> Report {
        let Kept { by, when, checks, columns, .. } = kept;
        let known = |check: &&Check| !checks.contains(check);
        let mut otherwise: Vec<String> =
            self.checks.iter().filter(known).map(|check| check.name.clone()).collect();
        let gone = checks.iter().filter(|kept| !self.checks.iter().any(|now| now.name == kept.name));
        otherwise.extend(gone.map(|check| check.name.clone()));
        if columns != self.columns {
            otherwise.push("columns".to_owned());
        }
        let score = Score::of(&checks);
        Report { score, checks, columns, checked: Some(Checked { by, when, otherwise }), ..self }
    }
}
