//! When a subject moves on to the next step.

use std::fmt;
use std::sync::Arc;

use bramble_task::sandbox::{Evaluated, Failure, Limits, call};
use bramble_value::{Ending, Row, Span, Trials, Value, ValueType};
use starlark::values::OwnedFrozenValue;
use thiserror::Error;

use crate::recent;

/// How many trials a function sees at most.
pub const LOOK_BACK: usize = 1000;

/// When a subject moves on to the next step, asked after each trial.
#[derive(Debug, Clone)]
pub enum Graduation {
    /// Only by hand.
    Never,
    /// After this many trials. A trial that was stopped, cancelled or ended by
    /// an error is none.
    Trials(u32),
    /// When enough of the last trials have a value in a column.
    Accuracy {
        /// The column.
        column: String,
        /// The value. A trial that has another, or none, counts against it.
        of: Wanted,
        /// The share of the trials that must have it, from 0 to 1.
        at_least: f64,
        /// How many of the last trials are looked at.
        window: u32,
        /// How many trials there must be.
        least: u32,
    },
    /// When enough trials were done in a time. Looks only at the last session,
    /// and not before it has lasted so long.
    Rate {
        /// How many trials...
        at_least: f64,
        /// ... in this time, ...
        per: Span,
        /// ... over this time before the end of the last trial.
        window: Span,
    },
    /// When a function of the recent trials says so.
    Function(Function),
    /// When all of these say so.
    AllOf(Arc<[Graduation]>),
    /// When any of these says so.
    AnyOf(Arc<[Graduation]>),
}

/// The value that [`Graduation::Accuracy`] counts.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// This name of a choice.
    Name(String),
    /// This boolean.
    Boolean(bool),
    /// This number, in the column's unit.
    Number(f64),
}

/// A function of a protocol's file.
#[derive(Clone)]
pub struct Function {
    pub(crate) value: OwnedFrozenValue,
    pub(crate) files: Arc<Evaluated>,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value would print all that the file made.
        f.write_str("Function")
    }
}

/// Why it can't be said whether a subject graduates.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GraduationError {
    /// The trials have no such column.
    #[error("the trials have no column `{0}`: is it another task?")]
    NoColumn(String),
    /// The protocol's function made a mistake.
    #[error("{}", explained(.0))]
    Function(Failure),
    /// The protocol's function returned something else.
    #[error("the function of `graduate` returned {0}: it must return True or False")]
    NotBoolean(String),
}

fn explained(failure: &Failure) -> String {
    let place =
        failure.place.as_ref().map(|place| format!("{}:{}:{}: ", place.file, place.line, place.column));
    let help = failure.help.as_ref().map(|help| format!(" ({help})"));
    format!("{}{}{}", place.unwrap_or_default(), failure.message, help.unwrap_or_default())
}

impl Graduation {
    /// Whether the subject graduates after these trials of the step, oldest first.
    ///
    /// # Errors
    /// Where the trials lack a column, or a function makes a mistake.
    pub fn met(&self, trials: &Trials) -> Result<bool, GraduationError> {
        Ok(match self {
            Graduation::Never => false,
            Graduation::Trials(wanted) => {
                let finished = trials.rows.iter().rev().filter(|row| is_finished(row));
                finished.take(*wanted as usize).count() == *wanted as usize
            }
            Graduation::Accuracy { column, of, at_least, window, least } => {
                let (value_type, values) =
                    trials.column(column).ok_or_else(|| GraduationError::NoColumn(column.clone()))?;
                let last: Vec<bool> = values
                    .rev()
                    .take(*window as usize)
                    .map(|value| value.is_some_and(|value| of.is(value_type, value)))
                    .collect();
                let hits = last.iter().filter(|hit| **hit).count();
                last.len() >= *least as usize && share(hits, last.len()) >= *at_least
            }
            Graduation::Rate { at_least, per, window } => rate_met(trials, *at_least, *per, *window),
            Graduation::Function(function) => function.call(trials)?,
            Graduation::AllOf(rules) => {
                let met: Vec<bool> = rules.iter().map(|rule| rule.met(trials)).collect::<Result<_, _>>()?;
                met.into_iter().all(|met| met)
            }
            Graduation::AnyOf(rules) => {
                let met: Vec<bool> = rules.iter().map(|rule| rule.met(trials)).collect::<Result<_, _>>()?;
                met.into_iter().any(|met| met)
            }
        })
    }

