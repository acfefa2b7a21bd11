//! Attributes of one text, or of some whole numbers.

use hdf5::Location;
use hdf5::types::VarLenUnicode;

use crate::error::{Doing, Fault};

pub(crate) fn set_text(object: &Location, name: &str, text: &str) -> Result<(), Fault> {
    let shown = text.replace('\0', "\u{fffd}");
    let value: VarLenUnicode = shown.parse().expect("a text without zeros is a text to HDF5");
    write_text(object, name, &value).doing(|| format!("write `{name}` of {} in", object.name()))
}

fn write_text(object: &Location, name: &str, value: &VarLenUnicode) -> hdf5::Result<()> {
    let attribute = match object.attr(name) {
        Ok(attribute) => attribute,
        Err(_) => object.new_attr::<VarLenUnicode>().create(name)?,
    };
    attribute.write_scalar(value)
}

pub(crate) fn text(object: &Location, name: &str) -> Result<String, Fault> {
    object
        .attr(name)
        .and_then(|attribute| attribute.read_scalar::<VarLenUnicode>())
        .map(|text| text.as_str().to_owned())
        .doing(|| format!("read `{name}` of {} in", object.name()))
}

pub(crate) fn set_numbers(object: &Location, name: &str, numbers: &[u64]) -> Result<(), Fault> {
    write_numbers(object, name, numbers).doing(|| format!("write `{name}` of {} in", object.name()))
}

fn write_numbers(object: &Location, name: &str, numbers: &[u64]) -> hdf5::Result<()> {
    let attribute = match object.attr(name) {
        Ok(attribute) => attribute,
        Err(_) => object.new_attr::<u64>().shape(numbers.len()).create(name)?,
    };
    attribute.write_raw(numbers)
}

pub(crate) fn all_numbers(object: &Location, name: &str) -> Result<Vec<u64>, Fault> {
    object
        .attr(name)
        .and_then(|attribute| attribute.read_raw::<u64>())
        .doing(|| format!("read `{name}` of {} in", object.name()))
}

pub(crate) fn numbers<const N: usize>(object: &Location, name: &str) -> Result<[u64; N], Fault> {
    all_numbers(object, name)?
        .try_into()
        .map_err(|_| Fault::Damaged(format!("`{name}` of {} has not {N} numbers", object.name())))
}
