//! The task language: from the source of a task to a checked [`TaskDefinition`].

pub mod call;
pub mod definition;
mod mistake;
#[allow(unsafe_code, reason = "the interpreter's derives implement its unsafe marker traits")]
mod quantity;
pub mod sandbox;

pub use definition::TaskDefinition;
pub use mistake::{Mistake, Mistakes, did_you_mean};
pub use quantity::{Measure, Quantity};
