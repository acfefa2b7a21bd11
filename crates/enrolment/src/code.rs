//! The code that a person carries from one computer to another.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Digits and letters that nobody takes for each other: Crockford's base 32.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// How many of them a code has.
const LENGTH: usize = 8;

/// A one-time code, as in `k7qf-2mxp`: 40 random bits. Its first digit says which
/// invitation it belongs to and isn't secret; the others are.
#[derive(Clone, PartialEq, Eq)]
pub struct Code([u8; LENGTH]);

/// A text that is no code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CodeError {
    /// Something that no code has.
    #[error(
        "a code has no `{0}` in it: it is eight letters and digits, as in k7qf-2mxp, as `bramble-terminal invite` prints them"
    )]
    Digit(char),
    /// Too short or too long.
    #[error(
        "a code has eight letters and digits, as in k7qf-2mxp, and this has {0}: type it as `bramble-terminal invite` prints it"
    )]
    Length(usize),
}

impl Code {
    /// The code for an invitation (less than 32), with these random bytes.
    pub(crate) fn new(invitation: u8, random: [u8; LENGTH - 1]) -> Code {
        let mut digits = [invitation; LENGTH];
        digits[1..].copy_from_slice(&random);
        Code(digits.map(|digit| digit % 32))
    }

    /// Which invitation it is for.
    pub(crate) fn invitation(&self) -> u8 {
        self.0[0]
    }

    /// What has to be the same on both sides.
    pub(crate) fn secret(&self) -> &[u8] {
        &self.0[1..]
    }
}

impl FromStr for Code {
    type Err = CodeError;

    /// Large and small letters are the same, `i` and `l` are 1, `o` is 0, `u` is `v`,
    /// and hyphens and spaces don't count.
    fn from_str(text: &str) -> Result<Code, CodeError> {
        let mut digits = Vec::new();
        for letter in text.chars().filter(|letter| *letter != '-' && !letter.is_whitespace()) {
            let meant = match letter.to_ascii_lowercase() {
                'i' | 'l' => '1',
                'o' => '0',
                'u' => 'v',
                other => other,
            };
            let digit = DIGITS.iter().position(|digit| char::from(*digit) == meant);
            // There are 32 of them.
            digits.push(digit.ok_or(CodeError::Digit(letter))? as u8);
        }
        digits.try_into().map(Code).map_err(|digits: Vec<u8>| CodeError::Length(digits.len()))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.map(|digit| char::from(DIGITS[usize::from(digit)]));
        let (one, other): (String, String) = (text[..4].iter().collect(), text[4..].iter().collect());
        write!(f, "{one}-{other}")
    }
}

impl fmt::Debug for Code {
    /// It is a secret, which has no place in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_code_is_read_as_it_is_printed(invitation in 0u8..32, random: [u8; 7]) {
            let code = Code::new(invitation, random);
            prop_assert_eq!(code.to_string().parse(), Ok(code.clone()));
            prop_assert_eq!(code.to_string().to_uppercase().replace('-', " ").parse(), Ok(code));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text: String) {
            let _ = text.parse::<Code>();
        }
    }

    #[test]
    fn letters_that_look_alike_are_the_same() {
        let code: Code = "10v1-0000".parse().unwrap();
        for text in ["lOuI-oOo0", "LoUi0000", " 1 0 V 1 - 0 0 0 0 "] {
            assert_eq!(text.parse(), Ok(code.clone()), "{text}");
        }
    }

    #[test]
    fn what_is_no_code_is_refused_with_an_example_of_one() {
        assert_eq!("k7qf-2mx".parse::<Code>(), Err(CodeError::Length(7)));
        assert_eq!("k7qf-2mxpp".parse::<Code>(), Err(CodeError::Length(9)));
        assert_eq!("k7qf-2mx?".parse::<Code>(), Err(CodeError::Digit('?')));
        assert!("é".parse::<Code>().unwrap_err().to_string().contains("k7qf-2mxp"));
    }
}
