//! Simulated animals, and whole sessions with them in no time: so that a task
//! can be tried before there is an animal.

mod animal;
mod learner;
mod scripted;
mod simulate;
mod written;

pub use animal::{Animal, AnimalError, named};
pub use learner::{Learner, Temper};
pub use scripted::{ScriptError, Scripted};
pub use simulate::{ColumnSummary, Limits, Simulation, SimulationError, Summary, simulate};
pub use written::Written;
