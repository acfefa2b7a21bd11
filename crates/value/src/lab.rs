//! Whose data something is.

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
