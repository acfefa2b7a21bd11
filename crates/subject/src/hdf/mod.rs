//! Tables, texts and attributes as every HDF5 tool can open them.

pub(crate) mod attribute;
mod bytes;
pub(crate) mod copy;
pub(crate) mod layout;
pub(crate) mod table;
pub(crate) mod text;
