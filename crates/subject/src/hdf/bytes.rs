//! Elements of a type known only at run time, to and from a dataset.
//!
//! `hdf5` moves values of Rust types, whose members it must know when it is
//! compiled; the columns of a trial table are known when the session starts.
//! So this calls HDF5 itself, in the two functions below and nowhere else.

use std::ops::Range;

use hdf5::types::TypeDescriptor;
use hdf5::{Dataset, Dataspace, Datatype, Error, Result, h5check};
use hdf5_sys::h5d::{H5Dread, H5Dwrite};
use hdf5_sys::h5p::H5P_DEFAULT;

/// The part of a dataset that is moved.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// The one element of a dataset without dimensions.
    Whole,
    /// These elements of a dataset with one dimension.
    Rows(Range<usize>),
}

/// Writes `bytes`, laid out as elements of type `element`, into part of `dataset`.
#[expect(unsafe_code, reason = "hdf5 has no safe way to write a type known at run time")]
pub(crate) fn write(dataset: &Dataset, element: &TypeDescriptor, part: Part, bytes: &[u8]) -> Result<()> {
    let Some(ends) = Ends::new(dataset, element, part)? else { return Ok(()) };
    if bytes.len() != ends.bytes {
        return Err(Error::Internal(format!("{} bytes where {} are written", bytes.len(), ends.bytes)));
    }
    let status = hdf5::sync::sync(|| {
        // SAFETY: the identifiers belong to live handles, and HDF5 reads just
        // `ends.bytes` bytes: elements of `element`, which holds no pointers.
        unsafe {
            H5Dwrite(
                dataset.id(),
                ends.element.id(),
                ends.memory.id(),
                ends.file.id(),
                H5P_DEFAULT,
                bytes.as_ptr().cast(),
            )
        }
    });
    h5check(status).map(drop)
}

/// Reads part of `dataset`, laid out as elements of type `element`.
#[expect(unsafe_code, reason = "hdf5 has no safe way to read a type known at run time")]
pub(crate) fn read(dataset: &Dataset, element: &TypeDescriptor, part: Part) -> Result<Vec<u8>> {
    let Some(ends) = Ends::new(dataset, element, part)? else { return Ok(Vec::new()) };
    let mut bytes = vec![0; ends.bytes];
    let status = hdf5::sync::sync(|| {
        // SAFETY: the identifiers belong to live handles, and HDF5 writes just
        // `ends.bytes` bytes: elements of `element`, which holds no pointers.
        unsafe {
            H5Dread(
                dataset.id(),
                ends.element.id(),
                ends.memory.id(),
                ends.file.id(),
                H5P_DEFAULT,
                bytes.as_mut_ptr().cast(),
            )
        }
    });
    h5check(status).map(|_| bytes)
}

/// Both ends of a transfer, and how much goes between them.
struct Ends {
    element: Datatype,
    memory: Dataspace,
    file: Dataspace,
    bytes: usize,
}

impl Ends {
    /// `None` where there is nothing to move.
    fn new(dataset: &Dataset, element: &TypeDescriptor, part: Part) -> Result<Option<Ends>> {
        if holds_pointers(element) {
            return Err(Error::Internal("a table holds no members of variable length".to_owned()));
        }
        let space = dataset.space()?;
        let (memory, file, count) = match part {
            Part::Whole => (space.copy(), space, 1),
            Part::Rows(rows) if rows.is_empty() => return Ok(None),
            Part::Rows(rows) => {
                let count = rows.len();
                (Dataspace::try_new(count)?, space.select(rows)?, count)
            }
        };
        if memory.size() != count || file.selection_size() != count {
            return Err(Error::Internal(format!("{count} rows asked of {}", file.size())));
        }
        let bytes = element.size() * count;
        Ok(Some(Ends { element: Datatype::from_descriptor(element)?, memory, file, bytes }))
    }
}

fn holds_pointers(element: &TypeDescriptor) -> bool {
    match element {
        TypeDescriptor::Compound(compound) => compound.fields.iter().any(|field| holds_pointers(&field.ty)),
        TypeDescriptor::FixedArray(item, _) => holds_pointers(item),
        TypeDescriptor::VarLenArray(_)
        | TypeDescriptor::VarLenAscii
        | TypeDescriptor::VarLenUnicode
        | TypeDescriptor::Reference(_) => true,
        _ => false,
    }
}
