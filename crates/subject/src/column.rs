//! Columns and values, as fields of a table and back.

use std::collections::BTreeSet;
use std::sync::Arc;

use bramble_value::{Name, Value, ValueType};

use crate::Column;
use crate::hdf::layout::{Cursor, Field, FieldType, Rows};

/// A column and the fields of `trials/table` that hold it.
#[derive(Debug, Clone)]
pub(crate) struct StoredColumn {
    pub(crate) column: Column,
    /// The field of its values: the column's name, unless that is taken.
    pub(crate) field: String,
    /// The field that says where it is missing; empty where the value does.
    pub(crate) missing_field: String,
}

/// The fields that every trial has before the columns.
pub(crate) const TRIAL_FIELDS: [&str; 4] = ["trial", "start_ns", "end_ns", "ending"];

/// Finds each column its fields. A name that is taken gets a `_` behind it.
pub(crate) fn place(columns: &[Column]) -> Vec<StoredColumn> {
    let mut taken: BTreeSet<String> = TRIAL_FIELDS.map(str::to_owned).into();
    let mut free = |name: &str| {
        let mut name = name.to_owned();
        while !taken.insert(name.clone()) {
            name.push('_');
        }
        name
    };
    let fields: Vec<String> = columns.iter().map(|column| free(&column.name)).collect();
    let stored = columns.iter().zip(fields).map(|(column, field)| {
        let missing_field = match column.value_type {
            ValueType::Boolean | ValueType::Integer => free(&format!("{field}_missing")),
            _ => String::new(),
        };
        StoredColumn { column: column.clone(), field, missing_field }
    });
    stored.collect()
}

impl StoredColumn {
    pub(crate) fn fields(&self) -> Vec<Field> {
        let kind = match &self.column.value_type {
            ValueType::Boolean => FieldType::Boolean,
            ValueType::Integer => FieldType::I64,
            ValueType::Choice(names) => FieldType::Text(widest(names.iter().map(Name::as_str))),
            _ => FieldType::F64,
        };
        let mut fields = vec![Field::new(&self.field, kind, &self.doc())];
        if !self.missing_field.is_empty() {
            let doc = format!("whether {} is missing", self.field);
            fields.push(Field::new(&self.missing_field, FieldType::Boolean, &doc));
        }
        fields
    }

    fn doc(&self) -> String {
        match self.column.value_type.unit() {
            "" => self.column.doc.clone(),
            unit => format!("{} [{unit}]", self.column.doc),
        }
    }

    pub(crate) fn write(&self, rows: &mut Rows<'_>, value: Option<Value>) {
        match (&self.column.value_type, value) {
            (ValueType::Boolean, Some(Value::Boolean(flag))) => rows.boolean(flag).boolean(false),
            (ValueType::Boolean, _) => rows.boolean(false).boolean(true),
            (ValueType::Integer, Some(Value::Integer(number))) => rows.i64(number).boolean(false),
            (ValueType::Integer, _) => rows.i64(0).boolean(true),
            (ValueType::Choice(_), None) => rows.text(""),
            (kind @ ValueType::Choice(_), Some(value)) => rows.text(&kind.show(value)),
            (_, Some(value)) => rows.f64(value.to_f64()),
            (_, None) => rows.f64(f64::NAN),
        };
    }

    pub(crate) fn read(&self, row: &mut Cursor<'_>) -> Option<Value> {
        match &self.column.value_type {
            ValueType::Boolean => {
                let flag = row.boolean();
                (!row.boolean()).then_some(Value::Boolean(flag))
            }
            ValueType::Integer => {
                let number = row.i64();
                (!row.boolean()).then_some(Value::Integer(number))
            }
            kind @ ValueType::Choice(_) => kind.choice(&row.text()),
            kind => kind.value_from_f64(row.f64()),
        }
    }
}

/// The name of a type in the file; a choice's names stand beside it.
pub(crate) fn type_name(value_type: &ValueType) -> String {
    match value_type {
        ValueType::Choice(_) => "choice".to_owned(),
        other => other.to_string(),
    }
}

/// A choice's names in the file: with a space between them, which none holds.
pub(crate) fn choices(value_type: &ValueType) -> String {
    value_type.choices().iter().map(Name::as_str).collect::<Vec<_>>().join(" ")
}

/// The type that [`type_name`] and [`choices`] wrote.
pub(crate) fn type_from(name: &str, choices: &str) -> Result<ValueType, String> {
    Ok(match name {
        "boolean" => ValueType::Boolean,
        "integer" => ValueType::Integer,
        "integers" => ValueType::Integers,
        "number" => ValueType::Number,
        "duration" => ValueType::Duration,
        "volume" => ValueType::Volume,
        "frequency" => ValueType::Frequency,
        "level" => ValueType::Level,
        "choice" => {
            let names: Result<Arc<[Name]>, _> = choices.split_whitespace().map(str::parse).collect();
            ValueType::Choice(names.map_err(|error| error.to_string())?)
        }
        _ => return Err(format!("`{name}` is no type of value")),
    })
}

/// The value that [`ValueType::show`] and [`Value::to_f64`] wrote.
pub(crate) fn value_from(value_type: &ValueType, shown: &str, number: f64) -> Option<Value> {
    match value_type {
        // Not every whole number is an f64.
        ValueType::Integer => shown.parse().ok().map(Value::Integer),
        ValueType::Integers => {
            let (least, most) = shown.split_once(" to ")?;
            Some(Value::Integers(least.parse().ok()?, most.parse().ok()?))
        }
        other => other.value_from_f64(number),
    }
}

/// The width of a field that holds any of `texts`.
pub(crate) fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(str::len).max().unwrap_or(0).max(1)
}
