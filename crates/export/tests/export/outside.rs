//! Other programs, and what the subject file says that they must read.

use std::path::{Path, PathBuf};
use std::process::Command;

use bramble_export::Session;
use bramble_value::Value;
use serde_json::{Value as Json, json};

/// Runs the outside tools of `check.py` on exports of sessions, all in one form.
///
/// # Panics
/// Where they read anything else than the subject file says.
pub(crate) fn check(form: &str, exports: &[(PathBuf, Session)]) -> String {
    let expected = tempfile::NamedTempFile::new().unwrap();
    let all: Vec<Json> = exports.iter().map(|(export, session)| expectation(export, session)).collect();
    std::fs::write(expected.path(), serde_json::to_string(&all).unwrap()).unwrap();
    python(form, expected.path())
}

/// What `check.py` prints, which must go well.
pub(crate) fn python(form: &str, expected: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export/check.py");
    run(&script, &[Path::new(form), expected])
}

/// What a script prints, which must go well.
pub(crate) fn run(script: &Path, arguments: &[&Path]) -> String {
    let python = std::env::var_os("BRAMBLE_PYTHON").expect(
        "BRAMBLE_PYTHON names a Python with scripts/requirements.txt: run scripts/test, which makes one and sets it",
    );
    let output = Command::new(python).args(["-W", "ignore"]).arg(script).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// A session as the subject file has it, in JSON: what any export must say again.
fn expectation(export: &Path, session: &Session) -> Json {
    let start = &session.start;
    let columns = start.columns.iter().map(|column| {
        json!({
            "name": column.name,
            "type": column.value_type.to_string(),
            "unit": column.value_type.unit(),
            "doc": column.doc,
        })
    });
    let zero = start.start_time.ns();
    let rows = session.trials.rows.iter().map(|row| {
        let held = start.columns.iter().zip(&row.values);
        let values = held.map(|(column, value)| match value {
            None => Json::Null,
            Some(Value::Boolean(flag)) => json!(flag),
            Some(Value::Integer(number)) => json!(number),
            Some(value @ Value::Choice(_)) => json!(column.value_type.show(*value)),
            Some(value) => json!(value.to_f64()),
        });
        json!({
            "trial": row.trial,
            "start_ns": row.start.ns() - zero,
            "end_ns": row.end.ns() - zero,
            "ending": row.ending.name(),
            "values": values.collect::<Json>(),
        })
    });
    let events = session.events.iter().map(|event| {
        json!([
            event.time.ns() - zero,
            event.trial,
            event.kind.name(),
            start.names.name(event.source),
            event.value,
        ])
    });
    json!({
        "export": export,
        "subject": session.subject,
        "session": session.number.get(),
        "uuid": start.uuid,
        "task": start.task,
        "started": start.started,
        "start_time_ns": zero,
        "sources": start.sources,
        "columns": columns.collect::<Json>(),
        "rows": rows.collect::<Json>(),
        "events": events.collect::<Json>(),
        "notes": session.notes.iter().map(|note| json!([note.time.ns() - zero, note.text])).collect::<Json>(),
    })
}
