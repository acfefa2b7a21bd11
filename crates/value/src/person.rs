//! Who does something: a person at a computer.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A person and where they sit, as in `alice@desk` or `Jane Doe@desk`. It tells people
/// apart who work with each other; it proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct Person(Arc<str>);

/// What is no person.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` says not who you are: write your name and computer, as in alice@desk or Jane Doe@desk, on one \
     line, at most 120 bytes"
)]
pub struct PersonError(String);

const LONGEST: usize = 120;
const TOOK_OVER: &str = " took the session over from ";

impl Person {
    /// The person of this name, at `computer` where the name says no other: names have spaces
    /// and letters of any script, computers needn't be typed.
    ///
    /// # Errors
    /// Where it can't be a name.
    pub fn at(name: &str, computer: &str) -> Result<Person, PersonError> {
        let name = name.trim();
        let of = |computer: &str| format!("{name}@{computer}").parse::<Person>();
        match name.contains('@') {
            true => name.parse(),
            // A computer that has no name, or an odd one, is known by its address to itself.
            false => of(computer).or_else(|_| of("localhost")).map_err(|_| PersonError::of(name)),
        }
    }

    /// The computer that they sit at.
    pub fn computer(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, computer)| computer)
    }

    /// The person as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a session's record says of what they did to it, as `paused`, and why where they said so.
    pub fn did(&self, what: &str, why: &str) -> String {
        match why {
            "" => format!("{what} by {self}"),
            why => format!("{what} by {self}: {why}"),
        }
    }

    /// What a session's record says where they made it theirs.
    pub fn took_over(&self, from: &Person) -> String {
        format!("{self}{TOOK_OVER}{from}")
    }

    /// Whether a note of a session says what a person did to it, and warns of nothing.
    pub fn is_deed(note: &str) -> bool {
        let is_person = |text: &str| text.parse::<Person>().is_ok();
        if let Some((by, from)) = note.split_once(TOOK_OVER) {
            return is_person(by) && is_person(from);
        }
        let by = ["paused by ", "resumed by "].iter().find_map(|deed| note.strip_prefix(deed));
        // Why they did it may have colons too.
        by.is_some_and(|by| by.match_indices(": ").map(|(end, _)| &by[..end]).chain([by]).any(is_person))
    }
}

impl PersonError {
    fn of(text: &str) -> PersonError {
        PersonError(text.chars().take(LONGEST).collect())
    }
}

impl FromStr for Person {
    type Err = PersonError;

    fn from_str(text: &str) -> Result<Person, PersonError> {
        let whole = text.rsplit_once('@').is_some_and(|(name, computer)| {
            !name.trim().is_empty() && !computer.is_empty() && !computer.contains(char::is_whitespace)
        });
        let shown = text.chars().all(|c| (c == ' ' || !c.is_whitespace()) && !c.is_control());
        if whole && shown && text.trim() == text && text.len() <= LONGEST {
            Ok(Person(text.into()))
        } else {
            Err(PersonError::of(text))
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
        for text in
            ["a@b.c@desk", "Jane Doe@desk", "\u{c9}lodie@desk", "\u{5c71}\u{7530} \u{592a}\u{90ce}@desk"]
        {
            assert_eq!(text.parse::<Person>().unwrap().computer(), "desk", "{text}");
        }
        let long = format!("{}@desk", "x".repeat(LONGEST));
        for text in [
            "",
            "alice",
            "@desk",
            " @desk",
            "alice@",
            "alice@a desk",
            " alice@desk",
            "al\tice@desk",
            "alice@de\nsk",
            "a\u{1b}[2J@desk",
            &long,
        ] {
            assert!(text.parse::<Person>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_a_person_did_to_a_session_is_told_from_what_warns_of_something() {
        let [alice, bob]: [Person; 2] = ["alice@desk", "Bob: B.@rig"].map(|one| one.parse().unwrap());
        for deed in [
            alice.did("paused", ""),
            alice.did("resumed", "it drank: 3 uL"),
            bob.did("paused", "a plug: the left one"),
            bob.took_over(&alice),
        ] {
            assert!(Person::is_deed(&deed), "{deed}");
        }
        for warning in
            ["`valve` was on for 2 s", "paused by itself", "somebody took the session over from alice@desk"]
        {
            assert!(!Person::is_deed(warning), "{warning}");
        }
    }

    #[test]
    fn who_says_no_computer_sits_at_this_one() {
        let at = |name: &str| Person::at(name, "desk").map(String::from);
        assert_eq!(at(" Jane Doe ").unwrap(), "Jane Doe@desk");
        assert_eq!(at("jane@lab.org").unwrap(), "jane@lab.org");
        assert_eq!(String::from(Person::at("Jane", "odd name").unwrap()), "Jane@localhost");
        let refused = at("").unwrap_err().to_string();
        assert!(refused.starts_with("`` says not who you are"), "{refused}");
        assert!(at("Ja\nne").is_err() && at(&"x".repeat(LONGEST)).is_err());
    }
}
