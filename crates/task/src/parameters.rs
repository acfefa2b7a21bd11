//! Choosing the values of a task's parameters, and of the columns that it keeps.

use std::collections::BTreeMap;

use bramble_value::{Value, ValueType};
use serde_json::Value as Json;
use thiserror::Error;

use crate::definition::{Column, Parameter, Place};
use crate::load::Task;
use crate::lower::literal::measure_of;
use crate::mistake::{Mistake, Mistakes, did_you_mean, one_of};
use crate::sandbox::Problem;

/// Why a value can't be a parameter's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ParameterError(String);

impl Task {
    /// The values of all parameters, in their order: those that were chosen, by
    /// their names, and the defaults of the others.
    ///
    /// A value is what it would be in the file: `"4 uL"`, `0.5`, `true`,
    /// `"left"`, `[5, 15]`; a number may also be a text. Each mistake names the
    /// line that declares the parameter.
    pub fn parameters(&self, chosen: &BTreeMap<String, Json>) -> Result<Vec<Value>, Mistakes> {
        let definition = &self.definition;
        let mut values: Vec<Value> =
            definition.parameters.iter().map(|parameter| parameter.default).collect();
        let mut mistakes = Vec::new();
        for (name, json) in chosen {
            let Some((id, parameter)) = definition.parameter(name) else {
                let names = || definition.parameters.iter().map(|parameter| parameter.name.as_str());
                let place = Place { file: self.sources.root.clone(), line: 1, column: 1, length: 1 };
                let help = match definition.parameters.is_empty() {
                    true => "the task has no parameters".to_owned(),
                    false => did_you_mean(name, names())
                        .unwrap_or_else(|| format!("there are {}", one_of(names()))),
                };
                mistakes.push(Mistake::new(place, format!("there is no parameter `{name}`")).help(help));
                continue;
            };
            match parameter_value(parameter, json) {
                Ok(value) => values[id.index()] = value,
                Err(error) => {
                    mistakes
                        .push(Mistake::new(parameter.place.clone(), format!("parameter `{name}`: {error}")));
                }
            }
        }
        if mistakes.is_empty() { Ok(values) } else { Err(Mistakes::new(mistakes, &self.sources)) }
    }

    /// The values that columns with `keep` are to begin with, by their names, written as for
    /// [`Task::parameters`].
    ///
    /// # Errors
    /// Where a column isn't there or isn't kept, or the value isn't one of its type.
    pub fn kept(&self, chosen: &BTreeMap<String, Json>) -> Result<BTreeMap<String, Value>, Mistakes> {
        let keeps = |column: &&Column| column.carry.as_ref().is_some_and(|carry| carry.keep);
        let columns: Vec<&Column> = self.definition.columns.iter().filter(keeps).collect();
        let (mut values, mut mistakes) = (BTreeMap::new(), Vec::new());
        for (name, json) in chosen {
            let Some(column) = columns.iter().find(|column| column.name.as_str() == name) else {
                let place = Place { file: self.sources.root.clone(), line: 1, column: 1, length: 1 };
                let names = columns.iter().map(|column| column.name.as_str());
                let help = match columns.is_empty() {
                    true => "the task has no column with `keep = True`".to_owned(),
                    false => format!("it keeps {}", one_of(names)),
                };
                mistakes.push(
                    Mistake::new(place, format!("there is no column `{name}` that is kept")).help(help),
                );
                continue;
            };
            match read(&column.kind, json) {
                Ok(value) => drop(values.insert(name.clone(), value)),
                Err(why) => {
                    mistakes.push(Mistake::new(column.place.clone(), format!("column `{name}`: {why}")));
                }
            }
        }
        if mistakes.is_empty() { Ok(values) } else { Err(Mistakes::new(mistakes, &self.sources)) }
    }
}

/// The value that `json` is for a parameter, within its range.
pub fn parameter_value(parameter: &Parameter, json: &Json) -> Result<Value, ParameterError> {
    let value = read(&parameter.kind, json).map_err(ParameterError)?;
    match out_of_range(&parameter.kind, value, parameter.min, parameter.max) {
        Some(problem) => Err(ParameterError(problem.message)),
        None => Ok(value),
    }
}

fn read(kind: &ValueType, json: &Json) -> Result<Value, String> {
    let shown = match json {
        Json::String(text) => format!("\"{text}\""),
        json => json.to_string(),
    };
    let wrong = |wanted: &str| Err(format!("{shown} is not {wanted}"));
    if let Some(measure) = measure_of(kind) {
        return match json {
            Json::String(text) => match measure.parse(text) {
                Ok(amount) => {
                    measure.datum(amount).ok_or_else(|| format!("{shown} is out of the range of a {kind}"))
                }
                Err(problem) => Err(problem.message),
            },
            Json::Number(share) if *kind == ValueType::Level => {
                let level = share.as_f64().and_then(|share| kind.value_from_f64(share));
                level.ok_or_else(|| format!("{shown} is not a share from 0 to 1"))
            }
            _ => wrong(&format!("a {kind}: it needs a unit, in quotes")),
        };
    }
    // From a command line everything is a text.
    let parsed = json.as_str().and_then(|text| serde_json::from_str::<Json>(&text.to_lowercase()).ok());
    let json = match (kind, &parsed) {
        (ValueType::Choice(_), _) | (_, None) => json,
        (_, Some(parsed)) => parsed,
    };
    match kind {
        ValueType::Boolean => json.as_bool().map(Value::Boolean).map_or_else(|| wrong("true or false"), Ok),
        ValueType::Integer => {
            match json.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15) {
                Some(number) => Ok(Value::Integer(number as i64)),
                None => wrong("a whole number"),
            }
        }
        ValueType::Number => match json.as_f64().filter(|number| number.is_finite()) {
            Some(number) => Ok(Value::Number(number)),
            None => wrong("a number"),
        },
        ValueType::Integers => {
            let ends: Option<Vec<i32>> = match json {
                // As it is shown.
                Json::String(text) => text.split(" to ").map(|end| end.trim().parse().ok()).collect(),
                json => json.as_array().and_then(|ends| {
                    ends.iter().map(|end| end.as_i64().and_then(|end| i32::try_from(end).ok())).collect()
                }),
            };
            match ends.as_deref() {
                Some([least, most]) if least <= most => Ok(Value::Integers(*least, *most)),
                _ => wrong("a range of whole numbers, as in 5 to 15 or [5, 15]"),
            }
        }
        kind => match json.as_str() {
            Some(text) => kind.choice(text).ok_or_else(|| {
                let names = || kind.choices().iter().map(bramble_value::Name::as_str);
                let help =
                    did_you_mean(text, names()).unwrap_or_else(|| format!("it may be {}", one_of(names())));
                format!("{shown} is none of its choices ({help})")
            }),
            None => wrong(&format!("a {kind}")),
        },
    }
}

/// What is wrong with a value that is outside its range.
pub(crate) fn out_of_range(
    kind: &ValueType,
    value: Value,
    min: Option<Value>,
    max: Option<Value>,
) -> Option<Problem> {
    let (shown, amount) = (kind.show(value), value.to_f64());
    if let Some(min) = min.filter(|min| amount < min.to_f64()) {
        return Some(Problem::new(format!("{shown} is less than the least it may be, {}", kind.show(min))));
    }
    let max = max.filter(|max| amount > max.to_f64())?;
    Some(Problem::new(format!("{shown} is more than the most it may be, {}", kind.show(max))))
}
