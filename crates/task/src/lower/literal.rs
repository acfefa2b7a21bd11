//! Values that are written out: types, texts with units, numbers, names.

use bramble_value::{Name, Value as Datum, ValueType};
use starlark::values::Value;
use starlark::values::list::ListRef;
use starlark::values::tuple::TupleRef;

use crate::language::{Part, Verb};
use crate::mistake::{did_you_mean, one_of};
use crate::quantity::{Measure, Quantity};
use crate::sandbox::{Problem, number};

/// A type, and what was said of its values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TypeSpec {
    pub(crate) kind: ValueType,
    pub(crate) default: Option<Datum>,
    pub(crate) min: Option<Datum>,
    pub(crate) max: Option<Datum>,
}

/// What a word for a type with a unit measures.
pub(crate) fn measure(verb: Verb) -> Option<Measure> {
    Some(match verb {
        Verb::Duration => Measure::Duration,
        Verb::Volume => Measure::Volume,
        Verb::Frequency => Measure::Frequency,
        Verb::Level => Measure::Level,
        _ => return None,
    })
}

/// What a type measures, if it has a unit.
pub(crate) fn measure_of(kind: &ValueType) -> Option<Measure> {
    Some(match kind {
        ValueType::Duration => Measure::Duration,
        ValueType::Volume => Measure::Volume,
        ValueType::Frequency => Measure::Frequency,
        ValueType::Level => Measure::Level,
        _ => return None,
    })
}

/// The type that a value is: `duration`, `number(4, min = 0)`.
pub(crate) fn type_spec(value: Value<'_>) -> Result<TypeSpec, Problem> {
    let help = "a type is duration, volume, number, integer, integers, boolean, choice, frequency or level, as in param(duration(\"1 s\"))";
    let not_a_type = || Problem::new(format!("{} is not a type", super::shown(value))).help(help);
    let part = Part::from_value(value).ok_or_else(not_a_type)?;
    let kind = match part.verb() {
        Verb::Duration => ValueType::Duration,
        Verb::Volume => ValueType::Volume,
        Verb::Number => ValueType::Number,
        Verb::Integer => ValueType::Integer,
        Verb::Integers => ValueType::Integers,
        Verb::Boolean => ValueType::Boolean,
        Verb::Frequency => ValueType::Frequency,
        Verb::Level => ValueType::Level,
        Verb::Choice => match part.arg("names") {
            Some(value) => ValueType::Choice(choices(value)?.into()),
            None => return Err(Problem::new("a choice of what?").help("choice([\"left\", \"right\"])")),
        },
        _ => return Err(not_a_type()),
    };
    if kind == ValueType::Integers {
        return integers(part);
    }
    let bound = |name: &str| part.arg(name).map(|value| literal(&kind, value, false)).transpose();
    let (min, max) = (bound("min")?, bound("max")?);
    let default = match (bound("default")?, &kind) {
        (None, ValueType::Choice(_)) => Some(Datum::Choice(0)),
        (default, _) => default,
    };
    Ok(TypeSpec { kind, default, min, max })
}

fn integers(part: &Part<'_>) -> Result<TypeSpec, Problem> {
    let kind = ValueType::Integers;
    let end = |name: &str| part.arg(name).map(|value| value.unpack_i32().ok_or(value)).transpose();
    let whole = |value| Problem::new(format!("`integers` takes whole numbers, not {}", super::shown(value)));
    let default = match (end("least").map_err(whole)?, end("most").map_err(whole)?) {
        (Some(least), Some(most)) if least <= most => Some(Datum::Integers(least, most)),
        (Some(least), Some(most)) => {
            return Err(Problem::new(format!("`integers({least}, {most})` is empty"))
                .help(format!("integers({most}, {least})")));
        }
        _ => None,
    };
    Ok(TypeSpec { kind, default, min: None, max: None })
}

fn choices(value: Value<'_>) -> Result<Vec<Name>, Problem> {
    let names = names(value, "choice")?;
    if names.is_empty() {
        return Err(Problem::new("a choice of nothing").help("choice([\"left\", \"right\"])"));
    }
    Ok(names)
}

