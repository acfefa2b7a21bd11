//! A group with all that is in it, into another file.
//!
//! HDF5 has `H5Ocopy` for this. On a disk that gets full it doesn't fail but crash (1.10.8, in
//! `H5T_close_real`), and a terminal would end in the midst of other sessions. So
//! everything is read and written anew, as packing does, of which a full disk is tested.

use hdf5::types::{IntSize, TypeDescriptor};
use hdf5::{Dataset, Group, Location};

use super::attribute;
use super::bytes::{self, Part};
use super::table::EFFORT;
use super::within;
use crate::error::{Doing, Fault};

/// Makes `to/name`, with everything that is in `from`.
pub(crate) fn group(from: &Group, to: &Group, name: &str) -> Result<(), Fault> {
    let made = to.create_group(name).doing(|| format!("make {} in", within(to, name)))?;
    attributes(from, &made)?;
    let list = || Ok((from.groups()?, from.datasets()?));
    let (groups, datasets) = list().doing(|| format!("list what is in {} in", from.name()))?;
    groups.iter().try_for_each(|one| group(one, &made, &last(&one.name())))?;
    datasets.iter().try_for_each(|one| dataset(one, &made, &last(&one.name())))
}

fn dataset(from: &Dataset, to: &Group, name: &str) -> Result<(), Fault> {
    let copied = || -> hdf5::Result<Dataset> {
        let element = from.dtype()?.to_descriptor()?;
        let builder = to.new_dataset_builder();
        let Some(chunk) = from.chunk() else {
            let made = builder.empty_as(&element).shape(from.shape()).create(name)?;
            let part = if from.is_scalar() { Part::Whole } else { Part::Rows(0..from.size()) };
            bytes::write(&made, &element, part.clone(), &bytes::read(from, &element, part)?)?;
            return Ok(made);
        };
        let builder = builder.chunk(chunk);
        let packed = !from.filters().is_empty();
        let builder = if packed { builder.shuffle().deflate(EFFORT) } else { builder };
        let made = builder.empty_as(&element).shape(0..).create(name)?;
        let rows = from.size();
        if rows > 0 {
            made.resize(rows)?;
            let read = bytes::read(from, &element, Part::Rows(0..rows))?;
            bytes::write(&made, &element, Part::Rows(0..rows), &read)?;
        }
        Ok(made)
    };
    let made = copied().doing(|| format!("copy {} to", from.name()))?;
    attributes(from, &made)
}

/// Of the two kinds that [`attribute`] writes.
fn attributes(from: &Location, to: &Location) -> Result<(), Fault> {
    let names = from.attr_names().doing(|| format!("list the attributes of {} in", from.name()))?;
    for name in names {
        let read = || from.attr(&name)?.dtype()?.to_descriptor();
        match read().doing(|| format!("read `{name}` of {} in", from.name()))? {
            TypeDescriptor::VarLenUnicode => attribute::set_text(to, &name, &attribute::text(from, &name)?)?,
            TypeDescriptor::Unsigned(IntSize::U8) => {
                attribute::set_numbers(to, &name, &attribute::all_numbers(from, &name)?)?;
            }
            kind => {
                let what = format!("`{name}` of {} is a {kind}, which Bramble writes nowhere", from.name());
                return Err(Fault::Damaged(what));
            }
        }
    }
    Ok(())
}

fn last(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}
