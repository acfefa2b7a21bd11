//! Tables, texts and attributes as every HDF5 tool can open them.

pub(crate) mod attribute;
mod bytes;
pub(crate) mod copy;
pub(crate) mod layout;
pub(crate) mod table;
pub(crate) mod text;

/// The path of what is called `name` in a group, for a message.
pub(crate) fn within(parent: &hdf5::Group, name: &str) -> String {
    format!("{}/{name}", parent.name().trim_end_matches('/'))
}