/// A list of names, each once.
pub(crate) fn names(value: Value<'_>, what: &str) -> Result<Vec<Name>, Problem> {
    let wrong = || {
        Problem::new(format!("`{what}` takes a list of names, not {}", super::shown(value)))
            .help("[\"left\", \"right\"]")
    };
    let items = items(value).ok_or_else(wrong)?;
    let mut names: Vec<Name> = Vec::with_capacity(items.len());
    for item in items {
        let text = item.unpack_str().ok_or_else(wrong)?;
        let name: Name =
            text.parse().map_err(|error: bramble_value::NameError| Problem::new(error.to_string()))?;
        if names.contains(&name) {
            return Err(Problem::new(format!("`{name}` is named twice")));
        }
        names.push(name);
    }
    Ok(names)
}

/// The items of a list or tuple.
pub(crate) fn items<'v>(value: Value<'v>) -> Option<&'v [Value<'v>]> {
    ListRef::from_value(value)
        .map(|list| list.content())
        .or_else(|| TupleRef::from_value(value).map(|tuple| tuple.content()))
}

/// The value of this type that is written out. `bare`: a number without a unit
/// is one of the base unit, as for what a function computed.
pub(crate) fn literal(kind: &ValueType, value: Value<'_>, bare: bool) -> Result<Datum, Problem> {
    let wrong = || {
        let kind_word = kind.to_string();
        let wanted = if kind_word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        Problem::new(format!("{} is not {wanted} {kind_word}", super::shown(value)))
    };
    if let Some(measure) = measure_of(kind) {
        let amount = quantity(measure, value, bare)?;
        let shown = Quantity { measure, amount };
        return measure
            .datum(amount)
            .ok_or_else(|| Problem::new(format!("{shown} is out of the range of a {}", measure.word())));
    }
    match kind {
        ValueType::Boolean => {
            value.unpack_bool().map(Datum::Boolean).ok_or_else(|| wrong().help("write True or False"))
        }
        ValueType::Integer if value.unpack_bool().is_none() => match number(value) {
            Some(number) if number.fract() == 0.0 && number.abs() < 9e15 => Ok(Datum::Integer(number as i64)),
            _ => Err(wrong()),
        },
        ValueType::Number if value.unpack_bool().is_none() => match number(value) {
            Some(number) if number.is_finite() => Ok(Datum::Number(number)),
            _ => Err(wrong()),
        },
        ValueType::Choice(names) => {
            let names = || names.iter().map(Name::as_str);
            let Some(text) = value.unpack_str() else {
                return Err(wrong());
            };
            kind.choice(text).ok_or_else(|| {
                let help =
                    did_you_mean(text, names()).unwrap_or_else(|| format!("it may be {}", one_of(names())));
                Problem::new(format!("\"{text}\" is none of its choices")).help(help)
            })
        }
        _ => Err(wrong()),
    }
}

/// How much of a measure a value is, in the base unit.
fn quantity(measure: Measure, value: Value<'_>, bare: bool) -> Result<f64, Problem> {
    let word = measure.word();
    if let Some(text) = value.unpack_str() {
        return measure.parse(text);
    }
    if let Some(other) = Quantity::from_value(value) {
        if other.measure == measure {
            return Ok(other.amount);
        }
        return Err(Problem::new(format!("{other} is a {}, not a {word}", other.measure.word())));
    }
    if let Some(part) = Part::from_value(value)
        && let (Some(of), Some(inner)) = (self::measure(part.verb()), part.arg("default"))
    {
        if of == measure {
            return quantity(measure, inner, bare);
        }
        return Err(Problem::new(format!("a {} is not a {word}", of.word())));
    }
    match number(value).filter(|_| value.unpack_bool().is_none()) {
        Some(number) if bare || measure == Measure::Level => Ok(number),
        Some(number) => {
            let unit = match measure {
                Measure::Duration => "s",
                Measure::Volume => "uL",
                Measure::Frequency => "Hz",
                Measure::Level => "%",
            };
            Err(Problem::new(format!("a {word} needs a unit")).help(format!("\"{number} {unit}\"?")))
        }
        None => Err(Problem::new(format!("{} is not a {word}", super::shown(value)))),
    }
}
