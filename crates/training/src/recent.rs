//! The recent trials, as a protocol's function sees them: a list with the
//! oldest first, and of each trial its columns by name, and `trial`, `start`,
//! `end` and `ending`. What is missing is None; what has a unit knows it.

use bramble_task::{Measure, Quantity, TaskDefinition};
use bramble_value::{Ending, Row, Span, Time, Trials, Value, ValueType};
use starlark::values::list::AllocList;
use starlark::values::structs::AllocStruct;
use starlark::values::{Heap, Value as Shown};

pub(crate) fn list<'v>(columns: &[(String, ValueType)], rows: &[Row], heap: Heap<'v>) -> Shown<'v> {
    heap.alloc(AllocList(rows.iter().map(|row| trial(columns, row, heap))))
}

fn trial<'v>(columns: &[(String, ValueType)], row: &Row, heap: Heap<'v>) -> Shown<'v> {
    let own = [
        ("trial", heap.alloc(row.trial)),
        ("start", time(row.start, heap)),
        ("end", time(row.end, heap)),
        ("ending", heap.alloc(row.ending.name())),
    ];
    let columns = columns.iter().zip(&row.values).map(|((name, value_type), value)| {
        let value = value.map_or(Shown::new_none(), |value| shown(value_type, value, heap));
        (name.as_str(), value)
    });
    heap.alloc(AllocStruct(columns.chain(own).collect::<Vec<_>>()))
}

fn time<'v>(time: Time, heap: Heap<'v>) -> Shown<'v> {
    heap.alloc(Quantity { measure: Measure::Duration, amount: time.ns() as f64 / 1e9 })
}

fn shown<'v>(value_type: &ValueType, value: Value, heap: Heap<'v>) -> Shown<'v> {
    let quantity = |measure| heap.alloc(Quantity { measure, amount: value.to_f64() });
    match value {
        Value::Boolean(flag) => Shown::new_bool(flag),
        Value::Integer(number) => heap.alloc(number),
        Value::Integers(least, most) => heap.alloc((least, most)),
        Value::Number(number) => heap.alloc(number),
        Value::Duration(_) => quantity(Measure::Duration),
        Value::Volume(_) => quantity(Measure::Volume),
        Value::Frequency(_) => quantity(Measure::Frequency),
        Value::Level(_) => quantity(Measure::Level),
        Value::Choice(_) => heap.alloc(value_type.show(value)),
    }
}

/// Trials as a task might leave them, with a value in every column.
pub(crate) fn possible(task: &TaskDefinition, count: u32) -> Trials {
    let columns: Vec<(String, ValueType)> =
        task.columns.iter().map(|column| (column.name.to_string(), column.kind.clone())).collect();
    let rows = (1..=count).map(|trial| {
        let start = Time::from_ns(i64::from(trial) * 5_000_000_000);
        let values = columns.iter().map(|(_, kind)| possible_value(kind, trial)).collect();
        Row { trial, start, end: start + Span::from_s(4), ending: Ending::Done, values }
    });
    Trials { rows: rows.collect(), columns }
}

fn possible_value(kind: &ValueType, trial: u32) -> Option<Value> {
    let varied = f64::from(trial % 10) / 10.0;
    match kind {
        ValueType::Boolean => Some(Value::Boolean(trial.is_multiple_of(2))),
        ValueType::Choice(names) => Some(Value::Choice((trial as usize % names.len().max(1)) as u16)),
        ValueType::Integer => Some(Value::Integer(i64::from(trial % 10))),
        ValueType::Integers => Some(Value::Integers(0, 1)),
        kind => kind.value_from_f64(varied),
    }
}
