//! The engine, held against what the task language says.

mod bench;
mod conformance;
mod events;
mod mistakes;
mod order;
mod properties;
mod random_tree;
mod rig;
mod tree;
mod trials;
