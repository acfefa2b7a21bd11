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
    /// one seed are independent of each other, unless they differ only by zero
    /// bytes at their ends.
    pub fn new(seed: Seed, purpose: &str, number: u64) -> Random {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&seed.0.to_le_bytes());
        key[8..16].copy_from_slice(&number.to_le_bytes());
        let (first, rest) = purpose.as_bytes().split_at(purpose.len().min(16));
        key[16..16 + first.len()].copy_from_slice(first);
        let mut random = ChaCha8Rng::from_seed(key);
        // What is too long for one key is taken up piece by piece: the next key
        // is drawn with the one before.
        for piece in rest.chunks(16) {
            random.fill_bytes(&mut key);
            key.iter_mut().zip(piece).for_each(|(key, byte)| *key ^= byte);
            random = ChaCha8Rng::from_seed(key);
        }
        Random(random)
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
    /// drawn, and nothing gathers at a bound. A distribution that isn't one (a
    /// mean that is not a number, a lower bound above the upper one) gives NaN.
    pub fn sample(&self, random: &mut Random) -> f64 {
        let (low, high) = self.bounds();
        // Written so that NaN is refused too.
        if !(low <= high && self.shape.is_one()) {
            return f64::NAN;
        }
        let drawn = match self.shape {
            Shape::Uniform { .. } if self.whole => {
                // More than 2^64 numbers are as good as 2^64.
                low + random.below(((high - low) as u64).saturating_add(1)) as f64
            }
            Shape::Uniform { .. } => low + (high - low) * random.unit(),
            Shape::Exponential { mean } => {
                // The inverse of the distribution between its bounds.
                let share = if high > low { 1.0 - libm::exp(-(high - low) / mean) } else { 0.0 };
                low - mean * libm::log(1.0 - share * random.unit())
            }
            Shape::Normal { mean, deviation } => {
                // Bounds so far out that a thousand draws miss them are met.
                (0..1000)
                    .map(|_| mean + deviation * random.normal())
                    .find(|drawn| (low..=high).contains(drawn))
                    .unwrap_or(mean)
            }
        };
        let drawn = if self.whole { libm::round(drawn) } else { drawn };
        // The last bit, or the rounding, may have gone beyond a bound.
        drawn.clamp(low, high) + self.plus.unwrap_or(0.0)
    }

    /// The least and the most that can be drawn, before `plus`.
    fn bounds(&self) -> (f64, f64) {
        let (from, to) = match self.shape {
            Shape::Uniform { low, high } => (low, high),
            Shape::Exponential { .. } => (0.0, f64::INFINITY),
            Shape::Normal { .. } => (f64::NEG_INFINITY, f64::INFINITY),
        };
        let low = self.min.map_or(from, |min| from.max(min));
        let high = self.max.map_or(to, |max| to.min(max));
        if self.whole { (libm::ceil(low), libm::floor(high)) } else { (low, high) }
    }
}

impl Shape<f64> {
    /// Whether it is a distribution that can be drawn from.
    fn is_one(self) -> bool {
        match self {
            Shape::Uniform { low, high } => (high - low).is_finite(),
            Shape::Normal { mean, deviation } => mean.is_finite() && deviation.is_finite(),
            Shape::Exponential { mean } => mean.is_finite() && mean >= 0.0,
        }
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
    fn a_draw_is_the_same_bits_on_every_machine_and_for_ever() {
        let mut random = Random::new(Seed(42), "test", 3);
        let bits = [random.unit(), random.normal(), random.unit()].map(f64::to_bits);
        assert_eq!(bits, [4605164044278077506, 13818656192520691045, 4602999632450262690]);
        assert_eq!(random.below(1_000_000_007), 959963445);
        let exponential =
            Draw { max: Some(9.0), plus: Some(0.5), ..unbounded(Shape::Exponential { mean: 3.0 }) };
        assert_eq!(exponential.sample(&mut random).to_bits(), 4613215652653436697);
        let whole = Draw { whole: true, ..unbounded(Shape::Uniform { low: 1.0, high: 1000.0 }) };
        assert_eq!(whole.sample(&mut random), 580.0);
        let long = Random::new(Seed(42), "a subject with a name of many letters", 3).unit();
        assert_eq!(long.to_bits(), 4580240253645851200);
    }

    #[test]
    fn every_seed_purpose_and_number_has_draws_of_its_own() {
        let purposes = [
            "draw",
            "function",
            "animal",
            "animal M001",
            "learner",
            "written",
            "the next session",
            // Sixteen characters apart, they differ by the same bit.
            "0_______________0",
            "1_______________8",
            "0_______________0_______________0",
            "0_______________0_______________1",
        ];
        let mut seen = std::collections::BTreeSet::new();
        for purpose in purposes {
            for (seed, number) in [(0, 0), (0, 1), (1, 0), (u64::MAX, 0), (0, u64::MAX)] {
                let first = Random::new(Seed(seed), purpose, number).unit();
                assert!(seen.insert(first.to_bits()), "{purpose} {seed} {number}");
            }
        }
    }

    #[test]
    fn a_whole_number_is_never_beyond_a_bound_by_rounding() {
        for shape in [
            Shape::Exponential { mean: 2.0 },
            Shape::Normal { mean: 2.0, deviation: 1.0 },
            Shape::Uniform { low: 0.0, high: 4.0 },
        ] {
            let draw = Draw { min: Some(0.6), max: Some(2.6), whole: true, ..unbounded(shape) };
            let drawn: Vec<f64> =
                (0..1000).map(|n| draw.sample(&mut Random::new(Seed(1), "test", n))).collect();
            assert!(drawn.iter().all(|x| [1.0, 2.0].contains(x)), "{shape:?}");
            assert!(drawn.contains(&1.0) && drawn.contains(&2.0), "{shape:?}");
        }
    }

    #[test]
    fn whatever_is_drawn_from_is_within_its_bounds_or_not_a_number() {
        let odd = [f64::NAN, f64::NEG_INFINITY, f64::INFINITY, f64::MAX, -1.5, 0.0, 2.5, 1e19];
        let bounds = || odd.iter().copied().map(Some).chain([None]);
        let shapes = odd.iter().flat_map(|&a| {
            let two = odd.iter().flat_map(move |&b| {
                [Shape::Uniform { low: a, high: b }, Shape::Normal { mean: a, deviation: b }]
            });
            two.chain([Shape::Exponential { mean: a }])
        });
        for shape in shapes {
            for (min, max) in bounds().flat_map(|min| bounds().map(move |max| (min, max))) {
                for whole in [false, true] {
                    let draw = Draw { shape, min, max, plus: None, whole };
                    let drawn = draw.sample(&mut Random::new(Seed(1), "test", 0));
                    let above = min.is_none_or(|min| min.is_nan() || drawn >= min);
                    let below = max.is_none_or(|max| max.is_nan() || drawn <= max);
                    let kept = drawn.is_nan() || above && below;
                    assert!(kept, "{draw:?} gave {drawn}");
                }
            }
        }
        let backwards = unbounded(Shape::Uniform { low: 2.0, high: 1.0 });
        assert!(backwards.sample(&mut Random::new(Seed(1), "test", 0)).is_nan());
        let at_once = unbounded(Shape::Exponential { mean: 0.0 });
        assert_eq!(at_once.sample(&mut Random::new(Seed(1), "test", 0)), 0.0);
    }
}
