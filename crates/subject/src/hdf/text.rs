//! Long texts: datasets of one string, as every tool reads them.

use hdf5::Group;
use hdf5::types::TypeDescriptor;

use super::bytes::{self, Part};
use super::within;
use crate::error::{Doing, Fault};

/// Stores `text` as the dataset `name`.
pub(crate) fn write(parent: &Group, name: &str, text: &str) -> Result<(), Fault> {
    // HDF5 has no strings of no length.
    let mut padded = text.as_bytes().to_vec();
    padded.resize(padded.len().max(1), 0);
    let element = TypeDescriptor::FixedUnicode(padded.len());
    parent
        .new_dataset_builder()
        .empty_as(&element)
        .create(name)
        .and_then(|dataset| bytes::write(&dataset, &element, Part::Whole, &padded))
        .doing(|| format!("write {} in", within(parent, name)))
}

/// The text stored as the dataset `name`.
pub(crate) fn read(parent: &Group, name: &str) -> Result<String, Fault> {
    let read = || -> hdf5::Result<Vec<u8>> {
        let dataset = parent.dataset(name)?;
        let element = dataset.dtype()?.to_descriptor()?;
        bytes::read(&dataset, &element, Part::Whole)
    };
    let mut bytes = read().doing(|| format!("read {} in", within(parent, name)))?;
    if bytes == [0] {
        bytes.clear();
    }
    String::from_utf8(bytes).map_err(|_| Fault::Damaged(format!("{}/{name} is not text", parent.name())))
}
