//! Typed objects in HDF5, as `hdmf` writes and reads them.
//!
//! - Every object has the attributes `neurodata_type`, `namespace` and `object_id`;
//!   a column without one is read by nobody.
//! - An attribute that is a text is one text, and not a list of one.
//! - A table has `colnames`, which lists just its columns, all of one length, and `id`.
//! - Whole numbers that refer to something are `int32` or `int64`, times are floats,
//!   booleans an enum of `int8`, texts of any length and UTF-8.

use hdf5::types::VarLenUnicode;
use hdf5::{Dataset, Group, H5Type, Location, Result};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::table::{Column, Values};

/// NWB's own types.
pub(super) const CORE: &str = "core";
/// The types of tables, which NWB shares with others.
pub(super) const COMMON: &str = "hdmf-common";

/// How many values are stored and compressed together.
const CHUNK: usize = 8192;

/// Makes the objects of one session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Objects {
    session: Uuid,
}

impl Objects {
    pub(super) fn of(session: Uuid) -> Objects {
        Objects { session }
    }

    /// Says of which type an object is. Its id follows from the session and its path,
    /// so that it is the same whenever the session is exported.
    pub(super) fn typed(&self, object: &Location, kind: &str, namespace: &str) -> Result<()> {
        let hash = Sha256::digest(format!("{} {}", self.session, object.name()));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        let id = uuid::Builder::from_custom_bytes(bytes).into_uuid();
        set_text(object, "neurodata_type", kind)?;
        set_text(object, "namespace", namespace)?;
        set_text(object, "object_id", &id.to_string())
    }

    /// A group of a type.
    pub(super) fn group(&self, parent: &Group, name: &str, kind: &str, namespace: &str) -> Result<Group> {
        let group = parent.create_group(name)?;
        self.typed(&group, kind, namespace)?;
        Ok(group)
    }

    /// A column of a table, and one `name_missing` beside it where it `may` be missing
    /// and its type has no value that says so: NaN for a number, the empty text for a
    /// text. Returns the names of what was made.
    pub(super) fn column(
        &self,
        table: &Group,
        name: &str,
        column: &Column,
        may: bool,
    ) -> Result<Vec<String>> {
        let mut names = vec![name.to_owned()];
        let made = match &column.values {
            Values::Booleans(values) => {
                numbers(table, name, &all(values, |value| value.unwrap_or_default()))?
            }
            Values::Integers(values) => {
                numbers(table, name, &all(values, |value| value.unwrap_or_default()))?
            }
            Values::Numbers(values) => numbers(table, name, &all(values, |value| value.unwrap_or(f64::NAN)))?,
            Values::Names(held) => {
                let known: Vec<VarLenUnicode> = held.names.iter().map(|name| unicode(name)).collect();
                let texts = held.places.iter().map(|place| match place {
                    Some(place) => known[*place as usize].clone(),
                    None => VarLenUnicode::default(),
                });
                numbers(table, name, &texts.collect::<Vec<_>>())?
            }
            Values::Texts(values) => {
                let texts = values.iter().map(|value| unicode(value.as_deref().unwrap_or_default()));
                numbers(table, name, &texts.collect::<Vec<_>>())?
            }
            Values::Moments(values) => {
                let texts = values.iter().map(|value| match value {
                    Some(value) => unicode(&value.to_string()),
                    None => VarLenUnicode::default(),
                });
                numbers(table, name, &texts.collect::<Vec<_>>())?
            }
        };
        self.vector(&made, &column.described(), &column.unit)?;
        let missing = match &column.values {
            Values::Booleans(values) => Some(all(values, |value| value.is_none())),
            Values::Integers(values) => Some(all(values, |value| value.is_none())),
            _ => None,
        };
        if let Some(missing) = missing.filter(|_| may) {
            let beside = free(table, &format!("{name}_missing"));
            let made = numbers(table, &beside, &missing)?;
            self.vector(&made, &format!("whether {name} is missing"), "")?;
            names.push(beside);
        }
        Ok(names)
    }

    /// A column of moments, in seconds from the session's start, as NWB has times of events.
    pub(super) fn timestamps(&self, table: &Group, times: &[Option<f64>], doc: &str) -> Result<()> {
        let made = numbers(table, "timestamp", &all(times, |time| time.unwrap_or(f64::NAN)))?;
        self.typed(&made, "TimestampVectorData", CORE)?;
        set_text(&made, "description", doc)?;
        set_text(&made, "unit", "seconds")?;
        set_number(&made, "resolution", 1e-9)
    }

    fn vector(&self, made: &Dataset, description: &str, unit: &str) -> Result<()> {
        self.typed(made, "VectorData", COMMON)?;
        set_text(made, "description", description)?;
        if !unit.is_empty() {
            set_text(made, "unit", unit)?;
        }
        Ok(())
    }

    /// Says which columns a table has, and gives each of its `rows` a number.
    pub(super) fn finish(&self, table: &Group, names: &[String], rows: usize) -> Result<()> {
        let ids: Vec<i64> = (0..).take(rows).collect();
        let made = numbers(table, "id", &ids)?;
        self.typed(&made, "ElementIdentifiers", COMMON)?;
        let names: Vec<VarLenUnicode> = names.iter().map(|name| unicode(name)).collect();
        table.new_attr_builder().with_data(&names).create("colnames").map(drop)
    }
}

/// A name in `group` that is free: this one, or with `_` behind it.
pub(super) fn free(group: &Group, name: &str) -> String {
    // These have a meaning in the name of an object.
    let mut name = name.replace(['/', ':'], "_");
    while name == "." || group.link_exists(&name) {
        name.push('_');
    }
    name
}

/// Values in one dimension, compressed.
pub(super) fn numbers<T: H5Type>(parent: &Group, name: &str, values: &[T]) -> Result<Dataset> {
    let builder = parent.new_dataset_builder();
    if values.is_empty() {
        // Nothing can't be divided into chunks.
        return builder.empty::<T>().shape(0).create(name);
    }
    builder.chunk(values.len().min(CHUNK)).shuffle().deflate(1).with_data(values).create(name)
}

/// One text.
pub(super) fn text(parent: &Group, name: &str, text: &str) -> Result<Dataset> {
    let made = parent.new_dataset::<VarLenUnicode>().create(name)?;
    made.write_scalar(&unicode(text))?;
    Ok(made)
}

/// Texts in one dimension.
pub(super) fn texts(parent: &Group, name: &str, texts: &[String]) -> Result<Dataset> {
    let texts: Vec<VarLenUnicode> = texts.iter().map(|text| unicode(text)).collect();
    parent.new_dataset_builder().with_data(&texts).create(name)
}

/// An attribute that is one text.
pub(super) fn set_text(object: &Location, name: &str, text: &str) -> Result<()> {
    object.new_attr::<VarLenUnicode>().create(name)?.write_scalar(&unicode(text))
}

/// An attribute that is one number.
pub(super) fn set_number<T: H5Type>(object: &Location, name: &str, number: T) -> Result<()> {
    object.new_attr::<T>().create(name)?.write_scalar(&number)
}

fn unicode(text: &str) -> VarLenUnicode {
    // HDF5 takes a zero for a text's end.
    text.replace('\0', "\u{fffd}").parse().expect("a text without zeros is a text to HDF5")
}

fn all<T, U>(values: &[T], each: impl Fn(&T) -> U) -> Vec<U> {
    values.iter().map(each).collect()
}
