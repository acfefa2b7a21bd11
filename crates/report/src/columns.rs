//! What the columns of a session held.

use bramble_value::{Value, ValueType};

use crate::{Column, Held, Records};

pub(crate) fn all(records: &Records<'_>) -> Vec<Column> {
    let one = |(place, (name, kind)): (usize, &(String, ValueType))| {
        let values = records.trials.rows.iter().filter_map(|row| row.values.get(place).copied().flatten());
        let values: Vec<Value> = values.collect();
        let doc = records.start.columns.iter().find(|column| column.name == *name);
        Column {
            name: name.clone(),
            doc: doc.map(|column| column.doc.clone()).unwrap_or_default(),
            unit: kind.unit().to_owned(),
            written: values.len(),
            held: held(kind, &values),
        }
    };
    records.trials.columns.iter().enumerate().map(one).collect()
}

fn held(kind: &ValueType, values: &[Value]) -> Held {
    if values.is_empty() {
        return Held::Nothing;
    }
    let count = |value: Value| values.iter().filter(|one| **one == value).count();
    match kind {
        ValueType::Choice(names) => {
            let places = (0..).map(Value::Choice).zip(names.iter());
            Held::Counts(places.map(|(value, name)| (name.to_string(), count(value))).collect())
        }
        ValueType::Boolean => {
            let both = [true, false].map(|flag| (flag.to_string(), count(Value::Boolean(flag))));
            Held::Counts(both.to_vec())
        }
        _ => {
            let mut numbers: Vec<f64> = values.iter().map(|value| value.to_f64()).collect();
            numbers.sort_by(f64::total_cmp);
            let middle = numbers.len() / 2;
            let median = match numbers.len() % 2 {
                1 => numbers[middle],
                _ => (numbers[middle - 1] + numbers[middle]) / 2.0,
            };
            Held::Numbers { least: numbers[0], median, most: numbers[numbers.len() - 1] }
        }
    }
}
