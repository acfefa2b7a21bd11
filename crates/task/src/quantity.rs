//! Quantities inside functions: numbers that know their unit.
//!
//! A duration, volume, frequency or level that a function sees is a number of
//! its base unit (seconds, microliters, hertz, a share of 1), the unit that the
//! subject file has, so that `trial.latency < 0.3` means 0.3 s. It may be
//! compared with and added to texts that carry a unit (`trial.latency < "300 ms"`)
//! and other quantities of its kind; two of one kind divide to a plain number.
//! What makes no sense (a duration and a volume, a text that is no duration) is
//! an error, never silently false.

use std::cmp::Ordering;
use std::fmt;

use allocative::Allocative;
use bramble_value::{Frequency, Level, Span, Value as Datum, Volume};
use starlark::collections::StarlarkHasher;
use starlark::starlark_simple_value;
use starlark::values::float::UnpackFloat;
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, UnpackValue, Value,
    starlark_value,
};

use crate::language::{Part, Verb};
use crate::lower::literal::measure;
use crate::sandbox::Problem;

/// What a quantity measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Allocative)]
pub enum Measure {
    /// A length of time, in seconds.
    Duration,
    /// A volume, in microliters.
    Volume,
    /// A frequency, in hertz.
    Frequency,
    /// A share, from 0 to 1.
    Level,
}

impl Measure {
    const ALL: [Measure; 4] = [Measure::Duration, Measure::Volume, Measure::Frequency, Measure::Level];

    /// Its word in the task language.
    pub fn word(self) -> &'static str {
        match self {
            Measure::Duration => "duration",
            Measure::Volume => "volume",
            Measure::Frequency => "frequency",
            Measure::Level => "level",
        }
    }

    /// Reads a text with a unit, as an amount in the base unit.
    pub fn parse(self, text: &str) -> Result<f64, Problem> {
        let (text, sign) = match text.trim().strip_prefix('-') {
            Some(rest) => (rest, -1.0),
            None => (text, 1.0),
        };
        let amount = match self {
            Measure::Duration => text.parse::<Span>().map(Span::seconds),
            Measure::Volume => text.parse::<Volume>().map(Volume::microliters),
            Measure::Frequency => text.parse::<Frequency>().map(Frequency::hertz),
            Measure::Level => text.parse::<Level>().map(Level::share),
        };
        amount.map(|amount| sign * amount).map_err(|error| Problem::new(error.to_string()))
    }

    /// The value of this measure, or `None` where it can't be so much.
    pub fn datum(self, amount: f64) -> Option<Datum> {
        match self {
            Measure::Duration => Span::from_seconds(amount).map(Datum::Duration),
            Measure::Volume => Volume::from_microliters(amount).map(Datum::Volume),
            Measure::Frequency => Frequency::from_hertz(amount).map(Datum::Frequency),
            Measure::Level => Level::from_share(amount).map(Datum::Level),
        }
    }

    /// The quantity that a text with a unit says, whichever it is.
    pub fn find(text: &str) -> Option<Quantity> {
        Measure::ALL
            .into_iter()
            .find_map(|measure| measure.parse(text).ok().map(|amount| Quantity { measure, amount }))
    }
}

/// An amount of something.
#[derive(
    Debug, Clone, Copy, PartialEq, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative,
)]
pub struct Quantity {
    /// Of what.
    pub measure: Measure,
    /// How much, in the base unit; may be negative while it is computed with.
    pub amount: f64,
}

starlark_simple_value!(Quantity);

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.amount < 0.0 { "-" } else { "" };
        match self.measure.datum(self.amount.abs()) {
            Some(Datum::Duration(span)) => write!(f, "{sign}{span}"),
            Some(Datum::Volume(volume)) => write!(f, "{sign}{volume}"),
            Some(Datum::Frequency(frequency)) => write!(f, "{sign}{frequency}"),
            Some(Datum::Level(level)) => write!(f, "{sign}{level}"),
            _ => write!(f, "{}", self.amount),
        }
    }
}

/// What is done with two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
}

impl Quantity {
    /// The same measure with another amount.
    pub fn with(self, amount: f64) -> Quantity {
        Quantity { amount, ..self }
    }

    /// The quantity that a value is, be it written `duration("20 ms")`.
    fn said(value: Value<'_>) -> Option<Quantity> {
        if let Some(quantity) = Quantity::from_value(value) {
            return Some(*quantity);
        }
        let part = Part::whole(value)?;
        let measure = measure(part.verb())?;
        let default = part.arg("default")?;
        let amount = match Quantity::said(default) {
            Some(quantity) => (quantity.measure == measure).then_some(quantity.amount),
            None => measure.parse(default.unpack_str()?).ok(),
        };
        amount.map(|amount| Quantity { measure, amount })
    }

    /// The value as one of this measure: a quantity of it, a text, or a number
    /// of its base unit.
    fn amount_of(measure: Measure, value: Value<'_>) -> starlark::Result<f64> {
        if let Some(other) = Quantity::said(value) {
            if other.measure == measure {
                return Ok(other.amount);
            }
            let (one, other) = (measure.word(), other.measure.word());
            return Err(Problem::new(format!("a {one} and a {other} don't go together")).into());
        }
        if let Some(text) = value.unpack_str() {
            return Ok(measure.parse(text)?);
        }
        plain(value).ok_or_else(|| {
            if let Some(declared) = declaration(value) {
                let problem = Problem::new(format!("{} is not known yet", declared.shown()));
                return problem.help("a function of the trial can compute with it, as trial.name").into();
            }
            let kind = if value.is_none() {
                "a missing value (None)".to_owned()
            } else {
                format!("a {}", value.get_type())
            };
            Problem::new(format!("a {} and {kind} don't go together", measure.word())).into()
        })
    }

