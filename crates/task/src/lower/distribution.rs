//! Distributions: their shape and what is wrong with their numbers.

use bramble_value::{Draw, Shape};

use crate::language::Verb;
use crate::sandbox::Problem;

/// The shape that a word and its numbers say.
pub(crate) fn shape<V>(verb: Verb, first: V, second: V) -> Shape<V> {
    match verb {
        Verb::Normal => Shape::Normal { mean: first, deviation: second },
        Verb::Exponential => Shape::Exponential { mean: first },
        _ => Shape::Uniform { low: first, high: second },
    }
}

/// What is wrong with a distribution whose numbers are known.
pub(crate) fn check(draw: &Draw<f64>) -> Result<(), Problem> {
    let numbers = match draw.shape {
        Shape::Uniform { low, high } if low > high => {
            return Err(
                Problem::new("a uniform distribution from more to less").help("the lower end comes first")
            );
        }
        Shape::Normal { deviation, .. } if deviation < 0.0 => {
            return Err(Problem::new("a normal distribution of a deviation below zero"));
        }
        Shape::Exponential { mean } if mean <= 0.0 => {
            return Err(Problem::new("an exponential distribution needs a mean above zero"));
        }
        Shape::Exponential { .. } if draw.max.is_some_and(|max| max < 0.0) => {
            return Err(Problem::new("an exponential distribution has nothing below zero"));
        }
        Shape::Uniform { low, high } => [low, high],
        Shape::Normal { mean, deviation } => [mean, deviation],
        Shape::Exponential { mean } => [mean, mean],
    };
    match (draw.min, draw.max) {
        (Some(min), Some(max)) if min > max => {
            Err(Problem::new("the least that may be drawn is more than the most"))
        }
        _ if numbers.iter().all(|number| number.is_finite()) => Ok(()),
        _ => Err(Problem::new("a distribution of something that is not a number")),
    }
}
