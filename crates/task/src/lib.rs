//! The task language: from the source of a task to a checked [`TaskDefinition`].

pub mod call;
pub mod definition;

pub use definition::TaskDefinition;
