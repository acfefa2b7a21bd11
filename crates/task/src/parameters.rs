//! Choosing the values of a task's parameters.

use bramble_value::{Value, ValueType};

use crate::sandbox::Problem;

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