    /// Whether a function of the protocol's file has a say, which takes its time.
    pub fn asks_function(&self) -> bool {
        match self {
            Graduation::Function(_) => true,
            Graduation::AllOf(rules) | Graduation::AnyOf(rules) => {
                rules.iter().any(Graduation::asks_function)
            }
            Graduation::Never
            | Graduation::Trials(_)
            | Graduation::Accuracy { .. }
            | Graduation::Rate { .. } => false,
        }
    }

    /// How many of the step's trials before a session this looks at.
    pub fn looks_back(&self) -> usize {
        match self {
            Graduation::Never | Graduation::Rate { .. } => 0,
            // Some of them may not have been finished.
            Graduation::Trials(wanted) => (*wanted as usize).saturating_mul(2).saturating_add(100),
            Graduation::Accuracy { window, .. } => *window as usize,
            Graduation::Function(_) => LOOK_BACK,
            Graduation::AllOf(rules) | Graduation::AnyOf(rules) => {
                rules.iter().map(Graduation::looks_back).max().unwrap_or(0)
            }
        }
    }
}

fn is_finished(row: &Row) -> bool {
    !matches!(row.ending, Ending::Stopped | Ending::Cancelled | Ending::Error)
}

fn share(hits: usize, of: usize) -> f64 {
    // Of no trials there is no share; at least one is looked at (`least`).
    hits as f64 / of.max(1) as f64
}

/// The pilot's clock begins anew with every session that it starts up for, so
/// only one session's trials can be counted over time.
fn rate_met(trials: &Trials, at_least: f64, per: Span, window: Span) -> bool {
    let Some(last) = trials.rows.last() else { return false };
    let mut session = vec![last];
    for row in trials.rows.iter().rev().skip(1) {
        // Trials are numbered from 1 in each session.
        if session.last().is_some_and(|later| row.trial >= later.trial) {
            break;
        }
        session.push(row);
    }
    let begin = last.end - window;
    let long_enough = session.last().is_some_and(|first| first.start <= begin);
    let count = session.iter().filter(|row| row.end > begin && is_finished(row)).count();
    long_enough && count as f64 * per.seconds() >= at_least * window.seconds()
}

impl Wanted {
    fn is(&self, value_type: &ValueType, value: Value) -> bool {
        match (self, value) {
            (Wanted::Name(name), Value::Choice(place)) => {
                value_type.choices().get(usize::from(place)).is_some_and(|choice| choice.as_str() == name)
            }
            (Wanted::Boolean(wanted), Value::Boolean(flag)) => *wanted == flag,
            (Wanted::Number(_), Value::Choice(_) | Value::Boolean(_)) => false,
            (Wanted::Number(wanted), value) => *wanted == value.to_f64(),
            _ => false,
        }
    }
}

impl Function {
    pub(crate) fn call(&self, trials: &Trials) -> Result<bool, GraduationError> {
        let from = trials.rows.len().saturating_sub(LOOK_BACK);
        let returned = call(
            &self.value,
            Limits::CALL,
            // A function of the trials meets nothing else.
            &(),
            |heap| vec![recent::list(&trials.columns, &trials.rows[from..], heap)],
            |value, _| value.unpack_bool().ok_or_else(|| value.get_type().to_owned()),
        );
        match returned {
            Ok(Ok(met)) => Ok(met),
            Ok(Err(kind)) => Err(GraduationError::NotBoolean(format!("a {kind}"))),
            Err(error) => Err(GraduationError::Function(self.files.explain(&error))),
        }
    }
}
