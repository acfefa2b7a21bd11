//! Whatever is recorded, the file gives it back, however it came in.

use std::ops::Range;

use crate::common::{choice, events_of, numbered, rows_of, start, subject_in};
use bramble_subject::Column;
use bramble_value::{Ending, Event, Kind, Record, Row, Source, Span, Time, Value, ValueType};
use proptest::prelude::*;
use proptest::sample::select;

fn value_type() -> impl Strategy<Value = ValueType> {
    select(vec![
        ValueType::Boolean,
        ValueType::Integer,
        ValueType::Number,
        ValueType::Duration,
        ValueType::Volume,
        ValueType::Frequency,
        ValueType::Level,
        choice(&["left", "right", "a-very-long-name-of-a-choice"]),
    ])
}

fn real(value_type: &ValueType, numbers: Range<f64>) -> BoxedStrategy<Value> {
    let value_type = value_type.clone();
    numbers.prop_filter_map("a number in range", move |number| value_type.value_from_f64(number)).boxed()
}

fn value(value_type: &ValueType) -> BoxedStrategy<Option<Value>> {
    let value = match value_type {
        ValueType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        ValueType::Integer | ValueType::Integers => any::<i64>().prop_map(Value::Integer).boxed(),
        ValueType::Number => prop::num::f64::NORMAL.prop_map(Value::Number).boxed(),
        // Up to 13 days every nanosecond is a number of seconds of its own.
        ValueType::Duration => (0..1i64 << 50).prop_map(|ns| Value::Duration(Span::from_ns(ns))).boxed(),
        ValueType::Volume | ValueType::Frequency => real(value_type, 0.0..1e12),
        ValueType::Level => real(value_type, 0.0..1.0),
        ValueType::Choice(names) => (0..names.len() as u16).prop_map(Value::Choice).boxed(),
    };
    prop::option::of(value).boxed()
}

fn event() -> impl Strategy<Value = Record> {
    (any::<i64>(), any::<u32>(), select(Kind::ALL), any::<u16>(), prop::num::f64::ANY).prop_map(
        |(ns, trial, kind, source, value)| {
            // No two NaNs are equal, so they would not compare.
            let value = if value.is_nan() { 0.0 } else { value };
            Record::Event(Event { time: Time::from_ns(ns), trial, kind, source: Source(source), value })
        },
    )
}

fn row(columns: &[ValueType]) -> impl Strategy<Value = Record> + use<> {
    let values: Vec<_> = columns.iter().map(value).collect();
    (any::<u32>(), any::<i64>(), any::<i64>(), select(Ending::ALL), values).prop_map(
        |(trial, start, end, ending, values)| {
            let (start, end) = (Time::from_ns(start), Time::from_ns(end));
            Record::Row(Row { trial, start, end, ending, values })
        },
    )
}

/// Columns, and batches of records that fit them.
fn session() -> impl Strategy<Value = (Vec<ValueType>, Vec<Vec<Record>>)> {
    prop::collection::vec(value_type(), 0..6).prop_flat_map(|columns| {
        let record = prop_oneof![event(), row(&columns)];
        let batches = prop::collection::vec(prop::collection::vec(record, 0..20), 0..8);
        (Just(columns), batches)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_recorded_is_read_back((types, batches) in session(), repeat in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let mut file = subject_in(folder.path());
        let columns = types.iter().enumerate().map(|(place, value_type)| Column {
            name: format!("column{place}"),
            value_type: value_type.clone(),
            doc: String::new(),
        });
        let number = file.begin_session(&start(columns.collect())).unwrap();
        let mut first = 1;
        for batch in &batches {
            let records = numbered(first, batch.iter().cloned());
            first += records.len() as u64;
            file.append(number, &records).unwrap();
            if repeat {
                file.append(number, &records).unwrap();
            }
        }
        let records: Vec<Record> = batches.into_iter().flatten().collect();
        prop_assert_eq!(file.trials(number).unwrap().rows, rows_of(&records));
        prop_assert_eq!(file.events(number).unwrap(), events_of(&records));
    }
}
