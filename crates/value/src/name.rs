//! Names that are safe wherever they may be used.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A name that is not one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// Not letters, digits, - and _, or too long.
    #[error(
        "`{0}` can't be a name: use letters, digits, - and _, at most 63 of them, the first a letter or _"
    )]
    Name(String),
    /// Not usable as an animal's name and as a file's.
    #[error(
        "`{0}` can't be a subject's name: use letters, digits, - and _, at most 63 of them, the first a letter or digit"
    )]
    Subject(String),
}

/// The name of a declaration, an agent or a port: what Python would take for a
/// variable, with `-` allowed inside (`box-1`), at most 63 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct Name(Arc<str>);

/// An animal's name, which is also its file's: `M001`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct SubjectId(Arc<str>);

const LONGEST: usize = 63;

macro_rules! checked_text {
    ($type:ident, $error:ident, $check:expr) => {
        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = NameError;
            fn from_str(text: &str) -> Result<$type, NameError> {
                let fits: fn(&str) -> bool = $check;
                if !text.is_empty() && text.len() <= LONGEST && fits(text) {
                    Ok($type(text.into()))
                } else {
                    Err(NameError::$error(text.to_owned()))
                }
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(text: String) -> Result<$type, NameError> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0.to_string()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

checked_text!(Name, Name, |text| {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
});

checked_text!(SubjectId, Subject, |text| {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_name_may_be_is_what_is_said_of_it() {
        for text in ["box1", "box-1", "_box_1", &"x".repeat(63)] {
            assert!(text.parse::<Name>().is_ok(), "{text}");
        }
        for text in ["", "1box", "-box", "box 1", "b\u{f6}x", &"x".repeat(64)] {
            let refused = text.parse::<Name>().unwrap_err().to_string();
            assert!(
                refused
                    .ends_with("use letters, digits, - and _, at most 63 of them, the first a letter or _")
            );
        }
    }

    #[test]
    fn a_subject_may_not_name_a_file_elsewhere() {
        for text in ["", "../M001", "a/b", ".hidden", "M 1", "é", &"x".repeat(64)] {
            assert!(text.parse::<SubjectId>().is_err(), "{text}");
        }
        assert_eq!("M001".parse::<SubjectId>().unwrap().as_str(), "M001");
    }
}
