//! The task language: from the source of a task to a checked [`TaskDefinition`].

pub mod call;
mod check;
pub mod definition;
mod functions;
pub mod graph;
mod language;
mod load;
mod lower;
mod mistake;
mod parameters;
#[allow(unsafe_code, reason = "the interpreter's derives implement its unsafe marker traits")]
mod quantity;
mod reference;
pub mod sandbox;
mod summary;

pub use definition::{Sources, TaskDefinition};
pub use functions::{FunctionError, Functions, LONGEST_PAST};
pub use load::{ReadError, Task, load, read};
pub use mistake::{Mistake, Mistakes, did_you_mean};
pub use parameters::{ParameterError, parameter_value};
pub use quantity::{Measure, Quantity};
pub use reference::reference;
pub use summary::Summary;
