//! Who does something: a person at a computer.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A person and where they sit, as in `alice@desk`. It tells people apart who
/// work with each other; it proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct Person(Arc<str>);

/// What is no person.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` says not who you are: write name@computer, as in alice@desk, without spaces, at most 120 bytes"
)]
pub struct PersonError(String);

const LONGEST: usize = 120;

impl Person {
    /// The person as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Person {
    type Err = PersonError;

    fn from_str(text: &str) -> Result<Person, PersonError> {
        let whole = text.rsplit_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
        let shown = text.chars().all(|c| !c.is_whitespace() && !c.is_control());
        if whole && shown && text.len() <= LONGEST {
            Ok(Person(text.into()))
        } else {
            Err(PersonError(text.chars().take(LONGEST).collect()))
        }
    }
}

impl TryFrom<String> for Person {
    type Error = PersonError;
    fn try_from(text: String) -> Result<Person, PersonError> {
        text.parse()
    }
}

impl From<Person> for String {
    fn from(person: Person) -> String {
        person.0.to_string()
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_a_name_and_a_computer_and_fits_on_a_line() {
        assert_eq!("alice@desk".parse::<Person>().unwrap().as_str(), "alice@desk");
        assert!("a@b.c@desk".parse::<Person>().is_ok(), "an address at a computer");
        let long = format!("{}@desk", "x".repeat(LONGEST));
        for text in ["", "alice", "@desk", "alice@", "al ice@desk", "alice@de\nsk", "a\u{1b}[2J@desk", &long]
        {
            assert!(text.parse::<Person>().is_err(), "{text:?}");
        }
    }
}