    /// Computes with two values of which at least one is a quantity; `None` where neither is.
    pub(crate) fn compute<'v>(
        operation: Operation,
        left: Value<'v>,
        right: Value<'v>,
        heap: Heap<'v>,
    ) -> Option<starlark::Result<Value<'v>>> {
        let (one, other) = (Quantity::said(left), Quantity::said(right));
        let measure = one.or(other)?.measure;
        Some(Self::compute_in(operation, measure, (left, one), (right, other), heap))
    }

    fn compute_in<'v>(
        operation: Operation,
        measure: Measure,
        (left, one): (Value<'v>, Option<Quantity>),
        (right, other): (Value<'v>, Option<Quantity>),
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let a = Quantity::amount_of(measure, left)?;
        let b = Quantity::amount_of(measure, right)?;
        let quantity = |amount: f64| Ok(heap.alloc(Quantity { measure, amount }));
        let by_zero = || starlark::Error::from(Problem::new("division by zero"));
        match operation {
            Operation::Add => quantity(a + b),
            Operation::Subtract => quantity(a - b),
            Operation::Multiply if one.is_some() && other.is_some() => {
                let word = measure.word();
                Err(Problem::new(format!("a {word} times a {word} is nothing that can be used")).into())
            }
            Operation::Multiply => quantity(a * b),
            _ if b == 0.0 => Err(by_zero()),
            // A text beside a quantity is one too: `trial.latency / "1 s"`.
            Operation::Divide if other.is_some() || right.unpack_str().is_some() => Ok(heap.alloc(a / b)),
            Operation::Divide => quantity(a / b),
            Operation::FloorDivide => Ok(heap.alloc(libm::floor(a / b))),
            Operation::Remainder => quantity(a - b * libm::floor(a / b)),
        }
    }

    /// Compares two values of which at least one is a quantity; `None` where neither is.
    pub(crate) fn order(left: Value<'_>, right: Value<'_>) -> Option<starlark::Result<Ordering>> {
        let measure = Quantity::said(left).or(Quantity::said(right))?.measure;
        let amounts = Quantity::amount_of(measure, left)
            .and_then(|left| Quantity::amount_of(measure, right).map(|right| left.total_cmp(&right)));
        Some(amounts)
    }
}

/// The parameter or column that stands where a quantity should, by itself or as
/// `duration(name)`.
fn declaration<'v>(value: Value<'v>) -> Option<&'v Part<'v>> {
    let part = Part::whole(value)?;
    let inner = part.arg("default").filter(|_| measure(part.verb()).is_some()).and_then(Part::whole);
    Some(inner.unwrap_or(part)).filter(|part| matches!(part.verb(), Verb::Param | Verb::Column))
}

fn plain(value: Value<'_>) -> Option<f64> {
    UnpackFloat::unpack_value(value).ok().flatten().map(|number| number.0)
}

#[starlark_value(type = "quantity")]
impl<'v> StarlarkValue<'v> for Quantity {
    fn to_bool(&self) -> bool {
        self.amount != 0.0
    }

    fn write_hash(&self, hasher: &mut StarlarkHasher) -> starlark::Result<()> {
        use std::hash::Hash;
        self.amount.to_bits().hash(hasher);
        Ok(())
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        // Missing is told apart from every value.
        if other.is_none() || other.unpack_bool().is_some() {
            return Ok(false);
        }
        Ok(Quantity::amount_of(self.measure, other)? == self.amount)
    }

    fn compare(&self, other: Value<'v>) -> starlark::Result<Ordering> {
        Ok(self.amount.total_cmp(&Quantity::amount_of(self.measure, other)?))
    }

    fn minus(&self, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Ok(heap.alloc(self.with(-self.amount)))
    }

    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        let (measure, scale) =
            UNITS.iter().find(|(_, name, _)| *name == attribute).map(|(m, _, s)| (*m, *s))?;
        (measure == self.measure).then(|| heap.alloc(self.amount / scale))
    }

    fn has_attr(&self, attribute: &str, _heap: Heap<'v>) -> bool {
        UNITS.iter().any(|(measure, name, _)| *measure == self.measure && *name == attribute)
    }

    fn dir_attr(&self) -> Vec<String> {
        let mine = UNITS.iter().filter(|(measure, ..)| *measure == self.measure);
        mine.map(|(_, name, _)| (*name).to_owned()).collect()
    }
}

/// What a quantity is in a unit, as an attribute: `trial.latency.ms`.
const UNITS: &[(Measure, &str, f64)] = &[
    (Measure::Duration, "seconds", 1.0),
    (Measure::Duration, "s", 1.0),
    (Measure::Duration, "ms", 1e-3),
    (Measure::Duration, "minutes", 60.0),
    (Measure::Volume, "uL", 1.0),
    (Measure::Volume, "mL", 1e3),
    (Measure::Frequency, "Hz", 1.0),
    (Measure::Frequency, "kHz", 1e3),
    (Measure::Level, "share", 1.0),
];
