//! What one learner is like.

use std::str::FromStr;

use bramble_value::Volume;

use crate::animal::AnimalError;

/// What a learner is like. Read from text such as `bias=0.3,lapse=0.02,thirst=1.5mL`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Temper {
    /// How much it likes the right side over the left, in units in which 1 is
    /// clearly visible and 3 is nearly always.
    pub bias: f64,
    /// How often it does anything at all, whatever it knows, from 0 to 1.
    pub lapse: f64,
    /// How fast it learns; 1 is usual.
    pub learning: f64,
    /// How long it takes to react; 1 is usual, 2 is twice as long.
    pub reaction: f64,
    /// How much it drinks before it stops; without it, it never does.
    pub thirst: Option<Volume>,
}

impl Default for Temper {
    fn default() -> Temper {
        Temper { bias: 0.0, lapse: 0.03, learning: 1.0, reaction: 1.0, thirst: None }
    }
}

impl FromStr for Temper {
    type Err = AnimalError;

    fn from_str(text: &str) -> Result<Temper, AnimalError> {
        let mut temper = Temper::default();
        for setting in text.split(',').map(str::trim).filter(|setting| !setting.is_empty()) {
            let refuse = |why: &str| AnimalError::Temper { setting: setting.to_owned(), why: why.to_owned() };
            let (name, value) = setting.split_once('=').ok_or_else(|| refuse("write name=value"))?;
            let number = |low: f64, high: f64| {
                let number: Option<f64> = value.trim().parse().ok();
                number
                    .filter(|number| (low..=high).contains(number))
                    .ok_or_else(|| refuse(&format!("a number from {low} to {high}")))
            };
            match name.trim() {
                "bias" => temper.bias = number(-10.0, 10.0)?,
                "lapse" => temper.lapse = number(0.0, 1.0)?,
                "learning" => temper.learning = number(0.0, 10.0)?,
                "reaction" => temper.reaction = number(0.1, 100.0)?,
                "thirst" => {
                    let thirst: Volume = value.parse().map_err(|_| refuse("a volume, as in 1.5mL"))?;
                    temper.thirst = Some(thirst);
                }
                _ => return Err(refuse("it has bias, lapse, learning, reaction and thirst")),
            }
        }
        Ok(temper)
    }
}
