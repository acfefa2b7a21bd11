//! Parquet: `trials.parquet`, `events.parquet`, `notes.parquet` and `session.parquet` in a folder
//! whose path says whose they are, as in Hive: `subject=M001/session=0012`.
//!
//! So DuckDB, Polars, Dask and Spark read all sessions of all subjects as one
//! table. A column's unit and description are in its field's metadata.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::events::{events, notes};
use crate::summary::summary;
use crate::table::{Column, Table, Values};
use crate::trials::trials;
use crate::{ExportError, Here, Session};

/// Writes a session's files into `folder`, which is there and empty.
///
/// # Errors
/// Where a file can't be written.
pub(crate) fn write(session: &Session, here: &Here, folder: &Path) -> Result<(), ExportError> {
    for table in [trials(session), events(session), notes(session), summary(session, here)] {
        write_table(&table, &folder.join(format!("{}.parquet", table.name)))?;
    }
    Ok(())
}

fn write_table(table: &Table, path: &Path) -> Result<(), ExportError> {
    let file = File::create(path).map_err(ExportError::write(path))?;
    let synced = file.try_clone().map_err(ExportError::write(path))?;
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = table.columns.iter().map(field).unzip();
    let about = HashMap::from([("description".to_owned(), table.doc.clone())]);
    let schema = Arc::new(Schema::new_with_metadata(fields, about));
    let write = || -> Result<(), parquet::errors::ParquetError> {
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut writer = ArrowWriter::try_new(file, schema, Some(properties))?;
        writer.write(&batch)?;
        writer.close().map(drop)
    };
    write().map_err(ExportError::library(path))?;
    synced.sync_all().map_err(ExportError::write(path))
}

fn field(column: &Column) -> (Field, ArrayRef) {
    let (kind, array): (DataType, ArrayRef) = match &column.values {
        Values::Booleans(values) => (DataType::Boolean, Arc::new(BooleanArray::from(values.clone()))),
        Values::Integers(values) => (DataType::Int64, Arc::new(Int64Array::from(values.clone()))),
        Values::Numbers(values) => (DataType::Float64, Arc::new(Float64Array::from(values.clone()))),
        Values::Names(names) => (DataType::Utf8, Arc::new(names.iter().collect::<StringArray>())),
        Values::Texts(values) => (DataType::Utf8, Arc::new(values.iter().collect::<StringArray>())),
        Values::Moments(values) => {
            let moments = values.iter().map(|value| {
                // None of the years that nanoseconds can't count is a session's.
                value.and_then(|value| i64::try_from(value.as_nanosecond()).ok())
            });
            let moments = TimestampNanosecondArray::from_iter(moments).with_timezone("UTC");
            (DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), Arc::new(moments))
        }
    };
    let about = HashMap::from([
        ("unit".to_owned(), column.unit.clone()),
        ("description".to_owned(), column.doc.clone()),
    ]);
    (Field::new(&column.name, kind, true).with_metadata(about), array)
}
