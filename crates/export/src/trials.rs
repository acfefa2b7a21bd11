//! The trial table of a session.

use bramble_value::{Ending, Value, ValueType};

use crate::Session;
use crate::table::{Column, Names, Table, Taken, Values};

/// The names that a task's column can't have in any form: the table's own, and
/// the folders of Parquet.
const RESERVED: [&str; 6] = ["trial", "start_s", "end_s", "ending", "subject", "session"];

/// How many columns come before those of the task.
pub(crate) const OWN: usize = 4;

/// The trials: when each was, how it ended, and the columns that the task declares.
pub(crate) fn trials(session: &Session) -> Table {
    let rows = &session.trials.rows;
    let mut columns = vec![
        Column::new(
            "trial",
            "",
            "which trial of the session, from 1",
            Values::Integers(rows.iter().map(|row| Some(i64::from(row.trial))).collect()),
        ),
        Column::new(
            "start_s",
            "s",
            "when it started, from the session's start",
            Values::Numbers(rows.iter().map(|row| Some(session.seconds(row.start))).collect()),
        ),
        Column::new(
            "end_s",
            "s",
            "when it ended, from the session's start",
            Values::Numbers(rows.iter().map(|row| Some(session.seconds(row.end))).collect()),
        ),
        Column::new(
            "ending",
            "",
            "how it ended",
            Values::Names(Names {
                names: Ending::ALL.iter().map(|ending| ending.name().to_owned()).collect(),
                places: rows.iter().map(|row| Some(u32::from(row.ending as u8))).collect(),
                only: true,
            }),
        ),
    ];
    let mut taken = Taken::of(&RESERVED);
    for (place, column) in session.start.columns.iter().enumerate() {
        let held = rows.iter().map(|row| row.values.get(place).copied().flatten());
        let values = values(&column.value_type, held);
        columns.push(Column::new(&taken.free(&column.name), column.value_type.unit(), &column.doc, values));
    }
    let task = &session.start.task;
    Table { name: "trials", doc: format!("one row a trial of the task {task}"), columns }
}

fn values(kind: &ValueType, held: impl Iterator<Item = Option<Value>>) -> Values {
    match kind {
        ValueType::Boolean => Values::Booleans(
            held.map(|value| match value {
                Some(Value::Boolean(flag)) => Some(flag),
                _ => None,
            })
            .collect(),
        ),
        ValueType::Integer => Values::Integers(
            held.map(|value| match value {
                Some(Value::Integer(number)) => Some(number),
                _ => None,
            })
            .collect(),
        ),
        ValueType::Choice(choices) => Values::Names(Names {
            names: choices.iter().map(ToString::to_string).collect(),
            places: held
                .map(|value| match value {
                    Some(Value::Choice(place)) if usize::from(place) < choices.len() => {
                        Some(u32::from(place))
                    }
                    _ => None,
                })
                .collect(),
            only: true,
        }),
        _ => Values::Numbers(held.map(|value| value.map(Value::to_f64)).collect()),
    }
}
