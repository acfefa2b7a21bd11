//! What a session is started with beside its task.

use bramble_task::TaskDefinition;
use bramble_task::definition::Parameter;
use bramble_value::{Seed, Value};
use thiserror::Error;

/// What a session is started with.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// A value for each of the task's parameters, in their order.
    pub parameters: Vec<Value>,
    /// What all of the session's randomness comes from.
    pub seed: Seed,
    /// For each of the task's columns, what the subject's last session ended
    /// with; columns without `keep` don't look at it. May be empty.
    pub kept: Vec<Option<Value>>,
}

/// Settings that don't fit the task.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// Not one value for each parameter.
    #[error("task `{task}` has {wanted} parameters, and {found} values were given for them")]
    Count {
        /// The task.
        task: String,
        /// How many parameters it has.
        wanted: usize,
        /// How many values there were.
        found: usize,
    },
    /// A value that the parameter can't have.
    #[error("parameter `{parameter}` can't be {value}: {why}")]
    Parameter {
        /// The parameter's name.
        parameter: String,
        /// The value, as a person reads it.
        value: String,
        /// What it may be.
        why: String,
    },
    /// A kept value of another type than its column.
    #[error(
        "column `{column}` of the last session isn't a {kind} as in this task: start without what was kept, or rename the column"
    )]
    Kept {
        /// The column's name.
        column: String,
        /// What it holds in this task.
        kind: String,
    },
}

impl Settings {
    /// The task's defaults, with nothing kept.
    pub fn defaults(task: &TaskDefinition, seed: Seed) -> Settings {
        Settings {
            parameters: task.parameters.iter().map(|parameter| parameter.default).collect(),
            seed,
            kept: Vec::new(),
        }
    }

    pub(crate) fn check(&self, task: &TaskDefinition) -> Result<(), SettingsError> {
        if self.parameters.len() != task.parameters.len() {
            return Err(SettingsError::Count {
                task: task.name.clone(),
                wanted: task.parameters.len(),
                found: self.parameters.len(),
            });
        }
        for (parameter, value) in task.parameters.iter().zip(&self.parameters) {
            check_parameter(parameter, *value)?;
        }
        for (column, kept) in task.columns.iter().zip(&self.kept) {
            let keeps = column.carry.as_ref().is_some_and(|carry| carry.keep);
            if keeps && kept.is_some_and(|value| !column.kind.accepts(value)) {
                return Err(SettingsError::Kept {
                    column: column.name.to_string(),
                    kind: column.kind.to_string(),
                });
            }
        }
        Ok(())
    }
}

/// Whether a parameter may have this value.
pub(crate) fn check_parameter(parameter: &Parameter, value: Value) -> Result<(), SettingsError> {
    let refuse = |why: String| SettingsError::Parameter {
        parameter: parameter.name.to_string(),
        value: parameter.kind.show(value),
        why,
    };
    if !parameter.kind.accepts(value) {
        return Err(refuse(format!("it is a {}", parameter.kind)));
    }
    let below = |low: Value| value.to_f64() < low.to_f64();
    if let Some(min) = parameter.min.filter(|min| below(*min)) {
        return Err(refuse(format!("it is at least {}", parameter.kind.show(min))));
    }
    let highest = match value {
        Value::Integers(_, most) => f64::from(most),
        _ => value.to_f64(),
    };
    if let Some(max) = parameter.max.filter(|max| highest > max.to_f64()) {
        return Err(refuse(format!("it is at most {}", parameter.kind.show(max))));
    }
    Ok(())
}
