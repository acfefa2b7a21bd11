//! Calling a task's functions during a session.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use bramble_value::{Random, Row, Value as Datum};
use thiserror::Error;

use crate::call::{Call, Returned};
use crate::definition::{Place, TaskDefinition};
use crate::language::{Context, Seen, trial_value};
use crate::load::{Function, Task};
use crate::lower::Lowering;
use crate::lower::outline::Outline;
use crate::sandbox::{Failure, Limits, Places, call};

/// How many trials back a function can see.
pub const LONGEST_PAST: usize = 1000;

/// The functions of a task in one session: each call is a pure function of the
/// call and of the trials before it.
pub struct Functions {
    task: Arc<TaskDefinition>,
    outline: Arc<Outline>,
    functions: Arc<[Function]>,
    places: Places,
    past: Arc<VecDeque<Vec<Option<Datum>>>>,
}

/// A function that failed: an error of the task, which ends the session.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct FunctionError {
    /// The function's name.
    pub function: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where.
    pub place: Place,
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, line, column, .. } = &self.place;
        write!(f, "{file}:{line}:{column}: in `{}`: {}", self.function, self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Functions").field("functions", &self.functions).finish_non_exhaustive()
    }
}

impl Functions {
    pub(crate) fn new(task: &Task) -> Functions {
        Functions {
            task: Arc::clone(&task.definition),
            outline: Arc::clone(&task.outline),
            functions: Arc::clone(&task.functions),
            places: task.places.clone(),
            past: Arc::default(),
        }
    }

    /// Notes a trial that ended, for `trial.last` and `trial.past` of the calls
    /// that follow. The last [`LONGEST_PAST`] are kept.
    pub fn row(&mut self, row: &Row) {
        let past = Arc::make_mut(&mut self.past);
        if past.len() == LONGEST_PAST {
            past.pop_front();
        }
        past.push_back(row.values.clone());
    }

    /// Calls a function and takes what it returns.
    pub fn call(&self, asked: &Call) -> Result<Returned, FunctionError> {
        let Some(function) = self.functions.get(asked.function.index()) else {
            return Err(FunctionError {
                function: format!("function {}", asked.function.0),
                message: "the task has no such function".to_owned(),
                help: None,
                place: Place::default(),
            });
        };
        let seen = Arc::new(Seen {
            task: Arc::clone(&self.task),
            outline: Arc::clone(&self.outline),
            stage: asked.stage,
            view: asked.view.clone(),
            past: Arc::clone(&self.past),
        });
        let random = Random::new(asked.view.seed, "function", asked.number);
        let context = Context::running(random);
        let called = call(
            &function.value,
            Limits::CALL,
            &context,
            |heap| vec![heap.alloc(trial_value(&seen))],
            |value, heap| {
                let mut lowering = Lowering::running(&self.task, &self.outline, &self.places, asked.stage);
                let returned = lowering.returned(asked.purpose, value, &seen, heap);
                match (returned, lowering.mistakes.into_iter().next()) {
                    (Some(returned), None) => Ok(returned),
                    (_, mistake) => Err(mistake),
                }
            },
        );
        let error = |message: String, help: Option<String>, place: Option<Place>| FunctionError {
            function: function.name.clone(),
            message,
            help,
            place: place.unwrap_or_else(|| function.place.clone()),
        };
        match called {
            Ok(Ok(returned)) => Ok(returned),
            Ok(Err(mistake)) => {
                let (message, help) = mistake
                    .map_or(("it returned nothing that can be used".to_owned(), None), |m| {
                        (m.message, m.help)
                    });
                Err(error(message, help, None))
            }
            Err(failure) => {
                let Failure { message, help, place } = Failure::new(&failure, &self.places);
                Err(error(message, help, place))
            }
        }
    }
}
