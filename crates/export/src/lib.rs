//! A session of a subject file in the forms that other programs read: CSV,
//! Parquet, NWB, and the folder and documents of AIND.
//!
//! Every form is made from the same tables, so that each column has its
//! unit and its description in all of them, and is missing in all of them where
//! it is missing in the subject file.
//!
//! Times are in seconds from the session's start; `start_time_ns` of the
//! session, which every form has, leads back to the pilot's clock.

mod aind;
mod csv;
mod error;
mod events;
mod form;
mod here;
mod nwb;
mod pack;
mod parquet;
mod place;
mod session;
mod summary;
mod table;
mod trials;
mod weights;

pub use bramble_value::Lab;
pub use error::ExportError;
pub use form::{Form, UnknownForm};
pub use here::Here;
pub use pack::Pack;
pub use place::{Whether, place};
pub use session::Session;
