//! CSV: a folder of `trials.csv`, `events.csv`, `notes.csv` and `datapackage.json`, which
//! says of each column what it is and in which unit.
//!
//! The JSON is a Frictionless Data Package (<https://datapackage.org>): it can be read
//! by hand, and by that project's tools. A field with nothing in it is missing.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::events::{events, notes};
use crate::place::write_file;
use crate::summary::about;
use crate::table::{Column, Table, Values};
use crate::trials::trials;
use crate::{ExportError, Here, Session};

/// What describes the tables, and says what the session was.
pub(crate) const PACKAGE: &str = "datapackage.json";

/// Writes a session's files into `folder`, which is there and empty.
///
/// # Errors
/// Where a file can't be written.
pub(crate) fn write(session: &Session, here: &Here, folder: &Path) -> Result<(), ExportError> {
    let tables = [trials(session), events(session), notes(session)];
    for table in &tables {
        let path = folder.join(format!("{}.csv", table.name));
        write_table(table, &path).map_err(ExportError::write(&path))?;
    }
    let path = folder.join(PACKAGE);
    let text = serde_json::to_vec_pretty(&package(session, here, &tables)).expect("JSON values have a text");
    write_file(&path, &text)
}

fn write_table(table: &Table, path: &Path) -> std::io::Result<()> {
    let mut writer = csv::Writer::from_writer(BufWriter::new(File::create(path)?));
    writer.write_record(table.columns.iter().map(|column| &column.name))?;
    let mut field = String::new();
    for row in 0..table.len() {
        for column in &table.columns {
            field.clear();
            write_field(&mut field, &column.values, row);
            writer.write_field(&field)?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    let buffer = writer.into_inner().map_err(|error| error.into_error())?;
    buffer.into_inner().map_err(|error| error.into_error())?.sync_all()
}

fn write_field(field: &mut String, values: &Values, row: usize) {
    use std::fmt::Write;
    let written = match values {
        Values::Booleans(values) => values[row].map(|value| write!(field, "{value}")),
        Values::Integers(values) => values[row].map(|value| write!(field, "{value}")),
        Values::Numbers(values) => values[row].map(|value| write!(field, "{value}")),
        Values::Names(names) => names.places[row].map(|place| field.write_str(&names.names[place as usize])),
        Values::Texts(values) => values[row].as_ref().map(|value| field.write_str(value)),
        Values::Moments(values) => values[row].map(|value: Timestamp| write!(field, "{value}")),
    };
    written.transpose().expect("a string takes any text");
}

fn package(session: &Session, here: &Here, tables: &[Table]) -> Json {
    let resources = tables.iter().map(|table| {
        json!({
            "name": table.name,
            "path": format!("{}.csv", table.name),
            "description": table.doc,
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "schema": {
                "fields": table.columns.iter().map(describe).collect::<Json>(),
                "missingValues": [""],
            },
        })
    });
    json!({
        "name": format!("{}-{}", session.subject.as_str().to_lowercase(), session.number),
        "title": format!("Session {} of {}: {}", session.number, session.subject, session.start.task),
        "description": session.start.task_doc,
        "created": session.start.started,
        "session": about(session, here),
        "resources": resources.collect::<Json>(),
    })
}

fn describe(column: &Column) -> Json {
    let kind = match &column.values {
        Values::Booleans(_) => "boolean",
        Values::Integers(_) => "integer",
        Values::Numbers(_) => "number",
        Values::Names(_) | Values::Texts(_) => "string",
        Values::Moments(_) => "datetime",
    };
    let mut field = json!({
        "name": column.name,
        "type": kind,
        "unit": column.unit,
        "description": column.doc,
    });
    if let Values::Names(names) = &column.values
        && names.only
    {
        field["constraints"] = json!({ "enum": &*names.names });
    }
    field
}
