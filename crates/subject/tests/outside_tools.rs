//! h5py, PyTables and pandas read what was written, missing values included.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::common::{columns, end, event, numbered, row, rows_of, start, subject_in};
use bramble_subject::{Column, SubjectFile};
use bramble_value::{Record, Row, Value, ValueType};
use serde_json::json;

/// A row as the pilot's journal tells it.
fn journalled(session: &str, columns: &[Column], row: &Row) -> String {
    let value = |column: &Column, value: Value| match value {
        Value::Boolean(flag) => json!(flag),
        Value::Integer(number) => json!(number),
        Value::Choice(_) => json!(column.value_type.show(value)),
        number => json!(number.to_f64()),
    };
    let values: serde_json::Map<_, _> = columns
        .iter()
        .zip(&row.values)
        .map(|(column, held)| (column.name.clone(), held.map_or(json!(null), |held| value(column, held))))
        .collect();
    json!({
        "session": session,
        "trial": row.trial,
        "start_ns": row.start.ns(),
        "end_ns": row.end.ns(),
        "ending": row.ending.name(),
        "values": values,
    })
    .to_string()
}

/// A file with a row in every column, rows without, a session that still
/// runs, one without columns, and names that others would stumble over.
fn subject_with_rows(folder: &Path) -> (SubjectFile, Vec<String>) {
    let mut file = subject_in(folder);
    let integer =
        |name: &str| Column { name: name.to_owned(), value_type: ValueType::Integer, doc: String::new() };
    let awkward: Vec<Column> = ["trial", "CLASS", "if", "a-b", "n_missing", "n"].map(integer).into();
    let mut lines = Vec::new();
    for columns in [columns(), awkward, Vec::new(), columns()] {
        let session = start(columns.clone());
        let number = file.begin_session(&session).unwrap();
        let mut records = Vec::new();
        for trial in 1..=30 {
            let Record::Row(mut row) = row(trial, trial % 4 != 0) else { panic!("a row") };
            if columns.len() == 6 {
                row.values =
                    (0..6).map(|place| (place != trial % 6).then_some(Value::Integer(1 << 60))).collect();
            }
            row.values.truncate(columns.len());
            records.extend([Record::Row(row), event(trial)]);
        }
        lines
            .extend(rows_of(&records).iter().map(|row| journalled(&session.uuid.to_string(), &columns, row)));
        file.append(number, &numbered(1, records)).unwrap();
        if number.get() < 4 {
            file.end_session(number, &end(bramble_value::Ending::Done, "")).unwrap();
        }
    }
    file.pack().unwrap();
    (file, lines)
}

fn check(subject: &Path, lines: &[String]) -> Output {
    let python = std::env::var_os("BRAMBLE_PYTHON").expect(
        "BRAMBLE_PYTHON names a Python with h5py, tables and pandas: run scripts/test, which makes one and sets it",
    );
    let journal = subject.with_extension("jsonl");
    fs::write(&journal, lines.join("\n")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/check-subject-file");
    Command::new(python).arg(script).arg(subject).arg(&journal).output().unwrap()
}

#[test]
fn h5py_pytables_and_pandas_read_the_trials_that_were_journalled() {
    let folder = tempfile::tempdir().unwrap();
    let (file, lines) = subject_with_rows(folder.path());
    let path = file.path().to_owned();
    drop(file);
    let output = check(&path, &lines);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for tool in ["h5py", "PyTables", "pandas"] {
        assert!(said.contains(&format!("{tool}: M001.h5: 4 sessions, 120 trials compared")), "{said}");
    }
}

#[test]
fn a_difference_from_the_journal_is_found_by_all_three() {
    let folder = tempfile::tempdir().unwrap();
    let (file, lines) = subject_with_rows(folder.path());
    let path = file.path().to_owned();
    drop(file);
    let changes = [
        ("\"target\":\"left\"", "\"target\":null"),
        ("\"target\":null", "\"target\":\"left\""),
        ("\"correct\":true", "\"correct\":false"),
        ("\"n\":null", "\"n\":0"),
        ("\"latency\":null", "\"latency\":0.0"),
        ("\"ending\":\"done\"", "\"ending\":\"goto\""),
        ("\"start_ns\":1000", "\"start_ns\":1001"),
    ];
    for (right, wrong) in changes {
        let place = lines.iter().position(|line| line.contains(right)).expect("a row to change");
        let mut changed = lines.clone();
        changed[place] = changed[place].replace(right, wrong);
        let output = check(&path, &changed);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{wrong}");
        for tool in ["h5py", "PyTables", "pandas"] {
            assert!(said.contains(tool), "{wrong}: {said}");
        }
    }
    let output = check(&path, &lines[1..]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("30 trials in the file, 29 in the journal"));
}
