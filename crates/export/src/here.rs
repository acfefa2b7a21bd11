//! What an export says beyond what is in the subject file.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

/// Whose data these are: `[lab]` of the terminal's configuration. What is empty
/// isn't said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lab {
    /// The institution, as in `New York University`.
    pub institution: String,
    /// The lab's name.
    pub name: String,
    /// Those who do the experiments, as in `Doe, Jane`.
    pub experimenters: Vec<String>,
    /// Those who answer for the data, as in `Jane Doe`; the experimenters where none is named.
    pub investigators: Vec<String>,
    /// The project, as in `Visual choice`.
    pub project: String,
    /// Who pays for it.
    pub funders: Vec<String>,
}

/// By whom, where and when a session is exported.
#[derive(Debug, Clone, PartialEq)]
pub struct Here {
    /// Whose data these are.
    pub lab: Lab,
    /// The time on the wall of the lab: for a day that has a night.
    pub zone: TimeZone,
    /// When it is exported.
    pub now: Timestamp,
}

impl Here {
    /// A moment as ISO 8601 with its distance from UTC, as NWB and AIND want it.
    pub(crate) fn moment(&self, moment: Timestamp) -> String {
        moment.to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string()
    }
}
