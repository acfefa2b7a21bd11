//! Random draws that are the same on every machine, for ever.
//!
//! Every draw comes from a [`Random`] made of the session's seed, what the draw
//! is for, and how many such draws came before it, so that a draw depends on
//! nothing that is kept between two of them. ChaCha (RFC 8439, 8 rounds) and
//! libm's functions give the same bits everywhere, which the system's own
//! logarithm does not.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// What all of a session's randomness comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

/// A source of random numbers.
#[derive(Debug, Clone)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// The source for the `number`th draw of a kind of draws. Two `purpose`s of
    /// one seed are independent of each other.
    pub fn new(seed: Seed, purpose: &str, number: u64) -> Random {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&seed.0.to_le_bytes());
        key[8..16].copy_from_slice(&number.to_le_bytes());
        for (place, byte) in purpose.bytes().enumerate() {
            let at = 16 + place % 16;
            key[at] = key[at].rotate_left(3) ^ byte;
        }
        Random(ChaCha8Rng::from_seed(key))
    }

    /// A number from 0 up to but not including 1, all of whose 53 bits are random.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A whole number below `n`, each as likely as any other; 0 where `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        // The few highest numbers would favour the low results: draw again.
        let limit = u64::MAX - u64::MAX % n;
        loop {
            let number = self.0.next_u64();
            if number < limit {
                return number % n;
            }
        }
    }

    /// Whether something of this `probability` happens.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A draw from the normal distribution of mean 0 and deviation 1.
    pub fn normal(&mut self) -> f64 {
        // Box and Muller, 1958. `1 - unit` is never zero.
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }
}

/// A distribution to draw from; `V` is a number, or in a task file what becomes
/// one when the stage is entered.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw<V = f64> {
    /// The distribution before its bounds.
    pub shape: Shape<V>,
    /// Nothing below this is drawn.
    pub min: Option<V>,
    /// Nothing above this is drawn.
    pub max: Option<V>,
    /// Added to what was drawn.
    pub plus: Option<V>,
    /// Rounded to a whole number, before `plus`.
    pub whole: bool,
}

/// The shape of a distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape<V = f64> {
    /// Everything from `low` to `high` is as likely.
    Uniform {
        /// The least.
        low: V,
        /// The most.
        high: V,
    },
    /// The normal distribution.
    Normal {
        /// Its mean.
        mean: V,
        /// Its standard deviation.
        deviation: V,
    },
    /// The exponential distribution.
    Exponential {
        /// Its mean, before any bounds.
        mean: V,
    },
}

impl Draw<f64> {
    /// Draws once. Bounds cut the distribution: what lies outside is never
    /// drawn, and nothing gathers at a bound.
    pub fn sample(&self, random: &mut Random) -> f64 {
        let low = self.min.unwrap_or(f64::NEG_INFINITY);
        let high = self.max.unwrap_or(f64::INFINITY);
        let drawn = match self.shape {
            Shape::Uniform { low: from, high: to } if self.whole => {
                let (from, to) = (libm::ceil(from.max(low)), libm::floor(to.min(high)));
                from + random.below((to - from).max(0.0) as u64 + 1) as f64
            }
            Shape::Uniform { low: from, high: to } => {
                let (from, to) = (from.max(low), to.min(high));
                from + (to - from) * random.unit()
            }
            Shape::Exponential { mean } => {
                // The inverse of the distribution between its bounds.
                let from = low.max(0.0);
                let share = 1.0 - libm::exp(-(high - from) / mean);
                from - mean * libm::log(1.0 - share * random.unit())
            }
            Shape::Normal { mean, deviation } => {
                // Bounds so far out that a thousand draws miss them are met.
                (0..1000)
                    .map(|_| mean + deviation * random.normal())
                    .find(|drawn| (low..=high).contains(drawn))
                    .unwrap_or_else(|| mean.clamp(low, high.max(low)))
            }
        };
        let drawn = if self.whole { libm::round(drawn) } else { drawn };
        drawn + self.plus.unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of(draw: &Draw) -> f64 {
        let draws = 20_000u64;
        (0..draws).map(|n| draw.sample(&mut Random::new(Seed(7), "test", n))).sum::<f64>() / draws as f64
    }

    fn unbounded(shape: Shape) -> Draw {
        Draw { shape, min: None, max: None, plus: None, whole: false }
    }

    #[test]
    fn draws_have_the_mean_that_was_asked_for() {
        assert!((mean_of(&unbounded(Shape::Uniform { low: 2.0, high: 4.0 })) - 3.0).abs() < 0.02);
        assert!((mean_of(&unbounded(Shape::Normal { mean: 5.0, deviation: 2.0 })) - 5.0).abs() < 0.05);
        assert!((mean_of(&unbounded(Shape::Exponential { mean: 3.0 })) - 3.0).abs() < 0.1);
    }

    #[test]
    fn bounds_cut_and_do_not_gather() {
        let bounded =
            Draw { min: Some(20.0), max: Some(100.0), ..unbounded(Shape::Exponential { mean: 60.0 }) };
        let drawn: Vec<f64> =
            (0..5000).map(|n| bounded.sample(&mut Random::new(Seed(1), "test", n))).collect();
        assert!(drawn.iter().all(|x| (20.0..=100.0).contains(x)));
        assert!(drawn.iter().filter(|x| **x == 20.0 || **x == 100.0).count() < 5);
    }

    #[test]
    fn a_draw_is_the_same_bits_on_every_machine() {
        let mut random = Random::new(Seed(42), "test", 3);
        let bits = [random.unit(), random.normal(), random.unit()].map(f64::to_bits);
        let mut again = Random::new(Seed(42), "test", 3);
        assert_eq!(bits, [again.unit(), again.normal(), again.unit()].map(f64::to_bits));
        assert_ne!(bits[0], Random::new(Seed(42), "other", 3).unit().to_bits());
        assert_ne!(bits[0], Random::new(Seed(42), "test", 4).unit().to_bits());
    }
}
